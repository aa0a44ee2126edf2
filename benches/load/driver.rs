//! The clients: connections that are kept, each with one request after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::provider::{Load, STAMP, now};

/// What the clients saw, in microseconds.
#[derive(Default)]
pub(crate) struct Seen {
    /// From the request to the reply's end.
    pub(crate) whole: Vec<f64>,
    /// From the request to the reply's first byte.
    pub(crate) first: Vec<f64>,
    /// From an event's being sent to its being here.
    pub(crate) ages: Vec<f64>,
    pub(crate) took: Duration,
}

impl Seen {
    pub(crate) fn merge(&mut self, other: Self) {
        self.whole.extend(other.whole);
        self.first.extend(other.first);
        self.ages.extend(other.ages);
        self.took += other.took;
    }
}

/// Sends `count` requests over `clients` connections.
pub(crate) async fn drive(address: SocketAddr, load: Load, clients: usize, count: usize) -> Seen {
    let request: Arc<[u8]> = load.request().into();
    let left = Arc::new(AtomicUsize::new(count));
    let mut streams = Vec::with_capacity(clients);
    for _ in 0..clients {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option of a socket");
        streams.push(stream);
    }
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for stream in streams {
        tasks.spawn(client(stream, Arc::clone(&request), Arc::clone(&left)));
    }
    let mut seen = Seen::default();
    while let Some(one) = tasks.join_next().await {
        seen.merge(one.expect("a client that did not fail"));
    }
    seen.took = began.elapsed();
    assert_eq!(seen.whole.len(), count, "every request has its reply");
    seen
}

async fn client(mut stream: TcpStream, request: Arc<[u8]>, left: Arc<AtomicUsize>) -> Seen {
    let mut seen = Seen::default();
    let mut got = Vec::with_capacity(64 << 10);
    let micros = |since: Instant| since.elapsed().as_secs_f64() * 1e6;
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
        .is_ok()
    {
        got.clear();
        let began = Instant::now();
        stream
            .write_all(&request)
            .await
            .expect("the proxy takes the request");
        let (mut whole, mut looked) = (None, 0);
        loop {
            let count = stream.read_buf(&mut got).await.expect("the proxy answers");
            assert!(count > 0, "the proxy closed: {}", String::from_utf8_lossy(&got));
            if got.len() == count {
                seen.first.push(micros(began));
            }
            let came = now();
            while let Some(at) = memmem::find(&got[looked..], STAMP) {
                let digits = looked + at + STAMP.len();
                let Some(stamp) = got.get(digits..digits + 15) else {
                    break;
                };
                // A proxy that makes its own chunks may part the digits: that event's age is not known.
                let sent = std::str::from_utf8(stamp)
                    .ok()
                    .and_then(|stamp| stamp.parse::<u64>().ok());
                seen.ages
                    .extend(sent.map(|sent| came.saturating_sub(sent) as f64 / 1e3));
                looked = digits + 15;
            }
            whole = whole.or_else(|| Length::of(&got));
            if whole.as_ref().is_some_and(|length| length.is_reached(&got)) {
                break;
            }
        }
        seen.whole.push(micros(began));
    }
    seen
}

/// Where a reply ends.
enum Length {
    Bytes(usize),
    LastChunk,
}

impl Length {
    /// As the head says, once it is whole.
    fn of(got: &[u8]) -> Option<Self> {
        let head = memmem::find(got, b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&got[..head]).to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200"), "{text}");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        Some(length.map_or(Self::LastChunk, |length| {
            Self::Bytes(head + length.trim().parse::<usize>().expect("a length"))
        }))
    }

    fn is_reached(&self, got: &[u8]) -> bool {
        match self {
            Self::Bytes(length) => got.len() >= *length,
            Self::LastChunk => got.ends_with(b"\r\n0\r\n\r\n"),
        }
    }
}
