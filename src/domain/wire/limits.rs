//! What is said of the providers' own limits.

use serde::{Deserialize, Serialize};

use crate::domain::units::Timestamp;
use crate::domain::windows::{Kind, Role, Standing, Window};

/// The windows of one credential at one provider, as `GET /api/limits`, the snapshot and the events show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LimitsView {
    /// The mount's name.
    pub provider: String,
    /// Tells one credential from another, and leads back to none; `null` where requests named nobody.
    pub credential: Option<String>,
    /// When a reply last told of any of them; UTC epoch milliseconds.
    pub seen_at: i64,
    /// The windows, by name. None of them: they are forgotten.
    pub windows: Vec<WindowView>,
}

/// One of a provider's own limit periods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WindowView {
    /// The provider's name for it: `tokens`, `requests-day`, `5h`, `primary`.
    pub name: String,
    /// What it counts.
    pub kind: Kind,
    /// How long it lasts; `null` where the provider does not say.
    pub period_ms: Option<u64>,
    /// How much may be used in it.
    pub limit: Option<u64>,
    /// How much of that is left.
    pub remaining: Option<u64>,
    /// How much of it is used, in thousandths.
    pub used_permille: Option<u32>,
    /// Whether calls pass, by the provider's word.
    pub status: Option<Standing>,
    /// Whether the provider says that it is this window, of several, that decides.
    pub deciding: bool,
    /// When it begins anew; UTC epoch milliseconds.
    pub resets_at: Option<i64>,
    /// When a reply last told of it; UTC epoch milliseconds.
    pub seen_at: i64,
    /// Whether it has begun anew since: what is left of it is not known.
    pub stale: bool,
}

impl WindowView {
    /// Shows a window that a reply told of at `seen_at`.
    #[must_use]
    pub fn new(window: &Window, seen_at: Timestamp, stale: bool) -> Self {
        let fresh = (!stale).then_some(window);
        Self {
            name: window.name.to_string(),
            kind: window.kind,
            period_ms: window.period.map(|period| period.0),
            limit: window.limit,
            remaining: fresh.and_then(|window| window.remaining),
            used_permille: fresh.and_then(Window::used).map(|used| used.0),
            status: fresh.and_then(|window| window.standing),
            deciding: window.role == Role::Deciding,
            resets_at: window.resets_at.map(|at| at.0),
            seen_at: seen_at.0,
            stale,
        }
    }
}
