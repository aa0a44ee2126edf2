//! What a session used, row by row, and how certain that is.

use serde::Serialize;

use super::{SessionView, Totals};
use crate::domain::call::Source;
use crate::domain::ids::CallId;

/// What a session used at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TokenEntry {
    /// UUIDv7: the call's.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: CallId,
    /// All its tokens; `null` is not known.
    pub tokens_used: Option<u64>,
    /// The user's own word for what was reported, else the operation's name.
    pub operation: String,
    /// Where the numbers came from; `null` where there are none.
    pub source: Option<Source>,
    /// The model, where one is known.
    pub model: Option<String>,
    /// What it cost, in billionths of a US dollar; `null` where no price is known.
    pub cost_nano_usd: Option<i64>,
    /// What the user noted about it.
    pub note: Option<String>,
    /// UTC epoch milliseconds.
    pub at: i64,
    /// When it was rewritten after its end (moved here, estimated, its numbers given up for another's), or reported of an
    /// earlier moment; `null`: never.
    pub changed_at: Option<i64>,
}

/// The sums of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SourceTotals {
    /// Where the numbers came from; `null`: there are none.
    pub source: Option<Source>,
    /// Calls.
    pub requests: u64,
    /// All their tokens.
    pub tokens: u64,
    /// What the priced ones cost, in billionths of a US dollar.
    pub cost_nano_usd: Option<i64>,
}

/// Calls whose numbers the provider did not say, or not all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Uncertain {
    /// Calls.
    pub requests: u64,
    /// The tokens that are known or estimated of them.
    pub tokens: u64,
}

/// How a session's tokens come together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reconciliation {
    /// All tokens.
    pub tokens_used: u64,
    /// By source.
    pub by_source: Vec<SourceTotals>,
    /// What is not certain of it.
    pub uncertain: Uncertain,
    /// Tokens of calls that began while the session was paused.
    pub paused_tokens: u64,
}

impl Reconciliation {
    /// Puts the sums of the sources together.
    #[must_use]
    pub fn new(groups: impl IntoIterator<Item = (Option<Source>, Totals)>, paused_tokens: u64) -> Self {
        let mut all = Self {
            paused_tokens,
            ..Self::default()
        };
        for (source, totals) in groups {
            all.tokens_used = all.tokens_used.saturating_add(totals.total);
            let (requests, tokens) = match source {
                Some(Source::Exact | Source::Manual) => (0, 0),
                Some(Source::Partial | Source::Estimated | Source::Imported) => {
                    (totals.requests, totals.total)
                }
                // A call that was refused has no numbers, and none is missing.
                None => (totals.unknown_requests, totals.total),
            };
            all.uncertain.requests += requests;
            all.uncertain.tokens = all.uncertain.tokens.saturating_add(tokens);
            all.by_source.push(SourceTotals {
                source,
                requests: totals.requests,
                tokens: totals.total,
                cost_nano_usd: totals.cost_nano_usd,
            });
        }
        all
    }
}

/// `GET /api/sessions/{id}/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TokensPage {
    /// Newest first.
    pub tokens: Vec<TokenEntry>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// How the whole session's tokens come together.
    pub reconciliation: Reconciliation,
}

/// One report as it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Counted {
    /// UUIDv7: the call's.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: CallId,
    /// All its tokens.
    pub tokens_used: u64,
}

/// The answer to a report, or to a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Reported {
    /// To one.
    #[serde(rename_all = "camelCase")]
    One {
        /// UUIDv7: the call's.
        #[cfg_attr(test, ts(type = "string"))]
        id: CallId,
        /// All its tokens.
        tokens_used: u64,
        /// The session afterwards.
        session: Box<SessionView>,
    },
    /// To a list.
    #[serde(rename_all = "camelCase")]
    Many {
        /// What was counted, in the list's order.
        reported: Vec<Counted>,
        /// The session afterwards.
        session: Box<SessionView>,
    },
}
