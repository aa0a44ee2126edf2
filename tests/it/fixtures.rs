//! Every fixture through the running program, whole and a byte at a time: the client gets it as it is, and the row says
//! what the table says of it. `fixtures/TRAPS.md` says what each of them is good for.

use std::path::Path;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::client::post;
use crate::support::upstream::{Script, Upstream};

/// One line of the table.
struct Case {
    name: &'static str,
    operation: &'static str,
    status: u16,
    /// What has to be read, word by word.
    reading: Vec<&'static str>,
    body: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let table = include_str!("../fixtures/readings.txt");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split(" | ").collect();
            Case {
                name: columns[0],
                operation: columns[1],
                status: columns[2].parse().unwrap(),
                reading: columns[3].split(' ').collect(),
                body: std::fs::read(folder.join(columns[0])).unwrap(),
            }
        })
        .collect()
}

impl Case {
    /// Where its operation is asked for.
    fn path(&self) -> String {
        let path = match self.operation {
            "chat.completions" => "/openai/v1/chat/completions",
            "completions" => "/openai/v1/completions",
            "responses" => "/openai/v1/responses",
            "responses.compact" => "/openai/v1/responses/compact",
            "embeddings" => "/openai/v1/embeddings",
            "images" => "/openai/v1/images/generations",
            "moderations" => "/openai/v1/moderations",
            "audio.transcriptions" => "/openai/v1/audio/transcriptions",
            "audio.speech" => "/openai/v1/audio/speech",
            "messages" => "/anthropic/v1/messages",
            "generateContent" | "streamGenerateContent" | "embedContent" | "batchEmbedContents" => {
                return format!("/gemini/v1beta/models/m:{}", self.operation);
            }
            "interactions" => "/gemini/v1beta/interactions",
            "ollama.chat" => "/ollama/api/chat",
            "ollama.generate" => "/ollama/api/generate",
            "ollama.embed" => "/ollama/api/embed",
            "cohere.chat" => "/cohere/v2/chat",
            "cohere.generate" => "/cohere/v1/generate",
            "cohere.embed" => "/cohere/v2/embed",
            "rerank" => "/cohere/v2/rerank",
            "converse" | "converse-stream" | "invoke" | "invoke-with-response-stream" => {
                return format!("/bedrock/us-east-1/model/m/{}", self.operation);
            }
            "rawPredict" => "/vertex/us-east1/v1/publishers/anthropic/models/m:rawPredict",
            "predict" => "/vertex/us-east1/v1/publishers/google/models/m:predict",
            "watsonx.text" => "/vllm/ml/v1/text/generation",
            "tgi.generate" => "/tgi/generate",
            "llamacpp.completion" => "/vllm/completion",
            other => panic!("no path is known for {other}"),
        };
        path.to_owned()
    }

    fn head(&self) -> String {
        let label = match Path::new(self.name).extension().unwrap().to_str().unwrap() {
            "sse" => "text/event-stream; charset=utf-8",
            "ndjson" => "application/x-ndjson",
            "bin" => "application/vnd.amazon.eventstream",
            _ => "application/json",
        };
        format!("{} Fixture\ncontent-type: {label}", self.status)
    }

    fn says(&self, word: &str) -> bool {
        self.reading.contains(&word)
    }

    /// The sum of the parts that are said; `None` where none is.
    fn sum(&self, parts: &[&str]) -> Option<u64> {
        let numbers = self.reading.iter().filter_map(|word| word.split_once('='));
        let wanted = numbers.filter(|(name, _)| parts.contains(name));
        wanted
            .map(|(_, number)| number.parse::<u64>().unwrap())
            .reduce(|sum, part| sum + part)
    }

    /// What the row has to say, by the API's names.
    fn expected(&self) -> Vec<(&'static str, Value)> {
        let sources = ["exact", "partial"];
        let source = sources.into_iter().find(|source| self.says(source));
        let prompt = ["in", "audio_in", "image_in"];
        let cached = ["read", "write5m", "write1h"];
        let generated = ["out", "think", "audio_out", "image_out"];
        let all = [&prompt[..], &cached, &generated, &["unsplit"]].concat();
        let outcome = match self.status {
            400.. => "upstream_error",
            _ if self.says("stream_error") => "stream_error",
            _ => "complete",
        };
        vec![
            ("outcome", outcome.into()),
            ("source", source.into()),
            ("input", self.sum(&prompt).into()),
            ("cacheRead", self.sum(&cached[..1]).into()),
            ("cacheWrite", self.sum(&cached[1..]).into()),
            ("output", self.sum(&generated).into()),
            ("reasoning", self.sum(&["think"]).into()),
            ("total", self.sum(&all).into()),
        ]
    }
}

/// Passes a fixture through a program of its own, and holds its one row against the table.
async fn pass(case: &Case, form: &str) {
    let (head, body) = (case.head(), case.body.clone());
    let is_whole = form == "whole";
    let upstream = Upstream::start(move |_| {
        if is_whole {
            Script::sized(&head, &body)
        } else {
            Script::chunked(&head, body.chunks(1))
        }
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    let reply = app.ask(post(&case.path(), "{}")).await;
    assert!(reply.whole && reply.body == case.body, "{form} {}", case.name);
    let row = app.row().await;
    for (name, expected) in case.expected() {
        assert_eq!(row[name], expected, "{name} of {} {form}: {row:#}", case.name);
    }
    app.stop().await;
}

#[tokio::test]
async fn every_fixture_passes_as_it_is_and_is_metered_as_documented() {
    let cases = cases();
    let forms = cases
        .iter()
        .flat_map(|case| ["whole", "bytes"].map(|form| (case, form)));
    stream::iter(forms)
        .for_each_concurrent(4, async |(case, form)| pass(case, form).await)
        .await;
}

/// All Rust below a folder.
fn rust_below(folder: &Path) -> String {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.extension() {
            _ if path.is_dir() => rust_below(&path),
            Some(kind) if kind == "rs" => std::fs::read_to_string(path).unwrap(),
            _ => String::new(),
        })
        .collect()
}

#[test]
fn what_the_table_of_traps_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code = ["src", "tests"]
        .map(|folder| rust_below(&root.join(folder)))
        .concat();
    let table = include_str!("../fixtures/TRAPS.md");
    // A fixture without a folder is in that of the one before it.
    let mut folder = "";
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let names = rows.filter_map(|row| Some(row.rsplit_once("| `")?.1.split('`').step_by(2)));
    for name in names.flatten() {
        let is_there = match name.rsplit_once('.') {
            Some((_, "rs")) => ["", "src", "tests"]
                .iter()
                .any(|below| root.join(below).join(name).is_file()),
            Some(_) => {
                folder = name.split_once('/').map_or(folder, |(folder, _)| folder);
                let file = name.rsplit('/').next().unwrap();
                root.join("tests/fixtures").join(folder).join(file).is_file()
            }
            None => code.contains(&format!("fn {name}(")),
        };
        assert!(is_there, "{name}");
    }
}
