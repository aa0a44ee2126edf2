//! What the logs of other tools tell counts once: not when they are read again, and not beside what the proxy metered.

use std::fs::{create_dir_all, write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use moonlock::domain::wire::Change;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{JSON, MESSAGES_PATH, MESSAGES_REQUEST};
use crate::support::client::post_with;
use crate::support::program::{command, run};
use crate::support::upstream::{Script, Upstream};

const CONVERSATION: &str = "6f1c2a10-0000-4000-8000-000000000001";

fn usage(message: u64, output: u64) -> Value {
    json!({
        "input_tokens": 10 + message, "cache_read_input_tokens": 1_000, "cache_creation_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output, "service_tier": "standard"
    })
}

/// What the provider answers for the message, and what Claude Code keeps of it.
fn message(number: u64, output: u64) -> Value {
    json!({
        "id": format!("msg_{number:02}"), "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": usage(number, output)
    })
}

fn line(number: u64, output: u64, at: jiff::Timestamp) -> String {
    let line = json!({
        "parentUuid": null, "isSidechain": false, "userType": "external", "cwd": "/w", "sessionId": CONVERSATION,
        "version": "2.0.1", "type": "assistant", "uuid": format!("{number}-{output}"), "timestamp": at.to_string(),
        "requestId": format!("req_{number:02}"), "message": message(number, output)
    });
    format!("{line}\n")
}

/// A log of `messages` messages, each in two snapshots; and that of a conversation which went on from a copy of it.
fn write_logs(home: &Path, messages: u64, at: jiff::Timestamp) -> PathBuf {
    let project = home.join(".claude/projects/-w");
    create_dir_all(&project).unwrap();
    let mut log = "{\"type\":\"summary\",\"summary\":\"x\",\"leafUuid\":\"y\"}\n".to_owned();
    for number in 1..=messages {
        log.push_str(&line(number, 1, at));
        log.push_str(&line(number, 100 * number, at));
    }
    write(project.join(format!("{CONVERSATION}.jsonl")), &log).unwrap();
    write(
        project.join("resumed.jsonl"),
        format!("{log}this is no JSON\n{{\"half\": "),
    )
    .unwrap();
    home.to_owned()
}

/// Runs `moonlock import --json` with more arguments.
async fn import(home: &Path, port: u16, arguments: &[&str]) -> Value {
    let mut command = command(home);
    command
        .env("PORT", port.to_string())
        .args(["import", "--json"])
        .args(arguments);
    let (code, out, said) = tokio::task::spawn_blocking(move || run(&mut command))
        .await
        .unwrap();
    // Built without the dashboard, the program that is started for it says so.
    assert_eq!(code, Some(0), "{out}{said}");
    serde_json::from_str(&out).unwrap()
}

fn counts(said: &Value) -> [u64; 4] {
    ["imported", "updated", "known", "metered"].map(|name| said[name].as_u64().unwrap())
}

/// Requests, tokens and cost, from the roll-ups; they are what the live sums say.
async fn sums(app: &TestApp) -> (u64, u64, i64) {
    let usage = app.get("/api/analytics/usage?period=all&groupBy=provider").await;
    let group = &usage["groups"][0];
    let live = app.get("/api/live").await;
    let unassigned = &live["unassigned"];
    for name in ["requests", "total", "costNanoUsd"] {
        assert_eq!(group[name], unassigned[name], "{name}");
    }
    (
        group["requests"].as_u64().unwrap(),
        group["total"].as_u64().unwrap(),
        group["costNanoUsd"].as_i64().unwrap(),
    )
}

#[tokio::test]
async fn a_log_counts_once_also_when_the_proxy_meters_the_same_messages() {
    let asked = AtomicU64::new(0);
    let upstream = Upstream::start(move |_| {
        let number = asked.fetch_add(1, Ordering::Relaxed) + 1;
        let head = format!("{JSON}\nrequest-id: req_{number:02}");
        Script::sized(&head, message(number, 100 * number).to_string())
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let home = tempfile::tempdir().unwrap();
    write_logs(home.path(), 3, jiff::Timestamp::now());
    let port = app.dashboard().port();

    let said = import(home.path(), port, &["--dry-run"]).await;
    assert_eq!((counts(&said), &said["files"]), ([3, 0, 0, 0], &json!(2)));
    assert!(app.rows().await.is_empty(), "a dry run changes nothing");

    let said = import(home.path(), port, &[]).await;
    assert_eq!(counts(&said), [3, 0, 0, 0]);
    assert_eq!(said["skipped"], 1, "{said}");
    assert_eq!(said["skippedLines"][0]["line"], 8, "{said}");
    let told = app
        .next(|change| match change {
            Change::CallsImported { calls, unassigned } => Some((*calls, unassigned.requests)),
            _ => None,
        })
        .await;
    assert_eq!(told, (3, 3));
    let first = sums(&app).await;
    assert_eq!(first.0, 3);
    assert_eq!(first.1, 3 * 1_050 + (11 + 12 + 13) + (100 + 200 + 300));
    let rows = app.rows().await;
    for row in &rows {
        assert_eq!(
            (
                &row["source"],
                &row["client"],
                &row["conversation"],
                &row["sessionId"]
            ),
            (
                &json!("imported"),
                &json!("Claude Code"),
                &json!(CONVERSATION),
                &Value::Null
            ),
            "{row}"
        );
        assert!(row["costNanoUsd"].is_i64(), "{row}");
    }

    assert_eq!(counts(&import(home.path(), port, &[]).await), [0, 0, 3, 0]);
    assert_eq!(sums(&app).await, first, "read again");

    // The proxy meters two of them; then the log is read once more.
    for _ in 0..2 {
        let fields = format!("x-claude-code-session-id: {CONVERSATION}\r\n");
        app.ask(post_with(MESSAGES_PATH, &fields, MESSAGES_REQUEST)).await;
        assert_eq!(app.ended().await["source"], "exact");
    }
    assert_eq!(counts(&import(home.path(), port, &[]).await), [0, 0, 1, 2]);
    assert_eq!(
        sums(&app).await,
        first,
        "the proxy's rows count, and the log's do not"
    );
    let rows = app.rows().await;
    let counted: Vec<&Value> = rows.iter().filter(|row| row["countedBy"].is_null()).collect();
    assert_eq!((rows.len(), counted.len()), (5, 3));
    assert_eq!(counted.iter().filter(|row| row["source"] == "exact").count(), 2);

    // What is known to be metered stays known, also over a restart.
    let app = app.restart().await;
    let port = app.dashboard().port();
    assert_eq!(counts(&import(home.path(), port, &[]).await), [0, 0, 3, 0]);
    assert_eq!(sums(&app).await, first);
    app.stop().await;
}

#[tokio::test]
async fn without_a_running_program_the_import_goes_the_same_way() {
    let home = tempfile::tempdir().unwrap();
    let long_ago = "2026-03-01T08:00:00Z".parse().unwrap();
    write_logs(home.path(), 2, long_ago);
    assert_eq!(counts(&import(home.path(), 0, &[]).await), [2, 0, 0, 0]);
    // One went on meanwhile, one is new.
    write_logs(home.path(), 3, long_ago);
    let log = home.path().join(".claude/projects/-w/later.jsonl");
    write(log, line(1, 900, long_ago)).unwrap();
    assert_eq!(counts(&import(home.path(), 0, &[]).await), [1, 1, 1, 0]);
    assert_eq!(counts(&import(home.path(), 0, &[]).await), [0, 0, 3, 0]);
    let (code, out, _) = run(command(home.path()).args(["usage", "--json", "--group-by", "source,client"]));
    assert_eq!(code, Some(0));
    let usage: Value = serde_json::from_str(&out).unwrap();
    let group = &usage["groups"][0];
    assert_eq!(
        (
            &group["source"],
            &group["client"],
            &group["requests"],
            &group["output"]
        ),
        (
            &json!("imported"),
            &json!("Claude Code"),
            &json!(3),
            &json!(900 + 200 + 300)
        )
    );
}

#[tokio::test]
async fn new_calls_go_to_the_session_that_is_named() {
    let upstream = Upstream::start(|_| Script::sized(JSON, "{}")).await;
    let app = TestApp::start(upstream.address).await;
    let session = app.session("before").await;
    let home = tempfile::tempdir().unwrap();
    write_logs(home.path(), 2, "2026-03-01T08:00:00Z".parse().unwrap());
    let port = app.dashboard().port();
    let said = import(home.path(), port, &["--claude-code", "--session", "before"]).await;
    assert_eq!(counts(&said), [2, 0, 0, 0]);
    let shown = app.get(&format!("/api/sessions/{session}")).await;
    assert_eq!(shown["usage"]["requests"], 2);
    assert_eq!(shown["burnRate"], Value::Null, "history has no pace");
    let app = app.restart().await;
    let shown = app.get(&format!("/api/sessions/{session}")).await;
    assert_eq!(
        (&shown["usage"]["requests"], &shown["burnRate"]),
        (&json!(2), &Value::Null)
    );
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_a_call_is_refused_by_its_field() {
    let upstream = Upstream::start(|_| Script::sized(JSON, "{}")).await;
    let app = TestApp::start(upstream.address).await;
    let whole =
        json!({"key": "k", "provider": "anthropic", "operation": "messages", "startedAt": 1, "output": 5});
    let with = |field: &str, value: Value| {
        let mut call = whole.clone();
        call[field] = value;
        json!([whole.clone(), call])
    };
    for (body, expected) in [
        (with("key", json!("")), "[1].key"),
        (with("key", json!("x".repeat(300))), "[1].key"),
        (with("output", json!(2_000_000_000_000_u64)), "[1].output"),
        (with("output", Value::Null), "[1]"),
        (with("startedAt", json!(-1)), "[1].startedAt"),
        (with("startedAt", json!(9_000_000_000_000_i64)), "[1].startedAt"),
        (with("nothing", json!(1)), "nothing"),
        (json!([]), "1 to 1000"),
    ] {
        let (status, said) = app.say("POST", "/api/calls/import", &body).await;
        assert_eq!(status, 422, "{body} {said}");
        assert!(said.to_string().contains(expected), "{expected}: {said}");
    }
    let missing = "/api/calls/import?session=019ab000-0000-7000-8000-000000000001";
    let (status, said) = app.say("POST", missing, &json!([whole])).await;
    assert_eq!((status, said["field"].as_str()), (422, Some("session")), "{said}");
    assert!(app.rows().await.is_empty());
}
