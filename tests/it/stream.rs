//! The stream of events under strain: clients that are cut off again and again, and one that takes nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::{Client, post};
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

/// How often the client is cut off.
const CUTS: usize = 500;
/// How many calls are made for each cut: their events are more than are taken before it, so that none is waited for in vain,
/// and all together no more than are kept, so that no gap brings a snapshot.
const PER_CUT: usize = 4;
/// So many connections make calls meanwhile.
const CALLERS: usize = 4;

type Socket = WebSocketStream<TcpStream>;

/// Connects and asks for all events after `since`.
async fn connect(stream: TcpStream, dashboard: SocketAddr, since: Option<u64>) -> Socket {
    let url = format!("ws://{dashboard}/ws");
    let connecting = tokio_tungstenite::client_async(url, stream);
    let (mut socket, _) = within("a WebSocket", connecting).await.unwrap();
    let mut subscribe = json!({"type": "subscribe", "sessions": ["*"]});
    if let Some(since) = since {
        subscribe["since"] = since.into();
    }
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    socket
}

/// The next message that is text.
async fn next(socket: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = within("a message", socket.next()).await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// What a client has made of what it was told.
#[derive(Default)]
struct Picture {
    seq: Option<u64>,
    calls: BTreeMap<String, Value>,
    totals: Value,
    snapshots: usize,
}

impl Picture {
    fn take(&mut self, message: &Value) {
        match message["type"].as_str().unwrap() {
            "hello" => {}
            "snapshot" => {
                self.seq = message["seq"].as_u64();
                self.snapshots += 1;
                for call in message["calls"].as_array().unwrap() {
                    self.note(call);
                }
                self.totals = message["unassigned"].clone();
            }
            "event" => {
                let seq = message["seq"].as_u64().unwrap();
                let last = self.seq.replace(seq).unwrap();
                assert_eq!(seq, last + 1, "each event once, and in order");
                match message["kind"].as_str().unwrap() {
                    "call.started" => self.note(&message["data"]),
                    "call.finished" => {
                        self.note(&message["data"]["call"]);
                        self.totals = message["data"]["totals"].clone();
                    }
                    _ => {}
                }
            }
            other => panic!("{other}"),
        }
    }

    fn note(&mut self, call: &Value) {
        let id = call["id"].as_str().unwrap().to_owned();
        self.calls.insert(id, call.clone());
    }
}

/// Makes so many calls, each when one is allowed.
async fn call_when_allowed(allowed: Arc<Semaphore>, calls: usize, proxy: SocketAddr) {
    let mut client = Client::connect(proxy).await;
    for _ in 0..calls {
        allowed.acquire().await.unwrap().forget();
        assert!(client.ask(post(CHAT_PATH, CHAT_REQUEST)).await.whole);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_cut_off_again_and_again_knows_what_the_database_knows() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let mut random = fastrand::Rng::with_seed(7);
    let mut picture = Picture::default();
    let first = TcpStream::connect(app.dashboard()).await.unwrap();
    let mut socket = connect(first, app.dashboard(), None).await;
    while picture.snapshots == 0 {
        picture.take(&next(&mut socket).await);
    }
    let allowed = Arc::new(Semaphore::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(call_when_allowed(
            Arc::clone(&allowed),
            PER_CUT * CUTS / CALLERS,
            app.proxy(),
        ));
    }
    for _ in 0..CUTS {
        allowed.add_permits(PER_CUT);
        for _ in 0..random.usize(0..8) {
            picture.take(&next(&mut socket).await);
        }
        // Cut in the middle of whatever is on its way.
        drop(socket);
        let again = TcpStream::connect(app.dashboard()).await.unwrap();
        socket = connect(again, app.dashboard(), picture.seq).await;
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
    let last = app.get("/api/live").await;
    while picture.seq < last["seq"].as_u64() {
        picture.take(&next(&mut socket).await);
    }
    assert_eq!(picture.snapshots, 1, "every gap was filled with its events");
    let rows = app.rows().await;
    let stored: BTreeMap<String, Value> = rows
        .into_iter()
        .map(|row| (row["id"].as_str().unwrap().to_owned(), row))
        .collect();
    assert_eq!(stored.len(), PER_CUT * CUTS);
    assert_eq!(picture.calls, stored);
    assert_eq!(picture.totals, last["unassigned"]);
    assert_eq!(picture.totals["requests"], stored.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_nothing_harms_nobody_and_is_told_anew() {
    const REPORTS: u64 = 1_000;
    let nobody = ([127, 0, 0, 1], 9).into();
    let app = TestApp::start(nobody).await;
    let session = app.session("s").await;
    let stuck = TcpSocket::new_v4().unwrap();
    stuck.set_recv_buffer_size(4_096).unwrap();
    let stuck = stuck.connect(app.dashboard()).await.unwrap();
    let mut stuck = connect(stuck, app.dashboard(), None).await;
    let steady = TcpStream::connect(app.dashboard()).await.unwrap();
    let mut steady = connect(steady, app.dashboard(), None).await;
    let mut steady_picture = Picture::default();
    while steady_picture.snapshots == 0 {
        steady_picture.take(&next(&mut steady).await);
    }
    let tokens = format!("/api/sessions/{session}/tokens");
    let reports: Vec<Value> = (0..REPORTS)
        .map(|_| json!({"tokensUsed": 1, "operation": "o", "note": "n".repeat(500)}))
        .collect();
    // More than its buffers hold, and more events than are kept.
    for _ in 0..12 {
        let (status, said) = app.say("POST", &tokens, &reports.clone().into()).await;
        assert_eq!(status, 201, "{said}");
        let seq = app.get("/api/live").await["seq"].as_u64();
        while steady_picture.seq < seq {
            steady_picture.take(&next(&mut steady).await);
        }
    }
    assert_eq!(steady_picture.snapshots, 1, "the other fell behind nowhere");
    assert!(steady_picture.seq.unwrap() > 12 * REPORTS);
    let mut late = Picture::default();
    while late.seq < steady_picture.seq {
        late.take(&next(&mut stuck).await);
    }
    assert_eq!(
        late.snapshots, 2,
        "one at first, and one in place of what it missed"
    );
    let live = app.get("/api/live").await;
    assert_eq!(live["sessions"][0]["tokensUsed"], 12 * REPORTS);
}
