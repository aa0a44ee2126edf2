//! The recorded replies through the running program: a scripted provider answers each recorded request as it was
//! answered, in one piece or many, in the clear or compressed.
//!
//! What is held: the provider gets the request and the client the reply byte for byte, a metered call has exactly one
//! row and any other none, and the row says what is expected of the recording.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::future::join_all;
use moonlock::domain::operation::Operation;
use serde_json::Value;

use super::{Numbers, Recording, cut, folder, recordings, source_fits};
use crate::support::app::TestApp;
use crate::support::bodies::{encodings, gzip, zstd};
use crate::support::client::Client;
use crate::support::http::{Message, chunk};
use crate::support::upstream::{Script, Upstream};

/// All recordings.
const ALL: usize = 1680;
/// Those whose reply says what it used.
const WITH_USAGE: usize = 1413;
/// Those of them that a row has to say exactly; the others are in [`EXPLAINED`].
const EXACT: usize = 1412;
/// Those that no row comes of: polls that say nothing of usage, and files that hold no results.
const WITHOUT_ROW: usize = 15;

/// Endpoints whose rows do not say what is expected of them, and why.
const EXPLAINED: [(&str, &str); 1] = [(
    "tgi.root",
    "its headers count the prompt as well, which the recording leaves out",
)];

/// So many connections are used at once.
const CLIENTS: usize = 8;

/// Bodies up to this length are sent a byte at a time, longer ones in pieces of up to [`TINY`] bytes: a megabyte of
/// single bytes tells nothing more and takes its time.
const BYTE_BY_BYTE: usize = 2 * 1024;
const TINY: usize = 100;

/// How a reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// In the clear, in one piece, with its length.
    Whole,
    /// In the clear, in chunks of any length.
    Split,
    /// In the clear, in chunks of a byte.
    Bytes,
    /// In that encoding of [`encodings`]; one half with its length, the other in chunks of any length.
    Encoded(usize),
}

const MODES: [(&str, Mode); 8] = [
    ("whole", Mode::Whole),
    ("split", Mode::Split),
    ("bytes", Mode::Bytes),
    ("gzip", Mode::Encoded(1)),
    ("zlib", Mode::Encoded(2)),
    ("deflate", Mode::Encoded(3)),
    ("br", Mode::Encoded(4)),
    ("zstd", Mode::Encoded(5)),
];

/// A recording, ready to be sent.
struct Case {
    recording: Recording,
    request: Vec<u8>,
    /// The reply in the clear, and in all encodings.
    bodies: Vec<(&'static str, Vec<u8>)>,
}

impl Case {
    fn new(recording: Recording) -> Self {
        Self {
            request: Recording::bytes(&recording.line, "request_body_b64"),
            bodies: encodings(&recording.body),
            recording,
        }
    }

    /// The mount, and the part of the host that some of them take.
    fn mount(&self) -> &str {
        match self.recording.text("provider") {
            "azure" => "azure/recorded",
            "bedrock" => "bedrock/us-east-1",
            "vertex" => "vertex/us-central1",
            "hf-tgi" => "tgi",
            own @ ("openai" | "anthropic" | "gemini" | "mistral" | "cohere" | "groq" | "deepseek"
            | "openrouter" | "together" | "ollama") => own,
            // Servers of one's own, and providers that no mount is built in for.
            _ => "vllm",
        }
    }

    /// The request's body and its encoding: compressed where the reply is to be so as well, and clients do that.
    fn sent(&self, mode: Mode) -> (Option<&'static str>, Vec<u8>) {
        match mode {
            _ if self.request.is_empty() => (None, Vec::new()),
            Mode::Encoded(1) => (Some("gzip"), gzip(&self.request)),
            Mode::Encoded(5) => (Some("zstd"), zstd(&self.request)),
            _ => (None, self.request.clone()),
        }
    }

    fn request(&self, index: usize, mode: Mode) -> Vec<u8> {
        let [method, path] = ["method", "path"].map(|key| self.recording.text(key));
        let mut head = format!(
            "{method} /{}{path} HTTP/1.1\r\nhost: moonlock\r\nx-moonlock-session: {index}\r\nx-recording: {index}\r\n",
            self.mount()
        );
        let (encoding, body) = self.sent(mode);
        for (name, value) in self.recording.headers("request_headers") {
            let of_the_connection = ["host", "connection", "content-length", "transfer-encoding"];
            let is_replaced = of_the_connection.contains(&&*name.to_ascii_lowercase())
                || (name.eq_ignore_ascii_case("accept-encoding") && matches!(mode, Mode::Encoded(_)));
            if !is_replaced {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        if let Mode::Encoded(which) = mode {
            head.push_str(&format!("accept-encoding: {}\r\n", self.bodies[which].0));
        }
        if let Some(encoding) = encoding {
            head.push_str(&format!("content-encoding: {encoding}\r\n"));
        }
        if method != "GET" {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        [head.as_bytes(), b"\r\n", &*body].concat()
    }

    /// Which body is sent: compressed only if it is still asked for.
    fn which(&self, mode: Mode, accepted: Option<&str>) -> usize {
        match mode {
            Mode::Encoded(which) if accepted == Some(self.bodies[which].0) => which,
            _ => 0,
        }
    }

    /// The fields of the reply that its provider sent, without those of the connection.
    fn fields(&self) -> Vec<(String, String)> {
        let of_the_connection = [
            "connection",
            "content-length",
            "content-encoding",
            "transfer-encoding",
        ];
        let fields = self.recording.headers("response_headers");
        let mut fields: Vec<_> = fields
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| !of_the_connection.contains(&&**name))
            .collect();
        fields.sort_by(|one, other| one.0.cmp(&other.0));
        fields
    }

    fn reply(&self, index: usize, mode: Mode, request: &Message) -> Script {
        let which = self.which(mode, request.head.get("accept-encoding"));
        let (encoding, body) = &self.bodies[which];
        let mut head = format!("{} Recorded", self.recording.status());
        for (name, value) in self.fields() {
            head.push_str(&format!("\n{name}: {value}"));
        }
        if which > 0 {
            head.push_str(&format!("\ncontent-encoding: {encoding}"));
        }
        let (seed, longest) = match mode {
            Mode::Whole => return Script::sized(&head, body),
            Mode::Encoded(which) if (index + which).is_multiple_of(2) => return Script::sized(&head, body),
            Mode::Split | Mode::Encoded(_) => (index as u64, 700),
            Mode::Bytes if body.len() <= BYTE_BY_BYTE => (0, 1),
            Mode::Bytes => (index as u64, TINY),
        };
        let mut chunks: Vec<u8> = cut(body, seed, longest).into_iter().flat_map(chunk).collect();
        chunks.extend(b"0\r\n\r\n");
        Script::new()
            .head(&format!("{head}\ntransfer-encoding: chunked"))
            .send(chunks)
    }

    /// Whether a call of it has a row.
    fn has_row(&self) -> bool {
        let path = self.recording.text("path").split('?').next().unwrap();
        match Operation::detect(self.recording.text("method"), path) {
            _ if self.recording.text("meter") == "never" => false,
            // A poll that says nothing of usage is no call.
            Some(operation) if operation.is_fetch() => self.recording.has_usage(),
            operation => operation.is_some() || self.recording.text("provider") == "hf-tgi",
        }
    }
}

/// What one mode gave.
#[derive(Default)]
struct Outcome {
    /// The rows that came of each recording.
    rows: BTreeMap<usize, Vec<Value>>,
    /// Recordings whose reply was asked for in an encoding, and was not any more when it reached the provider:
    /// Moonlock asked for usage, and keeps the event with it from the client.
    in_the_clear: usize,
    wrong: Vec<String>,
}

async fn replay(cases: &Arc<Vec<Case>>, mode: Mode) -> Outcome {
    let provider = Arc::clone(cases);
    let mut upstream = Upstream::start(move |request| {
        let index: usize = request.head.get("x-recording").unwrap().parse().unwrap();
        provider[index].reply(index, mode, request)
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    let next = AtomicUsize::new(0);
    let client = async || {
        let mut client = Client::connect(app.proxy()).await;
        let mut outcome = Outcome::default();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(index) else {
                return outcome;
            };
            let reply = client.ask(case.request(index, mode)).await;
            check_reply(case, mode, &reply, &mut outcome);
        }
    };
    let clients = join_all((0..CLIENTS).map(|_| client())).await;
    let mut outcome = Outcome::default();
    for one in clients {
        outcome.wrong.extend(one.wrong);
        outcome.in_the_clear += one.in_the_clear;
    }
    let seen = upstream.all_seen();
    assert_eq!(seen.len(), cases.len(), "each request goes out once");
    for request in seen {
        let index: usize = request.head.get("x-recording").unwrap().parse().unwrap();
        check_request(&cases[index], mode, &request, &mut outcome);
    }
    for row in app.rows().await {
        let index = row["askedSession"].as_str().unwrap().parse().unwrap();
        outcome.rows.entry(index).or_default().push(row);
    }
    app.stop().await;
    outcome
}

/// The client gets what the provider sent.
fn check_reply(case: &Case, mode: Mode, reply: &Message, outcome: &mut Outcome) {
    let which = case.which(mode, reply.head.get("content-encoding"));
    outcome.in_the_clear += usize::from(matches!(mode, Mode::Encoded(_)) && which == 0);
    let mut fields = reply.head.sorted();
    fields.retain(|(name, _)| {
        !["content-length", "content-encoding", "transfer-encoding"].contains(&&**name)
            && (name != "date" || case.recording.header("date").is_some())
    });
    let same = [
        ("status", reply.head.status() == case.recording.status()),
        ("fields", fields == case.fields()),
        ("body", reply.whole && reply.body == case.bodies[which].1),
    ];
    for (what, _) in same.iter().filter(|(_, same)| !same) {
        let context = case.recording.context();
        outcome
            .wrong
            .push(format!("{context}: the client gets another {what}"));
    }
}

/// The provider gets what the client sent, and at most the question for usage more.
fn check_request(case: &Case, mode: Mode, request: &Message, outcome: &mut Outcome) {
    let (_, sent) = case.sent(mode);
    let question = b",\"stream_options\":{\"include_usage\":true}";
    let asked = memchr::memmem::rfind(&request.body, question).map(|at| {
        let (before, behind) = (&request.body[..at], &request.body[at + question.len()..]);
        [before, behind].concat()
    });
    if request.body != sent && asked.as_ref() != Some(&sent) {
        let context = case.recording.context();
        outcome
            .wrong
            .push(format!("{context}: the provider gets another body"));
    }
}

/// What differs between a recording's rows and what is expected of them.
fn differences(case: &Case, rows: &[Value]) -> Vec<String> {
    let recording = &case.recording;
    let expected_rows = usize::from(case.has_row());
    if rows.len() != expected_rows {
        return vec![format!("{} rows instead of {expected_rows}", rows.len())];
    }
    let Some(row) = rows.first() else {
        let unread = recording.has_usage().then(|| "no row".to_owned());
        return unread.into_iter().collect();
    };
    let mut differences = Numbers::of_row(row).differences(recording.expected());
    let source = row["source"].as_str();
    if !source_fits(source, recording) {
        differences.push(format!("source: {source:?}"));
    }
    let outcome = match recording.status() {
        400.. => "upstream_error",
        _ if row["error"].is_null() => "complete",
        _ => "stream_error",
    };
    for (name, expected) in [
        ("outcome", Some(outcome)),
        ("model", model(recording, row)),
        ("requestModel", request_model(case)),
    ] {
        if expected.is_some() && row[name].as_str() != expected {
            differences.push(format!("{name}: {}, expected {expected:?}", row[name]));
        }
    }
    differences
}

/// The model that the reply names, else the one that was asked for.
fn model<'a>(recording: &'a Recording, row: &'a Value) -> Option<&'a str> {
    let expected = recording.expected()["model"].as_str();
    let named = expected.filter(|model| memchr::memmem::find(&recording.body, model.as_bytes()).is_some());
    named.or_else(|| row["requestModel"].as_str().filter(|_| row["model"].is_null()))
}

/// The model that the request's body names.
fn request_model(case: &Case) -> Option<&str> {
    let body: Value = serde_json::from_slice(&case.request).ok()?;
    let model = case.recording.line["request_model"].as_str()?;
    (body["model"] == model).then_some(model)
}

/// How the recordings of one endpoint fare.
#[derive(Default)]
struct Score {
    all: usize,
    with_usage: usize,
    exact: [usize; MODES.len()],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_replies_are_passed_and_metered_in_every_form() {
    let Some(folder) = folder() else { return };
    let cases: Arc<Vec<_>> = Arc::new(recordings(&folder).into_iter().map(Case::new).collect());
    let mut table: BTreeMap<(&str, &str), Score> = BTreeMap::new();
    let mut misses: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut without_row = [0; MODES.len()];
    for case in &*cases {
        let [provider, endpoint] = ["provider", "endpoint"].map(|key| case.recording.text(key));
        let score = table.entry((provider, endpoint)).or_default();
        score.all += 1;
        score.with_usage += usize::from(case.recording.has_usage());
    }
    for (column, (name, mode)) in MODES.into_iter().enumerate() {
        let began = Instant::now();
        let outcome = replay(&cases, mode).await;
        println!(
            "{name}: {:.1} s, {} rows, {} replies that stayed in the clear",
            began.elapsed().as_secs_f32(),
            outcome.rows.values().map(Vec::len).sum::<usize>(),
            outcome.in_the_clear
        );
        wrong.extend(outcome.wrong.into_iter().map(|what| format!("{name}: {what}")));
        for (index, case) in cases.iter().enumerate() {
            let rows = outcome.rows.get(&index).map_or(&[][..], Vec::as_slice);
            without_row[column] += usize::from(rows.is_empty());
            let [provider, endpoint] = ["provider", "endpoint"].map(|key| case.recording.text(key));
            let differences = differences(case, rows);
            let score = table.entry((provider, endpoint)).or_default();
            if differences.is_empty() {
                score.exact[column] += usize::from(case.recording.has_usage());
                continue;
            }
            let reason = EXPLAINED.iter().find(|(explained, _)| *explained == endpoint);
            let what = format!("{}: {}", case.recording.context(), differences.join("; "));
            match reason {
                Some((_, reason)) => misses.entry(format!("{what} — {reason}")).or_default().push(name),
                None => wrong.push(format!("{name}: {what}")),
            }
        }
    }
    for (miss, modes) in &misses {
        println!("MISS in {} of {} modes: {miss}", modes.len(), MODES.len());
    }
    print(&table);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let sum = |of: &dyn Fn(&Score) -> usize| -> usize { table.values().map(of).sum() };
    assert_eq!(
        (sum(&|score| score.all), sum(&|score| score.with_usage)),
        (ALL, WITH_USAGE)
    );
    for (column, (name, _)) in MODES.into_iter().enumerate() {
        let counts = (sum(&|score| score.exact[column]), without_row[column]);
        assert_eq!(counts, (EXACT, WITHOUT_ROW), "exact, and without a row: {name}");
    }
}

/// A line for each endpoint of a provider: how many are exact, of those with usage, in each mode.
#[expect(clippy::print_stdout, reason = "a table for people")]
fn print(table: &BTreeMap<(&str, &str), Score>) {
    let modes = MODES.map(|(name, _)| format!("{name:>8}")).concat();
    println!(
        "{:<17} {:<31} {:>5} {:>6}{modes}",
        "provider", "endpoint", "all", "usage"
    );
    let line = |provider: &str, endpoint: &str, score: &Score| {
        let exact = score.exact.map(|exact| format!("{exact:>8}")).concat();
        println!(
            "{provider:<17} {endpoint:<31} {:>5} {:>6}{exact}",
            score.all, score.with_usage
        );
    };
    let mut sum = Score::default();
    for ((provider, endpoint), score) in table {
        line(provider, endpoint, score);
        sum.all += score.all;
        sum.with_usage += score.with_usage;
        for (sum, exact) in sum.exact.iter_mut().zip(score.exact) {
            *sum += exact;
        }
    }
    line("all", "", &sum);
}
