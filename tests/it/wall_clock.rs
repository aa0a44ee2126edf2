//! The machine's wall clock is set forward and back while the program runs: what is timed is timed by the clocks that nobody
//! sets, and what has a date has the one that the wall clock showed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::app::new_home;
use crate::support::bodies::{
    ASKING_REQUEST, CHAT, CHAT_DONE, CHAT_EVENTS, CHAT_PATH, CHAT_REQUEST, CHAT_USAGE_EVENT, EVENTS, JSON,
};
use crate::support::client::{Client, post, post_with};
use crate::support::program::{Program, command};
use crate::support::upstream::{Gate, Script, Upstream};
use crate::support::within;

const HOUR_MS: i64 = 3_600_000;

/// libfaketime, which shows a program another wall clock; where systems have it.
fn library() -> Option<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Path::new);
    let below = folders
        .into_iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()));
    let all = folders.map(Path::to_owned).into_iter().chain(below);
    all.map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
}

/// The wall clock that the program sees.
struct Wall {
    file: PathBuf,
    /// By how much it is ahead of the machine's.
    ahead_ms: i64,
}

impl Wall {
    fn set(&mut self, ahead_ms: i64) {
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("{:+}", ahead_ms / 1_000)).unwrap();
        std::fs::rename(&next, &self.file).unwrap();
        self.ahead_ms = ahead_ms;
    }

    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond() + self.ahead_ms
    }
}

/// A moment that lies between two others, on the clock that nobody sets.
#[derive(Clone, Copy)]
struct Moment {
    from: Instant,
    to: Instant,
}

impl Moment {
    /// The moment in which this is done.
    async fn of<T>(work: impl Future<Output = T>) -> (Self, T) {
        let from = Instant::now();
        let done = work.await;
        let to = Instant::now();
        (Self { from, to }, done)
    }

    /// What was counted from this moment to a later one is what has passed, to the millisecond: of the two, either may lie
    /// anywhere in its bounds.
    #[track_caller]
    fn assert_passed(self, later: Self, counted_ms: i64) {
        let millis = |from: Instant, to: Instant| i64::try_from(to.duration_since(from).as_millis()).unwrap();
        let bounds = millis(self.to, later.from) - 1..=millis(self.from, later.to) + 1;
        assert!(
            bounds.contains(&counted_ms),
            "{counted_ms} ms were counted, {bounds:?} passed"
        );
    }
}

fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("{value} is not a number"))
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(program: &Program) -> Self {
        let url = format!("ws://{}/ws", program.dashboard);
        let (mut socket, _) = within("a WebSocket", tokio_tungstenite::connect_async(url))
            .await
            .unwrap();
        let subscribe = r#"{"type":"subscribe","sessions":["*"]}"#;
        socket.send(Frame::text(subscribe)).await.unwrap();
        Self(socket)
    }

    /// The next message that `wanted` finds.
    async fn next(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let heard = async {
            loop {
                if let Frame::Text(text) = self.0.next().await.unwrap().unwrap() {
                    let said: Value = serde_json::from_str(&text).unwrap();
                    if wanted(&said) {
                        return said;
                    }
                }
            }
        };
        within(what, heard).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wall_clock_is_set_and_nothing_is_timed_by_it() {
    let Some(library) = library() else {
        println!("skipped: no libfaketime here (Debian's package has that name)");
        return;
    };
    let home = new_home();
    let mut wall = Wall {
        file: home.path().join("wall"),
        ahead_ms: 0,
    };
    wall.set(0);
    let gate = Gate::new();
    let held = gate.clone();
    let upstream = Upstream::start(move |request| match request.head.get("x-kind") {
        Some("stream") => Script::new()
            .head(&format!("{EVENTS}\ntransfer-encoding: chunked"))
            .chunk(CHAT_EVENTS)
            .wait(&held)
            .chunk([CHAT_USAGE_EVENT, CHAT_DONE].concat())
            .end(),
        _ => Script::sized(JSON, CHAT),
    })
    .await;
    let program = Program::start(in_front_of(
        &mut command(home.path()),
        &library,
        &wall,
        &format!("http://{}", upstream.address),
    ));
    let mut socket = Socket::open(&program).await;
    socket.next("a snapshot", |said| said["type"] == "snapshot").await;

    let asked = json!({"name": "s", "duration": 5 * HOUR_MS});
    let session = program.ask("POST", "/api/sessions", &asked).await;
    let path = format!("/api/sessions/{}", session["id"].as_str().unwrap());
    let look = async || Moment::of(program.ask("GET", &path, &Value::Null)).await;
    let (first, shown) = look().await;
    let counted = |now: &Value| number(&now["elapsedMs"]) - number(&shown["elapsedMs"]);

    // Three hours on, a day back from there, and where it was.
    for ahead_ms in [3 * HOUR_MS, -21 * HOUR_MS, 0] {
        let jump = ahead_ms - wall.ahead_ms;
        // A stream that begins before and ends after.
        let mut client = Client::connect(program.proxy).await;
        let before = wall.now();
        let streaming = async {
            client
                .send(post_with(CHAT_PATH, "x-kind: stream", ASKING_REQUEST))
                .await;
            let mut reply = client.head("POST").await;
            client.body_to(&mut reply, 1).await;
            reply
        };
        let (began, mut reply) = Moment::of(streaming).await;
        let begun = wall.now();

        wall.set(ahead_ms);
        let is_told = |said: &Value| {
            let told = said["data"]["told"].as_array();
            let last = told.and_then(|told| told.last());
            last.is_some_and(|last| {
                last["kind"] == "clock_jumped" && number(&last["ms"]).abs_diff(jump) < 1_000
            })
        };
        let least = wall.now();
        let telling = socket.next("the jump", |said| said["kind"] == "session" && is_told(said));
        let (heard, told) = Moment::of(telling).await;
        assert!((least..=wall.now()).contains(&number(&told["at"])), "{told}");
        assert_eq!(told["at"], told["data"]["at"], "the anchor of what is counted");
        assert_eq!(told["data"]["status"], "active");
        first.assert_passed(
            Moment {
                from: began.to,
                ..heard
            },
            counted(&told["data"]),
        );

        let ending = async {
            gate.open();
            client.body_to(&mut reply, usize::MAX).await;
        };
        let (ended, ()) = Moment::of(ending).await;
        assert!(reply.whole);
        let least = wall.now();
        let asking = async {
            Client::connect(program.proxy)
                .await
                .ask(post(CHAT_PATH, CHAT_REQUEST))
                .await
        };
        let (asked, whole) = Moment::of(asking).await;
        assert!(whole.whole);
        let most = wall.now();

        let rows = program.ask("GET", "/api/calls?limit=1000", &Value::Null).await;
        let row = |began: std::ops::RangeInclusive<i64>| {
            let mut rows = rows["calls"].as_array().unwrap().iter();
            rows.find(|row| began.contains(&number(&row["startedAt"])))
                .unwrap_or_else(|| panic!("no call began in {began:?}: {rows:?}"))
        };
        let (stream, whole) = (row(before..=begun), row(least..=most));
        began.assert_passed(ended, number(&stream["durationMs"]));
        let at_once = Moment {
            from: asked.from,
            to: asked.from,
        };
        assert!(number(&stream["ttftMs"]) <= number(&stream["durationMs"]));
        at_once.assert_passed(
            Moment {
                from: asked.from,
                to: asked.to,
            },
            number(&whole["durationMs"]),
        );
        for row in [stream, whole] {
            assert_eq!(
                (&row["outcome"], &row["sessionId"]),
                (&"complete".into(), &session["id"])
            );
        }

        // A page that opens now, and one that asks what time it is.
        let (now, live) = look().await;
        first.assert_passed(now, counted(&live));
        socket.0.send(Frame::text(r#"{"type":"ping"}"#)).await.unwrap();
        let least = wall.now();
        let pong = socket.next("a pong", |said| said["type"] == "pong").await;
        assert!(
            (least - 1_000..=wall.now()).contains(&number(&pong["at"])),
            "{pong}"
        );
    }

    let (last, done) = Moment::of(program.ask("PATCH", &path, &json!({"status": "completed"}))).await;
    first.assert_passed(last, counted(&done));
    let (_, stays) = look().await;
    assert_eq!(stays["elapsedMs"], done["elapsedMs"]);
    let usage = program
        .ask("GET", "/api/analytics/usage?period=all", &Value::Null)
        .await;
    assert_eq!(usage["totals"]["requests"], 6);
    let said = program.stop_and_say();
    assert!(!said.contains("ERROR") && !said.contains("panicked"), "{said}");
}

fn in_front_of<'a>(command: &'a mut Command, library: &Path, wall: &Wall, upstream: &str) -> &'a mut Command {
    command
        .env("MOONLOCK_UPSTREAM_OPENAI", upstream)
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &wall.file)
        .env("FAKETIME_NO_CACHE", "1")
        .env("NO_FAKE_STAT", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
}
