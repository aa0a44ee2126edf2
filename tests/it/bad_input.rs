//! Whatever a provider sends: the client gets those bytes, and the row claims no more than was said.

use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::bodies::{
    CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, GEMINI_PATH, JSON, MESSAGES_PATH, MESSAGES_REQUEST, chat_stream,
    encodings, gzip, message_stream,
};
use crate::support::client::post;
use crate::support::upstream::{Script, Upstream};

/// Passes a body, whole and in single bytes, and gives the row.
async fn row_of(path: &str, head: &str, body: impl AsRef<[u8]>) -> Value {
    let (head, body) = (head.to_owned(), body.as_ref().to_vec());
    let sent = body.clone();
    let upstream = Upstream::start(move |request| {
        if request.head.get("x-bytes").is_some() {
            Script::chunked(&head, sent.chunks(1))
        } else {
            Script::sized(&head, &sent)
        }
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let request = if path == MESSAGES_PATH {
        MESSAGES_REQUEST
    } else {
        CHAT_REQUEST
    };
    let whole = app.ask(post(path, request)).await;
    assert!(
        whole.whole && whole.body == body,
        "{}",
        String::from_utf8_lossy(&whole.body)
    );
    let row = app.ended().await;
    let bytes = app
        .ask(crate::support::client::post_with(path, "x-bytes: 1", request))
        .await;
    assert!(bytes.whole && bytes.body == body);
    let other = app.ended().await;
    for name in [
        "source", "outcome", "input", "output", "total", "model", "streamed",
    ] {
        assert_eq!(
            row[name], other[name],
            "{name} does not depend on how the bytes were cut"
        );
    }
    assert_eq!(row["status"], 200);
    app.stop().await;
    row
}

fn source(row: &Value) -> Option<&str> {
    row["source"].as_str()
}

#[tokio::test]
async fn what_is_no_json_has_no_numbers() {
    for body in [
        "hello",
        "<html><body>502</body></html>",
        "{",
        "[]",
        "null",
        "{}",
        "\"usage\"",
        "{\"usage\":",
        "\u{feff}",
        "\0\0\0\0",
        "{\"usage\":{\"prompt_tokens\"",
        "data: {\"usage\"\n\n",
        "data:\n\ndata:\n\n",
        "\n\n\n\n",
        ":::::",
    ] {
        for head in [JSON, EVENTS, "200 OK"] {
            for path in [CHAT_PATH, MESSAGES_PATH, GEMINI_PATH] {
                if body.len() > 8 && path == GEMINI_PATH {
                    continue;
                }
                let row = row_of(path, head, body).await;
                assert_eq!(source(&row), None, "{body:?} {row}");
                assert_eq!(row["outcome"], "complete", "{body:?}");
            }
        }
    }
    let row = row_of(CHAT_PATH, JSON, [0xff, 0xfe, b'{', 0x80, b'"', 0xc3]).await;
    assert_eq!(source(&row), None);
}

#[tokio::test]
async fn usage_of_the_wrong_kind_is_not_taken_for_exact() {
    for (usage, expected) in [
        ("null", None),
        ("-5", None),
        ("\"12\"", None),
        ("[1,2]", None),
        ("{}", None),
        ("true", None),
        ("{\"prompt_tokens\":-1,\"completion_tokens\":-2}", None),
        ("{\"prompt_tokens\":\"x\",\"completion_tokens\":[]}", None),
        (
            "{\"prompt_tokens\":1e400,\"completion_tokens\":99999999999999999999}",
            None,
        ),
        ("{\"prompt_tokens\":3,\"completion_tokens\":-2}", Some("partial")),
        (
            "{\"prompt_tokens\":3,\"completion_tokens\":null}",
            Some("partial"),
        ),
        ("{\"prompt_tokens\":3}", Some("partial")),
        (
            "{\"prompt_tokens\":3,\"completion_tokens\":18446744073709551615}",
            Some("partial"),
        ),
        ("{\"prompt_tokens\":3,\"completion_tokens\":2}", Some("exact")),
    ] {
        let body = format!("{{\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}");
        let row = row_of(CHAT_PATH, JSON, &body).await;
        assert_eq!(source(&row), expected, "{usage}");
        let stream = format!(
            "data: {{\"choices\":[{{\"finish_reason\":\"stop\"}}]}}\n\ndata: {body}\n\ndata: [DONE]\n\n"
        );
        let row = row_of(CHAT_PATH, EVENTS, &stream).await;
        assert_eq!(source(&row), expected, "{usage} in a stream");
        if expected != Some("exact") {
            assert_ne!(row["output"], 0, "missing is not zero");
        }
    }
}

#[tokio::test]
async fn a_wrong_label_does_not_matter() {
    for (head, body) in [
        (EVENTS, CHAT.to_owned()),
        ("200 OK", CHAT.to_owned()),
        ("200 OK\ncontent-type: text/plain", CHAT.to_owned()),
        (JSON, chat_stream()),
        ("200 OK", chat_stream()),
        ("200 OK\ncontent-type: \u{e9}", chat_stream()),
    ] {
        let row = row_of(CHAT_PATH, head, &body).await;
        assert_eq!(source(&row), Some("exact"), "{head}");
    }
}

#[tokio::test]
async fn a_broken_event_spoils_nothing_but_itself() {
    let stream = message_stream().replace(
        "event: content_block_delta\n",
        "data: {\"usage\":{]}\n\ndata: nothing\n\n",
    );
    let row = row_of(MESSAGES_PATH, EVENTS, &stream).await;
    assert_eq!(row["outcome"], "complete");
    assert_eq!(row["output"], 42);
}

#[tokio::test]
async fn a_wrong_encoding_stops_the_meter_and_not_the_bytes() {
    for encoding in ["gzip", "br", "zstd", "deflate", "gzip, br", "lzma", "x"] {
        let row = row_of(CHAT_PATH, &format!("{JSON}\ncontent-encoding: {encoding}"), CHAT).await;
        assert_ne!(source(&row), Some("exact"), "{encoding}");
        assert_eq!(row["outcome"], "complete", "{encoding}");
    }
}

#[tokio::test]
async fn a_compressed_body_that_is_cut_off_is_not_exact() {
    for (encoding, body) in encodings(message_stream().as_bytes()) {
        let head = format!("{EVENTS}\ncontent-encoding: {encoding}");
        let row = row_of(MESSAGES_PATH, &head, &body[..body.len() / 2]).await;
        assert_ne!(source(&row), Some("exact"), "{encoding}");
    }
    // What ends it is behind what matters.
    let body = gzip(CHAT.as_bytes());
    let head = format!("{JSON}\ncontent-encoding: gzip");
    row_of(CHAT_PATH, &head, &body[..body.len() - 4]).await;
}

#[tokio::test]
async fn a_body_that_is_longer_than_announced_ends_where_it_said() {
    let head = format!("{JSON}\ncontent-length: {}", CHAT.len());
    let upstream = Upstream::start(move |_| {
        Script::new()
            .head(&head)
            .send(CHAT)
            .send("{\"usage\":{}}")
            .close()
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    for _ in 0..2 {
        let reply = app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
        assert!(reply.whole && reply.body == CHAT.as_bytes());
    }
    let rows = app.rows().await;
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(
            (&row["outcome"], source(&row)),
            (&"complete".into(), Some("exact"))
        );
    }
}

#[tokio::test]
async fn an_enormous_usage_object_and_an_enormous_line_pass() {
    let padding = "x".repeat(3 << 20);
    let body = format!(
        "{{\"model\":\"m\",\"usage\":{{\"pad\":\"{padding}\",\"prompt_tokens\":1,\"completion_tokens\":1}}}}"
    );
    let upstream = Upstream::start(move |_| Script::sized(JSON, &body)).await;
    let app = TestApp::start(upstream.address).await;
    let reply = app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    assert!(reply.whole && reply.body.len() > 3 << 20);
    assert_eq!(app.row().await["outcome"], "complete");
}
