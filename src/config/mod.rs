//! Settings: defaults < file < environment < flags, resolved once at the start.
//!
//! `raw` is what a file may say, [`mount`] where calls go, [`access`] who may ask, [`resolve`] puts the layers together, `table` lists what can be
//! set, `said` keeps who said it, `show` shows it, `change` changes the file; [`connect`] says how tools are pointed here. Nothing else in the
//! program reads the environment.

pub mod access;
mod change;
pub mod connect;
mod error;
pub mod mount;
mod notify;
mod otlp;
pub mod price_list;
mod prices;
mod raw;
pub mod resolve;
mod said;
mod show;
mod table;

pub use access::{Access, Certificate, Token};
pub use change::ChangeError;
pub use error::ConfigError;
pub use mount::{Dialect, Mount, Mounts, Scheme, Signing};
pub use resolve::{Environment, Flags, Settings, config_file};
