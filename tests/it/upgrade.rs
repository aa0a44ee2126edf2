//! WebSockets through the proxy: the bytes are the same on both sides, and each turn is a row.

use std::net::SocketAddr;

use flate2::{Compress, Compression, FlushCompress};
use futures_util::{SinkExt, StreamExt};
use moonlock::domain::wire::Change;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::support::app::{TestApp, assert_usage};
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

pub(crate) const AGREED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: realtime\r\nx-request-id: req_7\r\n";

/// A handshake for `path`, without the fields in which it varies.
pub(crate) fn handshake(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: moonlock\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: realtime\r\nAuthorization: Bearer k\r\n"
    )
}

/// One side of a socket that is read and written byte by byte.
pub(crate) struct End(pub(crate) TcpStream);

impl End {
    /// Reads a head.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within("a head", self.0.read_u8()).await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within("bytes to be taken", self.0.write_all(bytes.as_ref()))
            .await
            .unwrap();
    }

    pub(crate) async fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        within("bytes", self.0.read_exact(&mut bytes)).await.unwrap();
        bytes
    }

    /// Everything until the other side has finished.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        within("the end", self.0.read_to_end(&mut bytes)).await.unwrap();
        bytes
    }

    async fn finish(&mut self) {
        self.0.shutdown().await.unwrap();
    }
}

/// The program, a client and its provider, behind a handshake that was agreed on.
struct Pair {
    app: TestApp,
    client: End,
    provider: End,
    /// What the provider was asked, and what the client was answered.
    heads: (String, String),
}

impl Pair {
    /// `asks` and `says` are further fields of the two heads.
    async fn open(path: &str, asks: &str, says: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = TestApp::start(listener.local_addr().unwrap()).await;
        Self::open_at(app, &listener, path, asks, says).await
    }

    async fn open_at(app: TestApp, listener: &TcpListener, path: &str, asks: &str, says: &str) -> Self {
        let mut client = End(TcpStream::connect(app.proxy()).await.unwrap());
        client.send(format!("{}{asks}\r\n", handshake(path))).await;
        let (stream, _): (TcpStream, SocketAddr) = within("a connection", listener.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut provider = End(stream);
        let asked = provider.head().await;
        provider.send(format!("{AGREED}{says}\r\n")).await;
        let answered = client.head().await;
        Self {
            app,
            client,
            provider,
            heads: (asked, answered),
        }
    }
}

fn fields(head: &str) -> Vec<String> {
    let mut lines: Vec<String> = head
        .trim_end()
        .split("\r\n")
        .skip(1)
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            format!("{}: {}", name.to_ascii_lowercase(), value.trim())
        })
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn the_handshake_and_every_byte_pass_as_they_are() {
    let mut pair = Pair::open("/openai/v1/anything?model=x%20y", "x-moonlock-session: s\r\n", "").await;
    let (asked, answered) = &pair.heads;
    assert!(
        asked.starts_with("GET /v1/anything?model=x%20y HTTP/1.1\r\n"),
        "{asked}"
    );
    let host = pair.provider.0.local_addr().unwrap();
    assert_eq!(
        fields(asked),
        [
            "authorization: Bearer k".to_owned(),
            "connection: Upgrade".to_owned(),
            format!("host: {host}"),
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
            "sec-websocket-protocol: realtime".to_owned(),
            "sec-websocket-version: 13".to_owned(),
            "upgrade: websocket".to_owned(),
        ]
    );
    assert!(answered.starts_with("HTTP/1.1 101 "), "{answered}");
    assert_eq!(fields(answered), fields(AGREED));

    // Bytes that are no frames at all, more than any buffer holds, both ways at once.
    let noise = |seed: u32| -> Vec<u8> {
        (0..3_000_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8)
            .collect()
    };
    let (to_provider, to_client) = (noise(1), noise(2));
    let (client, provider) = (&mut pair.client, &mut pair.provider);
    let (mut client_reads, mut client_writes) = client.0.split();
    let (mut provider_reads, mut provider_writes) = provider.0.split();
    let mut at_client = vec![0; to_client.len()];
    let mut at_provider = vec![0; to_provider.len()];
    let all = async {
        tokio::try_join!(
            client_writes.write_all(&to_provider),
            provider_writes.write_all(&to_client),
            async { client_reads.read_exact(&mut at_client).await.map(drop) },
            async { provider_reads.read_exact(&mut at_provider).await.map(drop) },
        )
    };
    within("all bytes", all).await.unwrap();
    assert!(at_client == to_client && at_provider == to_provider);

    // One side finishes; the other can still speak.
    pair.client.send("last words").await;
    pair.client.finish().await;
    assert_eq!(pair.provider.rest().await, b"last words");
    pair.provider.send("an answer").await;
    pair.provider.finish().await;
    assert_eq!(pair.client.rest().await, b"an answer");
    assert!(pair.app.rows().await.is_empty(), "nothing here is metered");
    pair.app.stop().await;
}

#[tokio::test]
async fn bytes_behind_the_handshake_are_not_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = TestApp::start(listener.local_addr().unwrap()).await;
    let mut client = End(TcpStream::connect(app.proxy()).await.unwrap());
    client
        .send(format!("{}\r\nearly", handshake("/openai/v1/anything")))
        .await;
    let mut provider = End(within("a connection", listener.accept()).await.unwrap().0);
    provider.head().await;
    provider.send(format!("{AGREED}\r\nat once")).await;
    client.head().await;
    assert_eq!(client.take(7).await, b"at once");
    assert_eq!(provider.take(5).await, b"early");
    // A side that is gone takes the other with it.
    drop(client);
    assert_eq!(provider.rest().await, b"");
}

#[tokio::test]
async fn a_refused_upgrade_comes_back_as_it_is() {
    for path in [
        "/openai/v1/responses",
        "/openai/v1/realtime",
        "/openai/v1/anything",
    ] {
        let head = "426 Upgrade Required\nupgrade: websocket\nconnection: Upgrade\ncontent-type: application/json\nsec-websocket-version: 13\nx-request-id: req_1";
        let mut upstream =
            Upstream::start(move |_| Script::sized(head, r#"{"error":"no sockets here"}"#)).await;
        let app = TestApp::start(upstream.address).await;
        let reply = app.ask(format!("{}\r\n", handshake(path))).await;
        assert_eq!(reply.head.status(), 426);
        assert_eq!(reply.body, br#"{"error":"no sockets here"}"#);
        for (name, value) in [
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("x-request-id", "req_1"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(reply.head.get(name), Some(value), "{name}");
        }
        assert_eq!(reply.head.get("x-moonlock-error"), None);
        assert_eq!(upstream.seen().await.head.get("upgrade"), Some("websocket"));
        assert!(app.rows().await.is_empty(), "nothing was asked");
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_said_to_be() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let app = TestApp::start(nobody).await;
    let reply = app.ask(format!("{}\r\n", handshake("/openai/v1/realtime"))).await;
    assert_eq!(reply.head.status(), 502);
    assert_eq!(reply.head.get("x-moonlock-error"), Some("upstream_unreachable"));
}

#[tokio::test]
async fn an_open_socket_does_not_keep_the_program_from_stopping() {
    let mut pair = Pair::open("/openai/v1/anything", "", "").await;
    pair.app.stop().await;
    assert_eq!(pair.client.rest().await, b"");
    assert_eq!(pair.provider.rest().await, b"");
}

pub(crate) const REALTIME: &str = "/openai/v1/realtime?model=gpt-realtime";
pub(crate) const ASK: &str = r#"{"type":"response.create"}"#;
const DELTA: &str = r#"{"type":"response.output_text.delta","response_id":"r1","delta":"Hé \"usage\":{}"}"#;
pub(crate) const DONE: &str = r#"{"type":"response.done","response":{"id":"r1","status":"completed","usage":{"total_tokens":163,"input_tokens":149,"output_tokens":14,"input_token_details":{"text_tokens":100,"audio_tokens":49,"cached_tokens":64,"cached_tokens_details":{"text_tokens":64,"audio_tokens":0}},"output_token_details":{"text_tokens":14,"audio_tokens":0}}}}"#;
const DONE_NUMBERS: [Option<u64>; 6] = [Some(85), Some(64), None, Some(14), None, Some(163)];

pub(crate) const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const COMPRESSED: u8 = 0xc1;

/// A frame as a server sends it: its first byte, and the payload.
pub(crate) fn unmasked(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut bytes = vec![first];
    match u8::try_from(payload.len()) {
        Ok(length @ 0..=125) => bytes.push(length),
        _ => {
            bytes.push(126);
            bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// A frame as a client sends it.
pub(crate) fn masked(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = unmasked(first, payload);
    let head = bytes.len() - payload.len();
    bytes[1] |= 0x80;
    for (byte, mask) in bytes[head..].iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    bytes.splice(head..head, mask);
    bytes
}

impl Pair {
    /// Lets the client say this, and checks that the provider hears it byte for byte.
    async fn ask(&mut self, bytes: impl AsRef<[u8]>) {
        self.client.send(&bytes).await;
        assert_eq!(self.provider.take(bytes.as_ref().len()).await, bytes.as_ref());
    }

    /// Lets the provider say this, and checks that the client hears it byte for byte.
    async fn answer(&mut self, bytes: impl AsRef<[u8]>) {
        self.provider.send(&bytes).await;
        assert_eq!(self.client.take(bytes.as_ref().len()).await, bytes.as_ref());
    }
}

#[tokio::test]
async fn each_turn_is_a_row_that_is_there_when_its_end_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = TestApp::start(listener.local_addr().unwrap()).await;
    let session = app.session("voice").await;
    let mut pair = Pair::open_at(app, &listener, REALTIME, "x-moonlock-session: voice\r\n", "").await;
    pair.ask(masked(TEXT, r#"{"type":"session.update","session":{}}"#))
        .await;
    assert!(pair.app.rows().await.is_empty(), "nothing is asked yet");

    pair.ask(masked(TEXT, ASK)).await;
    let running = pair.app.started().await;
    assert_eq!(running["requestModel"], "gpt-realtime");
    pair.answer(unmasked(TEXT, DELTA)).await;
    pair.answer(unmasked(TEXT, DONE)).await;
    let row = pair.app.row().await;
    assert_usage(&row, Some("exact"), DONE_NUMBERS);
    for (name, value) in [
        ("operation", "realtime"),
        ("outcome", "complete"),
        ("model", "gpt-realtime"),
        ("provider", "openai"),
        ("requestId", "req_7"),
        ("sessionId", &session),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    assert_eq!(row["status"], 101);
    assert!(row["ttftMs"].is_u64());

    // The next one comes unasked, in fragments with a ping between them, a byte at a time.
    let done = DONE.replace("r1", "r2");
    let (one, other) = done.split_at(100);
    let frames = [
        unmasked(TEXT, r#"{"type":"response.created","response":{"id":"r2"}}"#),
        unmasked(0x01, one),
        unmasked(0x89, "ping"),
        unmasked(0x80, other),
    ]
    .concat();
    for byte in frames {
        pair.answer([byte]).await;
    }
    let rows = pair.app.rows().await;
    assert_eq!(rows.len(), 2);
    assert_usage(&rows[0], Some("exact"), DONE_NUMBERS);
    let live = pair.app.get(&format!("/api/sessions/{session}")).await;
    assert_eq!(live["tokensUsed"], 2 * 163, "{live:#}");

    // A session that closes in order leaves nothing behind.
    pair.ask(masked(0x88, [3, 232])).await;
    pair.answer(unmasked(0x88, [3, 232])).await;
    drop(pair.provider);
    assert_eq!(pair.client.rest().await, b"");
    drop(pair.client);
    assert_eq!(pair.app.rows().await.len(), 2);
    pair.app.stop().await;
}

#[tokio::test]
async fn compressed_responses_pass_as_they_are_and_are_metered() {
    let mut encoders = [(); 2].map(|()| Compress::new(Compression::default(), false));
    let mut deflated = |which: usize, text: &str| {
        let mut bytes = Vec::with_capacity(4096);
        encoders[which]
            .compress_vec(text.as_bytes(), &mut bytes, FlushCompress::Sync)
            .unwrap();
        bytes.truncate(bytes.len() - 4);
        bytes
    };
    let extension = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15\r\n";
    let mut pair = Pair::open("/openai/responses", extension, extension).await;
    assert!(
        pair.heads.0.starts_with("GET /v1/responses HTTP/1.1\r\n"),
        "the path is mended"
    );
    for (turn, model) in [(1, "gpt-5-codex"), (2, "gpt-5-codex")] {
        let ask = format!(r#"{{"type":"response.create","model":"{model}","input":[]}}"#);
        pair.ask(masked(COMPRESSED, deflated(0, &ask))).await;
        let end = format!(
            r#"{{"type":"response.completed","response":{{"id":"r{turn}","model":"gpt-5-codex-2026","status":"completed","usage":{{"input_tokens":100,"input_tokens_details":{{"cached_tokens":60}},"output_tokens":9,"output_tokens_details":{{"reasoning_tokens":4}},"total_tokens":109}}}}}}"#
        );
        pair.answer(unmasked(COMPRESSED, deflated(1, &end))).await;
        let rows = pair.app.rows().await;
        assert_eq!(rows.len(), turn);
        let numbers = [Some(40), Some(60), None, Some(9), Some(4), Some(109)];
        assert_usage(&rows[0], Some("exact"), numbers);
        assert_eq!(rows[0]["operation"], "responses");
        assert_eq!(rows[0]["requestModel"], "gpt-5-codex");
        assert_eq!(rows[0]["model"], "gpt-5-codex-2026");
    }
}

#[tokio::test]
async fn a_live_session_names_its_model_once_and_answers_in_binary_frames() {
    let path = "/gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k";
    let mut pair = Pair::open(path, "", "").await;
    pair.ask(masked(
        TEXT,
        r#"{"setup":{"model":"models/gemini-live-2.5-flash"}}"#,
    ))
    .await;
    pair.answer(unmasked(BINARY, r#"{"setupComplete":{}}"#)).await;
    pair.ask(masked(TEXT, r#"{"realtimeInput":{"text":"hello"}}"#))
        .await;
    pair.answer(unmasked(
        BINARY,
        r#"{"serverContent":{"modelTurn":{"parts":[{"text":"hi"}]}}}"#,
    ))
    .await;
    pair.answer(unmasked(
        BINARY,
        r#"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":1197,"responseTokenCount":37,"totalTokenCount":1234,"thoughtsTokenCount":28}}"#,
    ))
    .await;
    let row = pair.app.row().await;
    assert_usage(
        &row,
        Some("exact"),
        [Some(1197), None, None, Some(65), Some(28), Some(1262)],
    );
    assert_eq!(
        (&row["operation"], &row["model"]),
        (&"live".into(), &"gemini-live-2.5-flash".into())
    );
}

#[tokio::test]
async fn a_socket_that_ends_within_a_turn_ends_the_turn() {
    for (who, outcome, error) in [
        ("client", "client_aborted", None),
        ("provider", "upstream_error", Some("broken_off")),
    ] {
        let mut pair = Pair::open(REALTIME, "", "").await;
        pair.ask(masked(TEXT, ASK)).await;
        pair.answer(unmasked(TEXT, DELTA)).await;
        let (left, mut stays) = match who {
            "client" => (pair.client, pair.provider),
            _ => (pair.provider, pair.client),
        };
        drop(left);
        assert_eq!(stays.rest().await, b"", "the other side is told");
        drop(stays);
        let row = pair.app.ended().await;
        assert_usage(&row, None, [None; 6]);
        assert_eq!(
            (row["outcome"].as_str(), row["error"].as_str()),
            (Some(outcome), error),
            "{who}"
        );
        assert_eq!(pair.app.rows().await.len(), 1);
        assert!(pair.app.running().await.is_empty());
    }
}

#[tokio::test]
async fn a_turn_under_way_may_end_before_the_program_stops() {
    let mut pair = Pair::open(REALTIME, "", "").await;
    pair.ask(masked(TEXT, ASK)).await;
    let (app, mut client, mut provider) = (pair.app, pair.client, pair.provider);
    let proxy = app.proxy();
    let (app, ()) = tokio::join!(app.restart(), async {
        // It has begun to stop when it takes no more connections.
        while TcpStream::connect(proxy).await.is_ok() {
            tokio::task::yield_now().await;
        }
        let done = unmasked(TEXT, DONE);
        provider.send(&done).await;
        assert_eq!(client.rest().await, done);
    });
    let row = app.row().await;
    assert_eq!(row["outcome"], "complete");
    assert_usage(&row, Some("exact"), DONE_NUMBERS);
}

#[tokio::test]
async fn what_cannot_be_read_passes_all_the_same() {
    // An extension that is not known: no turn can be seen.
    let says = "Sec-WebSocket-Extensions: x-unheard-of\r\n";
    let mut pair = Pair::open(REALTIME, "", says).await;
    pair.ask(masked(TEXT, ASK)).await;
    pair.answer(unmasked(TEXT, DONE)).await;
    assert!(pair.app.rows().await.is_empty());

    // Bytes that are no frames, in the middle of a turn.
    let mut pair = Pair::open(REALTIME, "", "").await;
    pair.ask(masked(TEXT, ASK)).await;
    pair.answer([0xff; 5000]).await;
    pair.answer(unmasked(TEXT, DONE)).await;
    drop(pair.provider);
    assert_eq!(pair.client.rest().await, b"");
    let row = pair.app.ended().await;
    assert_usage(&row, None, [None; 6]);
}

#[tokio::test]
async fn a_real_client_and_a_real_server_speak_through_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = TestApp::start(listener.local_addr().unwrap()).await;
    let url = format!("ws://{}{REALTIME}", app.proxy());
    let accepting = async {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_tungstenite::accept_async(stream).await.unwrap()
    };
    let both = async { tokio::join!(tokio_tungstenite::connect_async(url), accepting) };
    let (client, mut server) = within("a WebSocket", both).await;
    let mut client = client.unwrap().0;
    for turn in 1..=3 {
        client.send(Message::text(ASK)).await.unwrap();
        let asked = within("the question", server.next()).await.unwrap().unwrap();
        assert_eq!(asked, Message::text(ASK));
        let done = Message::text(DONE.replace("r1", &format!("r{turn}")));
        server.send(done.clone()).await.unwrap();
        let answered = within("the answer", client.next()).await.unwrap().unwrap();
        assert_eq!(answered, done);
        assert_eq!(app.rows().await.len(), turn);
    }
    client.close(None).await.unwrap();
    // Who is asked closes the connection.
    let closing = async move { while let Some(Ok(_)) = server.next().await {} };
    let closed = async { while let Some(Ok(_)) = client.next().await {} };
    within("both to close", async { tokio::join!(closing, closed) }).await;
    assert_eq!(app.rows().await.len(), 3);
}

#[tokio::test]
async fn a_response_whose_usage_nobody_says_is_estimated_by_its_words() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = TestApp::start_estimating(listener.local_addr().unwrap()).await;
    let mut pair = Pair::open_at(app, &listener, "/openai/v1/responses", "", "").await;
    let ask = |input: &str| {
        let ask = format!(r#"{{"type":"response.create","model":"gpt-4o","input":"{input}"}}"#);
        masked(TEXT, ask)
    };
    let say = |id: &str, text: &str| {
        let delta = format!(
            r#"{{"type":"response.output_text.delta","response_id":"{id}","item_id":"m","output_index":0,"content_index":0,"delta":"{text}"}}"#
        );
        unmasked(TEXT, delta)
    };
    pair.ask(ask("Say hello to the whole world, please.")).await;
    pair.ask(masked(0x89, "ping")).await;
    for word in ["Hello", " to", " the", " whole", " world"] {
        pair.answer(say("r1", word)).await;
    }
    let grown = |change: &Change| match change {
        Change::CallsGrew { calls } => Some(calls[0].output_so_far),
        _ => None,
    };
    let grown = pair.app.next(grown).await;
    assert!((1..20).contains(&grown), "{grown}");
    let done =
        r#"{"type":"response.completed","response":{"id":"r1","model":"gpt-4o","status":"completed"}}"#;
    pair.answer(unmasked(TEXT, done)).await;
    let row = pair.app.estimated().await;
    assert_eq!(
        (&row["outcome"], &row["source"]),
        (&"complete".into(), &"estimated".into())
    );
    // "Say hello to the whole world, please." has nine tokens, and what was said of it five.
    let number = |row: &Value, field: &str| row[field].as_u64().unwrap();
    assert!((9..=20).contains(&number(&row, "input")), "{row:#}");
    assert!((5..=12).contains(&number(&row, "output")), "{row:#}");

    pair.ask(ask("Once more, and slowly this time.")).await;
    pair.answer(say("r2", "Hello")).await;
    let Pair {
        mut app,
        client,
        mut provider,
        ..
    } = pair;
    drop(client);
    assert_eq!(provider.rest().await, b"");
    drop(provider);
    let row = app.estimated().await;
    assert_eq!(
        (&row["outcome"], &row["source"]),
        (&"client_aborted".into(), &"estimated".into())
    );
    assert_eq!(
        row["estimate"]["lowerBound"], true,
        "more may have been generated"
    );
    assert!(
        number(&row, "input") >= 8 && number(&row, "output") >= 1,
        "{row:#}"
    );
    assert_eq!(app.rows().await.len(), 2);
}
