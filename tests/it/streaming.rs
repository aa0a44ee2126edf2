//! Not delayed: each piece reaches the client before the provider sends the next.

use crate::support::app::TestApp;
use crate::support::bodies::{
    ASKING_REQUEST, CHAT_DONE, CHAT_EVENTS, CHAT_PATH, CHAT_USAGE_EVENT, EVENTS, GEMINI_PATH, GEMINI_STREAM,
    MESSAGE_END, MESSAGE_START, MESSAGE_TEXT, MESSAGES_PATH, MESSAGES_REQUEST, SILENT_REQUEST,
};
use crate::support::client::post;
use crate::support::http::chunk;
use crate::support::upstream::{Gate, Script, Upstream};

/// Sends the pieces one by one, each when the client has the one before.
async fn arrives_piece_by_piece(path: &str, request: &str, pieces: &[&str], withheld: &[&str]) {
    let gate = Gate::new();
    let (sent, waits) = (
        pieces.iter().map(|piece| (*piece).to_owned()).collect::<Vec<_>>(),
        gate.clone(),
    );
    let upstream = Upstream::start(move |_| {
        let begun = Script::new().head(&format!("{EVENTS}\ntransfer-encoding: chunked"));
        sent.iter()
            .fold(begun, |script, piece| script.chunk(piece).wait(&waits))
            .end()
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    let mut client = app.client().await;
    client.send(post(path, request)).await;
    let mut reply = client.head("POST").await;
    let mut expected = String::new();
    for piece in pieces {
        if !withheld.contains(piece) {
            expected.push_str(piece);
        }
        client.body_to(&mut reply, expected.len()).await;
        assert_eq!(String::from_utf8_lossy(&reply.body), expected);
        gate.open();
    }
    client.body_to(&mut reply, usize::MAX).await;
    assert!(reply.whole);
    assert_eq!(String::from_utf8_lossy(&reply.body), expected);
}

#[tokio::test]
async fn pieces_of_streams_arrive_as_they_are_sent() {
    let messages = [
        MESSAGE_START,
        MESSAGE_TEXT,
        ": ping\n\n",
        MESSAGE_TEXT,
        MESSAGE_END,
    ];
    arrives_piece_by_piece(MESSAGES_PATH, MESSAGES_REQUEST, &messages, &[]).await;
    let chat = [CHAT_EVENTS, CHAT_USAGE_EVENT, CHAT_DONE];
    arrives_piece_by_piece(CHAT_PATH, ASKING_REQUEST, &chat, &[]).await;
    arrives_piece_by_piece(CHAT_PATH, SILENT_REQUEST, &chat, &[CHAT_USAGE_EVENT]).await;
    let (one, other) = GEMINI_STREAM.split_at(GEMINI_STREAM.find("\r\n\r\n").unwrap() + 4);
    arrives_piece_by_piece(GEMINI_PATH, "{}", &[one, other], &[]).await;
}

#[tokio::test]
async fn pieces_of_what_is_not_metered_arrive_as_they_are_sent() {
    arrives_piece_by_piece("/openai/v1/files", "{}", &["data: a", "\n", "\n", "b"], &[]).await;
}

#[tokio::test]
async fn half_an_event_arrives_where_nothing_is_withheld() {
    let (one, other) = MESSAGE_TEXT.split_at(30);
    let pieces = [MESSAGE_START, one, other, MESSAGE_END];
    arrives_piece_by_piece(MESSAGES_PATH, MESSAGES_REQUEST, &pieces, &[]).await;
}

#[tokio::test]
async fn the_head_arrives_before_the_body() {
    let gate = Gate::new();
    let waits = gate.clone();
    let upstream = Upstream::start(move |_| {
        Script::new()
            .head(&format!("{EVENTS}\ntransfer-encoding: chunked"))
            .wait(&waits)
            .chunk(MESSAGE_START)
            .chunk(MESSAGE_END)
            .end()
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    for path in [MESSAGES_PATH, CHAT_PATH, "/openai/v1/files"] {
        let mut client = app.client().await;
        client.send(post(path, SILENT_REQUEST)).await;
        let mut reply = client.head("POST").await;
        gate.open();
        client.body_to(&mut reply, usize::MAX).await;
        assert!(reply.whole, "{path}");
    }
}

#[tokio::test]
async fn pieces_of_a_request_reach_the_provider_before_it_is_whole() {
    // The provider answers when it has the head, and the client sends the rest only then.
    let upstream = Upstream::at_once(|_| Script::sized("200 OK", "early")).await;
    let app = TestApp::start(upstream.address).await;
    for path in [MESSAGES_PATH, "/openai/v1/files"] {
        let mut client = app.client().await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
        client
            .send([head.as_bytes(), &chunk(b"{\"model\":")].concat())
            .await;
        let mut reply = client.head("POST").await;
        client.body_to(&mut reply, 5).await;
        assert_eq!(reply.body, b"early", "{path}");
        client.send([&chunk(b"\"m\"}")[..], b"0\r\n\r\n"].concat()).await;
    }
}
