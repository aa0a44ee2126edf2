//! Recorded streams that are broken off on their way through the running program: by their client, and by their
//! provider.
//!
//! What is held: the row says what counting the same beginning of the reply gives, and that it is a lower bound.

use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::memmem;
use moonlock::domain::estimate::calibration::Calibration;
use moonlock::domain::estimate::{CallBody, Ending, Kept, estimate};
use moonlock::domain::operation::Operation;
use moonlock::domain::units::Tokens;
use moonlock::domain::usage::parts::Parts;
use moonlock::domain::usage::reply::ReplyReader;
use moonlock::meter::tokens::Tokenizers;
use serde_json::Value;

use super::{Recording, folder, recordings};
use crate::support::app::{TestApp, home_with};
use crate::support::client::Client;
use crate::support::upstream::{Gate, Script, Upstream};
use crate::support::within;

/// So many recordings of each provider's endpoint.
const EACH: usize = 3;
/// A stream of fewer events has no tenth.
const FEWEST: usize = 10;
const PERCENT: [usize; 3] = [10, 50, 90];

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Client,
    Provider,
}

/// A stream, how much of it comes, and who breaks it off.
struct Case {
    group: String,
    percent: usize,
    by: By,
    mount: &'static str,
    path: String,
    operation: Operation,
    request: Vec<u8>,
    /// The beginning of the reply.
    reply: Vec<u8>,
    truth: Option<u64>,
    gate: Gate,
}

fn mount(provider: &str) -> Option<&'static str> {
    let mounts = [
        "openai",
        "anthropic",
        "gemini",
        "mistral",
        "cohere",
        "groq",
        "deepseek",
        "together",
        "ollama",
    ];
    mounts.into_iter().find(|mount| *mount == provider)
}

/// The places behind a body's events.
fn event_ends(recording: &Recording) -> Vec<usize> {
    let body = &recording.body;
    let separator: &[u8] = match recording.text("streaming") {
        "sse" if memmem::find(body, b"\r\n\r\n").is_some() => b"\r\n\r\n",
        "sse" => b"\n\n",
        "ndjson" => b"\n",
        _ => return Vec::new(),
    };
    memmem::find_iter(body, separator)
        .map(|at| at + separator.len())
        .collect()
}

/// The same with another id: what has one id is one reply, that can come again.
fn with_own_id(reply: &[u8], number: usize) -> Vec<u8> {
    let text = String::from_utf8(reply.to_vec()).unwrap();
    let id = text
        .split("\"id\":")
        .nth(1)
        .and_then(|rest| rest.split('"').nth(1));
    match id.filter(|id| !id.is_empty()) {
        Some(id) => text.replace(id, &format!("{id}-{number}")).into_bytes(),
        None => text.into_bytes(),
    }
}

fn cases(recordings: Vec<Recording>) -> Vec<Case> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    for recording in recordings {
        let path = recording.text("path").to_owned();
        let bare = path.split('?').next().unwrap();
        let (Some(mount), Some(operation)) = (
            mount(recording.text("provider")),
            Operation::detect(recording.text("method"), bare),
        ) else {
            continue;
        };
        let ends = event_ends(&recording);
        let request = Recording::bytes(&recording.line, "request_body_b64");
        let is_usable = ends.len() >= FEWEST
            && recording.text("meter") == "count"
            && recording.status() == 200
            && recording.has_usage()
            && serde_json::from_slice::<Value>(&request).is_ok();
        let group = format!("{mount} {}", recording.text("endpoint"));
        let count = taken.entry(group.clone()).or_default();
        if !is_usable || *count == EACH {
            continue;
        }
        *count += 1;
        for percent in PERCENT {
            for by in [By::Client, By::Provider] {
                let events = (ends.len() * percent / 100).max(1);
                cases.push(Case {
                    group: group.clone(),
                    percent,
                    by,
                    mount,
                    path: path.clone(),
                    operation,
                    request: request.clone(),
                    reply: with_own_id(&recording.body[..ends[events - 1]], cases.len()),
                    truth: recording.expected()["input"].as_u64(),
                    gate: Gate::new(),
                });
            }
        }
    }
    cases
}

impl Case {
    fn request(&self, index: usize) -> Vec<u8> {
        let head = format!(
            "POST /{}{} HTTP/1.1\r\nhost: x\r\nx-case: {index}\r\nx-moonlock-session: {index}\r\ncontent-length: {}\r\n\r\n",
            self.mount,
            self.path,
            self.request.len()
        );
        [head.as_bytes(), &self.request].concat()
    }

    fn answer(&self) -> Script {
        let begun = Script::new()
            .head("200 OK\ncontent-type: text/event-stream\ntransfer-encoding: chunked")
            .chunk(&self.reply);
        match self.by {
            By::Client => begun.until_closed(&self.gate),
            By::Provider => begun.close(),
        }
    }

    async fn ask(&self, app: &TestApp, index: usize) {
        let mut client = Client::connect(app.proxy()).await;
        client.send(self.request(index)).await;
        let mut reply = client.head("POST").await;
        client.body_to(&mut reply, self.reply.len()).await;
        if self.by == By::Provider {
            client.body_to(&mut reply, usize::MAX).await;
        }
        assert_eq!(reply.body, self.reply, "{} {} %", self.group, self.percent);
        drop(client);
        if self.by == By::Client {
            self.gate.pass().await;
        }
    }

    /// The numbers that reading and counting this beginning gives, the whole prompt and all that was generated, and
    /// whether they are said to be a lower bound.
    fn counted(&self, tokenizers: &Tokenizers) -> (Option<u64>, Option<u64>, bool) {
        let mut reader = ReplyReader::new(self.operation, Some("text/event-stream"), 200);
        reader.push(&self.reply);
        let said = reader.finish();
        let path = self.path.split('?').next().unwrap();
        let body = CallBody {
            operation: self.operation,
            request: Kept::whole(&self.request),
            reply: Kept::whole(&self.reply),
            ending: Ending::Cut,
            request_model: self.operation.model_in_path(path),
            reply_model: said.model.as_deref(),
            said: &said.parts,
        };
        let estimate = estimate(&body, tokenizers, &Calibration::default());
        let number = |of: fn(&Parts) -> Option<Tokens>| of(&estimate.parts).map(|tokens| tokens.0);
        let sides = [&estimate.input, &estimate.output];
        let is_lower_bound = sides.into_iter().flatten().any(|side| side.high.is_none());
        (number(Parts::prompt), number(Parts::generated), is_lower_bound)
    }
}

fn prompt(row: &Value) -> Option<u64> {
    let parts = ["input", "cacheRead", "cacheWrite"].map(|name| row[name].as_u64());
    parts.into_iter().flatten().reduce(|sum, part| sum + part)
}

#[derive(Default)]
struct Score {
    cases: usize,
    same: usize,
    lower_bounds: usize,
    prompts: usize,
    near: usize,
}

#[tokio::test]
async fn recorded_streams_that_break_off_are_estimated_by_what_came() {
    let Some(folder) = folder() else { return };
    let cases = Arc::new(cases(recordings(&folder)));
    let provider = Arc::clone(&cases);
    let upstream = Upstream::start(move |request| {
        let index: usize = request.head.get("x-case").unwrap().parse().unwrap();
        provider[index].answer()
    })
    .await;
    let home = home_with("");
    let app = TestApp::start_in(Arc::clone(&home), upstream.address).await;
    for (index, case) in cases.iter().enumerate() {
        case.ask(&app, index).await;
    }
    app.until_rows(cases.len()).await;
    let counted = async {
        while app.get("/api/health").await["estimates"]["waiting"] != 0 {
            tokio::task::yield_now().await;
        }
    };
    within("the estimates", counted).await;
    // What waits is written at the end.
    let app = app.restart().await;
    let rows = app.rows().await;
    let tokenizers = Tokenizers::default();
    let mut scores: BTreeMap<(&str, usize), Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in &rows {
        let index: usize = row["askedSession"].as_str().unwrap().parse().unwrap();
        let case = &cases[index];
        let expected = case.counted(&tokenizers);
        let lower_bound = row["estimate"]["lowerBound"] == true;
        let found = (prompt(row), row["output"].as_u64(), lower_bound);
        let score = scores.entry((&case.group, case.percent)).or_default();
        score.cases += 1;
        score.same += usize::from(found == expected);
        score.lower_bounds += usize::from(lower_bound);
        if found != expected {
            wrong.push(format!(
                "{} {} %: {found:?}, not {expected:?}",
                case.group, case.percent
            ));
        }
        if let (Some(truth), Some(found)) = (case.truth, found.0) {
            score.prompts += 1;
            score.near += usize::from(found.abs_diff(truth) * 20 <= truth.max(40));
        }
    }
    println!(
        "{:<40} {:>5} {:>6} {:>6} {:>12} {:>14}",
        "broken off at", "", "cases", "same", "lower bound", "input in 5 %|2"
    );
    for ((group, percent), score) in &scores {
        println!(
            "{group:<40} {percent:>3} % {:>6} {:>6} {:>12} {:>10}/{}",
            score.cases, score.same, score.lower_bounds, score.near, score.prompts
        );
    }
    assert_eq!(rows.len(), cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
