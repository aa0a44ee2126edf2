//! Replies that are far too large, in the running program: the client gets them, and its memory stays what it was.
//!
//! Linux says how much memory a process has held at most.

#![cfg(target_os = "linux")]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON};
use crate::support::client::{Client, post, post_with};
use crate::support::http::Message;
use crate::support::program::{Program, command};
use crate::support::upstream::{Script, Upstream};
use crate::support::within;
use crate::upgrade::{AGREED, End, handshake};

const MEGABYTE: usize = 1 << 20;

/// So much more memory may any one of them take, in KiB. The program is the one with debug assertions; what it holds
/// of a reply is a few frames.
const MOST_GROWTH: u64 = 12 * 1024;

/// Estimates keep a reply's first 8 MiB while it runs, and load an encoding, whose vocabulary takes 45 MB while it is built.
const MOST_WITH_ESTIMATES: u64 = MOST_GROWTH + (8 + 64) * 1024;

/// Whether the program estimates what providers do not say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Estimates {
    Off,
    AsShipped,
}

/// The program, a provider that sends one body, and what memory was taken.
struct Bench {
    program: Program,
    _home: tempfile::TempDir,
}

impl Bench {
    fn start(upstream: std::net::SocketAddr, estimates: Estimates) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("bounds.toml");
        let settings = match estimates {
            Estimates::Off => "[estimates]\nenabled = false\n",
            Estimates::AsShipped => "",
        };
        std::fs::write(&config, settings).unwrap();
        let url = format!("http://{upstream}");
        let program = Program::start(
            command(home.path())
                .env("MOONLOCK_CONFIG", &config)
                .env("MOONLOCK_UPSTREAM_OPENAI", &url)
                .env("MOONLOCK_UPSTREAM_BEDROCK", &url),
        );
        Self { program, _home: home }
    }

    /// The most memory that it has held so far, in KiB.
    fn peak(&self) -> u64 {
        self.program.memory("VmHWM")
    }

    async fn row(&self) -> Value {
        let request = format!(
            "GET /api/calls?limit=1 HTTP/1.1\r\nhost: {}\r\n\r\n",
            self.program.dashboard
        );
        let reply = Client::connect(self.program.dashboard).await.ask(request).await;
        let page: Value = serde_json::from_slice(&reply.body).unwrap();
        page["calls"][0].clone()
    }

    async fn ask(&self, request: impl AsRef<[u8]>) -> Message {
        Client::connect(self.program.proxy).await.ask(request).await
    }
}

/// A gigabyte of zeros in zstd, written by hand: blocks of one repeated byte (RFC 8878 §3.1.1.2).
fn zstd_bomb() -> Vec<u8> {
    const BLOCK: u32 = 128 * 1024;
    // A window of 128 KiB, no content size, no checksum.
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    let blocks = (1_u32 << 30) / BLOCK;
    for block in 1..=blocks {
        let header = u32::from(block == blocks) | 1 << 1 | BLOCK << 3;
        bomb.extend(&header.to_le_bytes()[..3]);
        bomb.push(0);
    }
    bomb
}

fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; MEGABYTE];
    for _ in 0..512 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

/// A reply, its head, and what the row has to say of its source and output.
struct Large {
    name: &'static str,
    path: &'static str,
    head: String,
    body: Vec<u8>,
    source: Option<&'static str>,
    output: Option<u64>,
}

fn larges() -> Vec<Large> {
    let text = "x".repeat(100 * MEGABYTE);
    let usage = r#""usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}"#;
    let event = "y".repeat(50 * MEGABYTE);
    let chat = |name, head: &str, body: Vec<u8>, source, output| Large {
        name,
        path: CHAT_PATH,
        head: head.to_owned(),
        body,
        source,
        output,
    };
    let answer = format!(r#"{{"model":"m","choices":[{{"message":{{"content":"{text}"}}}}],{usage}}}"#);
    let completed = format!(
        "event: response.completed\ndata: {{\"type\":\"response.completed\",\"response\":{{\"instructions\":\"{event}\",\"status\":\"completed\",\"usage\":{{\"input_tokens\":3,\"output_tokens\":2,\"total_tokens\":5}}}}}}\n\n"
    );
    vec![
        chat(
            "a reply of 100 MB",
            JSON,
            answer.into_bytes(),
            Some("exact"),
            Some(2),
        ),
        Large {
            path: "/openai/v1/responses",
            ..chat(
                "an event of 50 MB",
                EVENTS,
                completed.into_bytes(),
                Some("exact"),
                Some(2),
            )
        },
        chat(
            "a line of 50 MB that never ends",
            EVENTS,
            event.clone().into_bytes(),
            None,
            None,
        ),
        chat(
            "a usage object of 50 MB",
            JSON,
            format!(r#"{{"usage":{{"x":"{event}","prompt_tokens":3,"completion_tokens":2}}}}"#).into_bytes(),
            None,
            None,
        ),
        chat(
            "50 MB of open brackets",
            JSON,
            vec![b'['; 50 * MEGABYTE],
            None,
            None,
        ),
        chat(
            "a key of 50 MB",
            JSON,
            format!(r#"{{"{event}":1,{usage}}}"#).into_bytes(),
            Some("exact"),
            Some(2),
        ),
        chat(
            "a gigabyte of zeros in zstd",
            &format!("{JSON}\ncontent-encoding: zstd"),
            zstd_bomb(),
            None,
            None,
        ),
        chat(
            "512 MB of zeros in gzip",
            &format!("{EVENTS}\ncontent-encoding: gzip"),
            gzip_bomb(),
            None,
            None,
        ),
        Large {
            path: "/bedrock/us-east-1/model/m/converse-stream",
            ..chat(
                "messages of 16 MB that are none",
                "200 OK\ncontent-type: application/vnd.amazon.eventstream",
                [&[0, 0xff, 0xff, 0xff][..], &vec![0; 50 * MEGABYTE]].concat(),
                None,
                None,
            )
        },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_large_a_reply_is_it_passes_and_memory_does_not_grow() {
    pass_them_all(Estimates::Off, MOST_GROWTH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn estimates_take_no_more_than_they_may() {
    pass_them_all(Estimates::AsShipped, MOST_WITH_ESTIMATES).await;
}

#[expect(clippy::print_stdout, reason = "a table for people")]
async fn pass_them_all(estimates: Estimates, most: u64) {
    for Large {
        name,
        path,
        head,
        body,
        source,
        output,
    } in larges()
    {
        let sent = body.clone();
        let upstream = Upstream::start(move |request| match request.head.get("x-first") {
            Some(_) => Script::sized(JSON, CHAT),
            None => Script::sized(&head, &sent),
        })
        .await;
        let bench = Bench::start(upstream.address, estimates);
        // What the first call takes is not what a large one takes.
        bench.ask(post_with(CHAT_PATH, "x-first: 1", CHAT_REQUEST)).await;
        let before = bench.peak();
        let reply = bench.ask(post(path, CHAT_REQUEST)).await;
        assert!(reply.whole && reply.body == body, "{name}");
        let grown = bench.peak() - before;
        println!(
            "{name:<40} {:>11} bytes, memory before {before} KiB, more at its peak {grown} KiB",
            body.len()
        );
        let row = bench.row().await;
        assert_eq!(row["outcome"], "complete", "{name}");
        // An estimate may have come meanwhile; what the provider said is never replaced.
        if estimates == Estimates::Off || source.is_some() {
            assert_eq!(
                (row["source"].as_str(), row["output"].as_u64()),
                (source, output),
                "{name}"
            );
        }
        assert!(grown < most, "{name} takes {grown} KiB");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_large_a_frame_of_a_websocket_is_it_passes_and_memory_does_not_grow() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench::start(listener.local_addr().unwrap(), Estimates::Off);
    let extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let event = format!(
        r#"{{"type":"response.done","x":"{}"}}"#,
        "z".repeat(50 * MEGABYTE)
    );
    let mut whole = vec![0x81, 127];
    whole.extend((event.len() as u64).to_be_bytes());
    whole.extend(event.as_bytes());
    // More than RFC 6455 lets a frame be, and bytes behind it.
    let mut endless = vec![0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    endless.extend(vec![b'{'; 50 * MEGABYTE]);
    // What the first turn with a price takes is not what a large one takes.
    let turn = r#"{"type":"response.done","response":{"id":"r","usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5}}}"#;
    let first = [&[0x81, u8::try_from(turn.len()).unwrap()], turn.as_bytes()].concat();
    for (name, bytes) in [
        ("the first message", first),
        ("a message of 50 MB", whole),
        ("a frame that never ends", endless),
    ] {
        let mut client = End(TcpStream::connect(bench.program.proxy).await.unwrap());
        let head = handshake("/openai/v1/realtime?model=gpt-realtime");
        client.send(format!("{head}{extension}\r\n")).await;
        let mut provider = End(within("a connection", listener.accept()).await.unwrap().0);
        provider.head().await;
        provider.send(format!("{AGREED}{extension}\r\n")).await;
        client.head().await;
        let before = bench.peak();
        let (length, sent) = (bytes.len(), bytes.clone());
        let (received, ()) = tokio::join!(client.take(length), provider.send(sent));
        assert!(received == bytes, "{name}");
        let grown = bench.peak() - before;
        println!("{name:<40} {length:>11} bytes, memory before {before} KiB, more at its peak {grown} KiB");
        assert!(
            length < MEGABYTE || grown < MOST_GROWTH,
            "{name} takes {grown} KiB"
        );
    }
}
