//! Settings: defaults < file < environment < flags, resolved once at the start.
//!
//! [`raw`] is what a file may say, [`mount`] where calls go, [`resolve`] puts the layers together. Nothing else in
//! the program reads the environment.

mod error;
pub mod mount;
mod prices;
mod raw;
pub mod resolve;

pub use error::ConfigError;
pub use mount::{Dialect, Mount, Mounts, Signing};
pub use resolve::{Environment, Flags, Settings};
