//! A certificate of the user's: both ports speak TLS with it, and Moonlock's own commands know it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use moonlock::listen::tls::trusting;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post;
use crate::support::http::{Message, Reader};
use crate::support::program::{Program, command, run};
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

const TOKEN: &str = "0123456789abcdef";

/// Makes a certificate and its key for this machine.
fn make(home: &Path, name: &str) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    std::fs::write(home.join(format!("{name}.crt")), made.cert.pem()).unwrap();
    std::fs::write(home.join(format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
}

fn configure(home: &Path, certificate: &str, key: &str) {
    let [certificate, key] = [certificate, key].map(|name| home.join(name).display().to_string());
    let text = format!("[server]\ntls_cert = '{certificate}'\ntls_key = '{key}'\n");
    std::fs::write(home.join("moonlock.toml"), text).unwrap();
}

fn program(home: &Path) -> Command {
    let mut command = command(home);
    command.env("MOONLOCK_CONFIG", home.join("moonlock.toml"));
    command
}

/// A connection over TLS that trusts that file; what was agreed on, and offers these protocols.
async fn connect(
    address: SocketAddr,
    certificate: &Path,
    offered: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = trusting(Some(certificate)).unwrap();
    config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    within(
        "TLS",
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream),
    )
    .await
}

async fn ask(address: SocketAddr, certificate: &Path, request: impl AsRef<[u8]>) -> Message {
    let mut reader = Reader::new(connect(address, certificate, &[]).await.unwrap());
    reader.inner.write_all(request.as_ref()).await.unwrap();
    let mut reply = within("a reply", reader.head(Some("POST"))).await.unwrap();
    within("a body", reader.body_to(&mut reply, usize::MAX)).await;
    reply
}

#[tokio::test]
async fn both_ports_speak_tls_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let (home, file) = (home.path(), home.path().join("own.crt"));
    make(home, "own");
    configure(home, "own.crt", "own.key");
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let mut command = program(home);
    command
        .env("MOONLOCK_TOKEN", TOKEN)
        .env("MOONLOCK_UPSTREAM_OPENAI", format!("http://{}", upstream.address));
    let program = Program::start(&mut command);
    let (here, proxy) = (program.dashboard, program.proxy);
    let reply = ask(
        proxy,
        &file,
        post(&format!("/t/{TOKEN}{CHAT_PATH}"), CHAT_REQUEST),
    )
    .await;
    assert_eq!((reply.head.status(), &*reply.body), (200, CHAT.as_bytes()));
    // HTTP/2 for programs; HTTP/1.1 alone where browsers open WebSockets.
    for (address, agreed) in [(proxy, "h2"), (here, "http/1.1")] {
        let stream = connect(address, &file, &["h2", "http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(agreed.as_bytes()));
    }
    for address in [here, proxy] {
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain
            .write_all(b"GET /api/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            .await
            .unwrap();
        let mut said = Vec::new();
        drop(within("the end", plain.read_to_end(&mut said)).await);
        assert!(!said.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&said));
        // Who knows another certificate is not answered, and sends nothing.
        make(home, "other");
        assert!(connect(address, &home.join("other.crt"), &[]).await.is_err());
    }
    // The page's own origin is that of https; its cookie goes nowhere else.
    let enter = async |origin: &str| {
        let form = format!("token={TOKEN}");
        let request = format!(
            "POST /sign-in HTTP/1.1\r\nhost: {here}\r\norigin: {origin}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        ask(here, &file, request).await
    };
    assert_eq!(enter(&format!("http://{here}")).await.head.status(), 403);
    let entered = enter(&format!("https://{here}")).await;
    assert_eq!(entered.head.status(), 303);
    assert!(entered.head.get("set-cookie").unwrap().ends_with("; Secure"));
    // The WebSocket.
    let mut request = format!("wss://{here}/ws").into_client_request().unwrap();
    let fields = request.headers_mut();
    fields.insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    fields.insert("origin", format!("https://{here}").parse().unwrap());
    let stream = connect(here, &file, &["http/1.1"]).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket
        .send(Frame::text(r#"{"type":"subscribe","sessions":["*"]}"#))
        .await
        .unwrap();
    let heard = async {
        loop {
            if let Frame::Text(text) = socket.next().await.unwrap().unwrap() {
                let said: Value = serde_json::from_str(&text).unwrap();
                if said["type"] == "snapshot" {
                    return said;
                }
            }
        }
    };
    let snapshot = within("a snapshot", heard).await;
    assert_eq!(snapshot["proxyUrl"], format!("https://{proxy}"));
}

#[tokio::test]
async fn moonlocks_own_commands_find_it_and_trust_its_certificate_alone() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().to_owned();
    make(&home, "own");
    configure(&home, "own.crt", "own.key");
    let running = Program::start(&mut program(&home));
    let port = running.dashboard.port().to_string();
    let say = async |arguments: &[&str]| {
        let mut command = program(&home);
        command.env("PORT", &port).args(arguments);
        tokio::task::spawn_blocking(move || run(&mut command))
            .await
            .unwrap()
    };
    let (code, _, said) = say(&["start", "work"]).await;
    assert_eq!(code, Some(0), "{said}");
    let (code, out, said) = say(&["status", "--json"]).await;
    assert_eq!(code, Some(0), "{said}");
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&status["dashboardUrl"], &status["session"]["name"]),
        (&format!("https://127.0.0.1:{port}").into(), &"work".into())
    );
    let (_, out, _) = say(&["doctor"]).await;
    assert!(
        out.contains(&format!("dashboard https://127.0.0.1:{port}")),
        "{out}"
    );
    let (_, out, _) = say(&["run", "--quiet", "--", "sh", "-c", "echo $OPENAI_BASE_URL"]).await;
    assert!(out.starts_with(&format!("https://{}/s/", running.proxy)), "{out}");
    make(&home, "other");
    configure(&home, "other.crt", "other.key");
    let (code, _, said) = say(&["status"]).await;
    assert_ne!(code, Some(0));
    assert!(said.contains(&format!("https://127.0.0.1:{port}")), "{said}");
}

/// Waits until the port shows the certificate in that file.
async fn until_shown(address: SocketAddr, certificate: &Path) {
    let shown = async {
        while connect(address, certificate, &[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    within("the certificate", shown).await;
}

async fn problem(address: SocketAddr, certificate: &Path) -> Value {
    let request = format!("GET /api/health HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let reply = ask(address, certificate, request).await;
    let health: Value = serde_json::from_slice(&reply.body).unwrap();
    health["certificateProblem"].clone()
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_new_connections_and_a_bad_one_to_none() {
    let home = tempfile::tempdir().unwrap();
    let (home, file) = (home.path(), home.path().join("own.crt"));
    make(home, "own");
    configure(home, "own.crt", "own.key");
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let mut command = program(home);
    command.env("MOONLOCK_UPSTREAM_OPENAI", format!("http://{}", upstream.address));
    let program = Program::start(&mut command);
    let ports = [program.dashboard, program.proxy];
    let mut kept = Reader::new(connect(program.proxy, &file, &[]).await.unwrap());
    let before = home.join("before.crt");
    std::fs::copy(&file, &before).unwrap();

    make(home, "own");
    for address in ports {
        until_shown(address, &file).await;
        assert!(connect(address, &before, &[]).await.is_err());
    }
    // Whoever was connected goes on.
    kept.inner
        .write_all(&post(CHAT_PATH, CHAT_REQUEST))
        .await
        .unwrap();
    let mut reply = within("a reply", kept.head(Some("POST"))).await.unwrap();
    within("a body", kept.body_to(&mut reply, usize::MAX)).await;
    assert_eq!((reply.head.status(), &*reply.body), (200, CHAT.as_bytes()));

    // A key that is not the certificate's, and no certificate at all.
    let good = home.join("good.crt");
    std::fs::copy(&file, &good).unwrap();
    let key = std::fs::read(home.join("own.key")).unwrap();
    make(home, "other");
    for (name, text, expected) in [
        (
            "own.key",
            std::fs::read(home.join("other.key")).unwrap(),
            "cannot be used together",
        ),
        ("own.crt", b"nothing".to_vec(), "server.tls_cert"),
    ] {
        std::fs::write(home.join(name), text).unwrap();
        let told = async {
            loop {
                let problem = problem(program.dashboard, &good).await;
                if problem.as_str().is_some_and(|said| said.contains(expected)) {
                    return;
                }
            }
        };
        within("the problem", told).await;
        for address in ports {
            connect(address, &good, &[]).await.unwrap();
        }
    }
    // Mended.
    std::fs::write(home.join("own.key"), key).unwrap();
    std::fs::copy(&good, &file).unwrap();
    let mended = async { while !problem(program.dashboard, &good).await.is_null() {} };
    within("it to be well", mended).await;
    let said = program.stop_and_say();
    assert!(
        said.contains("cannot be used together") && !said.contains("PRIVATE"),
        "{said}"
    );
}

#[test]
fn it_does_not_start_with_what_it_cannot_use_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    make(home, "own");
    make(home, "other");
    std::fs::write(home.join("empty"), "").unwrap();
    for (certificate, key, expected) in [
        ("own.crt", "other.key", "cannot be used together"),
        ("own.key", "own.key", "server.tls_cert"),
        ("own.crt", "own.crt", "server.tls_key"),
        ("empty", "own.key", "server.tls_cert"),
        ("none.crt", "own.key", "none.crt"),
        ("own.crt", "none.key", "none.key"),
    ] {
        configure(home, certificate, key);
        let (code, _, said) = run(&mut program(home));
        assert_eq!(code, Some(1), "{certificate} {key}: {said}");
        assert!(said.contains(expected) && !said.contains("PRIVATE"), "{said}");
    }
    std::fs::write(home.join("moonlock.toml"), "[server]\ntls_cert = \"a\"\n").unwrap();
    let (code, _, said) = run(&mut program(home));
    assert_eq!(code, Some(2));
    assert!(said.contains("tls_key"), "{said}");
}

#[cfg(unix)]
#[test]
fn it_warns_of_a_key_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    for (mode, warns) in [(0o600, false), (0o640, true), (0o604, true)] {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path();
        make(home, "own");
        configure(home, "own.crt", "own.key");
        let key = home.join("own.key");
        std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
        let said = Program::start(&mut program(home)).stop_and_say();
        assert_eq!(said.contains("chmod 600"), warns, "{mode:o}: {said}");
    }
}
