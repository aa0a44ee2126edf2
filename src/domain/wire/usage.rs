//! Sums by what the calls have in common.

use serde::Serialize;

use super::Totals;

/// What was used in a period: `GET /api/analytics/usage`.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UsagePage {
    /// As it was asked for.
    pub period: String,
    /// The zone that days and hours are cut in; `null` where it has no name.
    pub time_zone: Option<String>,
    /// UTC epoch milliseconds; `null` is the beginning.
    pub from: Option<i64>,
    /// UTC epoch milliseconds; `null` is now.
    pub to: Option<i64>,
    /// The sums of all groups.
    pub totals: Totals,
    /// By time, then the largest first.
    pub groups: Vec<UsageGroup>,
}

/// Calls that have something in common, and their sums.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UsageGroup {
    /// What they have in common.
    #[serde(flatten)]
    pub keys: UsageKeys,
    /// Their sums.
    #[serde(flatten)]
    pub totals: Totals,
    /// How long they took together.
    pub duration_ms: u64,
    /// How much of the prompts was read from a cache; `null` where there was no prompt.
    pub cache_hit_share: Option<f64>,
    /// How much of all tokens has a price.
    pub priced_share: Option<f64>,
    /// Generated tokens a second.
    pub output_per_second: Option<f64>,
    /// Half of the calls took at most this long; to within 5 %, as all of these.
    pub duration_p50_ms: Option<u64>,
    /// Nine of ten.
    pub duration_p90_ms: Option<u64>,
    /// All but one of a hundred.
    pub duration_p99_ms: Option<u64>,
    /// Half of the streamed replies began after at most this long.
    pub ttft_p50_ms: Option<u64>,
    /// Nine of ten.
    pub ttft_p90_ms: Option<u64>,
    /// All but one of a hundred.
    pub ttft_p99_ms: Option<u64>,
}

/// What the calls of a group have in common: what `groupBy` named and nothing else. `null`: they have none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct UsageKeys {
    /// The session's id; `null` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub session: Option<Option<String>>,
    /// The mount's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub provider: Option<Option<String>>,
    /// The model that answered; if none did, the one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub model: Option<Option<String>>,
    /// The program that called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub client: Option<Option<String>>,
    /// The client's own thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub conversation: Option<Option<String>>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub operation: Option<Option<String>>,
    /// Where the numbers are from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub source: Option<Option<String>>,
    /// How the calls ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub outcome: Option<Option<String>>,
    /// When the hour began; UTC epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<i64>,
    /// `2026-11-22` in the zone that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// 1 is Monday.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekday: Option<i8>,
    /// 0 to 23.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour_of_day: Option<i8>,
}
