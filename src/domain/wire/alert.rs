//! What is said of alerts.

use serde::{Deserialize, Serialize};

use crate::domain::alert::{AlertStatus, Episode, Rule, Scope, Severity, Thresholds};
use crate::domain::ids::AlertId;
use crate::domain::units::Timestamp;

/// One alert, from its beginning to its end, as `GET /api/alerts`, the snapshot and the events show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AlertView {
    /// UUIDv7.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: AlertId,
    /// The rule's name, e.g. `store.slow`.
    pub rule: Rule,
    /// What it is about.
    pub scope: Scope,
    /// How much it matters.
    pub severity: Severity,
    /// The threshold that was passed, in percent; `null` where the rule has only one.
    pub level: Option<u8>,
    /// What became of it.
    pub status: AlertStatus,
    /// What happened, how much, since when and what to do, as a sentence or two.
    pub message: String,
    /// UTC epoch milliseconds.
    pub raised_at: i64,
    /// When it last got worse, if it did; UTC epoch milliseconds.
    pub worsened_at: Option<i64>,
    /// UTC epoch milliseconds; `null` while it stands.
    pub cleared_at: Option<i64>,
    /// When the user saw it; UTC epoch milliseconds.
    pub acknowledged_at: Option<i64>,
    /// Until when it is silent; UTC epoch milliseconds.
    pub snoozed_until: Option<i64>,
}

/// `GET /api/alerts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AlertsPage {
    /// The newest first.
    pub alerts: Vec<AlertView>,
    /// The cursor of the next page; `null` if this is the last.
    pub next: Option<String>,
}

/// What is watched, and whether the user wants to hear of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AlertRule {
    /// Its name.
    pub rule: Rule,
    /// What it is about, as a sentence.
    pub about: String,
    /// Whether the user wants to hear nothing of it.
    pub muted: bool,
}

impl AlertRule {
    /// Shows a rule; `at` are the shares that the user has set.
    #[must_use]
    pub fn new(rule: Rule, muted: bool, at: &Thresholds) -> Self {
        Self {
            rule,
            about: rule.about(at).into_owned(),
            muted,
        }
    }
}

/// `GET /api/alert-rules`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AlertRules {
    /// All there are.
    pub rules: Vec<AlertRule>,
}

impl From<&Episode> for AlertView {
    fn from(episode: &Episode) -> Self {
        let millis = |at: Option<Timestamp>| at.map(|at| at.0);
        Self {
            id: episode.id,
            rule: episode.rule,
            scope: episode.scope.clone(),
            severity: episode.severity,
            level: Some(episode.level).filter(|level| *level > 0),
            status: episode.status(),
            message: episode.message.to_string(),
            raised_at: episode.raised_at.0,
            worsened_at: millis(episode.worsened_at),
            cleared_at: millis(episode.cleared_at),
            acknowledged_at: millis(episode.acknowledged_at),
            snoozed_until: millis(episode.snoozed_until),
        }
    }
}
