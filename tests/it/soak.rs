//! Everything at once for a long time: streams that run for minutes, short calls beside them, a dashboard, and every fault at
//! random. Memory and descriptors stay what they were, each call is a row that says how it ended, and the sums are the rows'.
//!
//! It runs for some seconds with the other tests, and for as many minutes as `MOONLOCK_SOAK_MINUTES` says by hand:
//! `MOONLOCK_SOAK_MINUTES=60 cargo test --test it soak -- --nocapture`.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::support::app::home_with;
use crate::support::bodies::{
    ASKING_REQUEST, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, MESSAGE_START, MESSAGE_TEXT, MESSAGES_PATH,
    MESSAGES_REQUEST,
};
use crate::support::client::{Client, post_with};
use crate::support::http::Message;
use crate::support::program::{Program, command};
use crate::support::upstream::{Gate, Script, Upstream};
use crate::support::within;

/// How much of everything there is.
#[derive(Clone, Copy)]
struct Plan {
    takes: Duration,
    /// How long nothing happens after it, before what is left is looked at.
    rests: Duration,
    /// Streams that run at a time.
    streams: usize,
    /// From one event of such a stream to the next, and how many it has at least; up to four times as many.
    gap: Duration,
    events: u64,
    /// The longest pause between two short calls of a client.
    pause_ms: u64,
}

impl Plan {
    fn of_environment() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test's own variable, not a setting of the program"
        )]
        let minutes = std::env::var("MOONLOCK_SOAK_MINUTES").ok();
        match minutes.and_then(|minutes| minutes.parse::<f64>().ok()) {
            Some(minutes) => Self {
                takes: Duration::from_secs_f64(minutes * 60.0),
                rests: Duration::from_secs_f64(minutes * 2.0),
                streams: 500,
                gap: Duration::from_secs(1),
                events: 30,
                pause_ms: 200,
            },
            None => Self {
                takes: Duration::from_secs(12),
                rests: Duration::ZERO,
                streams: 60,
                gap: Duration::from_millis(100),
                events: 10,
                pause_ms: 100,
            },
        }
    }
}

/// A kind of call: what it sends, how often among a hundred, and how its row ends.
struct Kind {
    name: &'static str,
    share: u64,
    path: &'static str,
    request: &'static str,
    outcome: &'static str,
}

const fn kind(
    name: &'static str,
    share: u64,
    (path, request): (&'static str, &'static str),
    outcome: &'static str,
) -> Kind {
    Kind {
        name,
        share,
        path,
        request,
        outcome,
    }
}

const WHOLE: (&str, &str) = (CHAT_PATH, CHAT_REQUEST);
const STREAM: (&str, &str) = (CHAT_PATH, ASKING_REQUEST);
const MESSAGES: (&str, &str) = (MESSAGES_PATH, MESSAGES_REQUEST);

const LONG: Kind = kind("long", 0, STREAM, "complete");
const LEFT: Kind = kind("left", 0, STREAM, "client_aborted");
const KINDS: [Kind; 12] = [
    kind("whole", 30, WHOLE, "complete"),
    kind("stream", 20, STREAM, "complete"),
    kind("messages", 20, MESSAGES, "complete"),
    kind("uncounted", 5, STREAM, "complete"),
    kind("refusal", 3, WHOLE, "upstream_error"),
    kind("failure", 3, WHOLE, "upstream_error"),
    kind("garbage", 3, WHOLE, "complete"),
    kind("half a head", 3, WHOLE, "upstream_error"),
    kind("reset", 3, STREAM, "upstream_error"),
    kind("short", 3, WHOLE, "upstream_error"),
    kind("left", 4, STREAM, "client_aborted"),
    kind(
        "refused",
        3,
        ("/refused/v1/chat/completions", CHAT_REQUEST),
        "upstream_error",
    ),
];

/// One of them, as often as their shares say.
fn any_kind() -> &'static Kind {
    let mut left = fastrand::u64(..KINDS.iter().map(|kind| kind.share).sum::<u64>());
    for kind in &KINDS {
        match left.checked_sub(kind.share) {
            Some(rest) => left = rest,
            None => return kind,
        }
    }
    &KINDS[0]
}

const fn tokens(n: u64) -> (u64, u64) {
    (n % 1_000 + 1, n % 700 + 2)
}

const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"some words of a reply \"}}]}\n\n";

/// The provider: `x-kind` says how it answers, `x-n` with which numbers.
fn answer(request: &Message, gap: Duration) -> Script {
    let number = |name: &str| request.head.get(name).and_then(|text| text.parse::<u64>().ok());
    let (input, output) = tokens(number("x-n").unwrap_or(0));
    let usage = format!("{{\"prompt_tokens\":{input},\"completion_tokens\":{output}}}");
    let last = format!("data: {{\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n");
    let begun = || {
        Script::new()
            .head(&format!("{EVENTS}\ntransfer-encoding: chunked"))
            .chunk(TEXT)
    };
    let body = format!("{{\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}");
    match request.head.get("x-kind").unwrap_or_default() {
        "stream" => Script::chunked(EVENTS, [TEXT, TEXT, &last]),
        "long" => {
            let events = number("x-events").unwrap_or(0);
            (0..events)
                .fold(begun(), |script, _| script.pause(gap).chunk(TEXT))
                .chunk(last)
                .end()
        }
        "messages" => {
            let start = MESSAGE_START.replace(":100", ":0").replace(":20", ":0");
            let start = start.replace("\"input_tokens\":5", &format!("\"input_tokens\":{input}"));
            let end = format!(
                "data: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}},\"usage\":{{\"output_tokens\":{output}}}}}\n\n"
            );
            let stop = "data: {\"type\":\"message_stop\"}\n\n";
            Script::chunked(EVENTS, [&start, MESSAGE_TEXT, &end, stop])
        }
        "uncounted" => Script::chunked(EVENTS, [TEXT, TEXT, "data: [DONE]\n\n"]),
        "refusal" => Script::sized("429 Too Many Requests\nretry-after: 1", "{\"error\":{}}"),
        "failure" => Script::sized("500 Oh\ncontent-type: text/html", "<p>no</p>"),
        "garbage" => Script::sized(JSON, "{\"choices\": [1, {\"usage\""),
        "half a head" => Script::new().send("HTTP/1.1 200 OK\r\ncontent-ty").close(),
        "reset" => begun().reset(),
        "short" => Script::new()
            .head(&format!("{JSON}\ncontent-length: 5000"))
            .send("{\"model\":\"m\",")
            .close(),
        "left" => begun().until_closed(&Gate::new()),
        _ => Script::sized(JSON, body),
    }
}

/// What was sent, and how it must have ended.
#[derive(Default)]
struct Sent {
    next: AtomicU64,
    running: AtomicUsize,
    most_running: AtomicUsize,
    outcomes: Mutex<BTreeMap<String, u64>>,
    /// Of the calls whose provider said how many.
    tokens: AtomicU64,
    /// Faults of the machine and of strangers, by name.
    faults: Mutex<BTreeMap<&'static str, u64>>,
}

impl Sent {
    fn fault(&self, name: &'static str) {
        *self.faults.lock().unwrap().entry(name).or_default() += 1;
    }
}

/// One call to its end. The connection is kept where it can be.
async fn call(kept: &mut Option<Client>, proxy: SocketAddr, kind: &Kind, events: u64, sent: &Sent) {
    let n = sent.next.fetch_add(1, Ordering::Relaxed);
    let mut client = match kept.take() {
        Some(client) => client,
        None => Client::connect(proxy).await,
    };
    let running = sent.running.fetch_add(1, Ordering::Relaxed) + 1;
    sent.most_running.fetch_max(running, Ordering::Relaxed);
    // As many conversations as a busy day has.
    let fields = format!(
        "x-kind: {}\nx-n: {n}\nx-events: {events}\nsession_id: c{}",
        kind.name,
        n % 200
    );
    client.send(post_with(kind.path, &fields, kind.request)).await;
    let mut reply = client.head("POST").await;
    loop {
        let length = reply.body.len();
        client.body_to(&mut reply, length + 1).await;
        if reply.whole || reply.body.len() == length || kind.name == "left" {
            break;
        }
    }
    sent.running.fetch_sub(1, Ordering::Relaxed);
    let is_whole = !matches!(kind.name, "reset" | "short" | "left");
    assert_eq!(reply.whole, is_whole, "{}: {}", kind.name, reply.head.line);
    *sent
        .outcomes
        .lock()
        .unwrap()
        .entry(kind.outcome.to_owned())
        .or_default() += 1;
    if matches!(kind.name, "whole" | "stream" | "messages" | "long") {
        let (input, output) = tokens(n);
        sent.tokens.fetch_add(input + output, Ordering::Relaxed);
    }
    if is_whole {
        *kept = Some(client);
    }
}

async fn pause(most_ms: u64) {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(..=most_ms))).await;
}

/// One stream after the other, each of its own length; some are left in the middle.
async fn streams(proxy: SocketAddr, plan: Plan, until: Instant, sent: Arc<Sent>) {
    let mut client = None;
    pause(u64::try_from(plan.gap.as_millis()).unwrap() * plan.events).await;
    while Instant::now() < until {
        let kind = if fastrand::u8(..10) == 0 { &LEFT } else { &LONG };
        let events = fastrand::u64(plan.events..4 * plan.events);
        call(&mut client, proxy, kind, events, &sent).await;
    }
}

async fn short_calls(proxy: SocketAddr, plan: Plan, until: Instant, sent: Arc<Sent>) {
    let mut client = None;
    while Instant::now() < until {
        call(&mut client, proxy, any_kind(), 0, &sent).await;
        pause(plan.pause_ms).await;
    }
}

/// A page that is opened, looked at and closed; some never read what they are told.
async fn dashboard(here: SocketAddr, plan: Plan, until: Instant) {
    while Instant::now() < until {
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{here}/ws"))
            .await
            .unwrap();
        socket
            .send(Frame::text(r#"{"type":"subscribe","sessions":["*"]}"#))
            .await
            .unwrap();
        let messages = fastrand::u64(..2_000);
        for _ in 0..messages {
            if within("a message", socket.next()).await.is_none() || Instant::now() > until {
                break;
            }
        }
        for path in [
            "/api/live",
            "/api/calls",
            "/api/analytics/usage?groupBy=provider,model",
            "/metrics",
            "/api/sessions",
        ] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: {here}\r\n\r\n");
            let reply = Client::connect(here).await.ask(request).await;
            assert_eq!(reply.head.status(), 200, "{path}");
        }
        pause(10 * plan.pause_ms).await;
    }
}

/// Sessions that begin, note something and end, so that the current one changes.
async fn sessions(program: Arc<Program>, plan: Plan, until: Instant) {
    let mut k = 0;
    while Instant::now() < until {
        k += 1;
        let asked = json!({"name": format!("s{k}"), "tokenBudget": 1_000_000});
        let session = program.ask("POST", "/api/sessions", &asked).await;
        let path = format!("/api/sessions/{}", session["id"].as_str().unwrap());
        tokio::time::sleep(plan.takes / 60).await;
        program
            .ask("POST", &format!("{path}/checkpoints"), &json!({"phase": "half"}))
            .await;
        tokio::time::sleep(plan.takes / 60).await;
        let ended = program.ask("PATCH", &path, &json!({"status": "completed"})).await;
        assert_eq!(ended["status"], "completed", "{ended}");
    }
}

/// What the machine and strangers do to it.
async fn faults(
    program: Arc<Program>,
    home: std::path::PathBuf,
    plan: Plan,
    until: Instant,
    sent: Arc<Sent>,
) {
    while Instant::now() < until {
        pause(20 * plan.pause_ms).await;
        match fastrand::u8(..5) {
            0 => {
                sent.fault("database locked by another program");
                #[expect(clippy::disallowed_methods, reason = "another program, for a moment")]
                let other = rusqlite::Connection::open(home.join("moonlock.db")).unwrap();
                other.busy_timeout(Duration::from_secs(10)).unwrap();
                other.execute_batch("BEGIN IMMEDIATE").unwrap();
                pause(800).await;
                other.execute_batch("ROLLBACK").unwrap();
            }
            1 => {
                sent.fault("process stopped for a while");
                program.signal("STOP");
                pause(500).await;
                program.signal("CONT");
            }
            2 => {
                sent.fault("connection that says nothing");
                let silent = TcpStream::connect(program.proxy).await.unwrap();
                pause(500).await;
                drop(silent);
            }
            3 => {
                sent.fault("request that is none");
                let mut client = Client::connect(program.proxy).await;
                client.send("GET / HTTP/1.1\r\nbad header\r\n\r\n").await;
                client.try_head("GET").await;
            }
            _ => {
                sent.fault("page of another site");
                let mut client = Client::connect(program.proxy).await;
                let reply = client
                    .ask(post_with(CHAT_PATH, "origin: http://evil.com", CHAT_REQUEST))
                    .await;
                assert_eq!(reply.head.status(), 403);
            }
        }
    }
}

/// What the program takes at a moment: memory in KiB, descriptors, and how many calls run.
type Sample = (u64, usize, usize);

async fn watch(program: Arc<Program>, plan: Plan, until: Instant, sent: Arc<Sent>) -> Vec<Sample> {
    let mut samples = Vec::new();
    while Instant::now() < until {
        tokio::time::sleep(plan.takes / 80).await;
        let running = sent.running.load(Ordering::Relaxed);
        samples.push((program.memory("VmRSS"), program.descriptors(), running));
    }
    samples
}

fn start(home: &Path, upstream: SocketAddr, log: File) -> Program {
    let mut command = command(home);
    command.env("MOONLOCK_CONFIG", home.join("moonlock.toml"));
    for mount in ["OPENAI", "ANTHROPIC"] {
        command.env(format!("MOONLOCK_UPSTREAM_{mount}"), format!("http://{upstream}"));
    }
    Program::start_with_log(&mut command, log)
}

/// The rows' outcomes and sums, and what the roll-ups say.
async fn rows(program: &Program) -> (BTreeMap<String, u64>, u64, Value, Value) {
    let (mut outcomes, mut exact, mut cursor) = (BTreeMap::new(), 0, String::new());
    let names = ["input", "cacheRead", "cacheWrite", "output", "reasoning", "total"];
    let mut sums = BTreeMap::from(names.map(|name| (name, 0)));
    loop {
        let page = program
            .ask("GET", &format!("/api/calls?limit=1000{cursor}"), &Value::Null)
            .await;
        for row in page["calls"].as_array().unwrap() {
            *outcomes
                .entry(row["outcome"].as_str().unwrap().to_owned())
                .or_default() += 1;
            for (name, sum) in &mut sums {
                *sum += row[name].as_u64().unwrap_or(0);
            }
            if row["source"] == "exact" && row["outcome"] == "complete" {
                exact += row["total"].as_u64().unwrap();
            }
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut raw = json!(sums);
    raw["requests"] = json!(outcomes.values().sum::<u64>());
    let said = program
        .ask("GET", "/api/analytics/usage?period=all", &Value::Null)
        .await;
    let mut rolled_up = json!({});
    for name in raw.as_object().unwrap().keys() {
        rolled_up[name] = said["totals"][name].clone();
    }
    (outcomes, exact, raw, rolled_up)
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_long_run_nothing_grows_and_nothing_is_lost() {
    let plan = Plan::of_environment();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = listener.local_addr().unwrap();
    drop(listener);
    // As it comes; this mount leads to nobody.
    let home = home_with(&format!(
        "[mounts.refused]\nupstream = \"http://{dead}\"\ndialect = \"openai\"\n"
    ));
    std::fs::write(home.path().join("log"), "").unwrap();
    let log = || {
        File::options()
            .append(true)
            .open(home.path().join("log"))
            .unwrap()
    };
    let mut upstream = Upstream::start(move |request| answer(request, plan.gap)).await;
    let program = Arc::new(start(home.path(), upstream.address, log()));
    let sent = Arc::new(Sent::default());
    call(&mut None, program.proxy, &KINDS[0], 0, &sent).await;
    let (idle_memory, idle_descriptors) = (program.memory("VmRSS"), program.descriptors());

    let until = Instant::now() + plan.takes;
    let mut work = JoinSet::new();
    for _ in 0..plan.streams {
        work.spawn(streams(program.proxy, plan, until, Arc::clone(&sent)));
    }
    for _ in 0..4 {
        work.spawn(short_calls(program.proxy, plan, until, Arc::clone(&sent)));
        work.spawn(dashboard(program.dashboard, plan, until));
    }
    work.spawn(sessions(Arc::clone(&program), plan, until));
    work.spawn(faults(
        Arc::clone(&program),
        home.path().to_owned(),
        plan,
        until,
        Arc::clone(&sent),
    ));
    let mut watching = JoinSet::new();
    watching.spawn(watch(Arc::clone(&program), plan, until, Arc::clone(&sent)));
    while !work.is_empty() {
        if let Ok(Some(ended)) = tokio::time::timeout(plan.gap, work.join_next()).await {
            ended.unwrap();
        }
        // What it was asked is not kept.
        drop(upstream.all_seen());
    }
    let samples = watching.join_next().await.unwrap().unwrap();
    drop(upstream);
    let closed = async {
        while program.descriptors() > idle_descriptors + 16 {
            tokio::task::yield_now().await;
        }
    };
    within("descriptors to be closed", closed).await;
    tokio::time::sleep(plan.rests).await;
    let (end_memory, end_descriptors) = (program.memory("VmRSS"), program.descriptors());
    let peak = program.memory("VmHWM");
    let mut program = Arc::into_inner(program).unwrap();
    assert_eq!(
        program.terminate(),
        Some(0),
        "the last estimates are written as it stops"
    );
    let program = start(home.path(), dead, log());
    let (outcomes, exact, raw, rolled_up) = rows(&program).await;

    let calls = sent.next.load(Ordering::Relaxed);
    println!(
        "{:.1} minutes, at most {} calls at a time",
        plan.takes.as_secs_f64() / 60.0,
        sent.most_running.load(Ordering::Relaxed)
    );
    println!("calls sent {calls}, rows {}", raw["requests"]);
    println!(
        "ended as sent {:?}\nended as rows {outcomes:?}",
        sent.outcomes.lock().unwrap()
    );
    println!("faults beside those of calls {:?}", sent.faults.lock().unwrap());
    println!(
        "exact tokens sent {}, in rows {exact}",
        sent.tokens.load(Ordering::Relaxed)
    );
    println!("rows      {raw}\nroll-ups  {rolled_up}");
    println!(
        "{:>8} {:>12} {:>12} {:>8}",
        "at", "memory, MB", "descriptors", "running"
    );
    for (at, (memory, descriptors, running)) in samples.iter().enumerate().step_by(8) {
        println!(
            "{:>6} % {:>12} {descriptors:>12} {running:>8}",
            at * 100 / samples.len(),
            memory / 1024
        );
    }
    println!(
        "idle before {} MB, {idle_descriptors} descriptors",
        idle_memory / 1024
    );
    println!(
        "idle after  {} MB, {end_descriptors} descriptors, at most {} MB, after {} s of rest",
        end_memory / 1024,
        peak / 1024,
        plan.rests.as_secs()
    );
    let said = std::fs::read_to_string(home.path().join("log")).unwrap();
    println!("lines logged {}", said.lines().count());

    assert_eq!(*sent.outcomes.lock().unwrap(), outcomes, "each call is a row");
    assert_eq!(sent.tokens.load(Ordering::Relaxed), exact);
    assert_eq!(raw, rolled_up);
    assert!(!said.contains("ERROR") && !said.contains("panicked"), "{said}");
    let quarter = samples.len() / 4;
    let memory = |from: usize| median(samples[from..from + quarter].iter().map(|sample| sample.0));
    let (early, late) = (memory(quarter), memory(3 * quarter));
    println!(
        "memory, second quarter {} MB, last quarter {} MB",
        early / 1024,
        late / 1024
    );
    assert!(late < early + early / 5 + 8 * 1024, "memory grows");
    let descriptors =
        |from: usize| median(samples[from..from + quarter].iter().map(|sample| sample.1 as u64));
    let (early, late) = (descriptors(quarter), descriptors(3 * quarter));
    println!("descriptors, second quarter {early}, last quarter {late}");
    assert!(late < early + early / 5 + 16, "descriptors grow");
}
