//! Reads what a reply used, from its bytes, as they pass.

mod aws;
mod lines;

use aws::Aws;
use lines::Lines;

use super::anthropic::Anthropic;
use super::batch::BatchResults;
use super::bedrock::{Converse, Invoke};
use super::cohere::{Cohere, CohereEmbed};
use super::dialect::{Dialect, Ending};
use super::gemini::Gemini;
use super::gemini_more::{Embed, Interactions};
use super::json_scan::JsonScanner;
use super::ollama::{Ollama, OllamaEmbed};
use super::openai_chat::{Chat, Embeddings};
use super::openai_media::{Audio, Images};
use super::openai_responses::Responses;
use super::openai_runs::Run;
use super::platforms;
use super::reading::{Flaws, Reading, StreamError};
use super::servers::{LlamaCpp, Predict, Tgi, Watsonx};
use super::shape::Tabled;
use super::sse::{EventSink, SseSplitter};
use crate::domain::operation::Operation;

/// Reads one reply. Memory does not grow with the reply.
#[derive(Debug)]
pub struct ReplyReader {
    refused: bool,
    labelled_stream: bool,
    dialect: AnyDialect,
    /// The file or batch that the request asked for.
    fetched: Option<Box<str>>,
}

/// One reader for each dialect; an operation without usage has none.
#[derive(Debug)]
enum AnyDialect {
    Chat(Box<Body<Chat>>),
    Embeddings(Box<Body<Embeddings>>),
    Responses(Box<Body<Responses>>),
    Run(Box<Body<Run>>),
    BatchResults(Box<Body<BatchResults>>),
    Anthropic(Box<Body<Anthropic>>),
    Gemini(Box<Body<Gemini>>),
    Ollama(Box<Body<Tabled<Ollama>>>),
    OllamaEmbed(Box<Body<Tabled<OllamaEmbed>>>),
    Cohere(Box<Body<Tabled<Cohere>>>),
    CohereEmbed(Box<Body<Tabled<CohereEmbed>>>),
    Converse(Box<Body<Tabled<Converse>>>),
    Invoke(Box<Body<Tabled<Invoke>>>),
    Tgi(Box<Body<Tabled<Tgi>>>),
    LlamaCpp(Box<Body<Tabled<LlamaCpp>>>),
    Watsonx(Box<Body<Tabled<Watsonx>>>),
    Predict(Box<Body<Tabled<Predict>>>),
    GeminiEmbed(Box<Body<Tabled<Embed>>>),
    Interactions(Box<Body<Tabled<Interactions>>>),
    Images(Box<Body<Tabled<Images>>>),
    Audio(Box<Body<Tabled<Audio>>>),
    Complete(Box<Body<Tabled<platforms::Complete>>>),
    Embed(Box<Body<Tabled<platforms::Embed>>>),
    LmStudio(Box<Body<Tabled<platforms::LmStudio>>>),
    Conversations(Box<Body<Tabled<platforms::Conversations>>>),
    Ocr(Box<Body<Tabled<platforms::Ocr>>>),
    Prediction(Box<Body<Tabled<platforms::Prediction>>>),
    Nothing,
}

/// Runs an expression on whichever reader there is.
macro_rules! with_body {
    ($dialect:expr, $body:ident => $run:expr, else $none:expr) => {
        match $dialect {
            AnyDialect::Chat($body) => $run,
            AnyDialect::Embeddings($body) => $run,
            AnyDialect::Responses($body) => $run,
            AnyDialect::Run($body) => $run,
            AnyDialect::BatchResults($body) => $run,
            AnyDialect::Anthropic($body) => $run,
            AnyDialect::Gemini($body) => $run,
            AnyDialect::Ollama($body) => $run,
            AnyDialect::OllamaEmbed($body) => $run,
            AnyDialect::Cohere($body) => $run,
            AnyDialect::CohereEmbed($body) => $run,
            AnyDialect::Converse($body) => $run,
            AnyDialect::Invoke($body) => $run,
            AnyDialect::Tgi($body) => $run,
            AnyDialect::LlamaCpp($body) => $run,
            AnyDialect::Watsonx($body) => $run,
            AnyDialect::Predict($body) => $run,
            AnyDialect::GeminiEmbed($body) => $run,
            AnyDialect::Interactions($body) => $run,
            AnyDialect::Images($body) => $run,
            AnyDialect::Audio($body) => $run,
            AnyDialect::Complete($body) => $run,
            AnyDialect::Embed($body) => $run,
            AnyDialect::LmStudio($body) => $run,
            AnyDialect::Conversations($body) => $run,
            AnyDialect::Ocr($body) => $run,
            AnyDialect::Prediction($body) => $run,
            AnyDialect::Nothing => $none,
        }
    };
}

impl ReplyReader {
    /// Makes a reader for a reply to `operation`, with what its head says.
    ///
    /// The content type is a hint: the first byte of the body decides how it is framed, because labels are wrong.
    #[must_use]
    pub fn new(operation: Operation, content_type: Option<&str>, status: u16) -> Self {
        let kind = content_type.and_then(|label| label.split(';').next());
        let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
        let labelled_stream = kind == "text/event-stream";
        let refused = !(200..300).contains(&status);
        let dialect = match operation {
            Operation::ChatCompletions | Operation::Completions => AnyDialect::Chat(Body::new(refused)),
            Operation::Embeddings => AnyDialect::Embeddings(Body::new(refused)),
            Operation::Responses | Operation::CompactResponse | Operation::RetrieveResponse => {
                AnyDialect::Responses(Body::new(refused))
            }
            Operation::Runs | Operation::RetrieveRun => AnyDialect::Run(Body::new(refused)),
            Operation::BatchResults => AnyDialect::BatchResults(Body::new(refused)),
            Operation::Messages | Operation::RawPredict => AnyDialect::Anthropic(Body::new(refused)),
            Operation::GenerateContent | Operation::StreamGenerateContent => {
                AnyDialect::Gemini(Body::new(refused))
            }
            Operation::EmbedContent | Operation::BatchEmbedContents => {
                AnyDialect::GeminiEmbed(Body::new(refused))
            }
            Operation::Interactions | Operation::RetrieveInteraction => {
                AnyDialect::Interactions(Body::new(refused))
            }
            Operation::OllamaChat | Operation::OllamaGenerate => AnyDialect::Ollama(Body::new(refused)),
            Operation::OllamaEmbed => AnyDialect::OllamaEmbed(Body::new(refused)),
            Operation::CohereChat | Operation::CohereGenerate => AnyDialect::Cohere(Body::new(refused)),
            Operation::CohereEmbed | Operation::Rerank => AnyDialect::CohereEmbed(Body::new(refused)),
            Operation::Converse | Operation::ConverseStream => AnyDialect::Converse(Body::new(refused)),
            Operation::Invoke | Operation::InvokeStream => AnyDialect::Invoke(Body::new(refused)),
            Operation::TgiGenerate => AnyDialect::Tgi(Body::new(refused)),
            Operation::LlamaCppCompletion => AnyDialect::LlamaCpp(Body::new(refused)),
            Operation::WatsonxText => AnyDialect::Watsonx(Body::new(refused)),
            Operation::Predict => AnyDialect::Predict(Body::new(refused)),
            Operation::Complete => AnyDialect::Complete(Body::new(refused)),
            Operation::Embed => AnyDialect::Embed(Body::new(refused)),
            Operation::LmStudioChat => AnyDialect::LmStudio(Body::new(refused)),
            Operation::Conversations => AnyDialect::Conversations(Body::new(refused)),
            Operation::Ocr => AnyDialect::Ocr(Body::new(refused)),
            Operation::Prediction => AnyDialect::Prediction(Body::new(refused)),
            // Sound holds no words.
            Operation::Speech if kind.starts_with("audio/") => AnyDialect::Nothing,
            Operation::Transcriptions | Operation::Translations | Operation::Speech => {
                AnyDialect::Audio(Body::new(refused))
            }
            Operation::Images | Operation::Moderations => AnyDialect::Images(Body::new(refused)),
            // What passes over a WebSocket has no body.
            Operation::Realtime | Operation::Live | Operation::Manual => AnyDialect::Nothing,
        };
        Self {
            refused,
            labelled_stream,
            dialect,
            fetched: None,
        }
    }

    /// Tells the reader which file or batch the request asked for: its lines name only themselves.
    #[must_use]
    pub fn with_fetched(mut self, id: Option<&str>) -> Self {
        self.fetched = id.map(Into::into);
        self
    }

    /// Tells the reader the reply's headers: some providers count there.
    #[must_use]
    pub fn with_headers(mut self, get: &dyn Fn(&str) -> Option<Box<str>>) -> Self {
        with_body!(&mut self.dialect, body => body.documents.dialect.headers(get), else ());
        self
    }

    /// Reads the next piece of the body, after content decoding.
    pub fn push(&mut self, bytes: &[u8]) {
        with_body!(&mut self.dialect, body => body.push(bytes), else ());
    }

    /// Whether the reply's last event has been read: nothing that matters can follow.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        with_body!(&self.dialect, body => body.is_terminal(), else false)
    }

    /// Whether the reply is a stream.
    #[must_use]
    pub fn streamed(&self) -> bool {
        with_body!(&self.dialect, body => body.is_stream(self.labelled_stream), else self.labelled_stream)
    }

    /// What was read, once no more bytes come.
    #[must_use]
    pub fn finish(self) -> Reading {
        let mut reading =
            with_body!(self.dialect, body => body.finish(self.refused), else Reading::default());
        if let Some(file) = &self.fetched {
            reading.name_results(file);
        }
        reading
    }
}

/// How a body's documents lie in it.
#[derive(Debug)]
enum Framing {
    /// Nothing but whitespace has come.
    Unknown,
    /// One JSON document, or an array of them.
    Json,
    /// JSON documents, one after the other.
    Lines(Lines),
    /// An AWS event stream.
    Aws(Box<Aws>),
    /// Server-sent events.
    Events(SseSplitter),
}

/// A body with its framing, and the reader of its dialect.
#[derive(Debug)]
struct Body<D: Dialect> {
    framing: Framing,
    documents: Documents<D>,
}

/// The documents of a body, read one after the other.
#[derive(Debug)]
struct Documents<D: Dialect> {
    scanner: JsonScanner<D::Key>,
    dialect: D,
    flaws: Flaws,
    /// The current document held something that mattered.
    mattered: bool,
    /// A refusal is short, and its words are unknown: all of it is read.
    read_all: bool,
}

impl<D: Dialect> Body<D> {
    fn new(refused: bool) -> Box<Self> {
        let documents = Documents {
            scanner: JsonScanner::new(D::WANTS),
            dialect: D::default(),
            flaws: Flaws::default(),
            mattered: false,
            read_all: refused,
        };
        Box::new(Self {
            framing: Framing::Unknown,
            documents,
        })
    }

    fn push(&mut self, mut bytes: &[u8]) {
        if let Framing::Unknown = self.framing {
            // Whitespace keeps a connection alive, and a byte order mark says nothing.
            let first = bytes
                .iter()
                .position(|byte| !byte.is_ascii_whitespace() && !b"\xEF\xBB\xBF".contains(byte));
            let Some(first) = first else { return };
            bytes = &bytes[first..];
            self.framing = match bytes.first() {
                // The length of the first message: less than 16 MiB.
                Some(0) if D::AWS => Framing::Aws(Box::default()),
                Some(b'{' | b'[') if D::LINES => Framing::Lines(Lines::default()),
                Some(b'{' | b'[') => Framing::Json,
                _ => Framing::Events(SseSplitter::new()),
            };
        }
        match &mut self.framing {
            Framing::Events(splitter) => splitter.push(bytes, &mut self.documents),
            Framing::Lines(lines) => lines.push(bytes, &mut self.documents),
            Framing::Aws(events) => events.push(bytes, &mut self.documents),
            _ => self.documents.part(bytes),
        }
    }

    fn is_terminal(&self) -> bool {
        match self.framing {
            Framing::Unknown => false,
            Framing::Json => self.documents.scanner.has_ended(),
            Framing::Lines(_) | Framing::Aws(_) | Framing::Events(_) => self.documents.dialect.is_terminal(),
        }
    }

    fn is_stream(&self, labelled: bool) -> bool {
        match &self.framing {
            Framing::Unknown => labelled,
            Framing::Json => self.documents.scanner.root_is_array(),
            Framing::Lines(lines) => lines.is_stream(),
            Framing::Aws(_) => true,
            Framing::Events(splitter) => labelled || splitter.saw_data(),
        }
    }

    fn finish(mut self, refused: bool) -> Reading {
        let documents = &mut self.documents;
        let whole_document = match &mut self.framing {
            Framing::Unknown => false,
            Framing::Json => {
                documents.mattered = true;
                // What follows may have come in the same piece as the end, or too late to be seen.
                let has_ended = documents.scanner.has_ended();
                documents.event_end();
                has_ended
            }
            Framing::Lines(lines) => lines.finish(documents) && !documents.dialect.more_follow(),
            Framing::Aws(events) => {
                events.finish(documents);
                false
            }
            Framing::Events(splitter) => {
                splitter.finish(documents);
                false
            }
        };
        let Documents {
            dialect, mut flaws, ..
        } = self.documents;
        let reading = dialect.finish(
            Ending {
                refused,
                complete: whole_document,
                mattered: true,
            },
            &mut flaws,
        );
        let stream_error = if refused {
            StreamError::Absent
        } else {
            reading.stream_error
        };
        Reading {
            stream_error,
            flaws,
            terminal: whole_document || reading.terminal,
            ..reading
        }
    }
}

impl<D: Dialect> EventSink for Documents<D> {
    fn wants(&self, data: &[u8]) -> bool {
        self.read_all || self.dialect.gate(data)
    }

    fn part(&mut self, data: &[u8]) {
        let Self {
            scanner,
            dialect,
            flaws,
            mattered,
            ..
        } = self;
        scanner.push(data, |key, value| *mattered |= dialect.found(key, value, flaws));
    }

    fn event_end(&mut self) {
        // Only events that mattered are judged: the others may have been passed over unread.
        self.flaws.malformed_json |= self.mattered && self.scanner.is_malformed();
        let ending = Ending {
            refused: self.read_all,
            complete: self.scanner.is_done(),
            mattered: self.mattered,
        };
        self.dialect.document_end(ending);
        self.scanner.reset();
        self.mattered = false;
    }

    fn done(&mut self) {
        self.dialect.done();
    }
}

#[cfg(test)]
mod tests;
