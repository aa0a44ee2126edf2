//! What is said of those who are told of alerts.

use serde::Serialize;

use crate::domain::alert::{Rule, Severity};
use crate::domain::notice::{Target, TargetKind};

/// Who is told of alerts, and how that went. Where exactly, and the secret, are not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NotificationTarget {
    /// Its name in the configuration.
    pub name: String,
    /// How it is spoken to.
    pub kind: TargetKind,
    /// Its scheme and host; `null` for the desktop.
    pub place: Option<String>,
    /// Whether messages to it are signed.
    pub signed: bool,
    /// What matters less is not told.
    pub severity: Severity,
    /// Only these rules; none of them is all.
    pub rules: Vec<Rule>,
    /// When something last arrived; UTC epoch milliseconds.
    pub last_delivery_at: Option<i64>,
    /// Why the last attempt failed; `null` if it did not.
    pub last_error: Option<String>,
    /// When it failed; UTC epoch milliseconds.
    pub last_error_at: Option<i64>,
    /// How many have arrived since the start.
    pub delivered: u64,
    /// How many were given up, or found too many waiting.
    pub given_up: u64,
    /// How many wait.
    pub waiting: u64,
}

impl NotificationTarget {
    /// One that nothing was sent to yet.
    #[must_use]
    pub fn new(target: &Target) -> Self {
        Self {
            name: target.name.to_string(),
            kind: target.kind,
            place: target.place(),
            signed: target.secret.is_some(),
            severity: target.severity,
            rules: target.rules.clone(),
            last_delivery_at: None,
            last_error: None,
            last_error_at: None,
            delivered: 0,
            given_up: 0,
            waiting: 0,
        }
    }
}

/// What `GET /api/notifications` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NotificationTargets {
    /// In the configuration's order.
    pub targets: Vec<NotificationTarget>,
}

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NotificationTest {
    /// Whether it arrived.
    pub delivered: bool,
    /// Why not.
    pub error: Option<String>,
}
