//! Whether any byte of a reply is later because the call's text is kept, and counted where no usage comes.
//!
//! `cargo bench --bench lateness` runs the proxy four times in one process, and sends the same streams through each
//! in turn: without estimates (twice, which shows how much is chance), with them and usage that comes, and with them
//! and none, so that the streams before are being counted while others pass.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a table is what this prints"
)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use moonlock::app::App;
use moonlock::config::{Environment, Flags, Settings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Events of a stream, and how long the provider takes from one to the next.
const EVENTS: usize = 100;
const GAP: Duration = Duration::from_millis(2);
/// Streams at a time, and how often each program gets as many.
const STREAMS: usize = 4;
const ROUNDS: usize = 40;

/// When each event of each stream was sent.
type Sent = Arc<Mutex<HashMap<usize, Vec<Instant>>>>;

fn event(at: usize) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-4o\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word{at}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

/// A provider: sends a stream to each request, with usage or without, as the request's path says.
async fn provide(mut stream: TcpStream, sent: Sent) {
    stream.set_nodelay(true).unwrap();
    let mut request = Vec::new();
    loop {
        request.clear();
        let (number, has_usage) = loop {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
            let text = String::from_utf8_lossy(&request);
            if let Some(number) = text
                .split("\"user\":\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                && request.ends_with(b"}")
            {
                break (
                    number.parse::<usize>().unwrap(),
                    text.contains("include_usage\":true"),
                );
            }
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut stamps = Vec::with_capacity(EVENTS);
        for at in 0..EVENTS {
            let event = event(at);
            let chunk = format!("{:x}\r\n{event}\r\n", event.len());
            stamps.push(Instant::now());
            stream.write_all(chunk.as_bytes()).await.unwrap();
            tokio::time::sleep(GAP).await;
        }
        sent.lock().unwrap().insert(number, stamps);
        let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":100}}\n\n";
        let done = "data: [DONE]\n\n";
        let last = if has_usage {
            format!("{usage}{done}")
        } else {
            done.to_owned()
        };
        let end = format!("{:x}\r\n{last}\r\n0\r\n\r\n", last.len());
        stream.write_all(end.as_bytes()).await.unwrap();
    }
}

/// Asks for a stream; when it asked, and when each event had come.
async fn ask(proxy: SocketAddr, number: usize, wants_usage: bool) -> (Instant, Vec<Instant>) {
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let body = format!(
        "{{\"model\":\"gpt-4o\",\"user\":\"{number}\",\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}}],\"stream\":true,\"stream_options\":{{\"include_usage\":{wants_usage}}}}}",
        "word ".repeat(500)
    );
    let head = format!(
        "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let begin = Instant::now();
    stream.write_all([head, body].concat().as_bytes()).await.unwrap();
    let (mut got, mut seen) = (Vec::new(), 0);
    let mut stamps = Vec::with_capacity(EVENTS);
    while !got.ends_with(b"0\r\n\r\n") {
        if stream.read_buf(&mut got).await.unwrap() == 0 {
            break;
        }
        let now = Instant::now();
        while let Some(at) = memchr::memmem::find(&got[seen..], b"\n\n") {
            seen += at + 2;
            stamps.push(now);
        }
    }
    stamps.truncate(EVENTS);
    (begin, stamps)
}

/// A program, and what was measured of it, in microseconds.
struct Arm {
    name: &'static str,
    wants_usage: bool,
    proxy: SocketAddr,
    first: Vec<f64>,
    age: Vec<f64>,
    shift: Vec<f64>,
}

async fn start(home: &TempDir, upstream: SocketAddr, name: &str, enabled: bool) -> App {
    let config = home.path().join(format!("{name}.toml"));
    let database = home.path().join(format!("{name}.db"));
    std::fs::write(&config, format!("[estimates]\nenabled = {enabled}\n")).unwrap();
    let upstream = format!("http://{upstream}");
    let environment = Environment::from_pairs([
        ("PORT", "0"),
        ("PROXY_PORT", "0"),
        ("MOONLOCK_CONFIG", config.to_str().unwrap()),
        ("DB_PATH", database.to_str().unwrap()),
        ("MOONLOCK_UPSTREAM_OPENAI", &upstream),
    ]);
    let settings = Settings::load(&environment, &Flags::default()).unwrap();
    App::start(settings).await.unwrap()
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let sent = Sent::default();
    let mut tasks = JoinSet::new();
    let provided = Arc::clone(&sent);
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(provide(stream, Arc::clone(&provided)));
        }
    });
    let home = tempfile::tempdir().unwrap();
    let (mut arms, mut apps) = (Vec::new(), Vec::new());
    for (at, (name, enabled, wants_usage)) in [
        ("without", false, true),
        ("without, again", false, true),
        ("kept", true, true),
        ("kept and counted", true, false),
    ]
    .into_iter()
    .enumerate()
    {
        let app = start(&home, upstream, &at.to_string(), enabled).await;
        arms.push(Arm {
            name,
            wants_usage,
            proxy: app.proxy(),
            first: Vec::new(),
            age: Vec::new(),
            shift: Vec::new(),
        });
        apps.push(app);
    }
    let mut number = 0;
    // The first round warms up.
    for round in 0..=ROUNDS {
        let count = arms.len();
        for turn in 0..count {
            let arm = &mut arms[(turn + round) % count];
            let mut streams = JoinSet::new();
            for _ in 0..STREAMS {
                number += 1;
                let (proxy, wants_usage, mine) = (arm.proxy, arm.wants_usage, number);
                streams.spawn(async move { (mine, ask(proxy, mine, wants_usage).await) });
            }
            while let Some(stream) = streams.join_next().await {
                let (number, (begin, came)) = stream.unwrap();
                let sent = sent.lock().unwrap().remove(&number).unwrap();
                assert_eq!(came.len(), sent.len());
                if round == 0 {
                    continue;
                }
                arm.first.push(micros(came[0] - begin));
                let ages: Vec<f64> = sent
                    .iter()
                    .zip(&came)
                    .map(|(sent, came)| micros(*came - *sent))
                    .collect();
                // How much further two events are apart, or less far, than they were sent.
                arm.shift
                    .extend(ages.windows(2).map(|pair| (pair[1] - pair[0]).abs()));
                arm.age.extend(ages);
            }
        }
    }
    println!(
        "{:<18} {:>7} | {:>9} {:>9} | {:>9} {:>9} {:>9} | {:>9} {:>9}  microseconds, and over the first line",
        "", "events", "first p50", "p99", "age p50", "p99", "max", "gap± p50", "p99"
    );
    let mut base: Option<Vec<f64>> = None;
    for arm in &mut arms {
        for values in [&mut arm.first, &mut arm.age, &mut arm.shift] {
            values.sort_by(f64::total_cmp);
        }
        let figures = vec![
            quantile(&arm.first, 0.5),
            quantile(&arm.first, 0.99),
            quantile(&arm.age, 0.5),
            quantile(&arm.age, 0.99),
            quantile(&arm.age, 1.0),
            quantile(&arm.shift, 0.5),
            quantile(&arm.shift, 0.99),
        ];
        let base = base.get_or_insert_with(|| figures.clone());
        let line = |of: &dyn Fn(usize) -> String| {
            let texts: Vec<String> = (0..figures.len()).map(of).collect();
            format!(
                "{:>9} {:>9} | {:>9} {:>9} {:>9} | {:>9} {:>9}",
                texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6]
            )
        };
        println!(
            "{:<18} {:>7} | {}",
            arm.name,
            arm.age.len(),
            line(&|at| format!("{:.0}", figures[at]))
        );
        println!(
            "{:<18} {:>7} | {}",
            "",
            "",
            line(&|at| format!("{:.2}x", figures[at] / base[at]))
        );
    }
    for app in apps {
        app.stop().await;
    }
}
