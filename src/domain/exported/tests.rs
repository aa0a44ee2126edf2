use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::call::{AskedSession, Attribution, Call, CallEnd, CallStart, Outcome, Source, SubAgent};
use crate::domain::estimate::{Interval, Intervals};
use crate::domain::ids::{CallId, SessionId};
use crate::domain::operation::Operation;
use crate::domain::pricing::{Cost, PriceSource};
use crate::domain::units::{Millis, NanoUsd, Tokens};
use crate::domain::usage::parts::Parts;
use crate::domain::wire::CallDetail;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn text() -> impl Strategy<Value = Option<Box<str>>> {
    prop::option::of("[ -~äπ🌙]{1,40}".prop_map(Into::into)).boxed()
}

fn tokens() -> impl Strategy<Value = Option<Tokens>> {
    prop::option::of((0..=Tokens::PLAUSIBLE_MAX.0).prop_map(Tokens)).boxed()
}

fn id(at: i64, rest: u64) -> Uuid {
    let at = u64::try_from(at).unwrap().to_be_bytes();
    let rest = rest.to_be_bytes();
    let bytes = [&at[2..], &[0x70, 0, 0x80], &rest[..7]].concat();
    Uuid::from_slice(&bytes).unwrap()
}

prop_compose! {
    fn parts()(
        all in prop::array::uniform11(tokens()),
        web_searches in prop::option::of(0..1_000_u64),
        cost in prop::option::of(0..1_000_000_000_000_i64),
    ) -> Parts {
        let [input, cache_read, cache_write_5m, cache_write_1h, audio_in, image_in, output, reasoning, audio_out,
            image_out, unsplit] = all;
        Parts {
            input, cache_read, cache_write_5m, cache_write_1h, audio_in, image_in, output, reasoning, audio_out,
            image_out, unsplit, web_searches, provider_cost: cost.map(NanoUsd),
        }
    }
}

fn interval() -> impl Strategy<Value = Option<Interval>> {
    let interval = (0..1_000_000_u64, tokens()).prop_map(|(low, high)| Interval {
        low: Tokens(low),
        high,
    });
    prop::option::of(interval).boxed()
}

prop_compose! {
    fn end()(
        outcome in prop::sample::select(&[Outcome::Complete, Outcome::UpstreamError, Outcome::Interrupted]),
        source in prop::option::of(prop::sample::select(&[Source::Exact, Source::Manual, Source::Imported])),
        status in prop::option::of(100..600_u16),
        texts in prop::array::uniform3(text()),
        parts in parts().boxed(),
        intervals in [interval(), interval()],
        raw in prop::option::of(prop::sample::select(&["{\"input_tokens\": 1.50 }", "[1,null]", "7"])),
        streamed: bool,
        ttft in prop::option::of(0..1_000_000_u64),
        duration in 0..1_000_000_u64,
    ) -> CallEnd {
        let [model, request_id, error] = texts;
        let [input, output] = intervals;
        CallEnd {
            outcome, status, model, parts, source, estimate: Intervals { input, output },
            raw_usage: raw.map(Into::into), request_id, error, streamed, ttft: ttft.map(Millis),
            duration: Millis(duration),
        }
    }
}

prop_compose! {
    fn call()(
        at in 1_600_000_000_000..NOW.0,
        ids in prop::array::uniform3(any::<u64>()),
        texts in prop::array::uniform7(text()),
        provider in "[a-z]{1,12}",
        cost in prop::option::of((0..1_000_000_000_000_i64, any::<bool>())),
        in_session: bool,
        is_counted_elsewhere: bool,
        end in end().boxed(),
    ) -> Call {
        let [request_model, conversation, agent, parent, client, label, price_provider] = texts;
        Call {
            start: CallStart {
                id: CallId::from_uuid(id(at, ids[0])),
                started_at: Timestamp(at),
                provider: provider.into(),
                price_provider,
                operation: Operation::ChatCompletions,
                request_model,
                conversation,
                agent: agent.map(|id| SubAgent { id, parent }),
                client,
                asked: label.map(|label| AskedSession { label, by: Attribution::Header }),
            },
            session: in_session.then(|| SessionId::from_uuid(id(at, ids[1]))),
            attribution: Attribution::Active,
            end: Some(end),
            cost: cost.map(|(amount, is_listed)| Cost {
                amount: NanoUsd(amount),
                source: if is_listed { PriceSource::Catalog } else { PriceSource::Provider },
                date: is_listed.then(|| "2026-02-28".parse().unwrap()),
            }),
            counted_by: is_counted_elsewhere.then(|| CallId::from_uuid(id(at, ids[2]))),
            changed_at: None,
        }
    }
}

proptest! {
    #[test]
    fn what_is_exported_of_a_call_is_what_is_read(call in call().boxed(), paused in tokens()) {
        let mut said = json!(CallDetail::from(&call));
        said["pausedTokens"] = json!(paused.map(|tokens| tokens.0));
        // The provider's words are kept as they were written, which a value is not.
        let raw = call.end.as_ref().and_then(|end| end.raw_usage.as_deref()).unwrap_or("null");
        said["rawUsage"] = json!("RAW");
        let text = said.to_string().replace("\"RAW\"", raw);
        prop_assert_eq!(ArrivedCall::read(&text, NOW).unwrap(), ArrivedCall { call, paused });
    }

    #[test]
    fn nothing_that_a_file_says_panics(
        call in call().boxed(),
        field in any::<prop::sample::Index>(),
        value in prop::sample::select(&[
            "null", "-1", "1e400", "1.5", "18446744073709551615", "\"\"", "[]", "{}", "true", "\"\\ud83c\"",
        ]),
    ) {
        let mut said = json!(CallDetail::from(&call));
        let fields = said.as_object_mut().unwrap();
        let name = fields.keys().nth(field.index(fields.len())).unwrap().clone();
        fields[&name] = json!("HERE");
        let text = said.to_string().replace("\"HERE\"", value);
        if let Ok(read) = ArrivedCall::read(&text, NOW) {
            // What was taken can be written and read again.
            let again = json!(CallDetail::from(&read.call)).to_string();
            prop_assert!(ArrivedCall::read(&again, NOW).is_ok());
        }
    }
}

fn some_call() -> Value {
    let at = 1_700_000_000_000;
    json!({
        "id": id(at, 1), "sessionId": null, "askedSession": null, "attribution": "unassigned", "conversation": null,
        "agent": null, "parentAgent": null, "client": null, "provider": "openai", "model": null, "requestModel": null,
        "operation": "chat.completions", "streamed": false, "status": 200, "outcome": "complete", "source": "exact", "input": 1,
        "cacheRead": null, "cacheWrite": null, "output": 2, "reasoning": null, "total": 3, "outputSoFar": null,
        "estimate": null, "costNanoUsd": 5, "priceSource": "catalog", "priceDate": "2026-01-01", "startedAt": at,
        "ttftMs": null, "durationMs": 9, "requestId": null, "error": null, "countedBy": null, "askedBy": null,
        "priceProvider": null, "replyModel": null, "parts": {"input": 1, "output": 2}, "rawUsage": null
    })
}

#[test]
fn what_cannot_be_is_refused_by_its_field() {
    assert!(ArrivedCall::read(&some_call().to_string(), NOW).is_ok());
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (pointer, value, field) in [
        ("/startedAt", json!(1_700_000_000), "id"), // seconds
        ("/startedAt", json!(1_900_000_000_000_i64), "startedAt"),
        ("/startedAt", json!(-1), "startedAt"),
        ("/id", json!("0f8fad5b-d9cb-469f-a165-70867728950e"), "id"),
        ("/costNanoUsd", json!(0.0125), "costNanoUsd"), // dollars
        ("/costNanoUsd", json!(i64::MAX), "costNanoUsd"),
        ("/costNanoUsd", json!(-1), "costNanoUsd"),
        ("/priceDate", json!("2026-02-30"), "priceDate"),
        ("/parts/input", json!(u64::MAX), "parts.input"),
        ("/parts/input", json!(-1), "parts.input"),
        ("/parts/output", json!("2"), "parts.output"),
        ("/outcome", json!("running"), "outcome"),
        ("/outcome", json!("fine"), "outcome"),
        ("/operation", json!(7), "operation"),
        ("/durationMs", json!(u64::MAX), "durationMs"),
        ("/provider", json!(""), "provider"),
        ("/provider", json!("x".repeat(1_001)), "provider"),
        ("/conversation", json!("x".repeat(1_001)), "conversation"),
        ("/rawUsage", json!("x".repeat(70_000)), "rawUsage"),
        ("/rawUsage", serde_json::Value::from("DEEP"), "rawUsage"),
        ("/status", json!(70_000), "status"),
    ] {
        let mut call = some_call();
        *call.pointer_mut(pointer).unwrap() = value.clone();
        let text = call.to_string().replace("\"DEEP\"", &deep);
        let error = ArrivedCall::read(&text, NOW).expect_err(&format!("{pointer}: {value}"));
        assert_eq!(error.field.as_deref(), Some(field), "{error}");
    }
    for text in ["", "[]", "7", "{}", &deep, "{\"id\": 1"] {
        assert!(ArrivedCall::read(text, NOW).is_err(), "{text}");
        assert!(ArrivedSession::read(text, NOW).is_err(), "{text}");
    }
}
