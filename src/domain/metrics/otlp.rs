//! The same sums as a collector of OpenTelemetry takes them: an `ExportMetricsServiceRequest` in OTLP's JSON encoding
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).
//!
//! Everything counts from the program's start (cumulative temporality), so that a message that is lost is made good by the
//! next one. Of a call there is nothing in it but its labels and its numbers.

use serde_json::{Value, json};

use super::{Histogram, Metrics, Series};
use crate::domain::notice::Hidden;
use crate::domain::units::{Millis, Timestamp};

/// `AggregationTemporality`: since the start.
const CUMULATIVE: u8 = 2;
/// By what a number has to be divided to be in its unit.
const WHOLE: f64 = 1.0;
const MILLIS: f64 = 1e3;
const NANOS: f64 = 1e9;

/// Who takes the metrics, or the calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Where to, whole. It may hold a key.
    pub url: Hidden,
    /// What goes with it.
    pub headers: Vec<(Box<str>, Hidden)>,
    /// How often.
    pub interval: Millis,
    /// How long it may take.
    pub timeout: Millis,
    /// What Moonlock calls itself: names and values, each name once.
    pub resource: Vec<(Box<str>, Box<str>)>,
}

/// What is said at `now` of what came since `from`.
#[must_use]
pub fn request(
    metrics: &Metrics,
    resource: &[(Box<str>, Box<str>)],
    from: Timestamp,
    now: Timestamp,
) -> Value {
    let span = Span {
        from: nanos(from),
        now: nanos(now),
    };
    let resource: Vec<Value> = resource
        .iter()
        .map(|(name, value)| attribute(name, value))
        .collect();
    json!({ "resourceMetrics": [{
        "resource": { "attributes": resource },
        "scopeMetrics": [{
            "scope": { "name": "moonlock", "version": env!("CARGO_PKG_VERSION") },
            "metrics": all(metrics.series(), &span),
        }],
    }] })
}

fn all(series: &[Series], span: &Span) -> Vec<Value> {
    let usage = series.iter().flat_map(|series| {
        [("input", &series.input), ("output", &series.output)].map(|(kind, histogram)| {
            span.histogram(&labels(series, &[("gen_ai.token.type", kind)]), histogram, WHOLE)
        })
    });
    let durations = series.iter().flat_map(|series| {
        series.durations.iter().map(|(error, histogram)| {
            let error = error.map(|error| error.name());
            let more = error.as_deref().map(|error| ("error.type", error));
            span.histogram(&labels(series, more.as_slice()), histogram, MILLIS)
        })
    });
    let first = series
        .iter()
        .map(|series| span.histogram(&labels(series, &[]), &series.first_token, MILLIS));
    let tokens = series.iter().flat_map(|series| {
        series
            .tokens
            .by_kind()
            .map(|(kind, sum)| span.whole(&labels(series, &[("gen_ai.token.type", kind)]), sum))
    });
    let each = |of: fn(&Series) -> u64| -> Vec<Value> {
        series
            .iter()
            .map(|series| span.whole(&labels(series, &[]), of(series)))
            .collect()
    };
    let cost = series.iter().map(|series| {
        let mut point = span.point(&labels(series, &[]));
        point["asDouble"] = json!(as_float(series.cost_nano_usd) / NANOS);
        point
    });
    vec![
        histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens of a call: its whole prompt (input), and all that was generated (output).",
            &usage.collect::<Vec<_>>(),
        ),
        histogram(
            "gen_ai.client.operation.duration",
            "s",
            "From a request's arrival to its reply's end.",
            &durations.collect::<Vec<_>>(),
        ),
        histogram(
            "gen_ai.server.time_to_first_token",
            "s",
            "From a request's arrival to the first byte of its streamed reply.",
            &first.collect::<Vec<_>>(),
        ),
        sum(
            "moonlock.tokens",
            "{token}",
            "Tokens, in parts that do not overlap.",
            &tokens.collect::<Vec<_>>(),
        ),
        sum(
            "moonlock.inexact_tokens",
            "{token}",
            "Those whose number is not the provider's own.",
            &each(|series| series.inexact_tokens),
        ),
        sum(
            "moonlock.unpriced_tokens",
            "{token}",
            "Those of calls whose price is not known.",
            &each(|series| series.unpriced_tokens),
        ),
        sum(
            "moonlock.cost",
            "USD",
            "What the calls with a price cost, in US dollars.",
            &cost.collect::<Vec<_>>(),
        ),
    ]
}

fn histogram(name: &str, unit: &str, description: &str, points: &[Value]) -> Value {
    json!({
        "name": name, "unit": unit, "description": description,
        "histogram": { "aggregationTemporality": CUMULATIVE, "dataPoints": points },
    })
}

fn sum(name: &str, unit: &str, description: &str, points: &[Value]) -> Value {
    json!({
        "name": name, "unit": unit, "description": description,
        "sum": { "aggregationTemporality": CUMULATIVE, "isMonotonic": true, "dataPoints": points },
    })
}

/// From when to when a point counts, in nanoseconds since 1970. Numbers of 64 bits are texts in this encoding.
struct Span {
    from: String,
    now: String,
}

impl Span {
    fn point(&self, attributes: &[Value]) -> Value {
        json!({ "attributes": attributes, "startTimeUnixNano": self.from, "timeUnixNano": self.now })
    }

    fn whole(&self, attributes: &[Value], number: u64) -> Value {
        let mut point = self.point(attributes);
        point["asInt"] = json!(number.to_string());
        point
    }

    fn histogram(&self, attributes: &[Value], histogram: &Histogram, unit: f64) -> Value {
        let bounds: Vec<f64> = histogram
            .cumulative()
            .map(|(bound, _)| as_float(bound) / unit)
            .collect();
        // Each bucket's own, and what is above all bounds.
        let counts: Vec<String> = histogram.counts.iter().map(u64::to_string).collect();
        let mut point = self.point(attributes);
        point["count"] = json!(histogram.count().to_string());
        point["sum"] = json!(as_float(histogram.sum()) / unit);
        point["bucketCounts"] = json!(counts);
        point["explicitBounds"] = json!(bounds);
        point
    }
}

/// The convention's names for what a series is of. An empty one is none.
fn labels(series: &Series, more: &[(&str, &str)]) -> Vec<Value> {
    let own = [
        ("gen_ai.provider.name", &*series.provider),
        ("gen_ai.response.model", &*series.model),
        ("gen_ai.operation.name", series.operation),
    ];
    own.iter()
        .chain(more)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| attribute(name, value))
        .collect()
}

pub(super) fn attribute(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

pub(super) fn nanos(at: Timestamp) -> String {
    (i128::from(at.0) * 1_000_000).to_string()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the format's numbers are floats; 2^53 is exact enough"
)]
const fn as_float(number: u64) -> f64 {
    number as f64
}
