//! The recorded replies as the readers read them, in any pieces.

use std::collections::BTreeMap;

use moonlock::domain::call::Source;
use moonlock::domain::operation::Operation;
use moonlock::domain::usage::once::Making;
use moonlock::domain::usage::parts::Parts;
use moonlock::domain::usage::reading::Reading;
use moonlock::domain::usage::reply::ReplyReader;

use super::{Numbers, Recording, cut, folder, recordings, source_fits};

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
    "anthropic.complete",
    "aleph-alpha.complete",
    "replicate.predictions",
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

fn read<'b>(
    recording: &Recording,
    operation: Operation,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> Reading {
    let mut reader = ReplyReader::new(operation, recording.header("content-type"), recording.status())
        .with_headers(&|name| recording.header(name).map(Into::into));
    pieces.into_iter().for_each(|piece| reader.push(piece));
    reader.finish()
}

/// Whether this is about a recording.
fn is_ours(recording: &Recording) -> bool {
    ENDPOINTS.contains(&recording.text("endpoint")) && recording.text("meter") != "never"
}

#[test]
fn recorded_replies_are_read_as_expected() {
    let Some(folder) = folder() else { return };
    let mut table: BTreeMap<(String, String), Score> = BTreeMap::new();
    let mut models = (0, 0);
    let mut once = Once::default();
    for recording in recordings(&folder).into_iter().filter(is_ours) {
        let (provider, endpoint) = (recording.text("provider"), recording.text("endpoint"));
        let path = recording.text("path").split('?').next().unwrap();
        let context = recording.context();
        let score = table
            .entry((provider.to_owned(), endpoint.to_owned()))
            .or_default();
        score.all += 1;
        let Some(operation) = Operation::detect(recording.text("method"), path) else {
            println!("MISS {context}: no operation is known for {path}");
            continue;
        };
        let whole = read(&recording, operation, [recording.body.as_slice()]);
        assert_eq!(
            read(&recording, operation, recording.body.chunks(1)),
            whole,
            "{context} byte by byte"
        );
        for seed in 1..=3 {
            assert_eq!(
                read(&recording, operation, cut(&recording.body, seed, 700)),
                whole,
                "{context} cut by {seed}"
            );
        }

        if recording.text("meter") == "once_by_id" {
            once.take(operation, &whole);
        }
        let expected = recording.expected();
        let mut differences = Numbers::of_parts(&whole.parts).differences(expected);
        if !source_fits(whole.source.map(Source::name), &recording) {
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
        let status_is_good = recording.status() < 300;
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
