//! The providers' own limits: read from heads, told apart by credential, kept, and never with a key.

use std::fs::File;
use std::path::Path;

use moonlock::domain::wire::Change;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::app::TestApp;
use crate::support::bodies::{
    CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, MESSAGES_PATH, MESSAGES_REQUEST, message_stream,
};
use crate::support::client::{Client, post, post_with};
use crate::support::program::{Program, command};
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

/// Answers with what is left for each key: as many tokens as its last word says.
async fn provider() -> Upstream {
    Upstream::start(|request| {
        let key = request.head.get("authorization").unwrap_or("Bearer left-7");
        let left = key.rsplit('-').next().unwrap();
        let head = format!(
            "{JSON}\nx-ratelimit-limit-tokens: 1000\nx-ratelimit-remaining-tokens: {left}\nx-ratelimit-reset-tokens: 6m0s"
        );
        Script::sized(&head, CHAT)
    })
    .await
}

async fn limits(app: &TestApp) -> Vec<Value> {
    app.get("/api/limits").await["limits"].as_array().unwrap().clone()
}

#[tokio::test]
async fn two_keys_have_two_sets_of_windows_which_outlive_the_program() {
    let upstream = provider().await;
    let mut app = TestApp::start(upstream.address).await;
    for left in [900, 250] {
        let field = format!("authorization: Bearer sk-left-{left}");
        app.ask(post_with(CHAT_PATH, &field, CHAT_REQUEST)).await;
    }
    let known = limits(&app).await;
    assert_eq!(known.len(), 2, "{known:?}");
    for (set, left) in known.iter().zip([250, 900]) {
        assert_eq!(set["provider"], "openai");
        let window = &set["windows"][0];
        for (name, expected) in [
            ("name", json!("tokens")),
            ("kind", json!("tokens")),
            ("limit", json!(1000)),
            ("remaining", json!(left)),
            ("usedPermille", json!(1000 - left)),
            ("status", json!(null)),
            ("stale", json!(false)),
        ] {
            assert_eq!(window[name], expected, "{name}");
        }
        let lasts = window["resetsAt"].as_i64().unwrap() - window["seenAt"].as_i64().unwrap();
        assert_eq!(lasts, 360_000);
    }
    assert_ne!(known[0]["credential"], known[1]["credential"]);
    assert_eq!(app.get("/api/limits?provider=groq").await["limits"], json!([]));

    let told = app
        .next(|change| match change {
            Change::Limits(view) => Some(serde_json::to_value(view).unwrap()),
            _ => None,
        })
        .await;
    assert!(known.contains(&told), "{told} is told as it is shown");
    let live = app.get("/api/live").await;
    assert_eq!(live["limits"], json!(known));

    let app = app.restart().await;
    assert_eq!(limits(&app).await, known);
    app.stop().await;
}

#[tokio::test]
async fn a_plans_windows_belong_to_the_account_also_when_its_token_is_renewed() {
    let upstream = Upstream::start(|_| {
        let head = format!(
            "{EVENTS}\nanthropic-organization-id: o-1\nanthropic-ratelimit-unified-status: allowed\n\
             anthropic-ratelimit-unified-representative-claim: seven_day\n\
             anthropic-ratelimit-unified-5h-utilization: 0.42\nanthropic-ratelimit-unified-7d-utilization: 0.9\n\
             anthropic-ratelimit-unified-7d-status: allowed_warning"
        );
        Script::chunked(&head, [message_stream()])
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    for token in ["sk-ant-oat01-a", "sk-ant-oat01-b"] {
        let field = format!("authorization: Bearer {token}");
        app.ask(post_with(MESSAGES_PATH, &field, MESSAGES_REQUEST)).await;
    }
    let known = limits(&app).await;
    assert_eq!(known.len(), 1, "{known:?}");
    let windows: Vec<_> = known[0]["windows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|window| {
            let name = window["name"].as_str().unwrap();
            (
                name,
                &window["usedPermille"],
                &window["status"],
                &window["deciding"],
            )
        })
        .collect();
    assert_eq!(
        windows,
        [
            ("5h", &json!(420), &json!(null), &json!(false)),
            ("7d", &json!(900), &json!("warning"), &json!(true)),
            ("unified", &json!(null), &json!("allowed"), &json!(false)),
        ]
    );
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back() {
    let upstream = Upstream::start(|_| {
        Script::sized(
            "429 Too Many Requests\ncontent-type: application/json\nretry-after: 30",
            r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#,
        )
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let known = limits(&app).await;
    assert_eq!(known[0]["credential"], Value::Null, "nobody was named");
    let pause = &known[0]["windows"][0];
    assert_eq!(
        (&pause["kind"], &pause["status"]),
        (&json!("pause"), &json!("rejected"))
    );
    let lasts = pause["resetsAt"].as_i64().unwrap() - pause["seenAt"].as_i64().unwrap();
    assert_eq!(lasts, 30_000);
}

#[tokio::test]
async fn a_websockets_handshake_tells_of_limits_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut app = TestApp::start(listener.local_addr().unwrap()).await;
    let mut client = Client::connect(app.proxy()).await;
    client
        .send(
            "GET /openai/v1/responses HTTP/1.1\r\nhost: m\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             authorization: Bearer k\r\nchatgpt-account-id: a-1\r\n\r\n",
        )
        .await;
    let (mut stream, _) = within("the proxy to connect", listener.accept()).await.unwrap();
    // An answer to what was not asked yet is none.
    let mut asked = [0; 4096];
    within("the handshake", stream.read(&mut asked)).await.unwrap();
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                  x-codex-primary-used-percent: 12.5\r\nx-codex-primary-window-minutes: 300\r\n\
                  x-codex-primary-reset-after-seconds: 60\r\n\r\n";
    within("the answer to be sent", stream.write_all(answer.as_bytes()))
        .await
        .unwrap();
    let told = app
        .next(|change| match change {
            Change::Limits(view) => Some(view.clone()),
            _ => None,
        })
        .await;
    let window = &told.windows[0];
    assert_eq!((&*window.name, window.used_permille), ("primary", Some(125)));
    assert_eq!(window.period_ms, Some(300 * 60_000));
    assert!(told.credential.is_some());
}

/// Every byte that is on the disk below a folder.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .flat_map(|path| {
            if path.is_dir() {
                bytes_below(&path)
            } else {
                std::fs::read(path).unwrap()
            }
        })
        .collect()
}

#[tokio::test]
async fn a_key_is_nowhere() {
    const MARK: &str = "MARKED7SECRET";
    let upstream = provider().await;
    let home = tempfile::tempdir().unwrap();
    let url = format!("http://{}", upstream.address);
    let log = File::create(home.path().join("log")).unwrap();
    let mut program = Program::start_with_log(
        command(home.path())
            .env("MOONLOCK_LOG", "trace,hyper=debug,hyper_util=debug")
            .env("MOONLOCK_UPSTREAM_OPENAI", &url)
            .env("MOONLOCK_UPSTREAM_GEMINI", &url),
        log,
    );
    for (path, field) in [
        (CHAT_PATH, format!("authorization: Bearer {MARK}-1")),
        (CHAT_PATH, format!("x-api-key: {MARK}-2")),
        (CHAT_PATH, format!("api-key: {MARK}-3")),
        (CHAT_PATH, format!("x-goog-api-key: {MARK}-4")),
        (
            &*format!("/gemini/v1beta/models/gemini-2.5-flash:generateContent?key={MARK}-5"),
            String::new(),
        ),
    ] {
        let reply = Client::connect(program.proxy)
            .await
            .ask(post_with(path, &field, CHAT_REQUEST))
            .await;
        assert_eq!(reply.head.status(), 200);
    }
    let request = format!("GET /api/limits HTTP/1.1\r\nhost: {}\r\n\r\n", program.dashboard);
    let shown = Client::connect(program.dashboard).await.ask(request).await;
    let shown: Value = serde_json::from_slice(&shown.body).unwrap();
    assert_eq!(shown["limits"].as_array().unwrap().len(), 5, "{shown}");
    assert!(!shown.to_string().contains(MARK));
    // While it runs, the write-ahead log is there as well.
    let running = bytes_below(home.path());
    assert_eq!(program.terminate(), Some(0));
    for bytes in [running, bytes_below(home.path())] {
        let found = memchr::memmem::find(&bytes, MARK.as_bytes());
        let around = found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..at]));
        assert_eq!(around, None);
        assert!(
            memchr::memmem::find(&bytes, b"provider_windows").is_some(),
            "the database was read"
        );
        assert!(
            memchr::memmem::find(&bytes, b"DEBUG").is_some(),
            "the log was read"
        );
    }
}
