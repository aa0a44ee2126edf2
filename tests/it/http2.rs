//! A client that speaks HTTP/2 in the clear gets the same.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::app::{TestApp, assert_usage};
use crate::support::bodies::{
    CHAT_DONE, CHAT_EVENTS, CHAT_PATH, CHAT_STREAM_NUMBERS, EVENTS, MESSAGE_NUMBERS, MESSAGE_START,
    MESSAGES_PATH, MESSAGES_REQUEST, SILENT_REQUEST, chat_stream, message_stream,
};
use crate::support::upstream::{Gate, Script, Upstream};
use crate::support::within;

struct Client {
    sender: http2::SendRequest<Full<Bytes>>,
    app: std::net::SocketAddr,
    _connection: JoinSet<()>,
}

impl Client {
    async fn connect(app: &TestApp) -> Self {
        let stream = TcpStream::connect(app.proxy()).await.unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(connection.await) });
        Self {
            sender,
            app: app.proxy(),
            _connection: tasks,
        }
    }

    async fn post(&mut self, path: &str, body: &'static str) -> http::Response<hyper::body::Incoming> {
        let request = http::Request::post(format!("http://{}{path}", self.app))
            .header("content-type", "application/json")
            .header("x-keep", "1")
            .body(Full::from(body))
            .unwrap();
        within("a reply", self.sender.send_request(request))
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn calls_over_http2_pass_and_are_metered() {
    let mut upstream = Upstream::start(|request| {
        let body = if request.head.line.contains("messages") {
            message_stream()
        } else {
            chat_stream()
        };
        Script::chunked(
            &format!("{EVENTS}\nx-a: b\nconnection: keep-alive\nkeep-alive: timeout=5"),
            [body],
        )
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let mut client = Client::connect(&app).await;
    let expected = [CHAT_EVENTS, CHAT_DONE].concat();
    for (path, request, reply, numbers) in [
        (MESSAGES_PATH, MESSAGES_REQUEST, message_stream(), MESSAGE_NUMBERS),
        (CHAT_PATH, SILENT_REQUEST, expected, CHAT_STREAM_NUMBERS),
    ] {
        let response = client.post(path, request).await;
        let mut names: Vec<&str> = response.headers().keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "x-a"]);
        let body = within("the body", response.into_body().collect())
            .await
            .unwrap()
            .to_bytes();
        assert_eq!(body, reply);
        let seen = upstream.seen().await;
        assert_eq!(seen.head.get("x-keep"), Some("1"));
        assert!(seen.head.line.ends_with("HTTP/1.1"));
        assert_usage(&app.ended().await, Some("exact"), numbers);
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_by_its_client_is_cancelled_upstream_and_its_neighbours_go_on() {
    let (closed, go_on) = (Gate::new(), Gate::new());
    let (tell, wait) = (closed.clone(), go_on.clone());
    let upstream = Upstream::start(move |request| {
        let begun = Script::new().head(&format!("{EVENTS}\ntransfer-encoding: chunked"));
        if request.head.line.contains("messages") {
            begun.chunk(MESSAGE_START).until_closed(&tell)
        } else {
            begun.wait(&wait).chunk(chat_stream()).end()
        }
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let mut client = Client::connect(&app).await;
    let neighbour = client.post(CHAT_PATH, SILENT_REQUEST).await;
    let mut response = client.post(MESSAGES_PATH, MESSAGES_REQUEST).await;
    assert!(within("an event", response.body_mut().frame()).await.is_some());
    drop(response);
    closed.pass().await;
    assert_eq!(app.ended().await["outcome"], "client_aborted");
    go_on.open();
    let body = within("the body", neighbour.into_body().collect())
        .await
        .unwrap()
        .to_bytes();
    assert_eq!(body, [CHAT_EVENTS, CHAT_DONE].concat());
    assert_eq!(app.ended().await["outcome"], "complete");
}

#[tokio::test]
async fn a_reply_that_breaks_upstream_is_reset_for_its_client() {
    let upstream = Upstream::start(|_| {
        Script::new()
            .head(&format!("{EVENTS}\ntransfer-encoding: chunked"))
            .chunk(MESSAGE_START)
            .close()
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let mut client = Client::connect(&app).await;
    let mut response = client.post(MESSAGES_PATH, MESSAGES_REQUEST).await;
    let mut received = Vec::new();
    let error = loop {
        match within("a frame", response.body_mut().frame()).await {
            Some(Ok(frame)) => received.extend_from_slice(frame.data_ref().unwrap()),
            other => break other,
        }
    };
    assert!(matches!(error, Some(Err(_))), "no clean end");
    assert_eq!(received, MESSAGE_START.as_bytes());
    assert_eq!(app.ended().await["outcome"], "upstream_error");
}
