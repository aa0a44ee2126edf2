//! What Prometheus is told is what the API says, in a text that a strict reader takes.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{
    CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, MESSAGES_PATH, MESSAGES_REQUEST, message_stream,
};
use crate::support::client::post;
use crate::support::upstream::{Script, Upstream};

type Labels = BTreeMap<String, String>;

/// A metric with its type and its samples: by name and labels.
struct Family {
    kind: String,
    samples: Vec<(String, Labels, f64)>,
}

/// Reads the text format as its description has it, and nothing else.
fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut families = BTreeMap::new();
    let mut current = String::new();
    let mut seen = HashSet::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            help.split_once(' ').expect("a name and a text");
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            let family = Family {
                kind: kind.to_owned(),
                samples: Vec::new(),
            };
            assert!(
                families.insert(name.to_owned(), family).is_none(),
                "{name} stands once"
            );
            current = name.to_owned();
        } else {
            let (series, number) = line.rsplit_once(' ').unwrap();
            assert!(seen.insert(series.to_owned()), "{series} comes once");
            let (name, labels) = match series.split_once('{') {
                Some((name, rest)) => (name, labels(rest.strip_suffix('}').unwrap())),
                None => (series, Labels::new()),
            };
            let family = families.get_mut(&current).unwrap();
            let suffix = name.strip_prefix(&*current).expect("samples follow their type");
            let suffixes: &[&str] = match &*family.kind {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            assert!(suffixes.contains(&suffix), "{line}");
            assert!(family.kind != "counter" || name.ends_with("_total"), "{line}");
            family
                .samples
                .push((suffix.to_owned(), labels, number.parse().unwrap()));
        }
    }
    families
}

fn labels(mut text: &str) -> Labels {
    let mut labels = Labels::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").unwrap();
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
        let mut value = String::new();
        let mut letters = rest.char_indices();
        let end = loop {
            match letters.next().expect("a quote at the end") {
                (at, '"') => break at,
                (_, '\\') => value.push(match letters.next().unwrap().1 {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    other => panic!("\\{other}"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        assert!(
            labels.insert(name.to_owned(), value).is_none(),
            "{name} stands once"
        );
        let behind = rest.get(end + 1..).unwrap();
        text = match behind.strip_prefix(',') {
            Some(more) => more,
            None => {
                assert_eq!(behind, "");
                behind
            }
        };
    }
    labels
}

/// Every histogram's buckets rise, the last is the count.
fn check_histograms(families: &BTreeMap<String, Family>) {
    for (name, family) in families.iter().filter(|(_, family)| family.kind == "histogram") {
        let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for (suffix, labels, number) in &family.samples {
            let mut labels = labels.clone();
            let bound = labels.remove("le");
            let buckets = buckets.entry(labels).or_default();
            match suffix.as_str() {
                "_bucket" => buckets.push((bound.unwrap().parse().unwrap(), *number)),
                "_count" => assert_eq!(buckets.last(), Some(&(f64::INFINITY, *number)), "{name}"),
                _ => assert!(*number >= 0.0, "{name}"),
            }
        }
        for buckets in buckets.values() {
            let rise = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
            assert!(buckets.windows(2).all(rise), "{name}: {buckets:?}");
        }
    }
}

async fn scrape(app: &TestApp) -> BTreeMap<String, Family> {
    let reply = app.api("GET", "/metrics", "", "").await;
    assert_eq!(reply.head.status(), 200);
    assert_eq!(
        reply.head.get("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let families = read(std::str::from_utf8(&reply.body).unwrap());
    check_histograms(&families);
    families
}

impl Family {
    /// The sum of the samples with this suffix and these labels.
    fn sum(&self, suffix: &str, wanted: &[(&str, &str)]) -> f64 {
        let fits = |labels: &Labels| {
            wanted
                .iter()
                .all(|(name, value)| labels.get(*name).is_some_and(|found| found == value))
        };
        let samples = self.samples.iter().filter(|(found, ..)| found == suffix);
        samples
            .filter(|(_, labels, _)| fits(labels))
            .map(|(.., number)| number)
            .sum()
    }
}

/// What the rows of a provider add up to.
fn sum(rows: &[Value], provider: &str, field: &str) -> f64 {
    let of = rows.iter().filter(|row| row["provider"] == provider);
    of.filter_map(|row| row[field].as_f64()).sum()
}

#[tokio::test]
async fn prometheus_is_told_what_the_api_says() {
    let upstream = Upstream::start(|request| {
        if request.head.line.contains("/v1/messages") {
            Script::sized(EVENTS, message_stream())
        } else if request.head.line.contains("embeddings") {
            Script::sized("429 Too Many Requests\ncontent-type: application/json", "{}")
        } else {
            Script::sized(JSON, CHAT)
        }
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    for _ in 0..3 {
        app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    }
    app.ask(post(MESSAGES_PATH, MESSAGES_REQUEST)).await;
    app.ask(post(
        "/openai/v1/embeddings",
        r#"{"model":"a\"b\\c","input":"x"}"#,
    ))
    .await;
    let session = app.session("by hand").await;
    let path = format!("/api/sessions/{session}/tokens");
    let report = json!({"tokensUsed": 1200, "operation": "review", "cost": 0.25});
    assert_eq!(app.say("POST", &path, &report).await.0, 201);
    let rows = app.until_rows(6).await;

    let families = scrape(&app).await;
    let durations = &families["gen_ai_client_operation_duration_seconds"];
    let usage = &families["gen_ai_client_token_usage"];
    let first = &families["gen_ai_server_time_to_first_token_seconds"];
    for provider in ["openai", "anthropic"] {
        let of = ("gen_ai_provider_name", provider);
        let own: Vec<&Value> = rows.iter().filter(|row| row["provider"] == provider).collect();
        assert_eq!(durations.sum("_count", &[of]), own.len() as f64);
        let took = sum(&rows, provider, "durationMs") / 1e3;
        assert!((durations.sum("_sum", &[of]) - took).abs() < 1e-6);
        let streamed = own.iter().filter(|row| row["ttftMs"].is_u64()).count();
        assert_eq!(first.sum("_count", &[of]), streamed as f64);
        let prompt: f64 = ["input", "cacheRead", "cacheWrite"]
            .map(|field| sum(&rows, provider, field))
            .iter()
            .sum();
        let kind = |kind| usage.sum("_sum", &[of, ("gen_ai_token_type", kind)]);
        assert_eq!(kind("input"), prompt);
        assert_eq!(kind("output"), sum(&rows, provider, "output"));
        let cost = sum(&rows, provider, "costNanoUsd") / 1e9;
        assert!((families["moonlock_cost_usd_total"].sum("", &[of]) - cost).abs() < 1e-12);
    }
    for provider in ["openai", "anthropic", "manual"] {
        let of = ("gen_ai_provider_name", provider);
        let all = families["moonlock_tokens_total"].sum("", &[of]);
        assert_eq!(all, sum(&rows, provider, "total"), "{provider}");
    }
    assert_eq!(families["moonlock_inexact_tokens_total"].sum("", &[]), 1200.0);
    let by_hand = ("gen_ai_provider_name", "manual");
    assert_eq!(
        durations.sum("_count", &[by_hand]),
        0.0,
        "no call, and it took no time"
    );
    let refused = [
        ("gen_ai_operation_name", "embeddings"),
        ("gen_ai_response_model", "a\"b\\c"),
        ("error_type", "429"),
    ];
    assert_eq!(durations.sum("_count", &refused), 1.0);
    let chat = [
        ("gen_ai_operation_name", "chat"),
        ("gen_ai_response_model", "gpt-4o-2024-08-06"),
    ];
    assert_eq!(durations.sum("_count", &chat), 3.0);
    let session_label = |(_, labels, _): &(String, Labels, f64)| labels.values().any(|v| *v == session);
    assert!(
        !families
            .values()
            .any(|family| family.samples.iter().any(session_label))
    );
}

#[tokio::test]
async fn prometheus_is_told_how_moonlock_is() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let number = |families: &BTreeMap<String, Family>, name: &str| families[name].sum("", &[]);
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let families = scrape(&app).await;
    assert!(number(&families, "moonlock_store_commits_total") >= 1.0);
    assert!(families["moonlock_store_commit_duration_seconds"].sum("_count", &[]) >= 1.0);
    for quiet in [
        "moonlock_running_calls",
        "moonlock_websocket_clients",
        "moonlock_degraded",
        "moonlock_estimates_waiting",
        "moonlock_store_dropped_writes_total",
        "moonlock_store_refused_writes_total",
    ] {
        assert_eq!(number(&families, quiet), 0.0, "{quiet}");
    }
    let url = format!("ws://{}/ws", app.dashboard());
    let socket = tokio_tungstenite::connect_async(url).await.unwrap();
    // The greeting says that it is there.
    let mut socket = socket.0;
    futures_util::StreamExt::next(&mut socket).await.unwrap().unwrap();
    assert_eq!(number(&scrape(&app).await, "moonlock_websocket_clients"), 1.0);

    let elsewhere = format!("host: evil.com:{}", app.dashboard().port());
    let reply = app.api("GET", "/metrics", &elsewhere, "").await;
    assert_eq!(reply.head.status(), 403, "guarded like the rest");
}
