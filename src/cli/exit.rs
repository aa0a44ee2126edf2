//! How a command ends: the exit codes, in one place, and what to print where it failed.

use std::fmt::Display;

/// The exit codes, for `--help`.
pub(super) const HELP: &str = "Exit codes:\n  \
    0   all well\n  \
    1   it could not be done; guard: used up; doctor: there is a problem\n  \
    2   wrong usage or configuration; guard: 64\n  \
    69  Moonlock is not running, or does not answer\n\
`moonlock run` ends as its command does: with that one's code, with 128+N where signal N ended it, with 127 where there is no \
such command and 126 where it cannot be run.";

const COULD_NOT: u8 = 1;
const WRONG_USAGE: u8 = 2;
/// `EX_USAGE` of sysexits(3), which hooks tell from "used up" by.
pub(super) const GUARD_USAGE: u8 = 64;
/// `EX_UNAVAILABLE` of sysexits(3).
const UNAVAILABLE: u8 = 69;
/// As shells have it (POSIX, Shell Command Language §2.8.2).
const CANNOT_RUN: u8 = 126;
const NO_COMMAND: u8 = 127;

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

    /// There is no such command to run.
    pub(super) fn no_command(name: &impl Display) -> Self {
        Self::new(NO_COMMAND, &format_args!("there is no command `{name}`"))
    }

    /// The command is there, but cannot be run.
    pub(super) fn command_cannot_run(name: &impl Display, error: &impl Display) -> Self {
        Self::new(CANNOT_RUN, &format_args!("`{name}` cannot be run: {error}"))
    }

    /// All was said already.
    pub(super) const fn silent(code: u8) -> Self {
        Self {
            code,
            message: String::new(),
        }
    }

    /// The same with another code, where it is wrong usage.
    pub(super) fn with_usage(self, code: u8) -> Self {
        Self {
            code: if self.code == WRONG_USAGE { code } else { self.code },
            ..self
        }
    }

    /// Whether it is that Moonlock does not run, or does not answer.
    pub(super) const fn is_unavailable(&self) -> bool {
        self.code == UNAVAILABLE
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
