//! How a command ends: the exit codes, in one place, and what to print where it failed.

use std::fmt::Display;

/// The exit codes, for `--help`.
pub(super) const HELP: &str = "Exit codes:\n  \
    0   all well\n  \
    1   it could not be done\n  \
    2   wrong usage or configuration\n  \
    69  Moonlock is not running, or does not answer";

const COULD_NOT: u8 = 1;
const WRONG_USAGE: u8 = 2;
/// `EX_UNAVAILABLE` of sysexits(3).
const UNAVAILABLE: u8 = 69;

/// Why a command failed: what to print, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(code: u8, message: &impl Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }

    /// The settings or the arguments are wrong.
    pub(crate) fn usage(error: &impl Display) -> Self {
        Self::new(WRONG_USAGE, error)
    }

    /// It could not run.
    pub(crate) fn run(error: &impl Display) -> Self {
        Self::new(COULD_NOT, error)
    }

    /// Moonlock does not run, or does not answer.
    pub(super) fn unavailable(error: &impl Display) -> Self {
        Self::new(UNAVAILABLE, error)
    }

    /// All was said already.
    pub(super) const fn silent(code: u8) -> Self {
        Self {
            code,
            message: String::new(),
        }
    }

    /// The exit code.
    pub(super) const fn code(&self) -> u8 {
        self.code
    }

    /// What to print, if anything.
    pub(super) fn message(&self) -> Option<&str> {
        Some(self.message.as_str()).filter(|message| !message.is_empty())
    }
}
