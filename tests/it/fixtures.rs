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
    /// What has to be read, word by word: of each model that the reply tells of.
    readings: Vec<Words>,
    body: Vec<u8>,
}

/// What has to be read of a model.
struct Words(Vec<&'static str>);

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
                readings: columns[3]
                    .split(" + ")
                    .map(|reading| Words(reading.split(' ').collect()))
                    .collect(),
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
            "complete" => "/vllm/complete",
            "embed" => "/vllm/embed",
            "lmstudio.chat" => "/vllm/api/v1/chat",
            "conversations" => "/mistral/v1/conversations",
            "ocr" => "/mistral/v1/ocr",
            "prediction" => "/vllm/v1/predictions",
            "threads.runs" => "/openai/v1/threads/runs",
            "threads.runs.retrieve" => "/openai/v1/threads/t/runs/r",
            "batches.results" => "/openai/v1/files/f/content",
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

    fn request(&self) -> Vec<u8> {
        match self.operation {
            "threads.runs.retrieve" | "batches.results" => {
                format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", self.path()).into_bytes()
            }
            _ => post(&self.path(), "{}"),
        }
    }

    /// What its rows have to say: none comes of a file that holds no batch.
    fn rows(&self) -> &[Words] {
        match &*self.readings {
            [only] if self.operation == "batches.results" && only.source().is_none() => &[],
            all => all,
        }
    }
}

impl Words {
    fn says(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn source(&self) -> Option<&'static str> {
        ["exact", "partial"].into_iter().find(|source| self.says(source))
    }

    /// The sum of the parts that are said; `None` where none is.
    fn sum(&self, parts: &[&str]) -> Option<u64> {
        let numbers = self.0.iter().filter_map(|word| word.split_once('='));
        let wanted = numbers.filter(|(name, _)| parts.contains(name));
        wanted
            .map(|(_, number)| number.parse::<u64>().unwrap())
            .reduce(|sum, part| sum + part)
    }

    /// What the row has to say, by the API's names.
    fn expected(&self, status: u16) -> Vec<(&'static str, Value)> {
        let prompt = ["in", "audio_in", "image_in"];
        let cached = ["read", "write5m", "write1h"];
        let generated = ["out", "think", "audio_out", "image_out"];
        let all = [&prompt[..], &cached, &generated, &["unsplit"]].concat();
        let outcome = match status {
            400.. => "upstream_error",
            _ if self.says("stream_error") => "stream_error",
            _ => "complete",
        };
        vec![
            ("outcome", outcome.into()),
            ("source", self.source().into()),
            ("input", self.sum(&prompt).into()),
            ("cacheRead", self.sum(&cached[..1]).into()),
            ("cacheWrite", self.sum(&cached[1..]).into()),
            ("output", self.sum(&generated).into()),
            ("reasoning", self.sum(&["think"]).into()),
            ("total", self.sum(&all).into()),
        ]
    }
}

/// Passes a fixture through a program of its own, and holds its rows against the table.
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
    let reply = app.ask(case.request()).await;
    assert!(reply.whole && reply.body == case.body, "{form} {}", case.name);
    let rows = app.rows().await;
    assert_eq!(rows.len(), case.rows().len(), "{} {form}: {rows:#?}", case.name);
    for words in case.rows() {
        let is_of = |row: &&Value| rows.len() == 1 || row["model"] == words.0[0];
        let row = rows.iter().find(is_of).unwrap();
        for (name, expected) in words.expected(case.status) {
            assert_eq!(row[name], expected, "{name} of {} {form}: {row:#}", case.name);
        }
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
