//! The program of `cargo xtask`.
//!
//! Invariant: all that it does is in the library.

fn main() -> std::process::ExitCode {
    xtask::run()
}
