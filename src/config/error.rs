//! What is wrong with the settings, for the person who wrote them.

use std::path::PathBuf;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A configuration file says something that it may not say.
    #[error("{}:{line}: `{key}`: {problem}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The dotted key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A configuration file cannot be read.
    #[error("cannot read the configuration file {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A value from the environment or a flag is wrong.
    #[error("{name}={value}: {problem}")]
    Value {
        /// The variable or the flag.
        name: String,
        /// What it says.
        value: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// A mount cannot be used.
    #[error("mount `{name}`: {problem}")]
    Mount {
        /// The mount.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A target of notifications cannot be used. Neither its address nor its secret is said.
    #[error("{place}: `notify`: {problem}")]
    Target {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No place for the database is known.
    #[error("this system names no data directory: set DB_PATH to the database's file")]
    NoDataDirectory,
}
