//! Nothing lost: what a client received whole is in the database, whenever the program is killed.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::app::{TestApp, new_home};
use crate::support::bodies::{
    ASKING_REQUEST, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, MESSAGE_START, MESSAGE_TEXT, MESSAGES_PATH,
    MESSAGES_REQUEST,
};
use crate::support::client::{Client, post, post_with};
use crate::support::http::{Message, Reader};
use crate::support::program::{Program, command};
use crate::support::upstream::{Gate, Script, Upstream};
use crate::support::within;

/// How long the clients may take between two kills.
const BOUND: Duration = Duration::from_secs(15);
/// Clients that call at the same time.
const CLIENTS: u64 = 4;

/// What call number `n` is answered with: the numbers say which call it was.
fn answer(request: &Message) -> Script {
    let n: u64 = request.head.get("x-n").unwrap().parse().unwrap();
    let (input, output) = tokens(n);
    let stream = format!("{EVENTS}\nx-request-id: r{n}");
    let usage = format!("{{\"prompt_tokens\":{input},\"completion_tokens\":{output}}}");
    match n % 3 {
        0 => {
            let body = format!("{{\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}");
            Script::sized(&format!("{JSON}\nx-request-id: r{n}"), body)
        }
        1 => {
            let text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
            let last = format!("data: {{\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n");
            Script::chunked(&stream, [text, text, &last])
        }
        _ => {
            let start = MESSAGE_START.replace(":100", ":0").replace(":20", ":0");
            let start = start.replace("\"input_tokens\":5", &format!("\"input_tokens\":{input}"));
            let end = format!(
                "data: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}},\"usage\":{{\"output_tokens\":{output}}}}}\n\n"
            );
            Script::chunked(
                &stream,
                [
                    &start,
                    MESSAGE_TEXT,
                    &end,
                    "data: {\"type\":\"message_stop\"}\n\n",
                ],
            )
        }
    }
}

const fn tokens(n: u64) -> (u64, u64) {
    (n * 3 + 1, n * 5 + 2)
}

/// Calls until the program is gone, and notes what it received whole.
async fn calls(
    proxy: SocketAddr,
    next: Arc<AtomicU64>,
    whole: Arc<Mutex<Vec<u64>>>,
    count: watch::Sender<u64>,
) {
    let Ok(stream) = TcpStream::connect(proxy).await else {
        return;
    };
    let mut reader = Reader::new(stream);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let (path, body) = match n % 3 {
            0 => (CHAT_PATH, CHAT_REQUEST),
            1 => (CHAT_PATH, ASKING_REQUEST),
            _ => (MESSAGES_PATH, MESSAGES_REQUEST),
        };
        let request = post_with(path, &format!("x-n: {n}\nsession_id: c{n}"), body);
        if reader.inner.write_all(&request).await.is_err() {
            return;
        }
        let Some(mut reply) = within("a reply", reader.head(Some("POST"))).await else {
            return;
        };
        within("a reply's end", reader.body_to(&mut reply, usize::MAX)).await;
        let ends = [&b"data: [DONE]\n\n"[..], b"message_stop\"}\n\n"];
        if reply.whole || ends.iter().any(|end| reply.body.ends_with(end)) {
            whole.lock().unwrap().push(n);
            count.send_modify(|count| *count += 1);
        }
        if !reply.whole {
            return;
        }
    }
}

fn start(home: &Path, upstream: &Upstream) -> Program {
    let url = format!("http://{}", upstream.address);
    let mut command = command(home);
    command.env("MOONLOCK_CONFIG", home.join("moonlock.toml"));
    for mount in ["OPENAI", "ANTHROPIC", "GEMINI"] {
        command.env(format!("MOONLOCK_UPSTREAM_{mount}"), &url);
    }
    Program::start(&mut command)
}

/// How often the program is killed.
fn kills() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a test runs is no setting of the program"
    )]
    let said = std::env::var("MOONLOCK_KILLS").ok();
    said.map_or(50, |said| said.parse().unwrap())
}

/// What a session's clock showed, and between which two moments of this machine's it was asked.
#[derive(Clone, Copy)]
struct Look {
    elapsed: i64,
    before: Instant,
    after: Instant,
}

fn millis(from: Instant, to: Instant) -> i64 {
    i64::try_from(to.saturating_duration_since(from).as_millis()).unwrap()
}

/// Holds a session's clock against this machine's, over all kills. A start finds it standing at the last sign of life;
/// the rest of what ran, and the time until the start, is the gap that the session tells of.
#[derive(Default)]
struct Clock {
    path: String,
    /// The last look at it while it ran.
    last: Option<Look>,
    /// Between which moments it was killed.
    killed: Option<(Instant, Instant)>,
    /// The most that one kill took from it, at least.
    lost: i64,
    /// The most that it went further than this machine's, at least.
    gained: i64,
    /// The most that it is behind or ahead while it runs, or with the gap counted.
    off: i64,
}

impl Clock {
    async fn ask(&self, program: &Program, method: &str, body: Value) -> (Value, Look) {
        let before = Instant::now();
        let session = program.ask(method, &self.path, &body).await;
        let after = Instant::now();
        let elapsed = session["elapsedMs"].as_i64().unwrap();
        let look = Look {
            elapsed,
            before,
            after,
        };
        (session, look)
    }

    /// Lets it run: begins the session, or finds out what the kill cost and resumes it.
    async fn run(&mut self, program: &Program) {
        let (Some(last), Some((alive, dead))) = (self.last, self.killed) else {
            self.path = "/api/sessions".to_owned();
            let (session, look) = self.ask(program, "POST", json!({"name": "clock"})).await;
            self.path = format!("/api/sessions/{}", session["id"].as_str().unwrap());
            self.last = Some(look);
            return;
        };
        let (session, found) = self.ask(program, "GET", Value::Null).await;
        assert_eq!(session["status"], "paused", "never resumed silently");
        let told = session["told"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&told["kind"], &told["countable"]),
            (&json!("recovered"), &json!(true))
        );
        let kept = found.elapsed - last.elapsed;
        self.lost = self.lost.max(millis(last.after, alive) - kept);
        self.gained = self.gained.max(kept - millis(last.before, dead));
        let (_, counted) = self.ask(program, "PATCH", json!({"countGap": told["seq"]})).await;
        // The gap ends with the start: behind the kill, and before the first answer.
        let whole = counted.elapsed - last.elapsed;
        self.is_off(
            whole,
            millis(last.after, dead)..=millis(last.before, found.before),
        );
        let (_, resumed) = self.ask(program, "PATCH", json!({"status": "active"})).await;
        self.last = Some(resumed);
    }

    /// Looks at it while it runs, and kills the program.
    async fn kill(&mut self, program: Program) {
        let (_, now) = self.ask(&program, "GET", Value::Null).await;
        let last = self.last.replace(now).unwrap();
        let most = millis(last.before, now.after);
        let ran = now.elapsed - last.elapsed;
        self.gained = self.gained.max(ran - most);
        self.is_off(ran, millis(last.after, now.before)..=most);
        let alive = Instant::now();
        program.kill();
        self.killed = Some((alive, Instant::now()));
    }

    fn is_off(&mut self, ran: i64, passed: RangeInclusive<i64>) {
        self.off = self.off.max(passed.start() - ran).max(ran - passed.end());
    }
}

/// What SQLite says of a file that a kill left.
#[expect(clippy::disallowed_methods, reason = "another program looks at the file")]
fn integrity(path: &Path) -> String {
    let other = rusqlite::Connection::open(path).unwrap();
    other
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap()
}

/// All rows, whatever their number.
async fn all_rows(app: &TestApp) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("/api/calls?limit=1000{cursor}")).await;
        rows.extend(page["calls"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_received_whole_survives_every_kill() {
    let home = new_home();
    let upstream = Upstream::start(answer).await;
    let next = Arc::new(AtomicU64::new(0));
    let whole = Arc::new(Mutex::new(Vec::new()));
    let random = RandomState::new();
    let mut clock = Clock::default();
    for kill in 0..kills() {
        let program = start(home.path(), &upstream);
        clock.run(&program).await;
        let (count, mut counted) = watch::channel(0);
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(calls(
                program.proxy,
                Arc::clone(&next),
                Arc::clone(&whole),
                count.clone(),
            ));
        }
        // Somewhere behind a number of replies: the moment when a row is or is not there.
        let random = random.hash_one(kill);
        let after = random % 60;
        drop(count);
        // Fewer than that come only where every client was let down.
        let enough = tokio::time::timeout(BOUND, counted.wait_for(|count| *count >= after)).await;
        let served = enough.is_ok_and(|count| count.is_ok());
        assert!(
            served,
            "kill {kill}: the program fails its clients: {}",
            program.state().await
        );
        for _ in 0..random >> 32 & 0xff {
            tokio::task::yield_now().await;
        }
        clock.kill(program).await;
        while clients.join_next().await.is_some() {}
    }
    let sound = integrity(&home.path().join("moonlock.db"));
    assert_eq!(sound, "ok");

    let app = TestApp::start_in(home, upstream.address).await;
    let rows = all_rows(&app).await;
    let mut by_number: HashMap<u64, &Value> = HashMap::new();
    for row in &rows {
        let n = row["conversation"]
            .as_str()
            .unwrap()
            .strip_prefix('c')
            .unwrap()
            .parse()
            .unwrap();
        assert!(by_number.insert(n, row).is_none(), "call {n} is there twice");
        if row["outcome"] == "complete" {
            let (input, output) = tokens(n);
            assert_eq!(row["source"], "exact", "{row:#}");
            assert_eq!(row["requestId"], format!("r{n}"));
            assert_eq!(
                (row["input"].as_u64(), row["output"].as_u64()),
                (Some(input), Some(output)),
                "{row}"
            );
        } else {
            assert_ne!(row["outcome"], "running", "the next start ends what was cut off");
        }
    }
    let whole = std::mem::take(&mut *whole.lock().unwrap());
    let lost: Vec<u64> = whole
        .iter()
        .copied()
        .filter(|n| by_number.get(n).is_none_or(|row| row["outcome"] != "complete"))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} replies have no row: {lost:?}",
        lost.len(),
        whole.len()
    );
    let interrupted = rows.iter().filter(|row| row["outcome"] == "interrupted").count();
    for (what, number) in [
        ("kills", kills()),
        ("calls sent", next.load(Ordering::Relaxed)),
        ("replies received whole", whole.len() as u64),
        ("rows", rows.len() as u64),
        ("rows interrupted", interrupted as u64),
        ("replies without a row", lost.len() as u64),
        // An assertion above would have ended the test.
        ("rows doubled", 0),
        ("most a kill took from a session, ms", clock.lost.unsigned_abs()),
        ("most its clock gained, ms", clock.gained.unsigned_abs()),
        ("most it is off, gaps counted, ms", clock.off.unsigned_abs()),
    ] {
        println!("{what:<36}{number:>8}");
    }
    println!("{:<36}{sound:>8}", "integrity_check");
    assert!(clock.lost <= 5_000, "a heartbeat's worth at most");
    // Both clocks are rounded to whole milliseconds.
    assert!(clock.gained <= 2, "time is never made up");
    assert!(clock.off <= 2, "what is not counted is in the gap, and no more");
    let totals = &app.get("/api/analytics/usage").await["totals"];
    let total: u64 = rows.iter().filter_map(|row| row["total"].as_u64()).sum();
    assert_eq!(
        (&totals["requests"], &totals["total"]),
        (&rows.len().into(), &total.into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_cut_off_by_a_kill_is_interrupted() {
    let home = new_home();
    let upstream = Upstream::start(|_| {
        Script::new()
            .head(&format!("{EVENTS}\ntransfer-encoding: chunked"))
            .chunk(MESSAGE_START)
            .until_closed(&Gate::new())
    })
    .await;
    let program = start(home.path(), &upstream);
    let mut client = Client::connect(program.proxy).await;
    client.send(post(MESSAGES_PATH, MESSAGES_REQUEST)).await;
    let mut reply = client.head("POST").await;
    client.body_to(&mut reply, MESSAGE_START.len()).await;
    let written = async {
        let request = format!("GET /api/calls HTTP/1.1\r\nhost: {}\r\n\r\n", program.dashboard);
        loop {
            let rows = Client::connect(program.dashboard).await.ask(&request).await;
            let rows: Value = serde_json::from_slice(&rows.body).unwrap();
            if rows["calls"][0]["outcome"] == "running" {
                return;
            }
        }
    };
    within("the start to be written", written).await;
    program.kill();
    client.body_to(&mut reply, usize::MAX).await;
    assert!(!reply.whole);
    let app = TestApp::start_in(home, upstream.address).await;
    let row = app.row().await;
    assert_eq!(
        (&row["outcome"], &row["source"]),
        (&"interrupted".into(), &Value::Null)
    );
    assert_eq!(
        (&row["requestModel"], &row["total"]),
        (&"claude-sonnet-4-5".into(), &Value::Null)
    );
    assert_eq!(app.running().await.len(), 0);
    let app = app.restart().await;
    assert_eq!(app.row().await, row, "ended once");
}
