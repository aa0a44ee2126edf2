//! The WebSocket: hello, a snapshot, then every event once and in order.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::{post, post_with};
use crate::support::upstream::{Gate, Script, Upstream};
use crate::support::within;

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects, and takes the greeting.
    async fn connect(app: &TestApp) -> Self {
        let url = format!("ws://{}/ws", app.dashboard());
        let (stream, _) = within("a WebSocket", tokio_tungstenite::connect_async(url))
            .await
            .unwrap();
        let mut socket = Self(stream);
        let hello = socket.next().await;
        assert_eq!(hello["type"], "hello");
        assert_eq!(hello["version"], env!("CARGO_PKG_VERSION"));
        assert!(hello["heartbeatMs"].is_u64());
        socket
    }

    async fn say(&mut self, text: impl ToString) {
        self.0.send(Message::text(text.to_string())).await.unwrap();
    }

    /// The next message that is text.
    async fn next(&mut self) -> Value {
        loop {
            match within("a message", self.0.next()).await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn subscribe(&mut self, sessions: Value, since: Option<u64>) -> Value {
        let mut message = json!({"type": "subscribe", "sessions": sessions});
        if let Some(since) = since {
            message["since"] = since.into();
        }
        self.say(message).await;
        self.next().await
    }

    /// Nothing more comes before the answer to this.
    async fn assert_quiet(&mut self) {
        self.say(json!({"type": "ping"})).await;
        assert_eq!(self.next().await["type"], "pong");
    }
}

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

async fn call(app: &TestApp, fields: &str) {
    assert!(app.ask(post_with(CHAT_PATH, fields, CHAT_REQUEST)).await.whole);
}

#[tokio::test]
async fn a_call_is_told_from_its_start_to_its_end() {
    let (_upstream, app) = started().await;
    let mut socket = Socket::connect(&app).await;
    let snapshot = socket.subscribe(json!(["*"]), None).await;
    assert_eq!(snapshot["type"], "snapshot");
    assert_eq!(snapshot["proxyUrl"], format!("http://{}", app.proxy()));
    let seq = snapshot["seq"].as_u64().unwrap();
    let session = app.session("s").await;
    call(&app, "").await;
    let mut events = Vec::new();
    for (last, kind) in (seq..).zip(["session", "call.started", "call.finished"]) {
        let event = socket.next().await;
        assert_eq!((&event["type"], &event["kind"]), (&json!("event"), &json!(kind)));
        assert_eq!(event["seq"], last + 1, "one more than the one before");
        assert_eq!(event["sessionId"], session.as_str());
        events.push(event);
    }
    assert_eq!(events[1]["data"]["outcome"], "running");
    assert_eq!(events[1]["data"]["requestModel"], "gpt-4o");
    assert_eq!(events[2]["data"]["call"], app.row().await, "as the API shows it");
    assert_eq!(events[2]["data"]["totals"]["total"], 18);
    let live = app.get("/api/live").await;
    assert!(live["seq"].as_u64().unwrap() >= seq + 3);
    assert_eq!(live["sessions"][0]["tokensUsed"], 18);

    let told = socket.next().await;
    assert_eq!(
        (&told["kind"], &told["sessionId"]),
        (&json!("forecast"), &json!(session))
    );
    let forecast = &told["data"]["forecast"];
    assert_eq!(
        (&forecast["total"]["spent"], &forecast["end"]),
        (&json!(18), &json!("open"))
    );
    let live = app.get("/api/live").await;
    assert_eq!(live["sessions"][0]["forecast"]["total"]["spent"], 18);
    assert_eq!(
        live["sessions"][0]["burnRate"]["callsPerHour"]
            .as_u64()
            .map(|calls| calls > 0),
        Some(true)
    );
}

#[tokio::test]
async fn who_comes_back_gets_exactly_what_it_missed() {
    let (_upstream, app) = started().await;
    let mut steady = Socket::connect(&app).await;
    let mut leaving = Socket::connect(&app).await;
    let seq = steady.subscribe(json!(["*"]), None).await["seq"]
        .as_u64()
        .unwrap();
    leaving.subscribe(json!(["*"]), None).await;
    call(&app, "").await;
    let last = [leaving.next().await, leaving.next().await][1]["seq"]
        .as_u64()
        .unwrap();
    assert_eq!(last, seq + 2);
    drop(leaving);
    call(&app, "").await;
    call(&app, "").await;
    let mut told = Vec::new();
    for _ in 0..6 {
        told.push(steady.next().await);
    }
    let mut back = Socket::connect(&app).await;
    let mut missed = vec![back.subscribe(json!(["*"]), Some(last)).await];
    for _ in 0..3 {
        missed.push(back.next().await);
    }
    assert_eq!(missed, told[2..], "the same events, each once");
    back.assert_quiet().await;
    call(&app, "").await;
    assert_eq!(back.next().await["seq"], last + 5, "and then what happens");
    let mut current = Socket::connect(&app).await;
    let now = app.get("/api/live").await["seq"].as_u64().unwrap();
    current
        .say(json!({"type": "subscribe", "sessions": ["*"], "since": now}))
        .await;
    current.assert_quiet().await;
}

#[tokio::test]
async fn a_number_of_another_run_gets_the_whole_state() {
    let (_upstream, app) = started().await;
    call(&app, "").await;
    let old = app.get("/api/live").await["seq"].as_u64().unwrap();
    let app = app.restart().await;
    for since in [0, 1, old, old + 1_000_000_000_000] {
        let mut socket = Socket::connect(&app).await;
        let first = socket.subscribe(json!(["*"]), Some(since)).await;
        assert_eq!(first["type"], "snapshot", "{since}");
        assert!(
            first["seq"].as_u64().unwrap() >= old,
            "numbers go up from run to run"
        );
        assert_eq!(first["calls"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_answered_and_the_connection_stays() {
    let (_upstream, app) = started().await;
    let mut socket = Socket::connect(&app).await;
    for text in [
        "",
        "hello",
        "{}",
        "[]",
        "{\"type\":\"dance\"}",
        "{\"type\":\"subscribe\"}",
        "{\"type\":\"subscribe\",\"sessions\":\"*\"}",
        "{\"type\":\"subscribe\",\"sessions\":[\"not-an-id\"]}",
        "{\"type\":\"subscribe\",\"sessions\":[\"*\"],\"since\":-1}",
    ] {
        socket.say(text).await;
        let answer = socket.next().await;
        assert_eq!(answer["type"], "error", "{text}");
        assert!(answer["message"].as_str().unwrap().len() > 10, "{text}");
    }
    socket.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(socket.next().await["type"], "error");
    socket.assert_quiet().await;
    assert_eq!(socket.subscribe(json!(["*"]), None).await["type"], "snapshot");
}

#[tokio::test]
async fn only_the_wanted_sessions_are_told() {
    let (_upstream, app) = started().await;
    let (one, other) = (app.session("one").await, app.session("other").await);
    let mut socket = Socket::connect(&app).await;
    let snapshot = socket.subscribe(json!([one]), None).await;
    let sessions = snapshot["sessions"].as_array().unwrap();
    assert_eq!((sessions.len(), &sessions[0]["id"]), (1, &json!(one)));
    for fields in [
        "x-moonlock-session: other",
        "x-moonlock-session: nobody",
        "x-moonlock-session: one",
    ] {
        call(&app, fields).await;
    }
    for kind in ["call.started", "call.finished"] {
        let event = socket.next().await;
        assert_eq!((&event["kind"], &event["sessionId"]), (&json!(kind), &json!(one)));
    }
    socket.assert_quiet().await;
    let again = socket.subscribe(json!([other]), None).await;
    assert_eq!(
        again["calls"].as_array().unwrap().len(),
        1,
        "another choice replaces the first"
    );
    call(&app, "x-moonlock-session: one").await;
    call(&app, "x-moonlock-session: other").await;
    assert_eq!(socket.next().await["sessionId"], other.as_str());
}

#[tokio::test]
async fn nothing_is_told_before_it_is_asked_for() {
    let (_upstream, app) = started().await;
    let mut socket = Socket::connect(&app).await;
    call(&app, "").await;
    socket.assert_quiet().await;
}

#[tokio::test]
async fn a_running_call_is_in_the_snapshot_and_ends_in_the_stream() {
    let gate = Gate::new();
    let wait = gate.clone();
    let upstream = Upstream::start(move |_| {
        Script::new().wait(&wait).send(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{CHAT}",
            CHAT.len()
        ))
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let mut client = app.client().await;
    client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
    app.started().await;
    let mut socket = Socket::connect(&app).await;
    let snapshot = socket.subscribe(json!(["*"]), None).await;
    assert_eq!(snapshot["calls"][0]["outcome"], "running");
    gate.open();
    let event = socket.next().await;
    assert_eq!(event["kind"], "call.finished");
    assert_eq!(event["data"]["call"]["id"], snapshot["calls"][0]["id"]);
    client.reply("POST").await;
}
