//! When calls were made, as a calendar or a week shows it.

use serde::Serialize;

use super::Totals;
use crate::domain::call::named;

named! {
    /// How a heatmap is laid out.
    HeatmapKind {
        /// A cell for each day.
        Year = "year",
        /// A cell for each hour of each weekday, over all weeks.
        Week = "week",
    }
}

/// What was used when: `GET /api/analytics/heatmap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Heatmap {
    /// How it is laid out.
    pub kind: HeatmapKind,
    /// The zone whose days and hours these are; `null` where it has no name.
    pub time_zone: Option<String>,
    /// From this moment on, UTC epoch milliseconds.
    pub from: i64,
    /// Before this moment.
    pub to: i64,
    /// Every cell, also those without a call, in the order of time.
    pub cells: Vec<HeatmapCell>,
}

/// One day, or one hour of a weekday.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HeatmapCell {
    /// The day, `YYYY-MM-DD`; `null` in a week.
    pub day: Option<String>,
    /// 1 is Monday.
    pub weekday: i8,
    /// 0 to 23; `null` for a day.
    pub hour_of_day: Option<i8>,
    /// Calls that have ended.
    pub requests: u64,
    /// Those of them that did not end as `complete`.
    pub errors: u64,
    /// All tokens.
    pub total: u64,
    /// What the priced calls cost, in billionths of a US dollar; `null` if none of them has a price.
    pub cost_nano_usd: Option<i64>,
}

impl HeatmapCell {
    /// Takes sums in.
    pub fn add(&mut self, totals: &Totals) {
        self.requests = self.requests.saturating_add(totals.requests);
        self.errors = self.errors.saturating_add(totals.errors);
        self.total = self.total.saturating_add(totals.total);
        if let Some(cost) = totals.cost_nano_usd {
            self.cost_nano_usd = Some(self.cost_nano_usd.unwrap_or(0).saturating_add(cost));
        }
    }
}
