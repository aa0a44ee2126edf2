//! A call of an export.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{LONGEST_MS, MAX_TEXT, NotUsable, holds, past, typed};
use crate::domain::call::{AskedSession, Attribution, Call, CallEnd, CallStart, Outcome, SubAgent};
use crate::domain::estimate::{Interval, Intervals};
use crate::domain::pricing::Cost;
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use crate::domain::usage::parts::Parts;
use crate::domain::wire::{CallParts, CallView, IntervalView};

/// The longest words of a provider about a call's usage, in bytes.
const MAX_RAW: usize = 64 * 1024;
/// A call's id carries the moment of its start; they differ by less than this.
const ID_SLACK_MS: u64 = 60_000;
/// Dearer is no call: a million dollars.
const MAX_COST: i64 = 1_000_000_000_000_000;

/// A call as it is taken in: it belongs to the session that it names, whether that is known here or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivedCall {
    /// The call.
    pub call: Call,
    /// What it counts among its session's paused tokens; `None` if it did not begin while that was paused.
    pub paused: Option<Tokens>,
}

/// What an export says of a call beside what lists show.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Beside {
    asked_by: Option<Attribution>,
    price_provider: Option<Box<str>>,
    reply_model: Option<Box<str>>,
    parts: CallParts,
    raw_usage: Option<Box<RawValue>>,
    paused_tokens: Option<u64>,
}

impl ArrivedCall {
    /// Reads a call of an export.
    ///
    /// # Errors
    /// It is none, or says what cannot be.
    pub fn read(text: &str, now: Timestamp) -> Result<Self, NotUsable> {
        let view: CallView = typed(&mut serde_json::Deserializer::from_str(text))?;
        let beside: Beside = typed(&mut serde_json::Deserializer::from_str(text))?;
        holds(
            view.outcome != Outcome::Running,
            "outcome",
            "is running: only what has ended is taken in",
        )?;
        let started_at = past("startedAt", view.started_at, now)?;
        let moment = view.id.as_bytes().iter().take(6);
        let moment = moment.fold(0_i64, |moment, byte| moment << 8 | i64::from(*byte));
        holds(
            moment.abs_diff(view.started_at) < ID_SLACK_MS,
            "id",
            "is no UUIDv7 of the moment `startedAt`, which is in UTC epoch milliseconds",
        )?;
        check_texts(&view, &beside)?;
        check_numbers(&view, &beside)?;
        let parts = Parts::from(beside.parts);
        let raw_usage = beside.raw_usage.filter(|raw| raw.get() != "null");
        if let Some(raw) = &raw_usage {
            holds(
                raw.get().len() <= MAX_RAW,
                "rawUsage",
                "has more than 65536 bytes",
            )?;
            // Deeper JSON than its readers bear is none.
            serde_json::from_str::<Value>(raw.get())
                .map_err(|error| NotUsable::field("rawUsage", format!("cannot be read: {error}")))?;
        }
        let cost = cost(&view)?;
        let boxed = |text: Option<String>| text.map(Box::<str>::from);
        let estimate = view
            .estimate
            .map_or_else(Intervals::default, |estimate| Intervals {
                input: estimate.input.map(interval),
                output: estimate.output.map(interval),
            });
        let call = Call {
            start: CallStart {
                id: view.id,
                started_at,
                provider: view.provider.into(),
                price_provider: beside.price_provider,
                operation: view.operation,
                request_model: boxed(view.request_model),
                conversation: boxed(view.conversation),
                agent: boxed(view.agent).map(|id| SubAgent {
                    id,
                    parent: boxed(view.parent_agent),
                }),
                client: boxed(view.client),
                asked: boxed(view.asked_session)
                    .zip(beside.asked_by)
                    .map(|(label, by)| AskedSession { label, by }),
            },
            session: view.session_id,
            attribution: view.attribution,
            end: Some(CallEnd {
                outcome: view.outcome,
                status: view.status,
                model: beside.reply_model,
                parts,
                source: view.source,
                estimate,
                raw_usage: raw_usage.map(|raw| raw.get().into()),
                request_id: boxed(view.request_id),
                error: boxed(view.error),
                streamed: view.streamed.unwrap_or_default(),
                ttft: view.ttft_ms.map(Millis),
                duration: Millis(view.duration_ms.unwrap_or_default()),
            }),
            cost,
            counted_by: view.counted_by,
            changed_at: None,
        };
        let paused = beside.paused_tokens.map(Tokens);
        Ok(Self { call, paused })
    }
}

fn cost(view: &CallView) -> Result<Option<Cost>, NotUsable> {
    let (Some(amount), Some(source)) = (view.cost_nano_usd, view.price_source) else {
        return Ok(None);
    };
    let date = view.price_date.as_deref().map(str::parse).transpose();
    Ok(Some(Cost {
        amount: NanoUsd(amount),
        source,
        date: date.map_err(|_| NotUsable::field("priceDate", "is no day, YYYY-MM-DD"))?,
    }))
}

fn check_texts(view: &CallView, beside: &Beside) -> Result<(), NotUsable> {
    holds(!view.provider.is_empty(), "provider", "is empty")?;
    let texts = [
        ("provider", Some(view.provider.as_str())),
        ("requestModel", view.request_model.as_deref()),
        ("replyModel", beside.reply_model.as_deref()),
        ("conversation", view.conversation.as_deref()),
        ("client", view.client.as_deref()),
        ("agent", view.agent.as_deref()),
        ("parentAgent", view.parent_agent.as_deref()),
        ("askedSession", view.asked_session.as_deref()),
        ("requestId", view.request_id.as_deref()),
        ("error", view.error.as_deref()),
        ("priceProvider", beside.price_provider.as_deref()),
    ];
    texts.into_iter().try_for_each(|(field, text)| {
        holds(
            text.is_none_or(|text| text.len() <= MAX_TEXT),
            field,
            format!("has more than {MAX_TEXT} bytes"),
        )
    })
}

fn check_numbers(view: &CallView, beside: &Beside) -> Result<(), NotUsable> {
    let parts = &beside.parts;
    let estimate = view.estimate;
    let sides = estimate.map_or([None, None], |estimate| [estimate.input, estimate.output]);
    let ends = sides
        .into_iter()
        .flatten()
        .flat_map(|side| [Some(side.low), side.high]);
    let tokens = [
        ("parts.input", parts.input),
        ("parts.cacheRead", parts.cache_read),
        ("parts.cacheWrite5m", parts.cache_write5m),
        ("parts.cacheWrite1h", parts.cache_write1h),
        ("parts.audioIn", parts.audio_in),
        ("parts.imageIn", parts.image_in),
        ("parts.output", parts.output),
        ("parts.reasoning", parts.reasoning),
        ("parts.audioOut", parts.audio_out),
        ("parts.imageOut", parts.image_out),
        ("parts.unsplit", parts.unsplit),
        ("parts.webSearches", parts.web_searches),
        ("pausedTokens", beside.paused_tokens),
    ];
    let tokens = tokens.into_iter().chain(ends.map(|end| ("estimate", end)));
    for (field, number) in tokens {
        let is_plausible = number.is_none_or(|number| number <= Tokens::PLAUSIBLE_MAX.0);
        holds(is_plausible, field, "is more than a call can use")?;
    }
    for (field, cost) in [
        ("costNanoUsd", view.cost_nano_usd),
        ("parts.providerCostNanoUsd", parts.provider_cost_nano_usd),
    ] {
        let is_plausible = cost.is_none_or(|cost| (0..=MAX_COST).contains(&cost));
        holds(
            is_plausible,
            field,
            "is no cost of a call, in billionths of a US dollar",
        )?;
    }
    for (field, millis) in [("ttftMs", view.ttft_ms), ("durationMs", view.duration_ms)] {
        let is_plausible = millis.is_none_or(|millis| millis <= LONGEST_MS);
        holds(
            is_plausible,
            field,
            "is longer than any call takes, in milliseconds",
        )?;
    }
    Ok(())
}

const fn interval(view: IntervalView) -> Interval {
    Interval {
        low: Tokens(view.low),
        high: match view.high {
            Some(high) => Some(Tokens(high)),
            None => None,
        },
    }
}
