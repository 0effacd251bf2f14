//! What a step of the door answers: how many things passed and failed, or why it could not run.
//!
//! Invariant: a step that could not run is a failure, never an empty success.

use std::fmt;

/// What every command returns.
pub type Outcome = Result<Tally, Failure>;

/// How many tests, or whole steps, passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What passed.
    pub passed: usize,
    /// What failed.
    pub failed: usize,
}

impl Tally {
    /// A step that is one check and passed.
    pub const PASSED: Self = Self { passed: 1, failed: 0 };

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// Why a step failed: the place, the reason and the remedy, ready to print.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// Made of its text.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Refuses arguments where a command takes none, so that a mistyped flag is not silently ignored.
pub(crate) fn expect_no_arguments(command: &str, arguments: &[String]) -> Result<(), Failure> {
    match arguments.first() {
        None => Ok(()),
        Some(argument) => {
            Err(Failure::new(format!("`{command}` takes no argument, not even `{argument}`")))
        }
    }
}
