//! A collector of OpenTelemetry is told what the calls add up to, where one is named, and can do no harm.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::app::{TestApp, new_home};
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post_with;
use crate::support::http::Message;
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

async fn started(collector: SocketAddr, variables: &[(&str, &str)]) -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let endpoint = format!("http://{collector}/otlp/");
    let mut all = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_EXPORTER", "none"),
    ];
    all.extend(variables);
    let app = TestApp::start_with(new_home(), upstream.address, &all).await;
    (upstream, app)
}

async fn ask(app: &mut TestApp) {
    let fields = "authorization: Bearer s3cret\nsession_id: thread-of-mine";
    app.ask(post_with(CHAT_PATH, fields, CHAT_REQUEST)).await;
    app.ended().await;
}

/// The points of a metric in what a collector received.
fn points<'a>(said: &'a Value, name: &str, kind: &str) -> Vec<&'a Value> {
    let metrics = &said["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let metric = metrics
        .as_array()
        .unwrap()
        .iter()
        .find(|metric| metric["name"] == name);
    metric.unwrap()[kind]["dataPoints"]
        .as_array()
        .unwrap()
        .iter()
        .collect()
}

fn attributes(of: &Value) -> Vec<(&str, &str)> {
    let attributes = of["attributes"].as_array().unwrap().iter();
    attributes
        .map(|one| {
            (
                one["key"].as_str().unwrap(),
                one["value"]["stringValue"].as_str().unwrap(),
            )
        })
        .collect()
}

fn said(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

#[tokio::test]
async fn a_collector_is_told_at_the_stop_what_the_calls_add_up_to() {
    let mut collector = Upstream::start(|_| Script::sized(JSON, "{}")).await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b"),
        ("OTEL_SERVICE_NAME", "desk"),
    ];
    let (_upstream, mut app) = started(collector.address, &variables).await;
    ask(&mut app).await;
    ask(&mut app).await;
    let cost = app.get("/api/live").await["unassigned"]["costNanoUsd"]
        .as_i64()
        .unwrap();
    app.stop().await;
    let message = collector.seen().await;
    assert!(
        message.head.line.starts_with("POST /otlp/v1/metrics "),
        "{}",
        message.head.line
    );
    assert_eq!(message.head.get("content-type"), Some("application/json"));
    assert_eq!(message.head.get("x-tenant"), Some("a b"));
    let said = said(&message);
    let resource = attributes(&said["resourceMetrics"][0]["resource"]);
    assert!(resource.contains(&("service.name", "desk")), "{resource:?}");

    let usage = points(&said, "gen_ai.client.token.usage", "histogram");
    let input = usage
        .iter()
        .find(|point| attributes(point).contains(&("gen_ai.token.type", "input")))
        .unwrap();
    assert_eq!(
        attributes(input),
        [
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.response.model", "gpt-4o-2024-08-06"),
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.token.type", "input"),
        ]
    );
    // Eleven tokens twice, the convention's bounds, numbers of 64 bits as texts.
    assert_eq!(
        (&input["count"], &input["sum"]),
        (&json!("2"), &json!(22.0)),
        "{input}"
    );
    assert_eq!(input["explicitBounds"].as_array().unwrap().len(), 14);
    let counts = input["bucketCounts"].as_array().unwrap();
    assert_eq!((counts.len(), &counts[2]), (15, &json!("2")), "{input}");
    let [from, now] = ["startTimeUnixNano", "timeUnixNano"]
        .map(|name| input[name].as_str().unwrap().parse::<u64>().unwrap());
    assert!(0 < from && from <= now);

    let durations = points(&said, "gen_ai.client.operation.duration", "histogram");
    assert_eq!(durations[0]["count"], "2");
    let costs = points(&said, "moonlock.cost", "sum");
    let told = costs[0]["asDouble"].as_f64().unwrap() * 1e9;
    #[expect(clippy::cast_possible_truncation, reason = "a few dollars")]
    let told = told.round() as i64;
    assert_eq!((told, cost > 0), (cost, true));
    let metrics = said["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
        .as_array()
        .unwrap();
    for metric in metrics {
        let data = metric.get("sum").or_else(|| metric.get("histogram")).unwrap();
        assert_eq!(data["aggregationTemporality"], 2, "cumulative");
    }
    let text = String::from_utf8(message.raw).unwrap();
    for secret in ["s3cret", "thread-of-mine", "Hello"] {
        assert!(!text.contains(secret), "{secret} is nobody's business");
    }
}

#[tokio::test]
async fn it_is_told_again_and_again_and_one_that_fails_hurts_nobody() {
    let mut collector = Upstream::start(|_| Script::new().head("503 Unavailable\ncontent-length: 0")).await;
    let every = [("OTEL_METRIC_EXPORT_INTERVAL", "1")];
    let (_upstream, mut app) = started(collector.address, &every).await;
    ask(&mut app).await;
    let first = said(&collector.seen().await);
    ask(&mut app).await;
    // All since the start each time: what was refused is not lost.
    let counts = |said: &Value| {
        let durations = points(said, "gen_ai.client.operation.duration", "histogram");
        durations[0]["count"].as_str().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(counts(&first), 1);
    loop {
        let later = said(&collector.seen().await);
        let start = |said: &Value| points(said, "moonlock.cost", "sum")[0]["startTimeUnixNano"].clone();
        assert_eq!(start(&later), start(&first));
        if counts(&later) == 2 {
            break;
        }
    }
    assert_eq!(app.rows().await.len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn nothing_goes_out_where_nobody_is_named_or_the_address_is_none() {
    let mut collector = Upstream::start(|_| Script::sized(JSON, "{}")).await;
    let off = [
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1"),
    ];
    let (_upstream, mut app) = started(collector.address, &off).await;
    ask(&mut app).await;
    app.stop().await;
    let (_other, mut app) = started(
        collector.address,
        &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "localhost:4317")],
    )
    .await;
    ask(&mut app).await;
    app.stop().await;
    // The first that comes is the one that is wanted.
    let (_third, mut app) = started(collector.address, &[("OTEL_SERVICE_NAME", "wanted")]).await;
    ask(&mut app).await;
    app.stop().await;
    let said = said(&collector.seen().await);
    let resource = attributes(&said["resourceMetrics"][0]["resource"]);
    assert!(resource.contains(&("service.name", "wanted")), "{resource:?}");
}

/// Where only the calls go.
const CALLS: [(&str, &str); 2] = [
    ("OTEL_TRACES_EXPORTER", "otlp"),
    ("OTEL_METRICS_EXPORTER", "none"),
];

fn spans(said: &Value) -> &Vec<Value> {
    said["resourceSpans"][0]["scopeSpans"][0]["spans"]
        .as_array()
        .unwrap()
}

#[tokio::test]
async fn each_call_is_a_span_that_says_what_it_used_and_nothing_of_what_was_said() {
    let mut collector = Upstream::start(|_| Script::sized(JSON, "{}")).await;
    let (_upstream, mut app) = started(collector.address, &CALLS).await;
    ask(&mut app).await;
    ask(&mut app).await;
    let rows = app.rows().await;
    app.stop().await;
    let message = collector.seen().await;
    assert!(
        message.head.line.starts_with("POST /otlp/v1/traces "),
        "{}",
        message.head.line
    );
    let said = said(&message);
    assert_eq!(spans(&said).len(), 2);
    let span = &spans(&said)[0];
    assert_eq!((&span["name"], &span["kind"]), (&json!("chat gpt-4o"), &json!(3)));
    assert_eq!(span["traceId"].as_str().unwrap().len(), 32);
    assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
    assert_ne!(span["traceId"], spans(&said)[1]["traceId"]);
    assert_eq!(span["status"], Value::Null, "it went well");
    let [start, end] = ["startTimeUnixNano", "endTimeUnixNano"]
        .map(|name| span[name].as_str().unwrap().parse::<u64>().unwrap());
    assert!(0 < start && start <= end);
    let of = |name: &str| {
        let all = span["attributes"].as_array().unwrap().iter();
        all.clone()
            .find(|one| one["key"] == name)
            .map(|one| one["value"].clone())
    };
    let text = |text: &str| Some(json!({ "stringValue": text }));
    let number = |number: &str| Some(json!({ "intValue": number }));
    assert_eq!(of("gen_ai.operation.name"), text("chat"));
    assert_eq!(of("gen_ai.provider.name"), text("openai"));
    assert_eq!(of("gen_ai.request.model"), text("gpt-4o"));
    assert_eq!(of("gen_ai.response.model"), text("gpt-4o-2024-08-06"));
    assert_eq!(of("gen_ai.usage.input_tokens"), number("11"));
    assert_eq!(of("http.response.status_code"), number("200"));
    assert_eq!(of("error.type"), None);
    assert_eq!(rows.len(), 2);
    let text = String::from_utf8(message.raw).unwrap();
    for secret in ["s3cret", "thread-of-mine", "Hello"] {
        assert!(!text.contains(secret), "{secret} is nobody's business");
    }
}

#[tokio::test]
async fn calls_wait_for_a_collector_that_is_away_and_what_it_never_takes_is_counted() {
    let turn = std::sync::atomic::AtomicU32::new(0);
    let mut collector = Upstream::start(move |_| {
        let status = match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => "503 Unavailable",
            1 => "200 OK",
            _ => "400 Bad Request",
        };
        Script::new().head(&format!("{status}\ncontent-length: 0"))
    })
    .await;
    let often = [CALLS[0], CALLS[1], ("OTEL_BSP_SCHEDULE_DELAY", "1")];
    let (_upstream, mut app) = started(collector.address, &often).await;
    ask(&mut app).await;
    let (away, taken) = (said(&collector.seen().await), said(&collector.seen().await));
    assert_eq!(away, taken, "the same call, said again");
    ask(&mut app).await;
    let refused = said(&collector.seen().await);
    assert_ne!(spans(&refused)[0]["traceId"], spans(&taken)[0]["traceId"]);
    let dropped = async {
        loop {
            let page = app.api("GET", "/metrics", "", "").await;
            let page = String::from_utf8(page.body).unwrap();
            if page.contains("moonlock_otlp_dropped_spans_total 1\n") {
                break page;
            }
            tokio::task::yield_now().await;
        }
    };
    let page = within("the loss to be counted", dropped).await;
    assert!(page.contains("moonlock_websocket_resyncs_total 0\n"), "{page}");
    app.stop().await;
}
