//! Recorded replies and WebSocket sessions of real providers, held against what is expected of them: as the readers
//! read them, and as the running program passes and meters them.
//!
//! The recordings are not part of the repository. They are looked for in `MOONLOCK_CORPUS`, else beside it.

mod broken_off;
mod readers;
mod replies;
mod socket_readers;
mod sockets;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use moonlock::domain::usage::parts::Parts;
use serde_json::Value;

/// The file of the WebSocket sessions; all others hold replies.
const SESSIONS: &str = "realtime.jsonl.gz";

/// `None` where the recordings are absent, which is said.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn folder() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds its data by a variable that no setting is"
    )]
    let named = std::env::var("MOONLOCK_CORPUS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    let found = folder.is_dir().then_some(folder);
    if found.is_none() {
        println!("skipped: no recordings in MOONLOCK_CORPUS or ../shared/corpus");
    }
    found
}

/// The JSON texts of a file, one a line.
fn lines(path: &Path) -> impl Iterator<Item = Value> {
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// One request, its reply, and what has to be read from it.
struct Recording {
    /// The file it is in.
    file: String,
    line: Value,
    /// The reply's body, its content-encoding undone.
    body: Vec<u8>,
}

impl Recording {
    fn text(&self, key: &str) -> &str {
        self.line[key].as_str().unwrap_or_default()
    }

    /// The headers of its reply or of its request, in order.
    fn headers(&self, of: &str) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.line[of].as_array().unwrap().iter();
        pairs.filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_str()?)))
    }

    /// A header of its reply.
    fn header(&self, wanted: &str) -> Option<&str> {
        let mut headers = self.headers("response_headers");
        headers
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    }

    fn status(&self) -> u16 {
        let status = self.line["status"].as_u64().unwrap();
        u16::try_from(status).unwrap()
    }

    fn bytes(line: &Value, key: &str) -> Vec<u8> {
        STANDARD.decode(line[key].as_str().unwrap_or_default()).unwrap()
    }

    fn expected(&self) -> &Value {
        &self.line["expected"]
    }

    /// Whether the reply says what it used.
    fn has_usage(&self) -> bool {
        let fields = self.expected().as_object().unwrap();
        fields
            .iter()
            .any(|(name, value)| name != "model" && !value.is_null())
    }

    /// Where it comes from, for people.
    fn context(&self) -> String {
        let [provider, endpoint, file] = ["provider", "endpoint", "file"].map(|key| self.text(key));
        format!("{} {provider} {endpoint} {file}", self.file)
    }
}

/// All recordings of replies, in a fixed order.
fn recordings(folder: &Path) -> Vec<Recording> {
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.to_string_lossy().ends_with(".jsonl.gz") && !path.ends_with(SESSIONS));
    files.sort();
    let of_file = |path: &PathBuf| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        lines(path)
            .map(move |line| Recording {
                file: file.clone(),
                body: Recording::bytes(&line, "response_body_b64"),
                line,
            })
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

/// A small generator of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Cuts a body at places that a seed decides, into pieces of at most `longest` bytes.
fn cut(body: &[u8], seed: u64, longest: usize) -> Vec<&[u8]> {
    let mut dice = Dice(seed);
    let mut pieces = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let length = dice.below(longest) + 1;
        let (piece, tail) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// The numbers of a call as recordings give them: `input` is the whole prompt, `output` all that was generated.
#[derive(Debug, Default)]
struct Numbers {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    reasoning: Option<u64>,
}

impl Numbers {
    fn of_parts(parts: &Parts) -> Self {
        Self {
            input: parts.prompt().map(|tokens| tokens.0),
            output: parts.generated().map(|tokens| tokens.0),
            total: parts.total().map(|tokens| tokens.0),
            cache_read: parts.cache_read.map(|tokens| tokens.0),
            cache_write: parts.cache_write().map(|tokens| tokens.0),
            reasoning: parts.reasoning.map(|tokens| tokens.0),
        }
    }

    /// A row's numbers, as far as the provider gave them: in the API `input` is without what was cached.
    fn of_row(row: &Value) -> Self {
        if row["source"] == "estimated" {
            return Self::default();
        }
        let [cache_read, cache_write] = ["cacheRead", "cacheWrite"].map(|name| row[name].as_u64());
        let prompt = [row["input"].as_u64(), cache_read, cache_write];
        Self {
            input: prompt.into_iter().flatten().reduce(|sum, part| sum + part),
            output: row["output"].as_u64(),
            total: row["total"].as_u64(),
            cache_read,
            cache_write,
            reasoning: row["reasoning"].as_u64(),
        }
    }

    /// What differs from what is expected.
    fn differences(&self, expected: &Value) -> Vec<String> {
        let numbers = [
            ("input", self.input, false),
            ("output", self.output, false),
            ("total", self.total, false),
            ("cache_read", self.cache_read, true),
            ("cache_write", self.cache_write, true),
            ("reasoning", self.reasoning, true),
        ];
        let mut differences = Vec::new();
        for (name, actual, zero_may_be_unsaid) in numbers {
            let expected = expected[name].as_u64();
            let same = actual == expected || (zero_may_be_unsaid && expected.is_none() && actual == Some(0));
            if !same {
                differences.push(format!("{name}: read {actual:?}, expected {expected:?}"));
            }
        }
        differences
    }
}

/// Whether numbers may say that they come from there.
fn source_fits(source: Option<&str>, recording: &Recording) -> bool {
    let expected = recording.expected();
    let both = !expected["input"].is_null() && !expected["output"].is_null();
    match source {
        Some("exact") => both,
        // A completed response that says it used nothing is not believed to the letter.
        Some("partial") => !both || expected["total"] == 0,
        _ => !recording.has_usage(),
    }
}
