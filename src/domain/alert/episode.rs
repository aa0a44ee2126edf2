//! One time that a rule found something, from its beginning to its end.

use sha2::{Digest, Sha256};
use uuid::Builder;

use super::{AlertStatus, Facts, Passed, Rule, Scope, Severity};
use crate::domain::ids::AlertId;
use crate::domain::units::Timestamp;

/// One time that a rule found something, from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Its id.
    pub id: AlertId,
    /// What was found.
    pub rule: Rule,
    /// Of what.
    pub scope: Scope,
    /// The threshold that was passed, in percent; 0 where the rule has only one.
    pub level: u8,
    /// How much it matters.
    pub severity: Severity,
    /// What happened, how much, since when and what to do, as a sentence or two.
    pub message: Box<str>,
    /// When it began.
    pub raised_at: Timestamp,
    /// When it last got worse, if it did.
    pub worsened_at: Option<Timestamp>,
    /// When it ended.
    pub cleared_at: Option<Timestamp>,
    /// When the user saw it as it is now.
    pub acknowledged_at: Option<Timestamp>,
    /// Until when the user wants to hear nothing of it.
    pub snoozed_until: Option<Timestamp>,
    /// Whether the user wants to hear nothing of its rule.
    pub muted: bool,
}

impl Episode {
    /// One that begins. `nth` tells apart those of one rule and scope that begin in the same millisecond.
    pub(super) fn begin(scope: &Scope, facts: &Facts, now: Timestamp, nth: u16) -> Self {
        Self {
            id: id(facts.rule(), scope, now, nth),
            rule: facts.rule(),
            scope: scope.clone(),
            level: facts.level(),
            severity: facts.severity(),
            message: facts.to_string().into(),
            raised_at: now,
            worsened_at: None,
            cleared_at: None,
            acknowledged_at: None,
            snoozed_until: None,
            muted: false,
        }
    }

    /// The share that was passed, where it tells of one.
    #[must_use]
    pub const fn passed(&self) -> Passed {
        Passed {
            percent: self.level,
            severity: self.severity,
        }
    }

    /// What became of it.
    #[must_use]
    pub const fn status(&self) -> AlertStatus {
        if self.cleared_at.is_some() {
            AlertStatus::Cleared
        } else if self.muted {
            AlertStatus::Muted
        } else if self.acknowledged_at.is_some() {
            AlertStatus::Acknowledged
        } else if self.snoozed_until.is_some() {
            AlertStatus::Snoozed
        } else {
            AlertStatus::Active
        }
    }
}

/// A UUIDv7 without randomness, so that a day can be replayed: its time, a counter, and what it is about.
fn id(rule: Rule, scope: &Scope, at: Timestamp, nth: u16) -> AlertId {
    let mut hash = Sha256::new();
    hash.update(rule.name());
    hash.update([0]);
    hash.update(scope.to_string());
    let hash = hash.finalize();
    let mut rest = [0; 10];
    rest[..2].copy_from_slice(&nth.to_be_bytes());
    rest[2..].copy_from_slice(&hash[..8]);
    let millis = u64::try_from(at.0).unwrap_or(0);
    AlertId::from_uuid(Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}
