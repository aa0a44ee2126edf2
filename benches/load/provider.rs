//! A provider that answers at once, or event by event, as the request's header `x-load` says.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What is asked and what is answered.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    /// A request of so many bytes, a whole reply of so many.
    Plain { request: usize, reply: usize },
    /// A stream of so many events, so long apart.
    Stream { events: usize, gap: Duration },
}

impl Load {
    /// The value of `x-load`.
    fn label(self) -> String {
        match self {
            Self::Plain { reply, .. } => format!("plain {reply} 0"),
            Self::Stream { events, gap } => format!("stream {events} {}", gap.as_micros()),
        }
    }

    /// The request's bytes.
    pub(crate) fn request(self) -> Vec<u8> {
        let (length, streams) = match self {
            Self::Plain { request, .. } => (request, "false"),
            Self::Stream { .. } => (600, "true,\"stream_options\":{\"include_usage\":true}"),
        };
        let text = "word ".repeat(length.saturating_sub(120) / 5);
        let body = format!(
            "{{\"model\":\"gpt-4o\",\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}],\"stream\":{streams}}}"
        );
        format!(
            "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nx-load: {}\r\nauthorization: Bearer sk-none\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.label(),
            body.len()
        )
        .into_bytes()
    }
}

/// Nanoseconds since the first call of this: when an event was sent, and when it came.
pub(crate) fn now() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// What stands before the time in an event, which has 15 digits.
pub(crate) const STAMP: &[u8] = b"\"sent\":\"";

/// Answers until it is dropped.
pub(crate) async fn provide(listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream));
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(mut stream: TcpStream) {
    drop(stream.set_nodelay(true));
    let mut got = Vec::with_capacity(8 << 10);
    while let Some(label) = next_request(&mut stream, &mut got).await {
        let mut words = label.split(' ');
        let kind = words.next().unwrap_or_default();
        let mut number = || {
            words
                .next()
                .and_then(|word| word.parse::<u64>().ok())
                .unwrap_or(0)
        };
        let (count, gap) = (number() as usize, Duration::from_micros(number()));
        let sent = match kind {
            "plain" => stream.write_all(&plain(count)).await,
            _ => send_events(&mut stream, count, gap).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Reads a request to its end; gives its `x-load`.
async fn next_request(stream: &mut TcpStream, got: &mut Vec<u8>) -> Option<String> {
    got.clear();
    let head = loop {
        if stream.read_buf(got).await.unwrap_or(0) == 0 {
            return None;
        }
        if let Some(end) = memmem::find(got, b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&got[..head]).to_ascii_lowercase();
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    let label = field("x-load:").unwrap_or_default().to_owned();
    if let Some(length) = field("content-length:").and_then(|length| length.parse::<usize>().ok()) {
        let mut left = length.saturating_sub(got.len() - head);
        while left > 0 {
            got.clear();
            let count = stream.read_buf(got).await.unwrap_or(0);
            if count == 0 {
                return None;
            }
            left = left.saturating_sub(count);
        }
    } else {
        while !got.ends_with(b"0\r\n\r\n") {
            if stream.read_buf(got).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
    Some(label)
}

fn plain(length: usize) -> Vec<u8> {
    let body = format!(
        "{{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion\",\"created\":1790000000,\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"{}\"}},\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":120,\"completion_tokens\":400,\"total_tokens\":520,\"prompt_tokens_details\":{{\"cached_tokens\":20}},\"completion_tokens_details\":{{\"reasoning_tokens\":0}}}}}}",
        now(),
        "word ".repeat(length.saturating_sub(380) / 5)
    );
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn send_events(stream: &mut TcpStream, events: usize, gap: Duration) -> std::io::Result<()> {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await?;
    let id = now();
    let chunk = |event: String| format!("{:x}\r\n{event}\r\n", event.len());
    for _ in 0..events {
        let event = format!(
            "data: {{\"id\":\"chatcmpl-{id}\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-4o-2024-08-06\",\"sent\":\"{:015}\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word\"}},\"finish_reason\":null}}]}}\n\n",
            now()
        );
        stream.write_all(chunk(event).as_bytes()).await?;
        if gap.is_zero() {
            // As a provider's own network would: one event is one piece, not all of them.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(gap).await;
        }
    }
    let usage = format!(
        "data: {{\"id\":\"chatcmpl-{id}\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-2024-08-06\",\"choices\":[],\"usage\":{{\"prompt_tokens\":120,\"completion_tokens\":{events},\"total_tokens\":{}}}}}\n\n",
        events + 120
    );
    let end = format!(
        "{}{}0\r\n\r\n",
        chunk(usage),
        chunk("data: [DONE]\n\n".to_owned())
    );
    stream.write_all(end.as_bytes()).await
}
