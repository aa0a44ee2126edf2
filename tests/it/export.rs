//! Exports say what the API says, whole, in every format, page after page.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{
    CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, MESSAGES_PATH, MESSAGES_REQUEST, message_stream,
};
use crate::support::client::{post, post_with};
use crate::support::http::Message;
use crate::support::upstream::{Script, Upstream};

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|request| {
        if request.head.line.contains("/v1/messages") {
            Script::sized(EVENTS, message_stream())
        } else {
            Script::sized(JSON, CHAT)
        }
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

async fn export(app: &TestApp, path: &str) -> Message {
    let reply = app.api("GET", path, "", "").await;
    assert_eq!(
        reply.head.status(),
        200,
        "{}",
        String::from_utf8_lossy(&reply.body)
    );
    assert!(reply.whole, "not broken off");
    reply
}

/// The rows of a CSV file, each by its columns' names.
fn table(body: &[u8]) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(body);
    let names = reader.headers().unwrap().clone();
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record.unwrap();
        names
            .iter()
            .map(str::to_owned)
            .zip(record.iter().map(str::to_owned))
            .collect()
    };
    reader.records().map(row).collect()
}

/// A row of the API as the CSV must write it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn every_format_says_what_the_api_says() {
    let (_upstream, app) = started().await;
    let session = app.session("=cmd, \"quoted\"\nline").await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    app.ask(post_with(MESSAGES_PATH, "user-agent: @tool/1", MESSAGES_REQUEST))
        .await;
    let checkpoints = format!("/api/sessions/{session}/checkpoints");
    assert_eq!(
        app.say("POST", &checkpoints, &json!({"phase": "plan"})).await.0,
        201
    );
    let rows = app.until_rows(2).await;

    let reply = export(&app, "/api/export?format=csv").await;
    assert_eq!(
        reply.head.get("content-type"),
        Some("text/csv; charset=utf-8; header=present")
    );
    assert_eq!(reply.head.get("x-moonlock-calls"), Some("2"));
    assert_eq!(
        reply.head.get("content-disposition"),
        Some("attachment; filename=\"moonlock-calls.csv\"")
    );
    let found = table(&reply.body);
    assert_eq!(found.len(), rows.len());
    for (found, row) in found.iter().zip(&rows) {
        for name in [
            "id",
            "sessionId",
            "provider",
            "model",
            "outcome",
            "source",
            "input",
            "cacheRead",
            "output",
            "total",
        ] {
            assert_eq!(found[name], cell(&row[name]), "{name}");
        }
        assert_eq!(found["startedAtMs"], cell(&row["startedAt"]));
        assert_eq!(found["session"], "'=cmd, \"quoted\"\nline", "no formula");
    }
    assert!(
        String::from_utf8(reply.body).unwrap().contains("\r\n"),
        "RFC 4180"
    );

    let document: Value = serde_json::from_slice(&export(&app, "/api/export").await.body).unwrap();
    assert_eq!(
        (&document["format"], &document["version"], &document["callCount"]),
        (&json!("moonlock.export"), &json!(1), &json!(2))
    );
    assert_eq!(document["from"], rows[1]["startedAt"]);
    assert_eq!(document["to"], rows[0]["startedAt"]);
    let exported = &document["sessions"][0];
    assert_eq!(
        (&exported["id"], &exported["checkpoints"][0]["phase"]),
        (&json!(session), &json!("plan"))
    );
    assert_eq!(exported["events"][0]["kind"], "started");
    let calls = document["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    for (call, row) in calls.iter().zip(&rows) {
        for (name, value) in row.as_object().unwrap() {
            assert_eq!(&call[name], value, "{name}");
        }
    }
    assert_eq!(
        calls[0]["rawUsage"][1]["output_tokens"], 42,
        "the provider's own words"
    );
    assert_eq!(calls[0]["parts"]["cacheWrite5m"], 20);
    for call in calls {
        let one = app
            .get(&format!("/api/calls/{}", call["id"].as_str().unwrap()))
            .await;
        for (name, value) in one.as_object().unwrap() {
            assert_eq!(&call[name], value, "alone as in the export: {name}");
        }
    }

    let path = format!("/api/sessions/{session}/export?format=jsonl");
    let reply = export(&app, &path).await;
    let lines = String::from_utf8(reply.body).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["export", "session", "call", "call"]);
    assert_eq!(lines[2]["id"], rows[0]["id"]);
}

#[tokio::test]
async fn pages_join_and_filters_hold() {
    let (_upstream, app) = started().await;
    let session = app.session("many").await;
    for batch in 0..5 {
        let reports: Vec<Value> = (0..500)
            .map(|n| json!({"tokensUsed": batch * 500 + n + 1, "operation": "chat"}))
            .collect();
        let (status, answer) = app
            .say(
                "POST",
                &format!("/api/sessions/{session}/tokens"),
                &json!(reports),
            )
            .await;
        assert_eq!(status, 201, "{answer}");
    }
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    app.until_rows(2_501).await;

    let path = format!("/api/sessions/{session}/export?format=csv");
    let found = table(&export(&app, &path).await.body);
    assert_eq!(found.len(), 2_501);
    let ids: std::collections::HashSet<_> = found.iter().map(|row| &row["id"]).collect();
    assert_eq!(ids.len(), 2_501, "each once");
    let sum: u64 = found
        .iter()
        .filter_map(|row| row["total"].parse::<u64>().ok())
        .sum();
    assert_eq!(sum, 2_500 * 2_501 / 2 + 18);

    let reply = export(&app, "/api/export?format=csv&source=exact").await;
    assert_eq!(reply.head.get("x-moonlock-calls"), Some("1"));
    assert_eq!(table(&reply.body).len(), 1);
    let document: Value =
        serde_json::from_slice(&export(&app, "/api/export?session=unassigned").await.body).unwrap();
    assert_eq!(
        (&document["calls"], &document["sessions"]),
        (&json!([]), &json!([]))
    );

    for (path, field) in [
        ("/api/export?format=xml", "format"),
        ("/api/export?since=1", "since"),
        (
            &format!("/api/sessions/{session}/export?session=unassigned"),
            "session",
        ),
    ] {
        let reply = app.api("GET", path, "", "").await;
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(
            (reply.head.status(), &problem["field"]),
            (422, &json!(field)),
            "{path}"
        );
    }
    let reply = app
        .api(
            "GET",
            "/api/sessions/0198c0de-0000-7000-8000-000000000000/export",
            "",
            "",
        )
        .await;
    assert_eq!(reply.head.status(), 404);
}
