//! The program in this process, on free ports and a database of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use moonlock::app::{App, StartError};
use moonlock::config::{Environment, Flags, Settings};
use moonlock::domain::wire::Change;
use moonlock::engine::Engine;
use moonlock::engine::stream::{Subscription, Wanted};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::Client;
use super::http::Message;
use super::strict;
use super::within;

/// The program, and what it keeps.
pub(crate) struct TestApp {
    app: App,
    events: Subscription,
    /// Where its database is. Outlives the program, so that another run can take it up.
    pub(crate) home: Arc<TempDir>,
    upstream: SocketAddr,
}

/// The mounts that lead to the scripted provider.
const MOUNTS: [&str; 16] = [
    "OPENAI",
    "ANTHROPIC",
    "GEMINI",
    "VERTEX",
    "AZURE",
    "BEDROCK",
    "MISTRAL",
    "COHERE",
    "GROQ",
    "DEEPSEEK",
    "OPENROUTER",
    "TOGETHER",
    "OLLAMA",
    "VLLM",
    "TGI",
    "XAI",
];

/// So long a reply waits for the disk at most. Long, because other tests keep the disk busy.
const SETTINGS: &str = "[store]\ncommit_bound_ms = 20000\n";

/// A program that estimates nothing: a row is what its reply says, and is told of once.
pub(crate) fn new_home() -> Arc<TempDir> {
    home_with("[estimates]\nenabled = false\n")
}

/// With these settings as well.
pub(crate) fn home_with(settings: &str) -> Arc<TempDir> {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("moonlock.toml"), [SETTINGS, settings].concat()).unwrap();
    Arc::new(home)
}

impl TestApp {
    /// Starts with all mounts at `upstream`.
    pub(crate) async fn start(upstream: SocketAddr) -> Self {
        Self::start_in(new_home(), upstream).await
    }

    /// Starts as it comes, with estimates.
    pub(crate) async fn start_estimating(upstream: SocketAddr) -> Self {
        Self::start_in(home_with(""), upstream).await
    }

    /// Starts on what an earlier run left.
    pub(crate) async fn start_in(home: Arc<TempDir>, upstream: SocketAddr) -> Self {
        Self::start_with(home, upstream, &[]).await
    }

    /// Starts with these variables as well.
    pub(crate) async fn start_with(
        home: Arc<TempDir>,
        upstream: SocketAddr,
        variables: &[(&str, &str)],
    ) -> Self {
        let database = home.path().join("moonlock.db");
        let config = home.path().join("moonlock.toml");
        let url = format!("http://{upstream}");
        let upstreams = MOUNTS.map(|mount| format!("MOONLOCK_UPSTREAM_{mount}"));
        let mut pairs = vec![
            ("PORT", "0"),
            ("PROXY_PORT", "0"),
            ("MOONLOCK_CONFIG", config.to_str().unwrap()),
            ("DB_PATH", database.to_str().unwrap()),
        ];
        pairs.extend(upstreams.iter().map(|name| (name.as_str(), url.as_str())));
        pairs.extend(variables);
        let app = launch(&pairs).await.unwrap();
        let events = app.engine().subscribe(Wanted::All, None).await.unwrap();
        Self {
            app,
            events,
            home,
            upstream,
        }
    }

    /// Stops in order, and starts again on the same database.
    pub(crate) async fn restart(self) -> Self {
        let (home, upstream) = (Arc::clone(&self.home), self.upstream);
        self.stop().await;
        Self::start_in(home, upstream).await
    }

    pub(crate) async fn stop(self) {
        let Self { app, events, .. } = self;
        drop(events);
        within("the program to stop", app.stop()).await;
    }

    pub(crate) fn proxy(&self) -> SocketAddr {
        self.app.proxy()
    }

    pub(crate) fn dashboard(&self) -> SocketAddr {
        self.app.dashboard()
    }

    pub(crate) const fn engine(&self) -> &Engine {
        self.app.engine()
    }

    /// A new connection to the proxy.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.proxy()).await
    }

    /// One request on a connection of its own to the proxy.
    pub(crate) async fn ask(&self, request: impl AsRef<[u8]>) -> Message {
        self.client().await.ask(request).await
    }

    /// Sends a request to the API and gives the reply as it is.
    pub(crate) async fn api(&self, method: &str, path: &str, fields: &str, body: &str) -> Message {
        let fields = match fields {
            "" => format!("Host: {}\r\n", self.dashboard()),
            fields => format!("{}\r\n", fields.replace('\n', "\r\n")),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let reply = Client::connect(self.dashboard()).await.ask(request).await;
        assert_strict(path, &reply);
        reply
    }

    /// Sends JSON to the API; the status and the JSON of its reply.
    pub(crate) async fn say(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let fields = format!("host: {}\ncontent-type: application/json", self.dashboard());
        let reply = self.api(method, path, &fields, &body.to_string()).await;
        (reply.head.status(), serde_json::from_slice(&reply.body).unwrap())
    }

    /// Reads from the API.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let reply = self.api("GET", path, "", "").await;
        assert_eq!(
            reply.head.status(),
            200,
            "{path}: {}",
            String::from_utf8_lossy(&reply.body)
        );
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Starts a session; its id.
    pub(crate) async fn session(&self, name: &str) -> String {
        let (status, session) = self.say("POST", "/api/sessions", &json!({ "name": name })).await;
        assert_eq!(status, 201, "{session}");
        session["id"].as_str().unwrap().to_owned()
    }

    /// All rows, newest first.
    pub(crate) async fn rows(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut path = "/api/calls?limit=1000".to_owned();
        loop {
            let page = self.get(&path).await;
            rows.extend(page["calls"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else {
                return rows;
            };
            path = format!("/api/calls?limit=1000&cursor={next}");
        }
    }

    /// The only row, which must be there already: what a client received whole is in the database.
    pub(crate) async fn row(&self) -> Value {
        let rows = self.rows().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.into_iter().next().unwrap()
    }

    /// The next call that ends, as it stands in the database.
    pub(crate) async fn ended(&mut self) -> Value {
        let view = loop {
            let published = within("a call to end", self.events.events.recv()).await.unwrap();
            if let Change::CallFinished { call, .. } = &published.event.change {
                break serde_json::to_value(call).unwrap();
            }
        };
        let stored = async {
            loop {
                let rows = self.rows().await;
                let row = rows.into_iter().find(|row| row["id"] == view["id"]);
                if let Some(row) = row.filter(|row| row["outcome"] != "running") {
                    return row;
                }
                tokio::task::yield_now().await;
            }
        };
        let stored = within("a call's row", stored).await;
        assert_eq!(stored, view, "told and stored are the same");
        stored
    }

    /// The next call whose estimate comes, as it stands in the database.
    pub(crate) async fn estimated(&mut self) -> Value {
        let view = self
            .next(|change| match change {
                Change::CallFinished { call, .. } if call.estimate.is_some() => {
                    Some(serde_json::to_value(call).unwrap())
                }
                _ => None,
            })
            .await;
        let stored = async {
            loop {
                let rows = self.rows().await;
                let row = rows.into_iter().find(|row| row["id"] == view["id"]);
                if let Some(row) = row.filter(|row| !row["estimate"].is_null()) {
                    return row;
                }
                tokio::task::yield_now().await;
            }
        };
        let stored = within("an estimate's row", stored).await;
        assert_eq!(stored, view, "told and stored are the same");
        stored
    }

    /// Waits for the next event that `wanted` makes something of.
    pub(crate) async fn next<T>(&mut self, wanted: impl Fn(&Change) -> Option<T>) -> T {
        loop {
            let published = within("an event", self.events.events.recv()).await.unwrap();
            if let Some(found) = wanted(&published.event.change) {
                return found;
            }
        }
    }

    /// Waits until so many calls that have ended are in the database.
    pub(crate) async fn until_rows(&self, count: usize) -> Vec<Value> {
        let rows = async {
            loop {
                let mut rows = self.rows().await;
                rows.retain(|row| row["outcome"] != "running");
                if rows.len() >= count {
                    return rows;
                }
                tokio::task::yield_now().await;
            }
        };
        within("rows", rows).await
    }

    /// Waits until a call runs, and gives it as it is shown.
    pub(crate) async fn started(&mut self) -> Value {
        loop {
            let published = within("a call to start", self.events.events.recv())
                .await
                .unwrap();
            if let Change::CallStarted(call) = &published.event.change {
                return serde_json::to_value(call).unwrap();
            }
        }
    }

    /// The calls that run.
    pub(crate) async fn running(&self) -> Vec<Value> {
        let live = self.get("/api/live").await;
        let calls = live["calls"].as_array().unwrap().iter();
        calls
            .filter(|call| call["outcome"] == "running")
            .cloned()
            .collect()
    }
}

/// Starts the program with these variables.
pub(crate) async fn launch(pairs: &[(&str, &str)]) -> Result<App, StartError> {
    let environment = Environment::from_pairs(pairs.iter().copied());
    App::start(Settings::load(&environment, &Flags::default()).unwrap()).await
}

/// Whatever the API writes as JSON can be read by those who take no key twice.
#[track_caller]
fn assert_strict(path: &str, reply: &Message) {
    let is_plain = reply.head.get("content-encoding").is_none() && reply.whole && !reply.body.is_empty();
    let kind = reply.head.get("content-type").filter(|_| is_plain);
    let pieces: Vec<&[u8]> = match kind {
        Some("application/json" | "application/problem+json") => vec![&reply.body],
        Some("application/jsonl") => reply
            .body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .collect(),
        _ => return,
    };
    for piece in pieces {
        if let Err(error) = strict::check(piece) {
            panic!("{path}: {error} in {}", String::from_utf8_lossy(piece));
        }
    }
}

/// Holds a row's numbers against what is expected: source, then input, cacheRead, cacheWrite, output, reasoning,
/// total.
#[track_caller]
pub(crate) fn assert_usage(row: &Value, source: Option<&str>, numbers: [Option<u64>; 6]) {
    let names = ["input", "cacheRead", "cacheWrite", "output", "reasoning", "total"];
    let found = names.map(|name| row[name].as_u64());
    assert_eq!(
        (row["source"].as_str(), found),
        (source, numbers),
        "{names:?} of {row:#}"
    );
}
