//! One call with all that is kept of it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::CallView;
use crate::domain::call::{Attribution, Call};
use crate::domain::units::{NanoUsd, Tokens};
use crate::domain::usage::parts::Parts;

/// A call with what only the database knows: `GET /api/calls/{id}`, and the exports.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CallDetail {
    /// The call as lists show it.
    #[serde(flatten)]
    #[cfg_attr(test, ts(flatten))]
    pub call: CallView,
    /// Where the client asked for `askedSession`.
    pub asked_by: Option<Attribution>,
    /// The price list's name for the provider.
    pub price_provider: Option<Box<str>>,
    /// What the model said its name is; `null` where it did not.
    pub reply_model: Option<Box<str>>,
    /// The disjoint parts of its usage.
    pub parts: CallParts,
    /// The provider's own words about the usage: JSON as it came; `null` where there were none.
    #[schema(value_type = Option<serde_json::Value>)]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub raw_usage: Option<Box<RawValue>>,
}

impl From<&Call> for CallDetail {
    fn from(call: &Call) -> Self {
        let end = call.end.as_ref();
        Self {
            call: CallView::from(call),
            asked_by: call.start.asked.as_ref().map(|asked| asked.by),
            price_provider: call.start.price_provider.clone(),
            reply_model: end.and_then(|end| end.model.clone()),
            parts: end.map(|end| end.parts).unwrap_or_default().into(),
            // What a provider wrote was JSON when it was kept.
            raw_usage: end
                .and_then(|end| end.raw_usage.as_deref())
                .and_then(|raw| serde_json::from_str(raw).ok()),
        }
    }
}

/// Disjoint parts of a call's usage, in tokens where nothing else is said; those that are not known are left out.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CallParts {
    /// Prompt text, without what a cache served or took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<u64>,
    /// Written to a cache for five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write5m: Option<u64>,
    /// Written to a cache for an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write1h: Option<u64>,
    /// Sound in the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_in: Option<u64>,
    /// Images in the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_in: Option<u64>,
    /// Generated text, without reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
    /// Generated sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_out: Option<u64>,
    /// Generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_out: Option<u64>,
    /// Tokens of which it is not known what they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsplit: Option<u64>,
    /// Searches of the web, which are charged by number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_searches: Option<u64>,
    /// What the provider itself said that it cost, in billionths of a US dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_cost_nano_usd: Option<i64>,
}

impl From<Parts> for CallParts {
    fn from(parts: Parts) -> Self {
        Self {
            input: parts.input.map(|tokens| tokens.0),
            cache_read: parts.cache_read.map(|tokens| tokens.0),
            cache_write5m: parts.cache_write_5m.map(|tokens| tokens.0),
            cache_write1h: parts.cache_write_1h.map(|tokens| tokens.0),
            audio_in: parts.audio_in.map(|tokens| tokens.0),
            image_in: parts.image_in.map(|tokens| tokens.0),
            output: parts.output.map(|tokens| tokens.0),
            reasoning: parts.reasoning.map(|tokens| tokens.0),
            audio_out: parts.audio_out.map(|tokens| tokens.0),
            image_out: parts.image_out.map(|tokens| tokens.0),
            unsplit: parts.unsplit.map(|tokens| tokens.0),
            web_searches: parts.web_searches,
            provider_cost_nano_usd: parts.provider_cost.map(|cost| cost.0),
        }
    }
}

impl From<CallParts> for Parts {
    fn from(parts: CallParts) -> Self {
        Self {
            input: parts.input.map(Tokens),
            cache_read: parts.cache_read.map(Tokens),
            cache_write_5m: parts.cache_write5m.map(Tokens),
            cache_write_1h: parts.cache_write1h.map(Tokens),
            audio_in: parts.audio_in.map(Tokens),
            image_in: parts.image_in.map(Tokens),
            output: parts.output.map(Tokens),
            reasoning: parts.reasoning.map(Tokens),
            audio_out: parts.audio_out.map(Tokens),
            image_out: parts.image_out.map(Tokens),
            unsplit: parts.unsplit.map(Tokens),
            web_searches: parts.web_searches,
            provider_cost: parts.provider_cost_nano_usd.map(NanoUsd),
        }
    }
}
