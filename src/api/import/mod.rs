//! What others metered is taken in: calls that were read from another tool's log ([`logged`]), and exports ([`exported`]).

pub(super) mod exported;
pub(super) mod logged;
mod reading;
