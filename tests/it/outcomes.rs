//! However a call ends, it ends once, its row says how, and nothing stays behind.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::app::{TestApp, assert_usage};
use crate::support::bodies::{
    ASKING_REQUEST, CHAT, CHAT_EVENTS, CHAT_PATH, CHAT_REQUEST, EVENTS, GEMINI_PATH, JSON, MESSAGE_END,
    MESSAGE_START, MESSAGE_TEXT, MESSAGES_PATH, MESSAGES_REQUEST, SILENT_REQUEST, chat_stream,
    message_stream,
};
use crate::support::client::post;
use crate::support::http::chunk;
use crate::support::upstream::{Gate, Script, Upstream};

fn begun() -> Script {
    Script::new().head(&format!(
        "{EVENTS}\nrequest-id: req_7\ntransfer-encoding: chunked"
    ))
}

async fn assert_none_runs(app: &TestApp) {
    assert_eq!(app.running().await, Vec::<Value>::new());
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_stream_cancels_it_upstream() {
    let closed = Gate::new();
    let tell = closed.clone();
    let upstream = Upstream::start(move |_| {
        begun()
            .chunk(MESSAGE_START)
            .chunk(MESSAGE_TEXT)
            .until_closed(&tell)
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let mut client = app.client().await;
    client.send(post(MESSAGES_PATH, MESSAGES_REQUEST)).await;
    let mut reply = client.head("POST").await;
    client
        .body_to(&mut reply, MESSAGE_START.len() + MESSAGE_TEXT.len())
        .await;
    assert_eq!(app.running().await.len(), 1);
    drop(client);
    closed.pass().await;
    let row = app.ended().await;
    assert_eq!(row["outcome"], "client_aborted");
    assert_eq!(row["requestId"], "req_7");
    assert_usage(
        &row,
        Some("partial"),
        [Some(5), Some(100), Some(20), None, None, Some(125)],
    );
    assert_none_runs(&app).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_reply_cancels_it_upstream() {
    let closed = Gate::new();
    let tell = closed.clone();
    let mut upstream = Upstream::start(move |_| Script::new().until_closed(&tell)).await;
    let mut app = TestApp::start(upstream.address).await;
    for (path, request) in [
        (MESSAGES_PATH, MESSAGES_REQUEST),
        (CHAT_PATH, SILENT_REQUEST),
        (GEMINI_PATH, "{}"),
    ] {
        let mut client = app.client().await;
        client.send(post(path, request)).await;
        app.started().await;
        upstream.seen().await;
        drop(client);
        closed.pass().await;
        let row = app.ended().await;
        assert_eq!(
            (&row["outcome"], &row["status"]),
            (&json!("client_aborted"), &Value::Null)
        );
        assert_usage(&row, None, [None; 6]);
    }
    assert_none_runs(&app).await;
}

#[tokio::test]
async fn a_request_that_is_cut_off_is_never_passed_on_as_whole() {
    let mut upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let mut app = TestApp::start(upstream.address).await;
    for path in [CHAT_PATH, MESSAGES_PATH] {
        for framing in ["transfer-encoding: chunked", "content-length: 99"] {
            let mut client = app.client().await;
            let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n");
            let body = if framing.contains("chunked") {
                chunk(CHAT_REQUEST.as_bytes())
            } else {
                CHAT_REQUEST.into()
            };
            client.send([head.as_bytes(), &body].concat()).await;
            drop(client);
            let row = app.ended().await;
            assert_eq!(row["outcome"], "client_aborted", "{path} {framing}");
        }
    }
    // All that was cut off has been seen by now, if at all: this one is the first whole one.
    app.ask(post("/openai/last", "{}")).await;
    loop {
        let seen = upstream.seen().await;
        if seen.whole {
            assert_eq!(seen.head.line, "POST /last HTTP/1.1");
            break;
        }
    }
    assert_none_runs(&app).await;
}

#[tokio::test]
async fn what_came_before_a_break_arrives_and_the_end_is_no_clean_one() {
    for (path, request, sent, source) in [
        (MESSAGES_PATH, MESSAGES_REQUEST, MESSAGE_START, Some("partial")),
        (CHAT_PATH, ASKING_REQUEST, CHAT_EVENTS, None),
        (CHAT_PATH, SILENT_REQUEST, CHAT_EVENTS, None),
        (CHAT_PATH, CHAT_REQUEST, "{\"model\":\"gpt-4o\",", None),
        ("/openai/v1/files", "{}", "abc", None),
    ] {
        for breaks in ["reset", "close", "close at once"] {
            let gate = Gate::new();
            let wait = gate.clone();
            let upstream = Upstream::start(move |_| match breaks {
                "reset" => begun().chunk(sent).wait(&wait).reset(),
                "close" => begun().chunk(sent).wait(&wait).close(),
                _ => begun().chunk(sent).close(),
            })
            .await;
            let mut app = TestApp::start(upstream.address).await;
            let mut client = app.client().await;
            client.send(post(path, request)).await;
            let mut reply = client.head("POST").await;
            client.body_to(&mut reply, sent.len()).await;
            gate.open();
            client.body_to(&mut reply, usize::MAX).await;
            assert_eq!(String::from_utf8_lossy(&reply.body), sent, "{path} {breaks}");
            assert!(!reply.whole, "{path} {breaks}");
            if path.contains("files") {
                continue;
            }
            let row = app.ended().await;
            assert_eq!(
                (
                    row["outcome"].as_str(),
                    row["error"].as_str(),
                    row["source"].as_str()
                ),
                (Some("upstream_error"), Some("broken_off"), source),
                "{path} {breaks}"
            );
            assert_none_runs(&app).await;
        }
    }
}

#[tokio::test]
async fn a_body_that_is_shorter_than_announced_has_no_clean_end() {
    let upstream = Upstream::start(|_| {
        Script::new()
            .head(&format!("{JSON}\ncontent-length: 500"))
            .send(CHAT.split_at(100).0)
            .close()
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let reply = app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    assert!(!reply.whole && reply.body == CHAT.as_bytes()[..100]);
    assert_eq!(app.ended().await["outcome"], "upstream_error");
}

#[tokio::test]
async fn a_stream_that_breaks_behind_its_last_event_is_complete() {
    let upstream = Upstream::start(|_| begun().chunk(message_stream()).close()).await;
    let app = TestApp::start(upstream.address).await;
    let reply = app.ask(post(MESSAGES_PATH, MESSAGES_REQUEST)).await;
    assert_eq!(reply.body, message_stream().as_bytes());
    let row = app.row().await;
    assert_eq!(
        (&row["outcome"], &row["source"]),
        (&json!("complete"), &json!("exact"))
    );
}

#[tokio::test]
async fn a_client_that_leaves_behind_the_last_event_got_it_all() {
    let upstream = Upstream::start(|_| begun().chunk(chat_stream()).until_closed(&Gate::new())).await;
    let app = TestApp::start(upstream.address).await;
    let mut client = app.client().await;
    client.send(post(CHAT_PATH, ASKING_REQUEST)).await;
    let mut reply = client.head("POST").await;
    client.body_to(&mut reply, chat_stream().len()).await;
    // Its end has not come, but the row is there: the last event waited for it.
    let row = app.row().await;
    assert_eq!(
        (&row["outcome"], &row["source"]),
        (&json!("complete"), &json!("exact"))
    );
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_answered_for_in_its_own_shape() {
    let mut app = TestApp::start(nobody()).await;
    for (path, at) in [
        (CHAT_PATH, "/error/message"),
        (MESSAGES_PATH, "/error/message"),
        (GEMINI_PATH, "/error/message"),
        ("/openai/v1/files", "/error/message"),
    ] {
        let reply = app.ask(post(path, "{}")).await;
        assert_eq!(reply.head.status(), 502, "{path}");
        assert_eq!(reply.head.get("x-moonlock-error"), Some("upstream_unreachable"));
        assert_eq!(reply.head.get("content-type"), Some("application/json"));
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        let message = body.pointer(at).and_then(Value::as_str).unwrap();
        assert!(message.contains("cannot be reached"), "{message}");
        match path {
            MESSAGES_PATH => assert_eq!(
                (&body["type"], &body["error"]["type"]),
                (&json!("error"), &json!("api_error"))
            ),
            GEMINI_PATH => assert_eq!(
                (&body["error"]["code"], &body["error"]["status"]),
                (&json!(502), &json!("UNAVAILABLE"))
            ),
            _ => assert_eq!(body["error"]["code"], "upstream_unreachable"),
        }
        if !path.contains("files") {
            let row = app.ended().await;
            assert_eq!(
                (&row["outcome"], &row["status"], &row["error"]),
                (
                    &json!("upstream_error"),
                    &Value::Null,
                    &json!("upstream_unreachable")
                )
            );
        }
    }
    assert_none_runs(&app).await;
}

#[tokio::test]
async fn a_provider_that_closes_or_babbles_instead_of_answering_is_answered_for() {
    for babbles in [false, true] {
        let upstream = Upstream::start(move |_| {
            if babbles {
                Script::new().send("SSH-2.0-x\r\n\r\n").close()
            } else {
                Script::new().close()
            }
        })
        .await;
        let mut app = TestApp::start(upstream.address).await;
        let reply = app.ask(post(MESSAGES_PATH, MESSAGES_REQUEST)).await;
        assert_eq!(reply.head.status(), 502);
        assert_eq!(reply.head.get("x-moonlock-error"), Some("upstream_broke_off"));
        let row = app.ended().await;
        assert_eq!(
            (&row["outcome"], &row["error"]),
            (&json!("upstream_error"), &json!("upstream_broke_off"))
        );
    }
}

#[tokio::test]
async fn paths_that_lead_nowhere_are_answered_and_leave_no_row() {
    let app = TestApp::start(nobody()).await;
    for path in ["/", "/nobody/v1/chat/completions", "/s/x", "/api/live", "/ws"] {
        let reply = app.ask(post(path, "{}")).await;
        assert_eq!(reply.head.status(), 404, "{path}");
        assert_eq!(
            reply.head.get("x-moonlock-error"),
            Some("unknown_mount"),
            "{path}"
        );
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert!(body["error"]["message"].as_str().unwrap().contains("/anthropic"));
    }
    assert!(app.rows().await.is_empty());
}

#[tokio::test]
async fn an_error_inside_a_stream_that_began_well_is_told_apart() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";
    let sent = [MESSAGE_START, error].concat();
    let upstream = Upstream::start(move |_| begun().chunk(&sent).end()).await;
    let app = TestApp::start(upstream.address).await;
    let reply = app.ask(post(MESSAGES_PATH, MESSAGES_REQUEST)).await;
    assert!(reply.whole);
    let row = app.row().await;
    assert_eq!(
        (&row["outcome"], &row["status"], &row["error"]),
        (&json!("stream_error"), &json!(200), &json!("overloaded_error"))
    );
    assert_usage(
        &row,
        Some("partial"),
        [Some(5), Some(100), Some(20), None, None, Some(125)],
    );
}

#[tokio::test]
async fn an_empty_reply_is_complete_and_has_no_numbers() {
    let upstream = Upstream::start(|request| {
        if request.head.get("x-chunked").is_some() {
            Script::chunked(JSON, Vec::<&str>::new())
        } else {
            Script::sized(JSON, "")
        }
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    for fields in ["", "x-chunked: 1"] {
        let reply = app
            .ask(crate::support::client::post_with(CHAT_PATH, fields, CHAT_REQUEST))
            .await;
        assert!(reply.whole && reply.body.is_empty());
        let row = app.ended().await;
        assert_eq!(row["outcome"], "complete");
        assert_usage(&row, None, [None; 6]);
    }
}

#[tokio::test]
async fn many_that_end_in_every_way_leave_none_running() {
    let upstream = Upstream::start(|request| {
        let n: usize = request.head.get("x-n").unwrap().parse().unwrap();
        match n % 4 {
            0 => Script::chunked(EVENTS, [MESSAGE_START, MESSAGE_TEXT, MESSAGE_END]),
            1 => begun().chunk(MESSAGE_START).reset(),
            2 => Script::new().close(),
            _ => begun().chunk(MESSAGE_START).until_closed(&Gate::new()),
        }
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let mut kept = Vec::new();
    for n in 0..40 {
        let mut client = app.client().await;
        client
            .send(crate::support::client::post_with(
                MESSAGES_PATH,
                &format!("x-n: {n}"),
                MESSAGES_REQUEST,
            ))
            .await;
        kept.push(client);
    }
    for (n, mut client) in kept.into_iter().enumerate() {
        if n % 4 == 3 {
            client.head("POST").await;
        } else if let Some(mut reply) = client.try_head("POST").await {
            client.body_to(&mut reply, usize::MAX).await;
        }
    }
    for _ in 0..40 {
        app.ended().await;
    }
    assert_none_runs(&app).await;
    let rows = app.rows().await;
    assert_eq!(rows.len(), 40);
    for (outcome, count) in [("complete", 10), ("upstream_error", 20), ("client_aborted", 10)] {
        assert_eq!(
            rows.iter().filter(|row| row["outcome"] == outcome).count(),
            count,
            "{outcome}"
        );
    }
}
