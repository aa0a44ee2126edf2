//! What a user can report by hand, checked: the body of `POST /api/sessions/{id}/tokens`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::ApiError;
use crate::config::Mounts;
use crate::domain::call::{CallEnd, CallStart, Outcome, Source};
use crate::domain::estimate::Intervals;
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::report::MAX_KEY;
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use crate::domain::usage::parts::Parts;

/// The longest name of an operation, a model or a provider.
const MAX_WORD: usize = 200;
/// The longest note.
const MAX_NOTE: usize = 1_000;
/// A clock that goes ahead of this one's by more is wrong.
const MAX_AHEAD: Millis = Millis(60_000);
/// The most that a report can have cost: a million dollars.
const MAX_COST: NanoUsd = NanoUsd(1_000_000_000_000_000);

/// Tokens reported by hand: one number, or its parts.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = NewTokens)]
pub(super) struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_i64)]
    tokens_used: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_i64)]
    input: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_i64)]
    cache_read: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_i64)]
    cache_write: Option<u64>,
    /// Reasoning included, as everywhere in the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_i64)]
    output: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_i64)]
    reasoning: Option<u64>,
    /// What they were used for, in the user's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub(super) operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_000_i64)]
    cost_nano_usd: Option<u64>,
    /// Dollars, as a decimal number or its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Dollars>)]
    cost: Option<Value>,
    /// UTC epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub(super) note: Option<String>,
    #[serde(skip_serializing)]
    #[schema(min_length = 1, max_length = 255, pattern = r"\S")]
    pub(super) idempotency_key: Option<String>,
}

/// Dollars: a number, or its text.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `cost` takes")]
enum Dollars {
    Number(f64),
    Text(String),
}

impl Entry {
    /// Makes a call of it. `place` is where the entry stands in the body, for errors: `[3].`, or nothing.
    pub(super) fn check(
        &self,
        place: &str,
        mounts: &Mounts,
        now: Timestamp,
    ) -> Result<(CallStart, CallEnd), ApiError> {
        let wrong = |field: &str, detail: String| {
            Err(ApiError::field(
                &format!("{place}{field}"),
                format!("`{place}{field}` {detail}"),
            ))
        };
        for (field, tokens) in [
            ("tokensUsed", self.tokens_used),
            ("input", self.input),
            ("cacheRead", self.cache_read),
            ("cacheWrite", self.cache_write),
            ("output", self.output),
            ("reasoning", self.reasoning),
        ] {
            if tokens.is_some_and(|tokens| tokens > Tokens::PLAUSIBLE_MAX.0) {
                return wrong(field, format!("must be from 0 to {}", Tokens::PLAUSIBLE_MAX.0));
            }
        }
        for (field, text, longest) in [
            ("operation", &self.operation, MAX_WORD),
            ("model", &self.model, MAX_WORD),
            ("provider", &self.provider, MAX_WORD),
            ("note", &self.note, MAX_NOTE),
            ("idempotencyKey", &self.idempotency_key, MAX_KEY),
        ] {
            if text.as_ref().is_some_and(|text| text.chars().count() > longest) {
                return wrong(field, format!("has at most {longest} characters"));
            }
        }
        for (field, text) in [
            ("model", &self.model),
            ("provider", &self.provider),
            ("idempotencyKey", &self.idempotency_key),
        ] {
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                return wrong(field, "must not be empty; leave it out".to_owned());
            }
        }
        let Some(parts) = self.parts() else {
            return wrong(
                "reasoning",
                "is a part of `output`, and cannot be more".to_owned(),
            );
        };
        match (self.tokens_used, parts.total()) {
            (None, None) => {
                return wrong(
                    "tokensUsed",
                    "is missing: give it, or parts of it (input, cacheRead, cacheWrite, output)".to_owned(),
                );
            }
            (Some(said), Some(sum)) if self.has_parts() && said != sum.0 => {
                return wrong("tokensUsed", format!("is {said}, but its parts add up to {sum}"));
            }
            _ => {}
        }
        let cost = match (self.cost_nano_usd, &self.cost) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                return wrong(
                    "cost",
                    "and `costNanoUsd` say the same: give one of them".to_owned(),
                );
            }
            (Some(nanos), None) => i64::try_from(nanos).ok().map(NanoUsd),
            (None, Some(dollars)) => {
                let text = dollars
                    .as_str()
                    .map_or_else(|| dollars.to_string(), str::to_owned);
                let Some(cost) = dollars_to_nanos(&text) else {
                    return wrong(
                        "cost",
                        "must be dollars as a decimal number, e.g. 0.0125".to_owned(),
                    );
                };
                Some(cost)
            }
        };
        if (self.cost_nano_usd.is_some() || self.cost.is_some()) && cost.is_none_or(|cost| cost > MAX_COST) {
            let field = if self.cost.is_some() {
                "cost"
            } else {
                "costNanoUsd"
            };
            return wrong(field, "is more than a million dollars".to_owned());
        }
        let latest = now.0.saturating_add_unsigned(MAX_AHEAD.0);
        if self.at.is_some_and(|at| !(1..=latest).contains(&at)) {
            return wrong(
                "at",
                "must be UTC epoch milliseconds, not in the future".to_owned(),
            );
        }
        let at = self.at.map_or(now, Timestamp);
        Ok(self.call(
            at,
            Parts {
                provider_cost: cost,
                ..parts
            },
            mounts,
        ))
    }

    const fn has_parts(&self) -> bool {
        self.input.is_some()
            || self.cache_read.is_some()
            || self.cache_write.is_some()
            || self.output.is_some()
    }

    fn parts(&self) -> Option<Parts> {
        if !self.has_parts() {
            return self.reasoning.is_none().then(|| Parts {
                unsplit: self.tokens_used.map(Tokens),
                ..Parts::default()
            });
        }
        let visible = match (self.output, self.reasoning) {
            (output, None) => output,
            (Some(output), Some(reasoning)) => Some(output.checked_sub(reasoning)?),
            (None, Some(_)) => return None,
        };
        Some(Parts {
            input: self.input.map(Tokens),
            cache_read: self.cache_read.map(Tokens),
            cache_write_5m: self.cache_write.map(Tokens),
            output: visible.map(Tokens),
            reasoning: self.reasoning.map(Tokens),
            ..Parts::default()
        })
    }

    fn call(&self, at: Timestamp, parts: Parts, mounts: &Mounts) -> (CallStart, CallEnd) {
        let provider = self.provider.as_deref().map_or("manual", str::trim);
        let model: Option<Box<str>> = self.model.as_deref().map(|model| model.trim().into());
        let start = CallStart {
            id: id_at(at),
            started_at: at,
            provider: provider.into(),
            price_provider: mounts.get(provider).and_then(|mount| mount.prices.clone()),
            operation: Operation::Manual,
            request_model: model.clone(),
            conversation: None,
            agent: None,
            client: None,
            asked: None,
        };
        let end = CallEnd {
            outcome: Outcome::Complete,
            status: None,
            model,
            parts,
            source: Some(Source::Manual),
            estimate: Intervals::default(),
            raw_usage: serde_json::to_string(self).ok().map(Into::into),
            request_id: None,
            error: None,
            streamed: false,
            ttft: None,
            duration: Millis(0),
        };
        (start, end)
    }
}

/// A UUIDv7 of a moment: a call's id carries the moment of its start.
pub(super) fn id_at(at: Timestamp) -> CallId {
    let millis = u64::try_from(at.0).unwrap_or(0);
    let nanos = u32::try_from(millis % 1_000 * 1_000_000).unwrap_or(0);
    let moment = uuid::Timestamp::from_unix(uuid::NoContext, millis / 1_000, nanos);
    CallId::from_uuid(Uuid::new_v7(moment))
}

/// Dollars as a decimal number, exactly: what a float would make of them never comes into it.
fn dollars_to_nanos(text: &str) -> Option<NanoUsd> {
    let (mantissa, exponent) = match text.trim().split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text.trim(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 30 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u128 = digits.parse().ok()?;
    let shift = exponent
        .checked_add(9)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_u128.checked_pow(shift.unsigned_abs());
    let nanos = match (number, shift) {
        (0, _) => 0,
        (_, 0..) => number.checked_mul(power?)?,
        // Less than a billionth of a dollar is rounded to the next.
        (_, _) => power.map_or(0, |power| number.saturating_add(power / 2) / power),
    };
    i64::try_from(nanos).ok().map(NanoUsd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_exactly() {
        for (text, nanos) in [
            ("0.0125", Some(12_500_000)),
            ("1", Some(1_000_000_000)),
            ("3.", Some(3_000_000_000)),
            (".5", Some(500_000_000)),
            ("1e-7", Some(100)),
            ("1.5E2", Some(150_000_000_000)),
            ("0.1", Some(100_000_000)),
            ("0.0000000004", Some(0)),
            ("0.0000000005", Some(1)),
            ("0e999999999", Some(0)),
            ("1e-999999999", Some(0)),
            ("-1", None),
            ("", None),
            (".", None),
            ("1e999", None),
            ("1e99999999999", None),
            ("NaN", None),
            ("99999999999", None),
        ] {
            assert_eq!(dollars_to_nanos(text), nanos.map(NanoUsd), "{text}");
        }
    }

    #[test]
    fn an_id_carries_its_moment() {
        let ids = [1_000, 1_790_000_000_123].map(|at| *id_at(Timestamp(at)).as_bytes());
        assert_eq!(ids[0][..6], 1_000_u64.to_be_bytes()[2..]);
        assert_eq!(ids[1][..6], 1_790_000_000_123_u64.to_be_bytes()[2..]);
    }
}
