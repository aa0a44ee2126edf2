//! Calls as a collector of OpenTelemetry takes them: an `ExportTraceServiceRequest` in OTLP's JSON encoding, a span for each
//! by the conventions for generative AI (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>).
//!
//! No content is in it, and neither session nor conversation: a trace is one call.

use serde_json::{Value, json};

use super::otlp::{attribute, nanos};
use super::{ErrorType, operation_name, provider_name};
use crate::domain::call::Outcome;
use crate::domain::units::Timestamp;
use crate::domain::wire::CallView;

/// `SPAN_KIND_CLIENT`: a request that goes out.
const CLIENT: u8 = 3;
/// `STATUS_CODE_ERROR`; one that is well says nothing.
const ERROR: u8 = 2;
const NANOS: f64 = 1e9;

/// What is said of these calls, which have ended.
#[must_use]
pub fn request(calls: &[CallView], resource: &[(Box<str>, Box<str>)]) -> Value {
    let resource: Vec<Value> = resource
        .iter()
        .map(|(name, value)| attribute(name, value))
        .collect();
    let spans: Vec<Value> = calls.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{
            "scope": { "name": "moonlock", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans,
        }],
    }] })
}

fn span(call: &CallView) -> Value {
    let operation = operation_name(call.operation);
    let asked = call.request_model.as_deref().or(call.model.as_deref());
    let name = asked.map_or_else(|| operation.to_owned(), |model| format!("{operation} {model}"));
    let ended = call
        .started_at
        .saturating_add_unsigned(call.duration_ms.unwrap_or(0));
    // A call's id is random enough for both: a trace has but this span.
    let id = call.id.as_bytes();
    let error = ErrorType::seen(call.outcome, call.status);
    let mut span = json!({
        "traceId": hex(id),
        "spanId": hex(&id[8..]),
        "name": name,
        "kind": CLIENT,
        "startTimeUnixNano": nanos(Timestamp(call.started_at)),
        "endTimeUnixNano": nanos(Timestamp(ended)),
        "attributes": attributes(call, operation, error),
    });
    if error.is_some() {
        span["status"] = json!({ "code": ERROR });
    }
    span
}

fn attributes(call: &CallView, operation: &str, error: Option<ErrorType>) -> Vec<Value> {
    // The convention's input is the whole prompt.
    let prompt = [call.input, call.cache_read, call.cache_write]
        .into_iter()
        .flatten();
    let prompt = prompt.reduce(u64::saturating_add);
    let source = call.source.map(crate::domain::call::Source::name);
    let error = error.map(ErrorType::name);
    let texts = [
        ("gen_ai.operation.name", Some(operation)),
        ("gen_ai.provider.name", Some(provider_name(&call.provider))),
        ("gen_ai.request.model", call.request_model.as_deref()),
        (
            "gen_ai.response.model",
            call.model
                .as_deref()
                .filter(|_| call.outcome == Outcome::Complete),
        ),
        ("error.type", error.as_deref()),
        ("moonlock.source", source),
    ];
    let status = call.status.map(u64::from);
    let numbers = [
        ("gen_ai.usage.input_tokens", prompt),
        ("gen_ai.usage.output_tokens", call.output),
        ("gen_ai.usage.cache_read.input_tokens", call.cache_read),
        ("gen_ai.usage.cache_creation.input_tokens", call.cache_write),
        ("http.response.status_code", status),
        ("moonlock.time_to_first_token_ms", call.ttft_ms),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, text)| Some(attribute(name, text?)));
    let numbers = numbers.into_iter().filter_map(|(name, number)| {
        // Numbers of 64 bits are texts in this encoding.
        Some(json!({ "key": name, "value": { "intValue": number?.to_string() } }))
    });
    let cost = call.cost_nano_usd.map(|nano_usd| {
        let dollars = as_float(nano_usd) / NANOS;
        json!({ "key": "moonlock.cost_usd", "value": { "doubleValue": dollars } })
    });
    texts.chain(numbers).chain(cost).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the format's numbers are floats; 2^53 is exact enough"
)]
const fn as_float(number: i64) -> f64 {
    number as f64
}
