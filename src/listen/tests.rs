use std::convert::Infallible;
use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::*;

const BOUND: Duration = Duration::from_secs(20);

fn limits(connections: usize, head: Duration) -> Limits {
    Limits {
        connections,
        streams: 8,
        head,
        drain: Duration::from_millis(50),
        dates: Dates::Ours,
    }
}

/// A port that answers `yes`, and `full` to those that are too many; stops when the sender is dropped.
async fn port(limits: Limits) -> (SocketAddr, watch::Sender<()>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, mut stopped) = watch::channel(());
    let say = |status: u16, text: &'static str| {
        let response = Response::builder().status(status);
        response.body(Full::new(Bytes::from(text))).unwrap()
    };
    let shutdown = async move { while stopped.changed().await.is_ok() {} };
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(
        Port::new(listener, None),
        limits,
        service_fn(move |_| std::future::ready(Ok::<_, Infallible>(say(200, "yes")))),
        move || say(503, "full"),
        shutdown,
        std::future::ready(()),
    ));
    (address, stop, tasks)
}

async fn ask(stream: &mut TcpStream) -> String {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(BOUND, stream.read(&mut answer));
    let length = read.await.unwrap().unwrap();
    String::from_utf8(answer[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn who_is_too_many_is_told_and_who_comes_later_is_served() {
    let (address, _stop, _tasks) = port(limits(2, BOUND)).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
        open.push(stream);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    let answer = ask(&mut third).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("connection: close"),
        "{answer}"
    );
    // The others go on, and one that leaves makes room.
    assert!(ask(&mut open[0]).await.starts_with("HTTP/1.1 200"));
    drop(open);
    let served = async {
        loop {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if ask(&mut stream).await.starts_with("HTTP/1.1 200") {
                return;
            }
        }
    };
    tokio::time::timeout(BOUND, served).await.unwrap();
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let (address, _stop, _tasks) = port(limits(2, Duration::from_millis(50))).await;
    for begun in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nx: "] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::time::timeout(BOUND, stream.read_to_end(&mut rest));
        read.await.unwrap().unwrap();
        let said = String::from_utf8(rest).unwrap();
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (address, _stop, _tasks) = port(limits(2, BOUND)).await;
    let many = "x: y\r\n".repeat(101);
    let long = format!("x: {}\r\n", "y".repeat(500_000));
    for fields in [many, long] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nhost: x\r\n{fields}\r\n");
        // It may be refused before it is there.
        drop(stream.write_all(head.as_bytes()).await);
        let mut answer = [0; 16];
        let read = tokio::time::timeout(BOUND, stream.read(&mut answer));
        if let Ok(length @ 1..) = read.await.unwrap() {
            assert!(answer[..length].starts_with(b"HTTP/1.1 431"), "{answer:?}");
        }
    }
}

/// The same over HTTP/2, where fields are compressed: one byte may stand for kilobytes.
#[tokio::test]
async fn a_head_that_is_too_large_is_refused_over_http_2() {
    use hyper::client::conn::http2::handshake;
    let (address, _stop, mut tasks) = port(limits(2, BOUND)).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tasks.spawn(async move { drop(connection.await) });
    let mut ask = async |count: usize, value: String| {
        let mut request = Request::get(format!("http://{address}/"));
        for _ in 0..count {
            request = request.header("x", &value);
        }
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let answer = tokio::time::timeout(BOUND, sender.send_request(request));
        answer.await.unwrap().map(|answer| answer.status().as_u16()).ok()
    };
    // As much as programs send, and more than that.
    assert_eq!(ask(1, "y".repeat(12_000)).await, Some(200));
    assert_eq!(ask(100, "y".repeat(80)).await, Some(200));
    assert_ne!(ask(1, "y".repeat(500_000)).await, Some(200));
    assert_ne!(ask(2_000, "y".repeat(200)).await, Some(200));
}

#[tokio::test]
async fn who_is_still_there_does_not_keep_it_from_stopping() {
    let (address, stop, mut tasks) = port(limits(2, BOUND)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    drop(stop);
    tokio::time::timeout(BOUND, tasks.join_next()).await.unwrap();
}

#[test]
fn descriptors_are_enough_for_all_connections() {
    for descriptors in [256, 1024, 4096, 65_536] {
        let (proxy, dashboard) = shares(descriptors);
        assert!(2 * proxy + dashboard + RESERVE <= descriptors, "{descriptors}");
    }
    assert_eq!(shares(65_536), (8192, 512));
    assert_eq!(shares(20), (FEWEST, FEWEST));
}
