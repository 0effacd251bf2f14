//! `balance-mock`: the fake Gemini API as a command. Invariant: nothing is printed but what it
//! offers, what was wrong with a flag, and (with `--watch`) a line for each request.

use std::process::ExitCode;

use balance_mock::{Mock, Setup};
use tokio::runtime::Builder;

mod flags;
mod greeting;

use flags::{Flags, HELP};

fn main() -> ExitCode {
    let flags = match Flags::read(std::env::args_os().skip(1)) {
        Ok(flags) => flags,
        Err(reason) => {
            eprintln!("balance-mock: {reason}\nTry `balance-mock --help`.");
            return ExitCode::from(2);
        }
    };
    if flags.help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let runtime = match flags.threads {
        1 => Builder::new_current_thread().enable_all().build(),
        0 => Builder::new_multi_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    };
    match runtime.and_then(|runtime| runtime.block_on(run(flags.setup, flags.watch))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("balance-mock: {error}\nIs the port taken? --port chooses another.");
            ExitCode::FAILURE
        }
    }
}

async fn run(setup: Setup, watch: bool) -> std::io::Result<()> {
    let keys = greeting::keys(&setup);
    let mock = Mock::start(setup).await?;
    print!("{}", greeting::text(mock.base_url(), &keys));
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped,
        () = greeting::watch(&mock), if watch => Ok(()),
    }
}
