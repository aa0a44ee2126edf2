//! Upstreams over TLS: a private authority, HTTP/2 where it is offered, a proxy on the way out.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST};
use crate::support::client::{Client, post};
use crate::support::program::{Program, command};
use crate::support::within;

/// A provider over TLS on loopback; its name is `localhost`.
struct TlsUpstream {
    address: SocketAddr,
    /// The authority to trust, as PEM.
    authority: String,
    _task: JoinSet<()>,
}

impl TlsUpstream {
    async fn start(protocols: &[&str]) -> Self {
        let parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        Self::start_as(parameters, protocols).await
    }

    /// With that certificate, which it made itself.
    async fn start_as(parameters: CertificateParams, protocols: &[&str]) -> Self {
        let key = KeyPair::generate().unwrap();
        let made = parameters.self_signed(&key).unwrap();
        let certificate: CertificateDer<'static> = made.der().clone();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate], private)
                .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // A client that does not trust it ends the handshake.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let http = Builder::new(TokioExecutor::new());
                        drop(
                            http.serve_connection_with_upgrades(TokioIo::new(stream), service_fn(answer))
                                .await,
                        );
                    }
                });
            }
        });
        Self {
            address,
            authority: made.pem(),
            _task: task,
        }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

/// Says in a header how it was asked. Agrees to leave HTTP, and sends back what it hears from then on.
#[expect(clippy::disallowed_methods, reason = "an echo ends with its connection")]
async fn answer(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    if request.headers().contains_key("upgrade") {
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let (mut reads, mut writes) = tokio::io::split(TokioIo::new(upgraded.await.unwrap()));
            tokio::io::copy(&mut reads, &mut writes).await.unwrap();
            writes.shutdown().await.unwrap();
        });
        let response = Response::builder()
            .status(101)
            .header("upgrade", "websocket")
            .header("connection", "upgrade");
        return Ok(response.body(Full::default()).unwrap());
    }
    let version = if request.version() == Version::HTTP_2 {
        "2"
    } else {
        "1.1"
    };
    let host = request.uri().authority().map(ToString::to_string);
    let host = host.or_else(|| Some(request.headers().get("host")?.to_str().ok()?.to_owned()));
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("x-asked-over", version)
        .header("x-asked-host", host.unwrap_or_default());
    request.into_body().collect().await?;
    Ok(response.body(Full::new(Bytes::from(CHAT))).unwrap())
}

/// The program, which trusts `authority` and forwards to `url`.
fn program(home: &Path, url: &str, authority: &str, more: &[(&str, &str)]) -> Program {
    let file = home.join("authority.pem");
    std::fs::write(&file, authority).unwrap();
    let mut command = command(home);
    command
        .env("MOONLOCK_UPSTREAM_OPENAI", url)
        .env("SSL_CERT_FILE", file);
    command.envs(more.iter().copied());
    Program::start(&mut command)
}

async fn call(program: &Program) -> crate::support::http::Message {
    Client::connect(program.proxy)
        .await
        .ask(post(CHAT_PATH, CHAT_REQUEST))
        .await
}

#[tokio::test]
async fn a_private_authority_is_trusted_and_http_2_is_spoken_where_it_is_offered() {
    for (offered, expected) in [
        (&["h2", "http/1.1"][..], "2"),
        (&["http/1.1"][..], "1.1"),
        (&[][..], "1.1"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let upstream = TlsUpstream::start(offered).await;
        let program = program(home.path(), &upstream.url(), &upstream.authority, &[]);
        let reply = call(&program).await;
        assert_eq!(
            (reply.head.status(), reply.head.get("x-asked-over")),
            (200, Some(expected)),
            "{offered:?}"
        );
        let host = format!("localhost:{}", upstream.address.port());
        assert_eq!(
            reply.head.get("x-asked-host"),
            Some(&*host),
            "the provider is asked by its own name"
        );
        assert_eq!(reply.body, CHAT.as_bytes());
    }
}

#[tokio::test]
async fn a_websocket_goes_over_http_1_also_where_http_2_is_offered() {
    for offered in [&["h2", "http/1.1"][..], &[][..]] {
        let home = tempfile::tempdir().unwrap();
        let upstream = TlsUpstream::start(offered).await;
        let program = program(home.path(), &upstream.url(), &upstream.authority, &[]);
        let mut client = TcpStream::connect(program.proxy).await.unwrap();
        let handshake = "GET /openai/v1/anything HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
        client.write_all(handshake.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within("the answer", client.read_u8()).await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{offered:?}: {head}");
        client.write_all(b"echo").await.unwrap();
        let mut heard = [0; 4];
        within("an echo", client.read_exact(&mut heard)).await.unwrap();
        assert_eq!(&heard, b"echo");
        client.shutdown().await.unwrap();
        let mut rest = Vec::new();
        within("the end", client.read_to_end(&mut rest)).await.unwrap();
        assert!(rest.is_empty());
        // Calls go on over whatever is offered.
        assert_eq!(call(&program).await.head.status(), 200);
    }
}

#[tokio::test]
async fn a_provider_that_is_not_trusted_is_not_talked_to_and_the_client_is_told() {
    let home = tempfile::tempdir().unwrap();
    let upstream = TlsUpstream::start(&[]).await;
    let stranger = rcgen::generate_simple_self_signed(["elsewhere".to_owned()]).unwrap();
    let program = program(home.path(), &upstream.url(), &stranger.cert.pem(), &[]);
    let reply = call(&program).await;
    assert_eq!(
        (reply.head.status(), reply.head.get("x-moonlock-error")),
        (502, Some("upstream_unreachable"))
    );
    let said = String::from_utf8(reply.body).unwrap();
    assert!(said.contains("certificate"), "{said}");
}

#[tokio::test]
async fn a_certificate_that_is_over_or_not_yet_or_for_another_name_is_not_taken() {
    let named = |name: &str| CertificateParams::new([name.to_owned()]).unwrap();
    let (mut over, mut early) = (named("localhost"), named("localhost"));
    over.not_after = rcgen::date_time_ymd(2020, 1, 1);
    early.not_before = rcgen::date_time_ymd(2999, 1, 1);
    for (certificate, why) in [
        (over, "expired"),
        (early, "not valid yet"),
        (named("elsewhere.example"), "not valid for name"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let upstream = TlsUpstream::start_as(certificate, &["h2"]).await;
        let program = program(home.path(), &upstream.url(), &upstream.authority, &[]);
        let reply = call(&program).await;
        assert_eq!(
            (reply.head.status(), reply.head.get("x-moonlock-error")),
            (502, Some("upstream_unreachable"))
        );
        let said = String::from_utf8(reply.body).unwrap();
        assert!(said.contains(why), "{said}");
        let rows = program.ask("GET", "/api/calls", &serde_json::Value::Null).await;
        assert_eq!(rows["calls"][0]["outcome"], "upstream_error");
    }
}

#[tokio::test]
async fn without_any_authority_the_client_is_told_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let upstream = TlsUpstream::start(&[]).await;
    let program = program(home.path(), &upstream.url(), "", &[]);
    let reply = call(&program).await;
    let said = String::from_utf8(reply.body).unwrap();
    assert!(said.contains("SSL_CERT_FILE"), "{said}");
}

/// A proxy that makes tunnels, and counts them.
async fn tunnels(count: Arc<AtomicUsize>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let count = Arc::clone(&count);
        connections.spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
            let port: u16 = target.strip_prefix("localhost:").unwrap().parse().unwrap();
            assert!(
                head.to_lowercase()
                    .contains("proxy-authorization: basic dXNlcjpwYXNz".to_lowercase().as_str())
            );
            count.fetch_add(1, Ordering::SeqCst);
            let mut provider = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            client
                .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                .await
                .unwrap();
            drop(tokio::io::copy_bidirectional(&mut client, &mut provider).await);
        });
    }
}

#[tokio::test]
async fn the_way_out_goes_through_https_proxy_where_no_proxy_does_not_say_otherwise() {
    let upstream = TlsUpstream::start(&[]).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let way_out = format!("http://user:pass@{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let mut task = JoinSet::new();
    task.spawn(tunnels(Arc::clone(&count), listener));
    for (no_proxy, expected) in [("", 1), ("localhost", 1)] {
        let home = tempfile::tempdir().unwrap();
        let more = [("HTTPS_PROXY", &*way_out), ("NO_PROXY", no_proxy)];
        let program = program(home.path(), &upstream.url(), &upstream.authority, &more);
        let reply = call(&program).await;
        assert_eq!(
            reply.head.status(),
            200,
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
        assert_eq!(count.load(Ordering::SeqCst), expected);
    }
}
