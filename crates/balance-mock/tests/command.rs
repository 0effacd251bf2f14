//! The command, started as a user starts it. Invariant: what it prints can be used as it stands.

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::{Child, Command, Stdio};

    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Lines of its output up to the one that holds a word.
    fn until(lines: &mut impl Iterator<Item = String>, word: &str) -> Vec<String> {
        let mut seen = Vec::new();
        for line in lines {
            let found = line.contains(word);
            seen.push(line);
            if found {
                break;
            }
        }
        seen
    }

    #[test]
    fn it_prints_keys_that_work_and_tells_each_request() {
        let mut child = Command::new(env!("CARGO_BIN_EXE_balance-mock"))
            .args(["--port", "0", "--watch"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let _running = Running(child);
        let mut lines = output.lines().map(Result::unwrap);
        let greeting = until(&mut lines, "Ctrl-C");
        let address = greeting[0].split("http://").nth(1).unwrap();
        let secret = |name: &str| {
            let line = greeting.iter().find(|line| line.contains(name)).unwrap();
            line.split_whitespace().next().unwrap().to_owned()
        };
        for (name, status) in [("good-1", 200), ("dead-1", 403)] {
            let body = r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#;
            let request = format!(
                "POST /v1beta/models/gemini-2.5-flash:generateContent HTTP/1.1\r\nhost: x\r\n\
                 x-goog-api-key: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                secret(name),
                body.len()
            );
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            let told = until(&mut lines, "POST").pop().unwrap();
            assert!(told.starts_with(&status.to_string()) && told.contains(name), "{told}");
        }
    }

    #[test]
    fn help_goes_to_the_output_and_a_wrong_flag_to_the_errors() {
        let run = |flag| Command::new(env!("CARGO_BIN_EXE_balance-mock")).arg(flag).output();
        let help = run("--help").unwrap();
        assert!(help.status.success() && help.stdout.starts_with(b"A fake Gemini API"));
        let wrong = run("--wrong").unwrap();
        assert_eq!(wrong.status.code(), Some(2));
        assert!(String::from_utf8(wrong.stderr).unwrap().contains("--wrong"));
    }
}
