//! What is said of a session beside its sums: what happened to its clock, and its checkpoints.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Totals;
use crate::domain::ids::{CheckpointId, SessionId};
use crate::domain::session::checkpoint::Checkpoint;
use crate::domain::session::clock::Nanos;
use crate::domain::session::event::{EventKind, TimerEvent, What};
use crate::domain::session::timer::{Timer, Told};

/// What a session had used at a moment, or between two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckpointUsage {
    /// Prompt tokens, without cached ones.
    pub input: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Prompt tokens written to a cache.
    pub cache_write: u64,
    /// Generated tokens, reasoning included.
    pub output: u64,
    /// The part of `output` that was reasoning.
    pub reasoning: u64,
    /// All tokens.
    pub total: u64,
    /// Billionths of a US dollar; `null` if nothing of it has a price.
    pub cost_nano_usd: Option<i64>,
}

impl From<&Totals> for CheckpointUsage {
    fn from(totals: &Totals) -> Self {
        Self {
            input: totals.input,
            cache_read: totals.cache_read,
            cache_write: totals.cache_write,
            output: totals.output,
            reasoning: totals.reasoning,
            total: totals.total,
            cost_nano_usd: totals.cost_nano_usd,
        }
    }
}

impl CheckpointUsage {
    /// What was used since an earlier moment.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            input: self.input.saturating_sub(before.input),
            cache_read: self.cache_read.saturating_sub(before.cache_read),
            cache_write: self.cache_write.saturating_sub(before.cache_write),
            output: self.output.saturating_sub(before.output),
            reasoning: self.reasoning.saturating_sub(before.reasoning),
            total: self.total.saturating_sub(before.total),
            cost_nano_usd: self
                .cost_nano_usd
                .map(|cost| cost.saturating_sub(before.cost_nano_usd.unwrap_or(0))),
        }
    }
}

/// A named moment in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckpointView {
    /// UUIDv7.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: CheckpointId,
    /// The session.
    #[cfg_attr(test, ts(type = "string"))]
    pub session_id: SessionId,
    /// What begins or ends here.
    pub phase: String,
    /// How many prompts the user had counted.
    pub prompt_count: Option<u64>,
    /// The user's own object.
    #[cfg_attr(test, ts(type = "Record<string, unknown> | null"))]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
    /// UTC epoch milliseconds.
    pub at: i64,
    /// What the session's clock showed.
    pub elapsed_ms: u64,
    /// What the session had used.
    pub usage: CheckpointUsage,
    /// How long the clock had run since the checkpoint before, or the session's start.
    pub since_ms: u64,
    /// What was used since then.
    pub since: CheckpointUsage,
}

impl From<&Checkpoint> for CheckpointView {
    fn from(checkpoint: &Checkpoint) -> Self {
        let (elapsed, usage) = checkpoint.before;
        let said = &checkpoint.said;
        Self {
            id: checkpoint.id,
            session_id: checkpoint.session,
            phase: said.phase.to_string(),
            prompt_count: said.prompt_count,
            metadata: said
                .metadata
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
            at: checkpoint.at.0,
            elapsed_ms: checkpoint.elapsed.0,
            usage: checkpoint.usage,
            since_ms: checkpoint.elapsed.0.saturating_sub(elapsed.0),
            since: checkpoint.usage.since(&usage),
        }
    }
}

/// The last checkpoint, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckpointMark {
    /// UUIDv7.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: CheckpointId,
    /// What begins or ends there.
    pub phase: String,
    /// How many prompts the user had counted.
    pub prompt_count: Option<u64>,
    /// UTC epoch milliseconds.
    pub at: i64,
    /// What the session's clock showed.
    pub elapsed_ms: u64,
}

impl From<&Checkpoint> for CheckpointMark {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            id: checkpoint.id,
            phase: checkpoint.said.phase.to_string(),
            prompt_count: checkpoint.said.prompt_count,
            at: checkpoint.at.0,
            elapsed_ms: checkpoint.elapsed.0,
        }
    }
}

/// An event of a session's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ClockEvent {
    /// Its number within the session: what `untrim` and `countGap` name it by.
    pub seq: u32,
    /// What happened.
    pub kind: EventKind,
    /// When it took effect; UTC epoch milliseconds.
    pub at: i64,
    /// How long the gap or the trimmed stretch is, by how much the wall clock jumped, or what is planned now.
    pub ms: Option<i64>,
    /// Whether it was taken back: the trim undone, the gap counted.
    pub undone: bool,
    /// Whether it left a gap that can be counted.
    pub countable: bool,
}

impl ClockEvent {
    /// Shows an event that the user should know of.
    #[must_use]
    pub fn told(timer: &Timer, told: &Told) -> Self {
        Self {
            undone: told.undone,
            countable: timer.can_count(told.event.seq),
            ..Self::from(&told.event)
        }
    }
}

impl From<&TimerEvent> for ClockEvent {
    fn from(event: &TimerEvent) -> Self {
        let ms = match event.what {
            What::Extended(to) => to.map(|to| i64::try_from(to.0).unwrap_or(i64::MAX)),
            What::Trimmed(from, to) => Some(Nanos(to.0 - from.0).millis()),
            What::Suspended(nanos)
            | What::SleptThrough(nanos)
            | What::Stalled(nanos)
            | What::Recovered(nanos)
            | What::Rebooted(nanos)
            | What::ClockJumped(nanos) => Some(nanos.millis()),
            What::Started
            | What::Paused
            | What::Resumed
            | What::Completed
            | What::LimitReached
            | What::Untrimmed(_)
            | What::GapCounted(_) => None,
        };
        Self {
            seq: event.seq,
            kind: event.what.kind(),
            at: event.at.wall.0,
            ms,
            undone: false,
            countable: false,
        }
    }
}

/// `GET /api/sessions/{id}/checkpoints`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckpointsPage {
    /// In order.
    pub checkpoints: Vec<CheckpointView>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// `GET /api/sessions/{id}/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ClockEvents {
    /// All that happened to the session's clock, in order.
    pub events: Vec<ClockEvent>,
}
