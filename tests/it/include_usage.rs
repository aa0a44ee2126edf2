//! Usage is asked for where a client says nothing of it, and the client notices nothing.

use crate::support::app::{TestApp, assert_usage};
use crate::support::bodies::{
    CHAT, CHAT_DONE, CHAT_EVENTS, CHAT_NUMBERS, CHAT_PATH, CHAT_REQUEST, CHAT_STREAM_NUMBERS,
    CHAT_USAGE_EVENT, EVENTS, GEMINI_PATH, JSON, MESSAGES_PATH, MESSAGES_REQUEST, SILENT_REQUEST,
    chat_stream, gzip,
};
use crate::support::client::{post, post_with};
use crate::support::http::chunk;
use crate::support::upstream::{Gate, Script, Upstream};

const ASKED: &str =
    r#"{"model":"gpt-4o","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;

/// What the client gets of a stream whose usage was asked for on its behalf.
fn withheld() -> String {
    [CHAT_EVENTS, CHAT_DONE].concat()
}

#[tokio::test]
async fn a_silent_stream_is_asked_and_its_client_gets_all_but_the_extra_event() {
    let mut upstream = Upstream::start(|_| Script::sized(EVENTS, chat_stream())).await;
    let app = TestApp::start(upstream.address).await;
    let request = post_with(CHAT_PATH, "accept-encoding: gzip, br\nx-keep: 1", SILENT_REQUEST);
    let reply = app.ask(request).await;
    let seen = upstream.seen().await;
    assert_eq!(String::from_utf8_lossy(&seen.body), ASKED);
    assert_eq!(seen.head.get("content-length"), Some(&*ASKED.len().to_string()));
    assert_eq!(
        seen.head.get("accept-encoding"),
        Some("identity"),
        "or the event could not be found"
    );
    assert_eq!(seen.head.get("x-keep"), Some("1"));
    assert_eq!(String::from_utf8_lossy(&reply.body), withheld());
    assert_eq!(reply.head.get("content-length"), None, "it would be wrong");
    assert_usage(&app.row().await, Some("exact"), CHAT_STREAM_NUMBERS);
}

#[tokio::test]
async fn nothing_but_the_question_is_spliced_in() {
    let body =
        "{ \"stream\" :true,\"messages\":[{\"content\":\"}\\\"stream_options\\\"\"}], \"model\":\"é\" }\r\n";
    let expected = body.replace(" }\r\n", " ,\"stream_options\":{\"include_usage\":true}}\r\n");
    let mut upstream = Upstream::start(|_| Script::sized(EVENTS, chat_stream())).await;
    let app = TestApp::start(upstream.address).await;
    app.ask(post(CHAT_PATH, body)).await;
    let seen = upstream.seen().await;
    assert_eq!(String::from_utf8_lossy(&seen.body), expected);
    assert_eq!(seen.head.get("accept-encoding"), None, "none is added");
    // In chunks it goes out in chunks.
    let head = format!("POST {CHAT_PATH} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunks: Vec<u8> = body.as_bytes().chunks(3).flat_map(chunk).collect();
    app.ask([head.as_bytes(), &chunks, b"0\r\n\r\n"].concat()).await;
    let seen = upstream.seen().await;
    assert_eq!(String::from_utf8_lossy(&seen.body), expected);
    assert_eq!(seen.head.get("transfer-encoding"), Some("chunked"));
    assert_eq!(seen.head.get("content-length"), None);
}

#[tokio::test]
async fn the_extra_event_is_withheld_wherever_it_is_split() {
    let stream = chat_stream();
    let from = CHAT_EVENTS.len();
    for newline in ["\n", "\r\n"] {
        let text = stream.replace('\n', newline);
        let expected = withheld().replace('\n', newline);
        let bytes = text.clone().into_bytes();
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
        for at in std::iter::once(0).chain(from - 5..text.len()) {
            let reply = client
                .ask(post_with(CHAT_PATH, &format!("x-split: {at}"), SILENT_REQUEST))
                .await;
            assert_eq!(String::from_utf8_lossy(&reply.body), expected, "split at {at}");
            assert!(reply.whole);
        }
        for row in app.rows().await {
            assert_usage(&row, Some("exact"), CHAT_STREAM_NUMBERS);
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_says_what_it_wants_gets_exactly_that() {
    for options in [
        "{\"include_usage\":false}",
        "{\"include_usage\":true}",
        "{}",
        "null",
        "{\"include_usage\":null}",
    ] {
        let mut upstream = Upstream::start(|_| Script::sized(EVENTS, chat_stream())).await;
        let app = TestApp::start(upstream.address).await;
        let body = format!("{{\"model\":\"m\",\"stream\":true,\"stream_options\":{options}}}");
        let reply = app.ask(post_with(CHAT_PATH, "accept-encoding: br", &body)).await;
        let seen = upstream.seen().await;
        assert_eq!(seen.body, body.as_bytes());
        assert_eq!(seen.head.get("accept-encoding"), Some("br"));
        assert_eq!(String::from_utf8_lossy(&reply.body), chat_stream());
        let length = chat_stream().len().to_string();
        assert_eq!(reply.head.get("content-length"), Some(&*length));
    }
}

#[tokio::test]
async fn what_does_not_stream_and_what_others_serve_is_not_asked() {
    for (path, body) in [
        (CHAT_PATH, CHAT_REQUEST),
        (CHAT_PATH, r#"{"model":"m","stream":false}"#),
        (CHAT_PATH, r#"{"stream":true"#),
        (CHAT_PATH, "no JSON at all"),
        ("/openai/v1/responses", r#"{"model":"m","stream":true}"#),
        ("/anthropic/v1/chat/completions", SILENT_REQUEST),
        (MESSAGES_PATH, MESSAGES_REQUEST),
        ("/gemini/v1beta/openai/chat/completions", SILENT_REQUEST),
        (GEMINI_PATH, r#"{"stream":true}"#),
    ] {
        let mut upstream = Upstream::start(|_| Script::sized(EVENTS, chat_stream())).await;
        let app = TestApp::start(upstream.address).await;
        let reply = app.ask(post_with(path, "accept-encoding: gzip", body)).await;
        let seen = upstream.seen().await;
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{path}");
        assert_eq!(seen.head.get("accept-encoding"), Some("gzip"), "{path}");
        assert_eq!(String::from_utf8_lossy(&reply.body), chat_stream(), "{path}");
    }
}

#[tokio::test]
async fn a_mount_can_be_told_not_to_ask() {
    let home = crate::support::app::new_home();
    let config = home.path().join("moonlock.toml");
    std::fs::write(
        config,
        "[estimates]\nenabled = false\n\n[mounts.openai]\nasks_stream_usage = false\n",
    )
    .unwrap();
    let mut upstream = Upstream::start(|_| Script::sized(EVENTS, withheld())).await;
    let app = TestApp::start_in(home, upstream.address).await;
    let reply = app.ask(post(CHAT_PATH, SILENT_REQUEST)).await;
    assert_eq!(upstream.seen().await.body, SILENT_REQUEST.as_bytes());
    assert_eq!(String::from_utf8_lossy(&reply.body), withheld());
    assert_usage(&app.row().await, None, [None; 6]);
}

#[tokio::test]
async fn a_reply_that_is_no_stream_is_left_alone_though_it_was_asked() {
    let json = format!("{CHAT}\n\n");
    for (head, body) in [
        (JSON.to_owned(), json.clone().into_bytes()),
        (
            format!("{EVENTS}\ncontent-encoding: gzip"),
            gzip(chat_stream().as_bytes()),
        ),
    ] {
        let sent = body.clone();
        let upstream = Upstream::start(move |_| Script::sized(&head, &sent)).await;
        let app = TestApp::start(upstream.address).await;
        let reply = app.ask(post(CHAT_PATH, SILENT_REQUEST)).await;
        assert!(reply.whole && reply.body == body);
        assert_eq!(reply.head.get("content-length"), Some(&*body.len().to_string()));
        let row = app.row().await;
        let numbers = if row["streamed"] == true {
            CHAT_STREAM_NUMBERS
        } else {
            CHAT_NUMBERS
        };
        assert_usage(&row, Some("exact"), numbers);
    }
}

#[tokio::test]
async fn what_was_held_back_is_given_out_when_the_stream_ends_or_breaks_in_the_middle_of_an_event() {
    let cut = format!("{CHAT_EVENTS}data: {{\"choices\":[],\"usage\":{{\"prompt_tok");
    for breaks in [false, true] {
        let sent = cut.clone();
        let seen = Gate::new();
        let told = seen.clone();
        let upstream = Upstream::start(move |_| {
            let begun = Script::new()
                .head(&format!("{EVENTS}\ntransfer-encoding: chunked"))
                .chunk(&sent);
            // The reset overtakes what is still in a socket's buffer: it waits until the client has something.
            if breaks {
                begun.wait(&told).reset()
            } else {
                begun.end()
            }
        })
        .await;
        let mut app = TestApp::start(upstream.address).await;
        let mut client = app.client().await;
        client.send(post(CHAT_PATH, SILENT_REQUEST)).await;
        let mut reply = client.head("POST").await;
        client.body_to(&mut reply, CHAT_EVENTS.len()).await;
        seen.open();
        client.body_to(&mut reply, usize::MAX).await;
        assert_eq!(reply.whole, !breaks);
        assert_eq!(String::from_utf8_lossy(&reply.body), cut);
        let row = app.ended().await;
        assert_eq!(row["outcome"], if breaks { "upstream_error" } else { "complete" });
    }
}

#[tokio::test]
async fn other_events_without_choices_are_the_clients() {
    let azure = "data: {\"choices\":[],\"prompt_filter_results\":[{\"usage\":1}],\"usage\":null}\n\n";
    let stream = [azure, CHAT_EVENTS, CHAT_USAGE_EVENT, ": comment\n\n", CHAT_DONE].concat();
    let expected = stream.replace(CHAT_USAGE_EVENT, "");
    let upstream = Upstream::start(move |_| Script::chunked(EVENTS, [&stream])).await;
    let app = TestApp::start(upstream.address).await;
    let reply = app.ask(post(CHAT_PATH, SILENT_REQUEST)).await;
    assert_eq!(String::from_utf8_lossy(&reply.body), expected);
}
