//! OpenAI's realtime events, which Azure and xAI speak too, and its responses over a WebSocket.
//!
//! Realtime (<https://platform.openai.com/docs/api-reference/realtime-server-events>): each `response.done` has the
//! usage of its turn, which counts the whole conversation again, so turns are summed. What a transcription of the
//! user's words used stands on its own event, and is another model's. Responses
//! (<https://developers.openai.com/api/docs/guides/websocket-mode>): the client sends `response.create`, the server
//! the events of the HTTP stream, which are read by the HTTP reader's rules.

use std::collections::VecDeque;

use super::super::dialect::{Dialect, Ending, ErrorNote, ErrorPart, string};
use super::super::fields::{Fields, Rest};
use super::super::json_scan::{Found, Want, start, text};
use super::super::openai_responses::{self, Responses};
use super::super::parts::Parts;
use super::super::reading::{Flaws, Reading, StreamError};
use super::message::{Messages, Note};
use super::{Conversation, Names, Side, TurnEvent, TurnId, is_split};
use crate::domain::call::{Outcome, Source};
use crate::domain::units::Tokens;

/// Turns that can be under way at once. A client asks for one after the other; more are counted when they end.
const MOST_RUNNING: usize = 64;
/// How many ended responses are remembered, so that none is counted twice.
const MOST_REMEMBERED: usize = 64;
/// Ids longer than this are none.
const LONGEST_ID: usize = 256;

#[derive(Clone, Copy, Debug)]
enum Key {
    Type,
    EventId,
    StreamId,
    Response,
    Store,
    Model,
    Transcriber,
    Status,
    Usage,
    OuterUsage,
    Error(ErrorPart),
    /// The client's event that an error answers.
    Cause,
}

const CLIENT: &[Want<Key>] = &[
    text(Key::Type, &["type"]),
    text(Key::EventId, &["event_id"]),
    text(Key::StreamId, &["stream_id"]),
    text(Key::Model, &["model"]),
    text(Key::Model, &["response", "model"]),
];

const SERVER: &[Want<Key>] = &[
    text(Key::Type, &["type"]),
    text(Key::StreamId, &["stream_id"]),
    text(Key::Response, &["response", "id"]),
    text(Key::Response, &["response_id"]),
    text(Key::Store, &["response", "store"]),
    text(Key::Model, &["response", "model"]),
    text(Key::Model, &["session", "model"]),
    text(
        Key::Transcriber,
        &["session", "audio", "input", "transcription", "model"],
    ),
    text(
        Key::Transcriber,
        &["session", "input_audio_transcription", "model"],
    ),
    text(Key::Status, &["response", "status"]),
    text(Key::Usage, &["response", "usage"]),
    text(Key::OuterUsage, &["usage"]),
    start(Key::Error(ErrorPart::Whole), &["error"]),
    text(Key::Error(ErrorPart::Type), &["error", "type"]),
    text(Key::Error(ErrorPart::Code), &["error", "code"]),
    text(Key::Cause, &["error", "event_id"]),
    start(Key::Error(ErrorPart::Whole), &["response", "error"]),
    text(Key::Error(ErrorPart::Type), &["response", "error", "type"]),
    text(Key::Error(ErrorPart::Code), &["response", "error", "code"]),
    start(
        Key::Error(ErrorPart::Whole),
        &["response", "status_details", "error"],
    ),
    text(
        Key::Error(ErrorPart::Type),
        &["response", "status_details", "error", "type"],
    ),
    text(
        Key::Error(ErrorPart::Code),
        &["response", "status_details", "error", "code"],
    ),
    text(Key::Error(ErrorPart::BareCode), &["code"]),
];

/// What one message says.
#[derive(Debug, Default)]
struct Said {
    kind: Box<str>,
    event_id: Option<Box<str>>,
    stream_id: Option<Box<str>>,
    response: Option<Box<str>>,
    /// The response is not kept.
    is_fleeting: bool,
    model: Option<Box<str>>,
    transcriber: Option<Box<str>>,
    status: Option<Box<str>>,
    usage: Option<Box<[u8]>>,
    outer_usage: Option<Box<[u8]>>,
    cause: Option<Box<str>>,
    errors: ErrorNote,
    flaws: Flaws,
}

impl Note for Said {
    type Key = Key;

    fn take(&mut self, key: Key, value: Found<'_>) {
        let id = || string(value).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        match key {
            Key::Type => self.kind = id().unwrap_or_default(),
            Key::EventId => self.event_id = id(),
            Key::StreamId => self.stream_id = id(),
            Key::Response => self.response = id().or(self.response.take()),
            Key::Store => self.is_fleeting = value == Found::Text(b"false"),
            Key::Model => self.model = id().or(self.model.take()),
            Key::Transcriber => self.transcriber = id(),
            Key::Status => self.status = id(),
            Key::Usage => self.usage = self.usage_text(value),
            Key::OuterUsage => self.outer_usage = self.usage_text(value),
            Key::Error(part) => {
                self.errors.found(part, value);
            }
            Key::Cause => self.cause = id(),
        }
    }
}

impl Said {
    fn usage_text(&mut self, value: Found<'_>) -> Option<Box<[u8]>> {
        match value {
            Found::Text(text) if text != b"null" => Some(text.into()),
            Found::TooLarge => {
                self.flaws.too_large = true;
                None
            }
            _ => None,
        }
    }
}

/// Which of the two protocols it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Realtime,
    Responses,
}

/// A turn under way.
#[derive(Debug)]
struct Running {
    turn: TurnId,
    /// The response that answers it, once that is known.
    response: Option<Box<str>>,
    event_id: Option<Box<str>>,
    stream_id: Option<Box<str>>,
    answered: bool,
}

/// Reads the turns of a socket.
#[derive(Debug)]
pub(super) struct OpenAi {
    kind: Kind,
    client: Messages<Said>,
    server: Messages<Said>,
    names: Names,
    running: VecDeque<Running>,
    ended: VecDeque<Box<str>>,
    /// The session's model, else the one that was asked for.
    model: Option<Box<str>>,
    /// The model that transcribes what the user says.
    transcriber: Option<Box<str>>,
}

impl OpenAi {
    /// A realtime session.
    pub(super) fn realtime(model: Option<Box<str>>) -> Self {
        Self::new(Kind::Realtime, model)
    }

    /// Responses.
    pub(super) fn responses(model: Option<Box<str>>) -> Self {
        Self::new(Kind::Responses, model)
    }

    fn new(kind: Kind, model: Option<Box<str>>) -> Self {
        Self {
            kind,
            client: Messages::new(CLIENT),
            server: Messages::new(SERVER),
            names: Names::default(),
            running: VecDeque::new(),
            ended: VecDeque::new(),
            model,
            transcriber: None,
        }
    }

    /// Ends the turns under way.
    pub(super) fn finish(&mut self, outcome: Outcome, told: &mut Vec<TurnEvent>) {
        for running in std::mem::take(&mut self.running) {
            told.push(ended(running.turn, outcome, Reading::default()));
        }
    }

    /// Whether each message is about a turn of its own.
    pub(super) fn names_turns(&self) -> bool {
        self.kind == Kind::Responses
    }

    /// The turn that a message asks for.
    fn client_says(&mut self, note: Said, told: &mut Vec<TurnEvent>) -> Option<TurnId> {
        if &*note.kind != "response.create" {
            return None;
        }
        let model = note.model.or_else(|| self.model.clone());
        if self.kind == Kind::Responses {
            self.model.clone_from(&model);
        }
        if self.running.len() >= MOST_RUNNING {
            return None;
        }
        let turn = self.begin(None, model, told);
        if let Some(running) = self.running.back_mut().filter(|running| running.turn == turn) {
            running.event_id = note.event_id;
            running.stream_id = note.stream_id;
        }
        Some(turn)
    }

    fn server_says(&mut self, note: Said, told: &mut Vec<TurnEvent>) {
        match (self.kind, &*note.kind) {
            (_, "response.created") => {
                if self.is_ended(note.response.as_deref()) {
                    return;
                }
                match self.find(&note) {
                    Some(at) => self.running[at].response = note.response,
                    None if self.running.len() < MOST_RUNNING => {
                        let model = self.model.clone();
                        self.begin(note.response, model, told);
                    }
                    None => {}
                }
            }
            (Kind::Realtime, "response.done")
            | (Kind::Responses, "response.completed" | "response.incomplete" | "response.failed") => {
                self.end(note, told);
            }
            (_, "error") => self.error(note, told),
            (Kind::Realtime, "conversation.item.input_audio_transcription.completed") => {
                self.transcribed(&note, told);
            }
            (Kind::Realtime, _) if note.model.is_some() || note.transcriber.is_some() => {
                self.model = note.model.or(self.model.take());
                self.transcriber = note.transcriber.or(self.transcriber.take());
            }
            (_, kind) if kind.ends_with(".delta") => {
                let running = self.find(&note).and_then(|at| self.running.get_mut(at));
                if let Some(running) = running.filter(|running| !running.answered) {
                    running.answered = true;
                    told.push(TurnEvent::Answered(running.turn));
                }
            }
            _ => {}
        }
    }

    fn begin(
        &mut self,
        response: Option<Box<str>>,
        model: Option<Box<str>>,
        told: &mut Vec<TurnEvent>,
    ) -> TurnId {
        let turn = self.names.next();
        told.push(TurnEvent::Began { turn, model });
        self.running.push_back(Running {
            turn,
            response,
            event_id: None,
            stream_id: None,
            answered: false,
        });
        turn
    }

    /// The turn that an event belongs to: its response's, else the one that waits longest for a response, else,
    /// where the event names no response, the oldest.
    fn find(&self, note: &Said) -> Option<usize> {
        let same_stream = |running: &&Running| match (&note.stream_id, &running.stream_id) {
            (Some(event), Some(turn)) => event == turn,
            _ => true,
        };
        let position = |fits: &dyn Fn(&Running) -> bool| self.running.iter().position(fits);
        match &note.response {
            Some(response) => position(&|running| running.response.as_ref() == Some(response))
                .or_else(|| position(&|running| running.response.is_none() && same_stream(&running))),
            None => position(&|running| same_stream(&running)),
        }
    }

    fn is_ended(&self, response: Option<&str>) -> bool {
        response.is_some_and(|response| self.ended.iter().any(|ended| &**ended == response))
    }

    fn end(&mut self, note: Said, told: &mut Vec<TurnEvent>) {
        if self.is_ended(note.response.as_deref()) {
            return;
        }
        let turn = match self.find(&note).and_then(|at| self.running.remove(at)) {
            Some(running) => running.turn,
            None => {
                let turn = self.names.next();
                let model = self.model.clone();
                told.push(TurnEvent::Began { turn, model });
                turn
            }
        };
        if let Some(response) = note.response.clone() {
            if self.ended.len() == MOST_REMEMBERED {
                self.ended.pop_front();
            }
            self.ended.push_back(response);
        }
        let (outcome, reading) = match self.kind {
            Kind::Realtime => realtime_end(note, self.model.clone()),
            Kind::Responses => response_end(note),
        };
        told.push(ended(turn, outcome, reading));
    }

    /// An error ends the turn that it answers. Most errors of a realtime session answer something else, and the
    /// session goes on.
    fn error(&mut self, note: Said, told: &mut Vec<TurnEvent>) {
        let at = match (self.kind, &note.cause) {
            (Kind::Realtime, Some(cause)) => self
                .running
                .iter()
                .position(|running| running.event_id.as_ref() == Some(cause)),
            (Kind::Realtime, None) => self
                .running
                .iter()
                .position(|running| running.response.is_none() && running.event_id.is_none()),
            (Kind::Responses, _) => self.find(&note),
        };
        if let Some(running) = at.and_then(|at| self.running.remove(at)) {
            let mut errors = note.errors;
            errors.report();
            let reading = Reading {
                error: errors.kind(false),
                stream_error: StreamError::Reported,
                terminal: true,
                ..Reading::default()
            };
            told.push(ended(running.turn, Outcome::StreamError, reading));
        }
    }

    /// A transcription is a call of its own, where its provider counts it.
    fn transcribed(&mut self, note: &Said, told: &mut Vec<TurnEvent>) {
        let mut flaws = note.flaws;
        let Some(usage) = &note.outer_usage else { return };
        let Some(reading) = read_usage(usage, &mut flaws) else {
            return;
        };
        let turn = self.names.next();
        let model = self.transcriber.clone();
        told.push(TurnEvent::Began {
            turn,
            model: model.clone(),
        });
        let reading = Reading {
            model,
            terminal: true,
            flaws,
            ..reading
        };
        told.push(ended(turn, Outcome::Complete, reading));
    }
}

impl Conversation for OpenAi {
    fn part(&mut self, side: Side, bytes: &[u8]) {
        match side {
            Side::Client => self.client.part(bytes),
            Side::Server => self.server.part(bytes),
        }
    }

    fn message_end(&mut self, side: Side, told: &mut Vec<TurnEvent>) -> Option<TurnId> {
        let turn = match side {
            Side::Client => {
                let said = self.client.end()?;
                self.client_says(said, told)
            }
            Side::Server => {
                let said = self.server.end()?;
                let about = self.find(&said).map(|at| self.running[at].turn);
                self.server_says(said, told);
                about
            }
        };
        turn.filter(|_| self.names_turns())
    }
}

fn ended(turn: TurnId, outcome: Outcome, reading: Reading) -> TurnEvent {
    TurnEvent::Ended {
        turn,
        outcome,
        reading: Box::new(reading),
    }
}

/// How a realtime response ended: `completed`, `incomplete` (at a limit, or filtered), `cancelled` (by its client, or
/// because the user spoke) or `failed`. What it used until then counts in each case.
fn realtime_end(note: Said, model: Option<Box<str>>) -> (Outcome, Reading) {
    let mut flaws = note.flaws;
    // xAI leaves the response's usage empty and writes it beside the response.
    let reading = [&note.usage, &note.outer_usage]
        .into_iter()
        .flatten()
        .filter_map(|usage| read_usage(usage, &mut flaws))
        .reduce(|first, second| if first.source.is_some() { first } else { second })
        .unwrap_or_default();
    let outcome = match note.status.as_deref() {
        Some("failed") => Outcome::StreamError,
        Some("cancelled") => Outcome::ClientAborted,
        _ => Outcome::Complete,
    };
    let mut errors = note.errors;
    if outcome == Outcome::StreamError {
        errors.report();
    }
    // A completed response used something. Its zeros are the provider's own numbers, but not the whole truth.
    let is_empty = note.status.as_deref() == Some("completed") && reading.parts.total() == Some(Tokens(0));
    let source = reading
        .source
        .map(|source| if is_empty { Source::Partial } else { source });
    let reading = Reading {
        model,
        source,
        error: errors.kind(false),
        terminal: true,
        flaws,
        ..reading
    };
    (outcome, reading)
}

/// How a response ended, by the rules of responses over HTTP.
fn response_end(note: Said) -> (Outcome, Reading) {
    use openai_responses::Key as K;
    let mut reader = Responses::default();
    let mut flaws = note.flaws;
    let quoted = |word: &str| format!("\"{word}\"");
    let words = [
        (K::EventType, Some(&note.kind)),
        (K::Id, note.response.as_ref()),
        (K::Model, note.model.as_ref()),
        (K::Status, note.status.as_ref()),
    ];
    for (key, word) in words {
        if let Some(word) = word {
            reader.found(key, Found::Text(quoted(word).as_bytes()), &mut flaws);
        }
    }
    if note.is_fleeting {
        reader.found(K::Store, Found::Text(b"false"), &mut flaws);
    }
    if let Some(usage) = &note.usage {
        reader.found(K::Usage, Found::Text(usage), &mut flaws);
    }
    let ending = Ending {
        refused: false,
        complete: true,
        mattered: true,
    };
    reader.document_end(ending);
    let mut errors = note.errors;
    let has_failed = &*note.kind == "response.failed" || errors.is_reported();
    if has_failed {
        errors.report();
    }
    let reading = Reading {
        error: errors.kind(false),
        ..reader.finish(ending, &mut flaws)
    };
    let outcome = if has_failed {
        Outcome::StreamError
    } else {
        Outcome::Complete
    };
    (outcome, Reading { flaws, ..reading })
}

/// Reads a realtime usage object; `None` where it is none.
fn read_usage(text: &[u8], flaws: &mut Flaws) -> Option<Reading> {
    let mut usage = Fields::parse(text, flaws)?;
    let parts = parts(&mut usage);
    flaws.malformed_usage |= usage.spoiled;
    let source = parts
        .total()
        .is_some()
        .then_some(if is_split(&parts) && !usage.spoiled {
            Source::Exact
        } else {
            Source::Partial
        });
    Some(Reading {
        parts,
        source,
        raw_usage: str::from_utf8(text).ok().map(Into::into),
        ..Reading::default()
    })
}

/// The input includes what the cache served, of every kind; the output includes audio and reasoning. A transcription
/// may be counted in seconds, which are no tokens.
fn parts(usage: &mut Fields) -> Parts {
    let input = usage.tokens(&["input_tokens"]);
    let cached = usage.tokens(&["input_token_details", "cached_tokens"]);
    let mut fresh = |kind: &str| {
        let all = usage.tokens(&["input_token_details", kind])?;
        let cached = usage.tokens(&["input_token_details", "cached_tokens_details", kind]);
        Some(all.saturating_sub(cached.unwrap_or_default()))
    };
    let (audio_in, image_in) = (fresh("audio_tokens"), fresh("image_tokens"));
    let output = usage.tokens(&["output_tokens"]);
    let audio_out = usage.tokens(&["output_token_details", "audio_tokens"]);
    let reasoning = usage.tokens(&["output_token_details", "reasoning_tokens"]);
    let total = usage.tokens(&["total_tokens"]);
    let mut parts = Parts {
        provider_cost: usage.cost(),
        ..Parts::default()
    };
    if let Some(input) = input {
        let mut rest = Rest(input);
        parts.cache_read = rest.take(cached);
        parts.audio_in = rest.take(audio_in);
        parts.image_in = rest.take(image_in);
        parts.input = rest.remaining();
    }
    if let Some(output) = output {
        let mut rest = Rest(output);
        parts.reasoning = rest.take(reasoning);
        parts.audio_out = rest.take(audio_out);
        parts.output = rest.remaining();
    }
    if input.is_none() && output.is_none() {
        parts.unsplit = total;
    }
    parts
}
