//! The user's own stretch of work: a state machine over timer events.

pub mod clock;
pub mod timer;

use super::call::named;
use super::ids::SessionId;
use super::units::{Millis, Timestamp, Tokens};

/// The longest countdown that a session can have: five hours.
pub const MAX_DURATION: Millis = Millis(18_000_000);

/// The longest name that a session can have, in characters.
pub const MAX_NAME: usize = 200;

named! {
    /// Where a session stands.
    Status {
        /// Its clock runs.
        Active = "active",
        /// Its clock stands still and can go on.
        Paused = "paused",
        /// It has ended.
        Completed = "completed",
    }
}

/// A session: what the user set, and the timer that its events gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The user's name for it.
    pub name: Box<str>,
    /// When it was created.
    pub created_at: Timestamp,
    /// How long it may run; `None` is open-ended.
    pub duration: Option<Millis>,
    /// How many tokens it may use; `None` is no budget.
    pub token_budget: Option<Tokens>,
    /// Its clock.
    pub timer: timer::Timer,
    /// Rises with every change, so that a stale change is recognised.
    pub revision: u64,
}
