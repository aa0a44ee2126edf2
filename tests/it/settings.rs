//! What is set, and who set it: the API and the command say the same.

use serde_json::{Value, json};

use crate::support::app::{TestApp, home_with};
use crate::support::bodies::JSON;
use crate::support::program::command;
use crate::support::upstream::{Script, Upstream};

fn setting<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let settings = shown["settings"].as_array().unwrap();
    settings.iter().find(|setting| setting["name"] == name).unwrap()
}

#[tokio::test]
async fn the_api_says_who_set_what() {
    let nowhere = ([127, 0, 0, 1], 9).into();
    let home = home_with("batch_size = 7\n");
    let proxy = ("HTTPS_PROXY", "http://me:hush@127.0.0.1:3128");
    let app = TestApp::start_with(home, nowhere, &[("BATCH_INTERVAL", "3"), proxy]).await;
    let shown = app.get("/api/settings").await;
    let file = app.home.path().join("moonlock.toml").display().to_string();
    assert_eq!(shown["file"], file);
    assert_eq!(
        setting(&shown, "store.batch_size"),
        &json!({
            "name": "store.batch_size", "value": 7, "default": 1000,
            "source": {"kind": "file", "file": file, "line": 3},
            "meaning": "The most writes that one commit takes together.",
            "variable": "BATCH_SIZE", "flag": null, "needsRestart": true, "changeable": true, "pending": false,
        })
    );
    let interval = setting(&shown, "store.batch_interval_ms");
    assert_eq!(
        interval["source"],
        json!({"kind": "environment", "variable": "BATCH_INTERVAL"})
    );
    assert_eq!(
        setting(&shown, "server.host")["source"],
        json!({"kind": "default"})
    );
    assert_eq!(
        setting(&shown, "mounts.openai.upstream")["default"],
        "https://api.openai.com"
    );
    assert!(!shown.to_string().contains("hush"), "{shown}");
}

async fn change(app: &TestApp, changes: &Value) -> Value {
    let reply = app
        .api(
            "PATCH",
            "/api/settings",
            "Host: 127.0.0.1\ncontent-type: application/json",
            &changes.to_string(),
        )
        .await;
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test]
async fn what_can_hold_at_once_does_and_the_rest_says_so() {
    let home = home_with("batch_size = 7 # my own\n");
    let app = TestApp::start_in(home, ([127, 0, 0, 1], 9).into()).await;
    let changed = change(
        &app,
        &json!({"store.batch_size": 8, "sessions.auto": true, "server.heartbeat_interval_ms": 5000}),
    )
    .await;
    assert_eq!(changed, app.get("/api/settings").await);
    assert_eq!(changed["restartNeeded"], true);
    let (size, auto) = (
        setting(&changed, "store.batch_size"),
        setting(&changed, "sessions.auto"),
    );
    assert_eq!((&size["value"], &size["pending"]), (&json!(8), &json!(true)));
    assert_eq!((&auto["value"], &auto["pending"]), (&json!(true), &json!(false)));
    let text = std::fs::read_to_string(app.home.path().join("moonlock.toml")).unwrap();
    assert!(text.contains("batch_size = 8 # my own"), "{text}");
    // A call that names no session begins one now; nothing listens where it goes.
    app.ask("POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}")
        .await;
    assert_eq!(app.get("/api/sessions").await["sessions"][0]["origin"], "auto");
    let app = app.restart().await;
    let shown = app.get("/api/settings").await;
    assert_eq!(shown["restartNeeded"], false);
    assert_eq!(setting(&shown, "store.batch_size")["value"], 8);
    let back = change(&app, &json!({"store.batch_size": null})).await;
    let size = setting(&back, "store.batch_size");
    assert_eq!(
        (&size["value"], &size["source"]["kind"]),
        (&json!(1000), &json!("default"))
    );
    app.stop().await;
}

#[tokio::test]
async fn a_price_that_is_set_prices_the_next_call() {
    let body = r#"{"model":"mine","usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}"#;
    let upstream = Upstream::start(move |_| Script::sized(JSON, body)).await;
    let app = TestApp::start(upstream.address).await;
    for price in [None, Some("3")] {
        if let Some(price) = price {
            let prices = json!({"prices": [{"model": "mine", "input": price, "output": price}]});
            let changed = change(&app, &prices).await;
            assert_eq!(setting(&changed, "prices[0]")["value"]["input"], "3");
            assert_eq!(changed["restartNeeded"], false);
        }
        app.ask("POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}")
            .await;
        let call = &app.get("/api/calls").await["calls"][0];
        assert_eq!(
            call["costNanoUsd"],
            price.map_or(Value::Null, |_| json!(45_000)),
            "{call}"
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn a_change_that_cannot_be_used_names_the_setting() {
    let app = TestApp::start_with(
        home_with(""),
        ([127, 0, 0, 1], 9).into(),
        &[("BATCH_INTERVAL", "3")],
    )
    .await;
    for (changes, field) in [
        (json!({"sessions.idle_minutes": 0}), "sessions.idle_minutes"),
        (json!({"store.batch_interval_ms": 4}), "store.batch_interval_ms"),
        (
            json!({"server.allow_origins": ["https://evil.example"]}),
            "server.allow_origins",
        ),
        (
            json!({"mounts.openai.upstream": "https://evil.example"}),
            "mounts.openai.upstream",
        ),
        (
            json!({"notify": [{"kind": "webhook", "url": "https://evil.example"}]}),
            "notify",
        ),
        (
            json!({"prices": [{"model": "x", "output": "much"}]}),
            "prices.output",
        ),
    ] {
        let refused = change(&app, &changes).await;
        assert_eq!(
            (&refused["status"], &refused["field"]),
            (&json!(422), &json!(field)),
            "{refused}"
        );
    }
    let text = std::fs::read_to_string(app.home.path().join("moonlock.toml")).unwrap();
    assert!(!text.contains("evil") && !text.contains("idle"), "{text}");
    let reply = app
        .api(
            "PATCH",
            "/api/settings",
            "Host: 127.0.0.1\nOrigin: https://evil.example\ncontent-type: application/json",
            "{\"sessions.auto\":true}",
        )
        .await;
    assert_eq!(reply.head.status(), 403);
    app.stop().await;
}

#[tokio::test]
async fn a_copy_of_the_history_is_made_when_asked_for() {
    let app = TestApp::start(([127, 0, 0, 1], 9).into()).await;
    app.ask("POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}")
        .await;
    let storage = app.get("/api/storage").await;
    assert_eq!(
        (&storage["calls"], &storage["lastBackup"]),
        (&json!(1), &Value::Null)
    );
    assert!(storage["bytes"].as_u64().unwrap() > 4096, "{storage}");
    let call = &app.get("/api/calls").await["calls"][0];
    assert_eq!(storage["oldestCallAt"], call["startedAt"]);
    let made = app.api("POST", "/api/storage/backup", "", "").await;
    assert_eq!(made.head.status(), 201);
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    let last = &made["lastBackup"];
    let copy = app
        .home
        .path()
        .join("backups")
        .join(last["file"].as_str().unwrap());
    assert_eq!(
        std::fs::metadata(copy).unwrap().len(),
        last["bytes"].as_u64().unwrap()
    );
    assert_eq!(app.get("/api/storage").await["lastBackup"], *last);
    app.stop().await;
}

#[test]
fn the_command_says_the_same_without_the_program() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = command(home.path())
            .env("MOONLOCK_LOG", "error")
            .arg("config")
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown: Value = serde_json::from_str(&run(&["--json", "--proxy-port", "4000"])).unwrap();
    let port = setting(&shown, "server.proxy_port");
    assert_eq!(
        (&port["value"], &port["source"]),
        (&json!(4000), &json!({"kind": "flag", "flag": "--proxy-port"}))
    );
    assert_eq!(shown["file"], Value::Null);
    let text = run(&[]);
    let line = |start: &str| {
        text.lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_default()
    };
    assert!(
        line("MOONLOCK_LOG ").ends_with("environment MOONLOCK_LOG"),
        "{text}"
    );
    assert!(line("server.port ").ends_with("environment PORT"), "{text}");
    assert!(line("store.durability ").ends_with("  default"), "{text}");
    assert!(
        line("mounts.").is_empty() && line("NO_PROXY").is_empty(),
        "{text}"
    );
}
