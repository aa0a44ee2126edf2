//! `GET /metrics`: Prometheus' text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{Display, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::ApiState;
use super::error::ApiError;
use crate::domain::metrics::{Histogram, Metrics, Series};
use crate::domain::wire::{EstimatesView, NotificationTarget};
use crate::store::HealthReport;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// By what a number has to be divided to be in the unit of its metric.
const WHOLE: f64 = 1.0;
const MILLIS: f64 = 1e3;
const MICROS: f64 = 1e6;
const NANOS: f64 = 1e9;

#[utoipa::path(
    get,
    path = "/metrics",
    tag = "moonlock",
    summary = "Numbers for Prometheus.",
    responses((status = 200, content((String = "text/plain"))))
)]
pub(super) async fn get(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let (metrics, running_calls, estimates) = state.engine().metrics().await?;
    let uptime = state.0.started.elapsed().as_millis();
    let started = state
        .engine()
        .now()
        .wall
        .0
        .saturating_sub(i64::try_from(uptime).unwrap_or(0));
    let program = Program {
        started_at_ms: u64::try_from(started).unwrap_or(0),
        running_calls,
        // One is the API's own.
        sockets: Arc::strong_count(&state.0.sockets).saturating_sub(1),
        estimates,
        store: state.0.health.report(),
        resyncs: state.0.resyncs.load(Ordering::Relaxed),
        missed_events: state.0.missed_events.load(Ordering::Relaxed),
        dropped_spans: (state.0.notifications.dropped_spans)(),
        targets: (state.0.notifications.targets)(),
    };
    let text = render(&metrics, &program);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

/// How the program itself is.
struct Program {
    started_at_ms: u64,
    running_calls: usize,
    sockets: usize,
    estimates: EstimatesView,
    store: HealthReport,
    resyncs: u64,
    missed_events: u64,
    dropped_spans: u64,
    targets: Vec<NotificationTarget>,
}

fn render(metrics: &Metrics, program: &Program) -> String {
    let mut page = Page::default();
    calls(&mut page, metrics.series());
    health(&mut page, program);
    page.0
}

fn calls(page: &mut Page, all: &[Series]) {
    page.family(
        "gen_ai_client_token_usage",
        "histogram",
        "Tokens of a call: its whole prompt (input), and all that was generated (output).",
    );
    for series in all {
        for (kind, histogram) in [("input", &series.input), ("output", &series.output)] {
            let labels = labels(series).with("gen_ai_token_type", kind);
            page.histogram("gen_ai_client_token_usage", &labels, histogram, WHOLE);
        }
    }
    page.family(
        "gen_ai_client_operation_duration_seconds",
        "histogram",
        "From a request's arrival to its reply's end.",
    );
    for series in all {
        for (error, histogram) in &series.durations {
            let labels = match error {
                Some(error) => labels(series).with("error_type", &error.name()),
                None => labels(series),
            };
            page.histogram(
                "gen_ai_client_operation_duration_seconds",
                &labels,
                histogram,
                MILLIS,
            );
        }
    }
    page.family(
        "gen_ai_server_time_to_first_token_seconds",
        "histogram",
        "From a request's arrival to the first byte of its streamed reply.",
    );
    for series in all {
        page.histogram(
            "gen_ai_server_time_to_first_token_seconds",
            &labels(series),
            &series.first_token,
            MILLIS,
        );
    }
    page.family(
        "moonlock_tokens_total",
        "counter",
        "Tokens, in parts that do not overlap.",
    );
    for series in all {
        for (kind, sum) in series.tokens.by_kind() {
            let labels = labels(series).with("gen_ai_token_type", kind);
            page.sample("moonlock_tokens_total", &labels, sum);
        }
    }
    page.family(
        "moonlock_inexact_tokens_total",
        "counter",
        "Those whose number is not the provider's own.",
    );
    for series in all {
        page.sample(
            "moonlock_inexact_tokens_total",
            &labels(series),
            series.inexact_tokens,
        );
    }
    page.family(
        "moonlock_unpriced_tokens_total",
        "counter",
        "Those of calls whose price is not known.",
    );
    for series in all {
        page.sample(
            "moonlock_unpriced_tokens_total",
            &labels(series),
            series.unpriced_tokens,
        );
    }
    page.family(
        "moonlock_cost_usd_total",
        "counter",
        "What the calls with a price cost, in US dollars.",
    );
    for series in all {
        let cost = as_float(series.cost_nano_usd) / NANOS;
        page.sample("moonlock_cost_usd_total", &labels(series), cost);
    }
}

fn health(page: &mut Page, program: &Program) {
    let Program {
        started_at_ms,
        running_calls,
        sockets,
        estimates,
        store,
        resyncs,
        missed_events,
        dropped_spans,
        targets,
    } = program;
    page.family("moonlock_build_info", "gauge", "The program's version; always 1.");
    let version = Labels::default().with("version", env!("CARGO_PKG_VERSION"));
    page.sample("moonlock_build_info", &version, 1);
    page.single(
        "process_start_time_seconds",
        "gauge",
        "When the program started, in seconds since 1970.",
        as_float(*started_at_ms) / MILLIS,
    );
    page.single(
        "moonlock_running_calls",
        "gauge",
        "Calls under way.",
        running_calls,
    );
    page.single(
        "moonlock_websocket_clients",
        "gauge",
        "Open WebSockets of dashboards and others.",
        sockets,
    );
    page.single(
        "moonlock_websocket_resyncs_total",
        "counter",
        "How often a client fell too far behind and got a new snapshot.",
        resyncs,
    );
    page.single(
        "moonlock_websocket_missed_events_total",
        "counter",
        "Events that such clients did not get one by one.",
        missed_events,
    );
    page.single(
        "moonlock_otlp_dropped_spans_total",
        "counter",
        "Calls that the collector of OpenTelemetry was not told of.",
        dropped_spans,
    );
    notifications(page, targets);
    page.single(
        "moonlock_estimates_waiting",
        "gauge",
        "Calls that are being estimated.",
        estimates.waiting,
    );
    page.single(
        "moonlock_estimates_refused_total",
        "counter",
        "Calls that were not estimated, because too many waited.",
        estimates.refused,
    );
    page.single(
        "moonlock_degraded",
        "gauge",
        "1 while the database takes no writes.",
        u8::from(store.failing_for.is_some()),
    );
    let name = "moonlock_store_commit_duration_seconds";
    page.family(name, "histogram", "How long commits take.");
    page.histogram(name, &Labels::default(), &store.commit_times, MICROS);
    for (name, kind, help, number) in [
        (
            "moonlock_store_queue_depth",
            "gauge",
            "Writes that the writer has not taken up yet.",
            store.queued,
        ),
        (
            "moonlock_store_kept_writes",
            "gauge",
            "Writes that are kept until the database takes them again.",
            store.kept,
        ),
        (
            "moonlock_store_commits_total",
            "counter",
            "Transactions that were committed.",
            store.commits,
        ),
        (
            "moonlock_store_writes_total",
            "counter",
            "Writes that they held.",
            store.writes,
        ),
        (
            "moonlock_store_dropped_writes_total",
            "counter",
            "Writes that were lost.",
            store.dropped,
        ),
        (
            "moonlock_store_refused_writes_total",
            "counter",
            "Writes that found the queue full; they are tried again.",
            store.refused,
        ),
    ] {
        page.single(name, kind, help, number);
    }
}

/// What is counted of a target.
type Count = fn(&NotificationTarget) -> u64;

fn notifications(page: &mut Page, targets: &[NotificationTarget]) {
    let counts: [(&str, &str, &str, Count); 3] = [
        (
            "moonlock_notifications_delivered_total",
            "counter",
            "Notifications that arrived.",
            |target| target.delivered,
        ),
        (
            "moonlock_notifications_given_up_total",
            "counter",
            "Notifications that were given up.",
            |target| target.given_up,
        ),
        (
            "moonlock_notifications_waiting",
            "gauge",
            "Notifications that wait.",
            |target| target.waiting,
        ),
    ];
    for (name, kind, help, count) in counts {
        page.family(name, kind, help);
        for target in targets {
            let labels = Labels::default().with("target", &target.name);
            page.sample(name, &labels, count(target));
        }
    }
}

fn labels(series: &Series) -> Labels {
    Labels::default()
        .with("gen_ai_provider_name", &series.provider)
        .with("gen_ai_response_model", &series.model)
        .with("gen_ai_operation_name", series.operation)
}

/// Labels as they stand between the braces.
#[derive(Clone, Default)]
struct Labels(String);

impl Labels {
    /// With one more. An empty one is none.
    fn with(mut self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            return self;
        }
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        for letter in value.chars() {
            match letter {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                other => self.0.push(other),
            }
        }
        self.0.push('"');
        self
    }
}

/// The text, as it grows.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        writeln!(self.0, "{line}").ok();
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, number: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &Labels::default(), number);
    }

    fn sample(&mut self, name: &str, labels: &Labels, number: impl Display) {
        match labels.0.as_str() {
            "" => self.line(format_args!("{name} {number}")),
            labels => self.line(format_args!("{name}{{{labels}}} {number}")),
        }
    }

    fn histogram(&mut self, name: &str, labels: &Labels, histogram: &Histogram, unit: f64) {
        let bucket = format!("{name}_bucket");
        for (bound, count) in histogram.cumulative() {
            let bound = (as_float(bound) / unit).to_string();
            self.sample(&bucket, &labels.clone().with("le", &bound), count);
        }
        self.sample(&bucket, &labels.clone().with("le", "+Inf"), histogram.count());
        self.sample(&format!("{name}_sum"), labels, as_float(histogram.sum()) / unit);
        self.sample(&format!("{name}_count"), labels, histogram.count());
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the format's numbers are floats; 2^53 is exact enough"
)]
const fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let labels = Labels::default().with("model", "a\"b\\c\nd").with("none", "");
        assert_eq!(labels.0, r#"model="a\"b\\c\nd""#);
    }

    #[test]
    fn a_histogram_is_cumulative_and_in_its_unit() {
        let mut histogram = Histogram::new(&[10, 20]);
        for number in [10, 11, 500] {
            histogram.observe(number);
        }
        let mut page = Page::default();
        page.histogram("x_seconds", &Labels::default().with("a", "b"), &histogram, MILLIS);
        let expected = "x_seconds_bucket{a=\"b\",le=\"0.01\"} 1\nx_seconds_bucket{a=\"b\",le=\"0.02\"} 2\n\
                        x_seconds_bucket{a=\"b\",le=\"+Inf\"} 3\nx_seconds_sum{a=\"b\"} 0.521\nx_seconds_count{a=\"b\"} 3\n";
        assert_eq!(page.0, expected);
    }
}
