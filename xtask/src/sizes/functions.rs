//! How many lines each function of a Rust file has, signature and braces included.
//!
//! Invariant: braces and the word `fn` inside comments and literals count for nothing.

/// The functions with a body, by name, with their lines.
pub(super) fn lengths(source: &str) -> Vec<(String, usize)> {
    let code = without_comments_and_literals(source);
    code.match_indices("fn ")
        .filter(|(start, _)| !code.get(..*start).is_some_and(|before| before.ends_with(is_name)))
        .filter_map(|(start, _)| code.get(start..))
        .filter_map(|text| {
            let name: String =
                text.get(3..)?.trim_start().chars().take_while(|&c| is_name(c)).collect();
            let body = body_end(text)?;
            (!name.is_empty())
                .then(|| (name, text.get(..body).map_or(0, |text| text.lines().count())))
        })
        .collect()
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Where the body of the function that starts here ends; `None` for a declaration without one.
fn body_end(text: &str) -> Option<usize> {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (index, character) in text.char_indices() {
        match character {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' if braces == 1 => return Some(index + 1),
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The same lines, with nothing left of comments, strings and characters but their line breaks.
fn without_comments_and_literals(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let opaque = opaque_length(rest);
        let (taken, left) =
            rest.split_at_checked(opaque.unwrap_or_else(|| first.len_utf8())).unwrap_or((rest, ""));
        if opaque.is_none() {
            code.push(first);
        } else {
            code.extend(taken.chars().filter(|&character| character == '\n'));
        }
        rest = left;
    }
    code
}

/// How many bytes the comment or literal takes that starts here, if one does.
fn opaque_length(rest: &str) -> Option<usize> {
    let until = |from: usize, end: &str| {
        let found = rest.get(from..).and_then(|tail| tail.find(end));
        found.map_or(rest.len(), |index| from + index + end.len())
    };
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    if rest.starts_with('"') {
        return Some(escaped_length(rest, '"'));
    }
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let is_string = raw.get(hashes..)?.starts_with('"');
        return is_string.then(|| until(hashes + 2, &format!("\"{}", "#".repeat(hashes))));
    }
    let character = rest.strip_prefix('\'')?;
    let is_literal = character.starts_with('\\') || character.chars().nth(1) == Some('\'');
    is_literal.then(|| escaped_length(rest, '\'')) // anything else is a lifetime
}

fn block_comment_length(rest: &str) -> usize {
    let (mut depth, mut previous) = (0_usize, ' ');
    for (index, character) in rest.char_indices() {
        match (previous, character) {
            ('/', '*') => depth += 1,
            ('*', '/') if depth == 1 => return index + 1,
            ('*', '/') => depth -= 1,
            _ => {
                previous = character;
                continue;
            }
        }
        previous = ' '; // both are used up: `/*/` opens once and closes nothing
    }
    rest.len()
}

fn escaped_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return index + quote.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::lengths;

    #[test]
    fn a_function_counts_from_its_name_to_its_last_brace() {
        let source = "pub fn one() {\n    a();\n}\n\nfn two<T>(\n    x: [u8; 3],\n) -> T\nwhere\n    T: Copy,\n{\n}\n";
        assert_eq!(lengths(source), [("one".to_owned(), 3), ("two".to_owned(), 7)]);
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_end_a_function() {
        let source = r##"
fn tricky<'a>(x: &'a str) {
    let s = "} fn not_one() {";
    let r = r#"}"}"#;
    let c = ['}', '\'', '"'];
    // }
    /* } /* } */ } */
}
"##;
        assert_eq!(lengths(source), [("tricky".to_owned(), 7)]);
    }

    #[test]
    fn declarations_and_function_pointers_are_not_counted() {
        let source = "trait A {\n    fn a(&self, x: [u8; 2]);\n}\ntype F = fn(u8) -> u8;\nconst confn : u8 = 1;\n";
        assert_eq!(lengths(source), []);
    }
}
