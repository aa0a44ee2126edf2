//! Gemini Live (<https://ai.google.dev/api/live>): JSON objects, in frames that may be binary.
//!
//! `usageMetadata` counts one turn: it grows while the turn goes on, so that a later one replaces an earlier one, and
//! the next turn counts the conversation again. The prompt includes what the cache served. Thoughts stand beside the
//! response, and outside of the total. The model is named once, in the client's first message.

use super::super::dialect::string;
use super::super::fields::{Fields, Rest};
use super::super::json_scan::{Found, Want, start, text};
use super::super::node::Node;
use super::super::parts::Parts;
use super::super::reading::{Flaws, Reading};
use super::message::{Messages, Note};
use super::{Conversation, Names, Side, TurnEvent, TurnId, is_split};
use crate::domain::call::{Outcome, Source};
use crate::domain::units::Tokens;

#[derive(Clone, Copy, Debug)]
enum Key {
    Model,
    /// The client asks for an answer.
    Asks,
    /// The model speaks, or calls a tool.
    Speaks,
    Interrupted,
    Complete,
    Usage,
}

// The Python client writes its fields in snake case.
const CLIENT: &[Want<Key>] = &[
    text(Key::Model, &["setup", "model"]),
    text(Key::Asks, &["clientContent", "turnComplete"]),
    text(Key::Asks, &["client_content", "turnComplete"]),
    text(Key::Asks, &["client_content", "turn_complete"]),
];

const SERVER: &[Want<Key>] = &[
    start(Key::Speaks, &["toolCall"]),
    start(Key::Speaks, &["serverContent", "modelTurn"]),
    text(Key::Interrupted, &["serverContent", "interrupted"]),
    text(Key::Complete, &["serverContent", "turnComplete"]),
    text(Key::Usage, &["usageMetadata"]),
];

/// What one message says.
#[derive(Debug, Default)]
struct Said {
    model: Option<Box<str>>,
    asks: bool,
    speaks: bool,
    interrupted: bool,
    complete: bool,
    usage: Option<Reading>,
    flaws: Flaws,
}

impl Note for Said {
    type Key = Key;

    fn take(&mut self, key: Key, value: Found<'_>) {
        let is_true = value == Found::Text(b"true");
        match key {
            Key::Model => self.model = string(value).map(|model| short(&model)),
            Key::Asks => self.asks |= is_true,
            Key::Speaks => self.speaks = true,
            Key::Interrupted => self.interrupted |= is_true,
            Key::Complete => self.complete |= is_true,
            Key::Usage => match value {
                Found::Text(text) => self.usage = read_usage(text, &mut self.flaws),
                _ => self.flaws.too_large = true,
            },
        }
    }
}

/// `models/x` and `publishers/google/models/x` are `x`.
fn short(model: &str) -> Box<str> {
    model.rsplit('/').next().unwrap_or(model).into()
}

/// The turn under way.
#[derive(Debug)]
struct Running {
    turn: TurnId,
    answered: bool,
    interrupted: bool,
    /// The provider has said that it is complete.
    complete: bool,
    reading: Option<Reading>,
    flaws: Flaws,
}

/// Reads the turns of a socket.
#[derive(Debug)]
pub(super) struct Live {
    client: Messages<Said>,
    server: Messages<Said>,
    names: Names,
    model: Option<Box<str>>,
    running: Option<Running>,
}

impl Live {
    pub(super) fn new(model: Option<Box<str>>) -> Self {
        Self {
            client: Messages::new(CLIENT),
            server: Messages::new(SERVER),
            names: Names::default(),
            model,
            running: None,
        }
    }

    /// Ends the turn under way; one that is complete and was not counted is complete all the same.
    pub(super) fn finish(&mut self, outcome: Outcome, told: &mut Vec<TurnEvent>) {
        let Some(running) = self.running.take() else {
            return;
        };
        let outcome = match (running.complete, running.interrupted) {
            (_, true) => Outcome::ClientAborted,
            (true, false) => Outcome::Complete,
            (false, false) => outcome,
        };
        let mut reading = running.reading.unwrap_or_default();
        if !running.complete && reading.source == Some(Source::Exact) {
            reading.source = Some(Source::Partial);
        }
        let reading = Reading {
            model: self.model.clone(),
            terminal: running.complete,
            flaws: running.flaws,
            ..reading
        };
        told.push(TurnEvent::Ended {
            turn: running.turn,
            outcome,
            reading: Box::new(reading),
        });
    }

    /// The turn under way; one begins, where none is or the last one is complete.
    fn turn(&mut self, told: &mut Vec<TurnEvent>) -> &mut Running {
        if self.running.as_ref().is_some_and(|running| running.complete) {
            self.finish(Outcome::Complete, told);
        }
        self.current(told)
    }

    fn current(&mut self, told: &mut Vec<TurnEvent>) -> &mut Running {
        let Self {
            running,
            names,
            model,
            ..
        } = self;
        running.get_or_insert_with(|| {
            let turn = names.next();
            let model = model.clone();
            told.push(TurnEvent::Began { turn, model });
            Running {
                turn,
                answered: false,
                interrupted: false,
                complete: false,
                reading: None,
                flaws: Flaws::default(),
            }
        })
    }

    fn client_says(&mut self, note: Said, told: &mut Vec<TurnEvent>) {
        self.model = note.model.or(self.model.take());
        if note.asks {
            self.turn(told);
        }
    }

    fn server_says(&mut self, note: Said, told: &mut Vec<TurnEvent>) {
        if note.speaks {
            let running = self.turn(told);
            if !std::mem::replace(&mut running.answered, true) {
                let turn = running.turn;
                told.push(TurnEvent::Answered(turn));
            }
        }
        if note.usage.is_some() {
            // Counts may follow the word that the turn is complete.
            let running = self.current(told);
            running.reading = note.usage;
        }
        let Some(running) = &mut self.running else { return };
        running.flaws.malformed_usage |= note.flaws.malformed_usage;
        running.flaws.too_large |= note.flaws.too_large;
        running.interrupted |= note.interrupted;
        running.complete |= note.complete;
        if running.complete && running.reading.is_some() {
            self.finish(Outcome::Complete, told);
        }
    }
}

impl Conversation for Live {
    fn part(&mut self, side: Side, bytes: &[u8]) {
        match side {
            Side::Client => self.client.part(bytes),
            Side::Server => self.server.part(bytes),
        }
    }

    fn message_end(&mut self, side: Side, told: &mut Vec<TurnEvent>) -> Option<TurnId> {
        match side {
            Side::Client => {
                if let Some(said) = self.client.end() {
                    self.client_says(said, told);
                }
            }
            Side::Server => {
                if let Some(said) = self.server.end() {
                    self.server_says(said, told);
                }
            }
        }
        None
    }
}

/// Reads a usage object; `None` where it counts nothing.
fn read_usage(text: &[u8], flaws: &mut Flaws) -> Option<Reading> {
    let mut usage = Fields::parse(text, flaws)?;
    let parts = parts(&mut usage);
    flaws.malformed_usage |= usage.spoiled;
    parts.total()?;
    let is_exact = is_split(&parts) && !usage.spoiled;
    Some(Reading {
        parts,
        source: Some(if is_exact { Source::Exact } else { Source::Partial }),
        raw_usage: str::from_utf8(text).ok().map(Into::into),
        ..Reading::default()
    })
}

/// The Gemini API counts a response, Vertex AI candidates. What is left out is zero.
fn parts(usage: &mut Fields) -> Parts {
    let prompt = usage.tokens(&["promptTokenCount"]);
    let cached = usage.tokens(&["cachedContentTokenCount"]);
    let tool_use = usage.tokens(&["toolUsePromptTokenCount"]);
    let response = usage.first(&[&["responseTokenCount"], &["candidatesTokenCount"]]);
    let thoughts = usage.tokens(&["thoughtsTokenCount"]);
    let total = usage.tokens(&["totalTokenCount"]);
    let mut parts = Parts {
        reasoning: thoughts,
        ..Parts::default()
    };
    if let Some(prompt) = prompt {
        let mut rest = Rest(prompt);
        parts.cache_read = rest.take(cached);
        // Details count all of a modality, cached or not.
        let mut fresh = |modality| {
            let all = modality_tokens(usage, &["promptTokensDetails"], modality)?;
            let cached = modality_tokens(usage, &["cacheTokensDetails"], modality).unwrap_or_default();
            rest.take(Some(all.saturating_sub(cached)))
        };
        parts.audio_in = fresh("AUDIO");
        parts.image_in = fresh("IMAGE");
        parts.input = rest.remaining();
    }
    // What a tool brought into the prompt is counted beside it.
    parts.input = [parts.input, tool_use]
        .into_iter()
        .flatten()
        .reduce(|sum, tokens| sum + tokens);
    if let Some(response) = response.or_else(|| prompt.is_some().then(Tokens::default)) {
        let details = &["responseTokensDetails", "candidatesTokensDetails"];
        let mut rest = Rest(response);
        parts.audio_out = rest.take(modality_tokens(usage, details, "AUDIO"));
        parts.image_out = rest.take(modality_tokens(usage, details, "IMAGE"));
        parts.output = rest.remaining();
    }
    if prompt.is_none() && response.is_none() && thoughts.is_none() {
        parts.unsplit = total;
    }
    parts
}

/// The tokens of one modality, where one of the details names it.
fn modality_tokens(usage: &Fields, details: &[&str], modality: &str) -> Option<Tokens> {
    let mut entries = details
        .iter()
        .filter_map(|key| usage.value(&[key])?.as_array())
        .flatten();
    let entry = entries.find(|entry| entry.get("modality").and_then(Node::as_str) == Some(modality))?;
    entry
        .get("tokenCount")
        .and_then(Node::as_u64)
        .map(Tokens)
        .filter(|tokens| *tokens <= Tokens::PLAUSIBLE_MAX)
}
