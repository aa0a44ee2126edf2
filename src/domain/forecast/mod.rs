//! What a running session will come to: how fast it burns, where it ends, when a limit is met, and what is unusual.
//!
//! A session's rate is the product of two things that behave differently. The size of calls follows the conversation
//! that they carry, so the last few calls tell it best; how often calls come returns to the usual, so what was seen is
//! drawn towards that. Both are exponentially weighted, and the rest of the session is their product times the time
//! that is left. How far that is off is spread like a lognormal distribution whose width was measured on recorded
//! sessions of coding agents; every constant here comes from there.
//!
//! All time is active time: a pause stops it. A call costs the same work however long the session is.

pub mod alarm;
mod amount;
mod burn_rate;
mod chance;
mod constants;
pub mod eval;
mod outlook;
mod prior;
mod projection;
mod session;
#[cfg(test)]
mod tests;
mod track_record;

pub use amount::Amount;
pub use burn_rate::{BurnRate, Pace};
pub use chance::Chance;
pub use outlook::{Band, Confidence, Outlook, TimeToLimit};
pub use prior::{FEWEST_SESSIONS, Finished, MOST_SESSIONS, Prior};
pub use projection::{End, Projection};
pub use session::{CallUse, Forecast};
pub use track_record::{EarlyWarning, Score, Settled, Shown, TrackRecord};

use super::units::Millis;

/// Active time as the formulas have it.
fn minutes(time: Millis) -> f64 {
    time.0 as f64 / 60_000.0
}

/// A number of minutes that is not negative, to the nearest millisecond.
fn millis(minutes: f64) -> Millis {
    Millis((minutes * 60_000.0).round() as u64)
}
