//! What Moonlock knows, without doing anything: no I/O, no clock, no async, no logging.
//!
//! Time is an argument and so is randomness. Everything here can be tested with a table.

pub mod alert;
pub mod answer;
pub mod budget;
pub mod call;
pub mod durability;
pub mod estimate;
pub mod exported;
pub mod forecast;
pub mod histogram;
pub mod ids;
pub mod import;
pub(crate) mod leb128;
pub mod live;
pub mod metrics;
pub mod notice;
pub mod operation;
pub mod pricing;
pub mod record;
pub mod report;
pub mod session;
pub mod units;
pub mod usage;
pub mod windows;
pub mod wire;
