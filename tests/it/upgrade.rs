//! WebSockets through the proxy: the bytes are the same on both sides, and each turn is a row.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::app::TestApp;
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

const AGREED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: realtime\r\nx-request-id: req_7\r\n";

/// A handshake for `path`, without the fields in which it varies.
fn handshake(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: moonlock\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: realtime\r\nAuthorization: Bearer k\r\n"
    )
}

/// One side of a socket that is read and written byte by byte.
struct End(TcpStream);

impl End {
    /// Reads a head.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within("a head", self.0.read_u8()).await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within("bytes to be taken", self.0.write_all(bytes.as_ref()))
            .await
            .unwrap();
    }

    async fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        within("bytes", self.0.read_exact(&mut bytes)).await.unwrap();
        bytes
    }

    /// Everything until the other side has finished.
    async fn rest(&mut self) -> Vec<u8> {
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
