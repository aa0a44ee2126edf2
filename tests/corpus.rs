//! Replays recorded replies of real providers and holds what is read against what is expected.
//!
//! The recordings are not part of the repository. They are looked for in `MOONLOCK_CORPUS`, else beside it.

#![expect(clippy::unwrap_used, reason = "this is a test throughout")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use base64::Engine;
use flate2::read::GzDecoder;
use moonlock::domain::call::Source;
use moonlock::domain::operation::Operation;
use moonlock::domain::usage::once::Making;
use moonlock::domain::usage::parts::Parts;
use moonlock::domain::usage::reading::Reading;
use moonlock::domain::usage::reply::ReplyReader;
use serde_json::Value;

const ENDPOINTS: &[&str] = &[
    "openai.chat",
    "openai.completions",
    "openai.images",
    "openai.audio.transcriptions",
    "openai.audio.translations",
    "openai.moderations",
    "openai.responses",
    "openai.assistants.run",
    "openai.assistants.run.retrieve",
    "openai.files.content",
    "openai.embeddings",
    "anthropic.messages",
    "gemini.generateContent",
    "ollama.chat",
    "ollama.generate",
    "ollama.embed",
    "cohere.v1.chat",
    "cohere.v1.generate",
    "cohere.v2.chat",
    "cohere.embed",
    "rerank",
    "writer.chat",
    "bedrock.converse",
    "bedrock.converse-stream",
    "bedrock.invoke",
    "bedrock.invoke-stream",
    "watsonx.text",
    "tgi.root",
    "gemini.embedContent",
    "gemini.interactions",
    "gemini.streamGenerateContent",
];

/// Providers whose every number has to be right.
const EXACT: &[&str] = &[
    "openai",
    "anthropic",
    "gemini",
    "vertex",
    "azure",
    "bedrock",
    "cohere",
    "ollama",
    "voyage",
    "watsonx",
];

/// `None` where the recordings are absent.
fn corpus() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds its data by a variable that no setting is"
    )]
    let named = std::env::var("MOONLOCK_CORPUS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    folder.is_dir().then_some(folder)
}

/// How many recordings of a kind are read as expected.
#[derive(Default)]
struct Score {
    exact: u32,
    all: u32,
}

/// What the recordings say that may say it again.
#[derive(Default)]
struct Once {
    read: u32,
    with_usage: u32,
    named: u32,
    /// What was counted: the name and the usage that came first.
    ids: BTreeMap<Box<str>, Parts>,
}

impl Once {
    fn take(&mut self, operation: Operation, reading: &Reading) {
        self.read += 1;
        let Some(once) = &reading.once else {
            self.with_usage += u32::from(reading.source.is_some());
            return;
        };
        let is_over = reading.source.is_some();
        assert_eq!(once.state == Making::Over, is_over, "{operation:?} {}", once.id);
        if is_over {
            self.with_usage += 1;
            self.named += 1;
            let first = self.ids.entry(once.id.clone()).or_insert(reading.parts);
            assert_eq!(*first, reading.parts, "{}", once.id);
        }
    }
}

struct Recording {
    file: String,
    line: Value,
    body: Vec<u8>,
}

impl Recording {
    fn text(&self, key: &str) -> &str {
        self.line[key].as_str().unwrap_or_default()
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        let headers = &self.line["response_headers"];
        let value = match headers {
            Value::Object(map) => map.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?.1,
            Value::Array(list) => list.iter().find_map(|pair| {
                let is_it = pair[0].as_str()?.eq_ignore_ascii_case(wanted);
                is_it.then_some(&pair[1])
            })?,
            _ => return None,
        };
        value.as_str().or_else(|| value[0].as_str())
    }

    fn read<'b>(&self, operation: Operation, pieces: impl IntoIterator<Item = &'b [u8]>) -> Reading {
        let status = self.line["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(200);
        let mut reader = ReplyReader::new(operation, self.header("content-type"), status)
            .with_headers(&|name| self.header(name).map(Into::into));
        pieces.into_iter().for_each(|piece| reader.push(piece));
        reader.finish()
    }
}

fn recordings(folder: &Path) -> Vec<Recording> {
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.to_string_lossy().ends_with(".jsonl.gz"));
    files.sort();
    let mut recordings = Vec::new();
    for path in files {
        let lines = BufReader::new(GzDecoder::new(File::open(&path).unwrap())).lines();
        for line in lines {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let is_ours = line["endpoint"]
                .as_str()
                .is_some_and(|endpoint| ENDPOINTS.contains(&endpoint));
            let meter = line["meter"].as_str().unwrap_or_default();
            if is_ours && ["count", "once_by_id"].contains(&meter) {
                let body = line["response_body_b64"].as_str().unwrap_or_default();
                let body = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
                let file = path.file_name().unwrap().to_string_lossy().into_owned();
                recordings.push(Recording { file, line, body });
            }
        }
    }
    recordings
}

/// Cuts a body at places that a small generator chooses.
fn cut(body: &[u8], mut seed: u64) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let length = usize::try_from(seed >> 33).unwrap() % 700 + 1;
        let (piece, tail) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// What differs between a reading and what is expected of it.
fn differences(reading: &Reading, expected: &Value) -> Vec<String> {
    let parts = &reading.parts;
    let numbers = [
        ("input", parts.prompt(), false),
        ("output", parts.generated(), false),
        ("total", parts.total(), false),
        ("cache_read", parts.cache_read, true),
        ("cache_write", parts.cache_write(), true),
        ("reasoning", parts.reasoning, true),
    ];
    let mut differences = Vec::new();
    for (name, actual, zero_may_be_unsaid) in numbers {
        let actual = actual.map(|tokens| tokens.0);
        let expected = expected[name].as_u64();
        let same = actual == expected || (zero_may_be_unsaid && expected.is_none() && actual == Some(0));
        if !same {
            differences.push(format!("{name}: read {actual:?}, expected {expected:?}"));
        }
    }
    differences
}

#[test]
fn recorded_replies_are_read_as_expected() {
    let Some(folder) = corpus() else {
        println!("skipped: no recordings in MOONLOCK_CORPUS or ../shared/corpus");
        return;
    };
    let mut table: BTreeMap<(String, String), Score> = BTreeMap::new();
    let mut models = (0, 0);
    let mut once = Once::default();
    for recording in recordings(&folder) {
        let (provider, endpoint) = (recording.text("provider"), recording.text("endpoint"));
        let path = recording.text("path").split('?').next().unwrap();
        let context = format!(
            "{} {provider} {endpoint} {}",
            recording.file,
            recording.text("file")
        );
        let score = table
            .entry((provider.to_owned(), endpoint.to_owned()))
            .or_default();
        score.all += 1;
        let Some(operation) = Operation::detect(recording.text("method"), path) else {
            println!("MISS {context}: no operation is known for {path}");
            continue;
        };
        let whole = recording.read(operation, [recording.body.as_slice()]);
        assert_eq!(
            recording.read(operation, recording.body.chunks(1)),
            whole,
            "{context} byte by byte"
        );
        for seed in 1..=3 {
            assert_eq!(
                recording.read(operation, cut(&recording.body, seed)),
                whole,
                "{context} cut by {seed}"
            );
        }

        if recording.text("meter") == "once_by_id" {
            once.take(operation, &whole);
        }
        let expected = &recording.line["expected"];
        let mut differences = differences(&whole, expected);
        let has_usage = expected.as_object().is_some_and(|fields| {
            fields
                .iter()
                .any(|(name, value)| name != "model" && !value.is_null())
        });
        let source_fits = match whole.source {
            Some(Source::Exact) => !expected["input"].is_null() && !expected["output"].is_null(),
            // A completed response that says it used nothing is not believed to the letter.
            Some(_) => expected["input"].is_null() || expected["output"].is_null() || expected["total"] == 0,
            None => !has_usage,
        };
        if !source_fits {
            differences.push(format!("source: read {:?}", whole.source));
        }
        if whole.flaws.any() {
            differences.push(format!("flaws: {:?}", whole.flaws));
        }
        if differences.is_empty() {
            score.exact += 1;
        } else {
            println!(
                "MISS {context}: {}; raw {:?}",
                differences.join("; "),
                whole.raw_usage
            );
        }
        if let Some(model) = expected["model"].as_str() {
            let is_named = memchr::memmem::find(&recording.body, model.as_bytes()).is_some();
            models.1 += u32::from(is_named);
            models.0 += u32::from(is_named && whole.model.as_deref() == Some(model));
            if is_named && whole.model.as_deref() != Some(model) {
                println!("model {context}: read {:?}, expected {model}", whole.model);
            }
        }
        let status_is_good = recording.line["status"]
            .as_u64()
            .is_some_and(|status| status < 300);
        let is_complete = recording.line["stream_complete"] != false;
        if !whole.terminal && status_is_good && is_complete {
            println!("end {context}: not seen, {:?}", whole.error);
        }
    }

    println!("{:<18} {:<30} exact/all", "provider", "endpoint");
    for ((provider, endpoint), Score { exact, all }) in &table {
        println!("{provider:<18} {endpoint:<30} {exact}/{all}");
    }
    println!(
        "once_by_id: {} read, {} with usage, {} counted",
        once.read,
        once.with_usage,
        once.ids.len()
    );
    assert_eq!(once.with_usage, once.named, "usage that comes again has a name");
    println!("models named in the body and read: {}/{}", models.0, models.1);
    for ((provider, endpoint), Score { exact, all }) in &table {
        if EXACT.contains(&provider.as_str()) {
            assert_eq!(exact, all, "{provider} {endpoint}");
        }
    }
}
