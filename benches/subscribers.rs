//! How late an event is at a hundred WebSocket clients, with one among them that takes nothing.
//!
//! `cargo bench --bench subscribers` starts the program in this process and makes 1,000 events a second, each the start
//! or the end of a call that is stored as usual, for a minute (`-- --seconds N`). Times are by one clock: from the
//! engine being told until a client has the whole message, all on the same processors.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a table is what this prints"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use moonlock::app::App;
use moonlock::config::{Environment, Flags, Settings};
use moonlock::domain::call::{CallEnd, CallStart, Outcome, Source};
use moonlock::domain::estimate::Intervals;
use moonlock::domain::ids::CallId;
use moonlock::domain::operation::Operation;
use moonlock::domain::units::{Millis, Timestamp, Tokens};
use moonlock::domain::usage::parts::Parts;
use moonlock::domain::wire::{Change, Event, ServerMessage};
use moonlock::engine::stream::Wanted;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const SUBSCRIBERS: usize = 100;
/// From one event to the next.
const GAP: Duration = Duration::from_millis(1);
/// How long the last events may take.
const LAST: Duration = Duration::from_secs(10);
/// Lateness is counted in steps of so many microseconds, up to so many steps.
const STEP: u64 = 10;
const STEPS: usize = 100_000;

/// When each event was made, in nanoseconds since the start; and how late it was, in steps.
struct Measured {
    epoch: Instant,
    made: Vec<AtomicU64>,
    late: Vec<AtomicU64>,
    /// How many came in place of events.
    snapshots: AtomicU64,
}

impl Measured {
    fn nanos(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap()
    }

    /// A client has that event.
    fn arrived(&self, event: usize) {
        let late = self.nanos() - self.made[event].load(Ordering::Acquire);
        let step = usize::try_from(late / 1_000 / STEP).unwrap().min(STEPS - 1);
        self.late[step].fetch_add(1, Ordering::Relaxed);
    }

    /// What that share of all arrivals is not later than, in milliseconds.
    fn quantile(&self, share: f64) -> f64 {
        let all: u64 = self.late.iter().map(|step| step.load(Ordering::Relaxed)).sum();
        let wanted = (all as f64 * share) as u64;
        let mut seen = 0;
        let step = self.late.iter().position(|step| {
            seen += step.load(Ordering::Relaxed);
            seen > wanted
        });
        (step.unwrap_or(STEPS) as u64 * STEP) as f64 / 1_000.0
    }
}

type Socket = WebSocketStream<TcpStream>;

/// Subscribes to everything, and waits for the snapshot.
async fn subscribe(stream: TcpStream, dashboard: SocketAddr) -> Socket {
    let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://{dashboard}/ws"), stream)
        .await
        .unwrap();
    let all = r#"{"type":"subscribe","sessions":["*"]}"#;
    socket.send(Message::text(all)).await.unwrap();
    while let Some(message) = socket.next().await {
        if matches!(&message.unwrap(), Message::Text(text) if text.contains("\"snapshot\"")) {
            break;
        }
    }
    socket
}

/// Which event a message is: its call's number is in the last bytes of the call's id.
fn event(text: &str) -> Option<usize> {
    let is_end = text.contains("\"kind\":\"call.finished\"");
    if !is_end && !text.contains("\"kind\":\"call.started\"") {
        return None;
    }
    let (_, id) = text.split_once("\"id\":\"")?;
    let call = usize::from_str_radix(id.get(24..36)?, 16).ok()?;
    Some(2 * call + usize::from(is_end))
}

/// Reads until it has the last event.
async fn follow(mut socket: Socket, measured: Arc<Measured>) {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        match event(&text) {
            Some(event) => {
                measured.arrived(event);
                if event + 1 == measured.made.len() {
                    break;
                }
            }
            None if text.contains("\"type\":\"snapshot\"") => {
                measured.snapshots.fetch_add(1, Ordering::Relaxed);
            }
            None => {}
        }
    }
}

fn id(call: usize, at: Timestamp) -> CallId {
    let mut rest = [0; 10];
    rest[2..].copy_from_slice(&(call as u64).to_be_bytes());
    let millis = u64::try_from(at.0).unwrap();
    CallId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}

fn start(id: CallId, at: Timestamp) -> CallStart {
    CallStart {
        id,
        started_at: at,
        provider: "openai".into(),
        price_provider: Some("openai".into()),
        operation: Operation::ChatCompletions,
        request_model: Some("gpt-4o-mini".into()),
        conversation: None,
        agent: None,
        client: Some("bench".into()),
        asked: None,
    }
}

fn end() -> CallEnd {
    CallEnd {
        outcome: Outcome::Complete,
        status: Some(200),
        model: Some("gpt-4o-mini".into()),
        parts: Parts {
            input: Some(Tokens(900)),
            output: Some(Tokens(100)),
            ..Parts::default()
        },
        source: Some(Source::Exact),
        estimate: Intervals::default(),
        raw_usage: None,
        request_id: None,
        error: None,
        streamed: false,
        ttft: None,
        duration: Millis(1),
    }
}

/// Makes the events, one after the other.
async fn make(app: &App, measured: &Measured) {
    let mut ticks = tokio::time::interval(GAP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut running = None;
    for (event, made) in measured.made.iter().enumerate() {
        ticks.tick().await;
        made.store(measured.nanos(), Ordering::Release);
        match running.take() {
            Some(id) => drop(app.engine().call_ended(id, end().into())),
            None => {
                let at = app.engine().now().wall;
                let id = id(event / 2, at);
                app.engine().call_started(start(id, at));
                running = Some(id);
            }
        }
    }
}

/// A figure of this process in megabytes, by Linux's name for it (proc_pid_status(5)).
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// What it takes to write an event of a call's end as text, which is done once for all clients: bytes and microseconds.
async fn writing(app: &App) -> (usize, f64) {
    const TIMES: u32 = 20_000;
    let snapshot = app.engine().snapshot(Wanted::All).await.unwrap();
    let event = Event {
        seq: snapshot.seq,
        at: snapshot.at,
        session_id: None,
        change: Change::CallFinished {
            call: snapshot.calls[0].clone(),
            totals: snapshot.unassigned,
        },
    };
    let message = ServerMessage::Event(Box::new(event));
    let mut bytes = 0;
    let began = Instant::now();
    for _ in 0..TIMES {
        bytes = std::hint::black_box(serde_json::to_vec(&message).unwrap()).len();
    }
    (bytes, began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES))
}

async fn run(seconds: usize) {
    let home = tempfile::tempdir().unwrap();
    let database = home.path().join("moonlock.db");
    let environment = Environment::from_pairs([
        ("PORT", "0"),
        ("PROXY_PORT", "0"),
        ("DB_PATH", database.to_str().unwrap()),
        ("MOONLOCK_CONFIG", ""),
    ]);
    let app = App::start(Settings::load(&environment, &Flags::default()).unwrap())
        .await
        .unwrap();
    let zeroes = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
    let measured = Arc::new(Measured {
        epoch: Instant::now(),
        made: zeroes(seconds * 1_000),
        late: zeroes(STEPS),
        snapshots: AtomicU64::new(0),
    });
    let alone = memory("VmRSS:");
    let stuck = TcpSocket::new_v4().unwrap();
    stuck.set_recv_buffer_size(4_096).unwrap();
    let stuck = stuck.connect(app.dashboard()).await.unwrap();
    let stuck = subscribe(stuck, app.dashboard()).await;
    let mut clients = JoinSet::new();
    for _ in 0..SUBSCRIBERS {
        let stream = TcpStream::connect(app.dashboard()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let socket = subscribe(stream, app.dashboard()).await;
        clients.spawn(follow(socket, Arc::clone(&measured)));
    }
    let connected = memory("VmRSS:");
    let began = Instant::now();
    make(&app, &measured).await;
    let rate = measured.made.len() as f64 / began.elapsed().as_secs_f64();
    // Who fell so far behind that a snapshot took the place of the last event waits for nothing.
    tokio::time::timeout(LAST, async { while clients.join_next().await.is_some() {} })
        .await
        .ok();
    let snapshots = measured.snapshots.load(Ordering::Relaxed);
    let arrived: u64 = measured
        .late
        .iter()
        .map(|step| step.load(Ordering::Relaxed))
        .sum();
    let expected = measured.made.len() * SUBSCRIBERS;
    drop(stuck);
    println!("| {SUBSCRIBERS} clients that read, 1 that does not | |\n|---|---|");
    println!("| events a second | {rate:.0} |");
    println!("| arrived, of | {arrived} of {expected} |");
    println!("| snapshots in place of events | {snapshots} |");
    println!(
        "| delivery p50 / p99 / p99.9, ms | {:.2} / {:.2} / {:.2} |",
        measured.quantile(0.5),
        measured.quantile(0.99),
        measured.quantile(0.999)
    );
    println!(
        "| memory alone / with all clients / at most, MB, both ends | {alone:.1} / {connected:.1} / {:.1} |",
        memory("VmHWM:")
    );
    let (bytes, micros) = writing(&app).await;
    println!("| an event's text: bytes, µs | {bytes}, {micros:.1} |");
    app.stop().await;
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds = arguments.iter().position(|argument| argument == "--seconds");
    let seconds = seconds
        .and_then(|at| arguments.get(at + 1)?.parse().ok())
        .unwrap_or(60);
    tokio::runtime::Runtime::new().unwrap().block_on(run(seconds));
}
