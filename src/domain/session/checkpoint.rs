//! A named moment in a session, with what had been used until then.

use crate::domain::ids::{CheckpointId, SessionId};
use crate::domain::units::{Millis, Timestamp};
use crate::domain::wire::CheckpointUsage;

/// The longest name of a phase, in characters.
pub const MAX_PHASE: usize = 100;

/// The most bytes of a checkpoint's metadata, as JSON.
pub const MAX_METADATA: usize = 16 * 1024;

/// How deep objects and arrays may lie inside each other in a checkpoint's metadata.
pub const MAX_METADATA_DEPTH: usize = 16;

/// The most checkpoints of one session.
pub const MAX_CHECKPOINTS: u64 = 10_000;

/// What the user says of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCheckpoint {
    /// What begins or ends here, in the user's words.
    pub phase: Box<str>,
    /// How many prompts the user has counted.
    pub prompt_count: Option<u64>,
    /// A JSON object of the user's.
    pub metadata: Option<Box<str>>,
}

/// A named moment in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its id.
    pub id: CheckpointId,
    /// The session.
    pub session: SessionId,
    /// What the user said.
    pub said: NewCheckpoint,
    /// When.
    pub at: Timestamp,
    /// What the session's clock showed.
    pub elapsed: Millis,
    /// What the session had used.
    pub usage: CheckpointUsage,
    /// The same two of the checkpoint before it; zero for the first.
    pub before: (Millis, CheckpointUsage),
}
