//! Untouched: what the client sends arrives, and what the provider sends comes back, byte for byte.

use serde_json::Value;

use crate::support::app::{TestApp, assert_usage};
use crate::support::bodies::{
    ASKING_REQUEST, CHAT, CHAT_NUMBERS, CHAT_PATH, CHAT_REQUEST, CHAT_STREAM_NUMBERS, EVENTS, GEMINI_NUMBERS,
    GEMINI_PATH, GEMINI_STREAM, JSON, MESSAGE_NUMBERS, MESSAGES_PATH, MESSAGES_REQUEST, chat_stream,
    encodings, gzip, message_stream, zstd,
};
use crate::support::client::{post, post_with};
use crate::support::http::{Message, chunk};
use crate::support::upstream::{Script, Upstream};

/// Sends one request through, and gives what the provider saw, what the client got, and the row if there is one.
async fn pass(
    request: impl AsRef<[u8]>,
    answer: impl Fn(&Message) -> Script + Send + Sync + 'static,
) -> (Message, Message, Option<Value>) {
    let mut upstream = Upstream::start(answer).await;
    let app = TestApp::start(upstream.address).await;
    let reply = app.ask(request).await;
    let seen = upstream.seen().await;
    assert!(seen.whole);
    let row = app.rows().await.pop();
    app.stop().await;
    (seen, reply, row)
}

#[track_caller]
fn assert_body(message: &Message, expected: impl AsRef<[u8]>) {
    assert!(message.whole, "the end came: {:?}", message.head);
    let (found, expected) = (String::from_utf8_lossy(&message.body), expected.as_ref());
    assert!(
        message.body == expected,
        "{found}\n!=\n{}",
        String::from_utf8_lossy(expected)
    );
}

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn heads_pass_but_for_what_belongs_to_a_connection() {
    let request = post_with(
        "/openai/v1/chat/completions?a=%20b&a=c&&x=?/",
        "X-Odd: a,  b ;c=\"d\"\nAccept: */*\nAccept-Encoding: gzip, br\nAuthorization: Bearer sk-1\n\
         anthropic-beta: never-heard-of-2031\nX-Twice: 1\nX-Twice: 2\nConnection: keep-alive, X-Hop\nX-Hop: 1\n\
         Keep-Alive: timeout=5\nProxy-Connection: keep-alive\nProxy-Authorization: Basic eA==\nTE: trailers\n\
         x-moonlock-session: work\nx-moonlock-anything: 1\nUser-Agent: curl/8.0",
        CHAT_REQUEST,
    );
    let (seen, reply, row) = pass(&request, |_| {
        let head = "200 OK\nContent-Type: application/json\nX-Request-Id: req_1\nSet-Cookie: a=1\nSet-Cookie: b=2\n\
                    Server: cloud\nDate: Sun, 22 Nov 2026 08:00:00 GMT\nX-Ratelimit-Remaining-Tokens: 9\n\
                    Connection: X-Gone\nX-Gone: 1\nKeep-Alive: timeout=9\nProxy-Authenticate: Basic";
        Script::sized(head, CHAT)
    })
    .await;
    assert_eq!(
        seen.head.line,
        "POST /v1/chat/completions?a=%20b&a=c&&x=?/ HTTP/1.1"
    );
    let host = seen.head.get("host").unwrap().to_owned();
    assert_eq!(
        seen.head.sorted(),
        fields(&[
            ("accept", "*/*"),
            ("accept-encoding", "gzip, br"),
            ("anthropic-beta", "never-heard-of-2031"),
            ("authorization", "Bearer sk-1"),
            ("content-length", &CHAT_REQUEST.len().to_string()),
            ("content-type", "application/json"),
            ("host", &host),
            ("te", "trailers"),
            ("user-agent", "curl/8.0"),
            ("x-odd", "a,  b ;c=\"d\""),
            ("x-twice", "1"),
            ("x-twice", "2"),
        ])
    );
    assert_eq!(seen.body, CHAT_REQUEST.as_bytes());
    assert_eq!(reply.head.line, "HTTP/1.1 200 OK");
    assert_eq!(
        reply.head.sorted(),
        fields(&[
            ("content-length", &CHAT.len().to_string()),
            ("content-type", "application/json"),
            ("date", "Sun, 22 Nov 2026 08:00:00 GMT"),
            ("server", "cloud"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("x-ratelimit-remaining-tokens", "9"),
            ("x-request-id", "req_1"),
        ])
    );
    assert_body(&reply, CHAT);
    let row = row.unwrap();
    assert_usage(&row, Some("exact"), CHAT_NUMBERS);
    assert_eq!(row["requestId"], "req_1");
    assert_eq!(row["client"], "curl");
    assert_eq!(row["model"], "gpt-4o-2024-08-06");
    assert_eq!(row["requestModel"], "gpt-4o");
    assert_eq!(row["status"], 200);
    assert_eq!(row["outcome"], "complete");
    assert_eq!(row["streamed"], false);
}

#[tokio::test]
async fn nothing_is_added_to_a_bare_request_and_a_bare_reply() {
    let bare = "GET /openai/v1/models HTTP/1.1\r\nhost: x\r\n\r\n";
    let (seen, reply, row) = pass(bare, |_| Script::sized("200 OK", "[]")).await;
    assert_eq!(seen.head.fields.len(), 1, "only the host: {:?}", seen.head);
    assert_eq!(reply.head.sorted(), fields(&[("content-length", "2")]));
    assert_body(&reply, "[]");
    assert_eq!(row, None, "listing models uses nothing");
}

#[tokio::test]
async fn paths_and_queries_pass_byte_for_byte() {
    let mut upstream = Upstream::start(|_| Script::sized("200 OK", "x")).await;
    let app = TestApp::start(upstream.address).await;
    let mut client = app.client().await;
    for path in [
        "/",
        "//v1//models",
        "/v1/files/a%2Fb%20c%zz",
        "/v1/x?",
        "/v1/x?a=b%26c&&=&d",
        "/v1/x/../y/./z",
        "/v1/x;p=1,2:3@4!$'()*+~-_",
        "/v1/x?u=http://h/p?q=r",
    ] {
        let reply = client
            .ask(format!("GET /openai{path} HTTP/1.1\r\nhost: x\r\n\r\n"))
            .await;
        assert_body(&reply, "x");
        assert_eq!(upstream.seen().await.head.line, format!("GET {path} HTTP/1.1"));
    }
}

#[tokio::test]
async fn replies_without_a_body_and_refusals_pass_as_they_are() {
    let mut upstream = Upstream::start(|request| {
        let path = request.head.line.split(' ').nth(1).unwrap();
        match path.strip_prefix("/status/").unwrap() {
            "head" => Script::new().head("200 OK\ncontent-length: 77\nx-a: b"),
            "options" => Script::sized("200 OK\nallow: GET", ""),
            "204" => Script::new().head("204 No Content\nx-a: b"),
            "304" => Script::new().head("304 Not Modified\netag: \"x\""),
            status => Script::sized(&format!("{status} Odd\nretry-after: 7"), "<html>no JSON"),
        }
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    let mut client = app.client().await;
    for (method, what, status, length, body) in [
        ("HEAD", "head", 200, Some("77"), ""),
        ("OPTIONS", "options", 200, Some("0"), ""),
        ("GET", "204", 204, None, ""),
        ("DELETE", "204", 204, None, ""),
        ("GET", "304", 304, None, ""),
        ("GET", "404", 404, Some("13"), "<html>no JSON"),
        ("PUT", "429", 429, Some("13"), "<html>no JSON"),
        ("PATCH", "500", 500, Some("13"), "<html>no JSON"),
        ("GET", "529", 529, Some("13"), "<html>no JSON"),
    ] {
        let request = format!("{method} /openai/status/{what} HTTP/1.1\r\nhost: x\r\n\r\n");
        let reply = client.ask(request).await;
        assert_eq!(reply.head.status(), status, "{method} {what}");
        assert_eq!(reply.head.get("content-length"), length, "{method} {what}");
        assert_body(&reply, body);
        assert!(upstream.seen().await.head.line.starts_with(method));
    }
    assert!(app.rows().await.is_empty());
}

#[tokio::test]
async fn refusals_of_metered_calls_pass_as_they_are() {
    for (status, error, kind) in [
        (
            429,
            r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#,
            "requests",
        ),
        (
            401,
            r#"{"error":{"message":"no","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            "invalid_request_error",
        ),
        (
            500,
            r#"{"error":{"message":"oh","type":"server_error","code":null}}"#,
            "server_error",
        ),
    ] {
        let head = format!("{status} No\ncontent-type: application/json\nretry-after: 2");
        let (_, reply, row) = pass(post(CHAT_PATH, SILENT), move |_| Script::sized(&head, error)).await;
        assert_body(&reply, error);
        assert_eq!(reply.head.get("content-length"), Some(&*error.len().to_string()));
        assert_eq!(reply.head.get("retry-after"), Some("2"));
        let row = row.unwrap();
        assert_eq!(
            (
                row["status"].as_u64(),
                row["outcome"].as_str(),
                row["error"].as_str()
            ),
            (Some(status), Some("upstream_error"), Some(kind))
        );
        assert_usage(&row, None, [None; 6]);
    }
}

/// It streams, so usage is asked for; a refusal is not touched by that.
const SILENT: &str = crate::support::bodies::SILENT_REQUEST;

#[tokio::test]
async fn streams_pass_in_whatever_pieces_they_come() {
    for (path, request, stream, numbers) in [
        (CHAT_PATH, ASKING_REQUEST, chat_stream(), CHAT_STREAM_NUMBERS),
        (MESSAGES_PATH, MESSAGES_REQUEST, message_stream(), MESSAGE_NUMBERS),
        (GEMINI_PATH, "{}", GEMINI_STREAM.to_owned(), GEMINI_NUMBERS),
    ] {
        let bytes = stream.clone().into_bytes();
        let upstream = Upstream::start(move |request| {
            let at: usize = request.head.get("x-split").unwrap().parse().unwrap();
            if at == 0 {
                Script::chunked(EVENTS, bytes.chunks(1))
            } else {
                Script::chunked(EVENTS, [&bytes[..at], &bytes[at..]])
            }
        })
        .await;
        let app = TestApp::start(upstream.address).await;
        let mut client = app.client().await;
        for at in 0..stream.len() {
            let reply = client
                .ask(post_with(path, &format!("x-split: {at}"), request))
                .await;
            assert_body(&reply, &stream);
        }
        let rows = app.rows().await;
        assert_eq!(rows.len(), stream.len());
        for row in &rows {
            assert_usage(row, Some("exact"), numbers);
            assert_eq!(
                (&row["outcome"], &row["streamed"]),
                (&"complete".into(), &true.into())
            );
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn every_encoding_passes_as_it_is_and_is_metered() {
    for (encoding, body) in encodings(message_stream().as_bytes()) {
        for size in [1, 50, 100_000] {
            let head = format!("{EVENTS}\ncontent-encoding: {encoding}");
            let sent = body.clone();
            let (_, reply, row) = pass(post(MESSAGES_PATH, MESSAGES_REQUEST), move |_| {
                Script::chunked(&head, sent.chunks(size))
            })
            .await;
            assert_body(&reply, &body);
            assert_eq!(reply.head.get("content-encoding"), Some(encoding));
            assert_usage(&row.unwrap(), Some("exact"), MESSAGE_NUMBERS);
        }
    }
    for (encoding, body) in encodings(CHAT.as_bytes()) {
        let head = format!("{JSON}\ncontent-encoding: {encoding}");
        let sent = body.clone();
        let answer = move |_: &Message| Script::sized(&head, &sent);
        let (_, reply, row) = pass(post(CHAT_PATH, CHAT_REQUEST), answer).await;
        assert_body(&reply, &body);
        assert_usage(&row.unwrap(), Some("exact"), CHAT_NUMBERS);
    }
}

#[tokio::test]
async fn compressed_requests_pass_as_they_came_and_their_model_is_read() {
    for (encoding, body) in [
        ("gzip", gzip(SILENT.as_bytes())),
        ("zstd", zstd(SILENT.as_bytes())),
    ] {
        let request = post_with(CHAT_PATH, &format!("content-encoding: {encoding}"), &body);
        let (seen, _, row) = pass(request, |_| Script::sized(JSON, CHAT)).await;
        assert_eq!(seen.body, body);
        assert_eq!(seen.head.get("content-encoding"), Some(encoding));
        assert_eq!(row.unwrap()["requestModel"], "gpt-4o");
    }
}

#[tokio::test]
async fn a_chunked_request_stays_chunked_and_one_of_known_length_keeps_it() {
    let pieces: Vec<u8> = CHAT_REQUEST.as_bytes().chunks(7).flat_map(chunk).collect();
    for path in [CHAT_PATH, MESSAGES_PATH, "/openai/v1/files"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
        let request = [head.as_bytes(), &pieces, b"0\r\n\r\n"].concat();
        let (seen, ..) = pass(request, |_| Script::sized(JSON, CHAT)).await;
        assert_body(&seen, CHAT_REQUEST);
        assert_eq!(seen.head.get("content-length"), None, "{path}");
        assert_eq!(seen.head.get("transfer-encoding"), Some("chunked"), "{path}");
        let (seen, ..) = pass(post(path, CHAT_REQUEST), |_| Script::sized(JSON, CHAT)).await;
        assert_body(&seen, CHAT_REQUEST);
        assert_eq!(seen.head.get("transfer-encoding"), None, "{path}");
    }
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    for path in [MESSAGES_PATH, "/openai/v1/files"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nte: trailers\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let request = [head.as_bytes(), &chunk(b"{}"), b"0\r\nx-sum: abc\r\n\r\n"].concat();
        let (seen, reply, _) = pass(request, |_| {
            Script::new()
                .head(&format!("{EVENTS}\ntrailer: x-end\ntransfer-encoding: chunked"))
                .chunk(message_stream())
                .send("0\r\nx-end: 1\r\n\r\n")
        })
        .await;
        assert_eq!(seen.trailers.sorted(), fields(&[("x-sum", "abc")]), "{path}");
        assert_eq!(reply.trailers.sorted(), fields(&[("x-end", "1")]), "{path}");
        assert_body(&reply, message_stream());
    }
}

#[tokio::test]
async fn a_client_that_waits_for_continue_is_told_to_go_on() {
    let mut upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let mut client = app.client().await;
    let request = post_with(CHAT_PATH, "expect: 100-continue", CHAT_REQUEST);
    let (head, body) = request.split_at(request.len() - CHAT_REQUEST.len());
    client.send(head).await;
    assert_eq!(client.head("POST").await.head.status(), 100);
    client.send(body).await;
    assert_body(&client.reply("POST").await, CHAT);
    let seen = upstream.seen().await;
    assert_eq!(seen.head.get("expect"), None);
    assert_body(&seen, CHAT_REQUEST);
}

#[tokio::test]
async fn a_reply_that_ends_with_its_connection_passes() {
    let (_, reply, row) = pass(post(MESSAGES_PATH, MESSAGES_REQUEST), |_| {
        Script::new().head(EVENTS).send(message_stream()).close()
    })
    .await;
    assert_body(&reply, message_stream());
    assert_usage(&row.unwrap(), Some("exact"), MESSAGE_NUMBERS);
}

#[tokio::test]
async fn twenty_megabytes_pass_each_way() {
    let filler: String = (0..4 << 20)
        .map(|n| char::from(b'a' + u8::try_from(n % 23).unwrap()))
        .collect();
    let long = filler.repeat(5);
    let request = format!(r#"{{"model":"gpt-4o","stream":true,"input":"{long}"}}"#);
    let reply_body = CHAT.replace("Hi", &long);
    let sent = reply_body.clone();
    for path in [CHAT_PATH, "/openai/v1/files"] {
        let sent = sent.clone();
        let answer = move |_: &Message| Script::sized(JSON, &sent);
        let (seen, reply, row) = pass(post(path, &request), answer).await;
        assert!(seen.body == request.as_bytes());
        assert!(reply.whole && reply.body == reply_body.as_bytes());
        if let Some(row) = row {
            assert_usage(&row, Some("exact"), CHAT_NUMBERS);
        }
    }
}

#[tokio::test]
async fn an_offer_of_http2_is_passed_over() {
    // RFC 7540 §3.2: Java's client offers this with its first call. A server that does not want it just answers.
    let offer = "connection: Upgrade, HTTP2-Settings\nupgrade: h2c\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA";
    let request = post_with(CHAT_PATH, offer, CHAT_REQUEST);
    let (seen, reply, row) = pass(request, |_| Script::sized(JSON, CHAT)).await;
    assert_eq!(reply.head.status(), 200);
    for name in ["upgrade", "http2-settings", "connection"] {
        assert_eq!(seen.head.get(name), None);
    }
    assert_usage(&row.unwrap(), Some("exact"), CHAT_NUMBERS);
}
