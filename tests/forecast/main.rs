//! The forecast, held against recorded sessions of coding agents: numbers alone, no texts.
//!
//! The recordings are not part of the repository. They are looked for in `MOONLOCK_TRACES`, else beside the recorded
//! replies (`MOONLOCK_CORPUS`), else beside the repository. Figures are printed next to those that the method reached
//! where it was designed, on a set of sessions that overlaps with this one but is not the same.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "this is a test throughout, and prints what it measures"
)]

mod alarms;
mod golden;
mod overruns;
mod totals;
mod traces;
