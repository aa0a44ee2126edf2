//! OpenAI responses: the usage stands on the event that ends them, whichever of three that is.

use super::dialect::{Dialect, Ending, ErrorNote, ErrorPart, Gate, Model};
use super::fields::{Fields, Rest};
use super::json_scan::{Found, Want, start, text};
use super::once::Recognition;
use super::openai_chat::reported;
use super::parts::Parts;
use super::reading::{Flaws, Reading};
use crate::domain::call::Source;
use crate::domain::units::Tokens;

/// The values wanted of a response.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Id,
    Store,
    Model,
    Usage,
    Status,
    EventType,
    Error(ErrorPart),
}

/// Reads responses.
#[derive(Debug)]
pub(super) struct Responses {
    gate: Gate,
    model: Model,
    errors: ErrorNote,
    usage: Option<Fields>,
    raw_usage: Option<Box<str>>,
    recognition: Recognition,
    completed: bool,
    /// The current event is one that ends the stream.
    is_last_event: bool,
    ended: bool,
}

impl Default for Responses {
    fn default() -> Self {
        let needles = [
            "\"usage\"",
            "\"error\"",
            "\"completed\"",
            "\"response.completed\"",
            "\"response.incomplete\"",
            "\"response.failed\"",
        ];
        Self {
            gate: Gate::new(&needles, "\"model\""),
            model: Model::default(),
            errors: ErrorNote::default(),
            usage: None,
            raw_usage: None,
            recognition: Recognition::default(),
            completed: false,
            is_last_event: false,
            ended: false,
        }
    }
}

impl Dialect for Responses {
    type Key = Key;

    const WANTS: &'static [Want<Key>] = &[
        text(Key::EventType, &["type"]),
        text(Key::Id, &["id"]),
        text(Key::Id, &["response", "id"]),
        text(Key::Store, &["store"]),
        text(Key::Store, &["response", "store"]),
        text(Key::Model, &["model"]),
        text(Key::Model, &["response", "model"]),
        text(Key::Usage, &["usage"]),
        text(Key::Usage, &["response", "usage"]),
        text(Key::Status, &["status"]),
        text(Key::Status, &["response", "status"]),
        start(Key::Error(ErrorPart::Whole), &["error"]),
        text(Key::Error(ErrorPart::Type), &["error", "type"]),
        text(Key::Error(ErrorPart::Code), &["error", "code"]),
        text(Key::Error(ErrorPart::Status), &["error", "status"]),
        start(Key::Error(ErrorPart::Whole), &["response", "error"]),
        text(Key::Error(ErrorPart::Type), &["response", "error", "type"]),
        text(Key::Error(ErrorPart::Code), &["response", "error", "code"]),
        text(Key::Error(ErrorPart::BareCode), &["code"]),
    ];

    fn gate(&self, data: &[u8]) -> bool {
        self.gate.passes(data, self.model.is_known())
    }

    fn found(&mut self, key: Key, value: Found<'_>, flaws: &mut Flaws) -> bool {
        match (key, value) {
            (Key::Model, value) => self.model.found(value),
            (Key::Id, value) => {
                self.recognition.id(value);
                false
            }
            (Key::Store, value) => {
                self.recognition.store(value);
                false
            }
            (Key::Error(part), value) => self.errors.found(part, value),
            (Key::EventType, Found::Text(kind)) => {
                match kind {
                    br#""response.completed""# | br#""response.incomplete""# | br#""response.failed""# => {
                        self.is_last_event = true;
                    }
                    br#""error""# => self.errors.report(),
                    _ => return false,
                }
                true
            }
            (Key::Status, status) => {
                let completed = status == Found::Text(br#""completed""#);
                self.completed |= completed;
                self.recognition.status(status);
                completed
            }
            (Key::EventType, _) | (Key::Usage, Found::Text(b"null")) => false,
            (Key::Usage, Found::Text(text)) => {
                if let Some(usage) = Fields::parse(text, flaws) {
                    self.usage = Some(usage);
                    self.raw_usage = str::from_utf8(text).ok().map(Into::into);
                }
                true
            }
            (Key::Usage, _) => {
                flaws.too_large = true;
                true
            }
        }
    }

    fn document_end(&mut self, ending: Ending) {
        self.ended |= std::mem::take(&mut self.is_last_event) && ending.complete;
        self.errors.event_end(ending);
        self.recognition.event_end(ending);
    }

    fn done(&mut self) {
        // OpenRouter sends the chat format's marker here too.
        self.ended = true;
    }

    fn is_terminal(&self) -> bool {
        self.ended
    }

    fn finish(mut self, ending: Ending, flaws: &mut Flaws) -> Reading {
        let (parts, is_whole) = self.usage.as_mut().map_or_else(Default::default, |usage| {
            let parts = parts(usage);
            flaws.malformed_usage |= usage.spoiled;
            let is_whole = !usage.spoiled && parts.prompt().is_some() && parts.generated().is_some();
            (parts, is_whole)
        });
        // A completed response used something. Its zeros are the provider's own numbers, but not the whole truth.
        let is_whole = is_whole && !(self.completed && parts.total() == Some(Tokens(0)));
        let has_counts = parts.total().is_some();
        Reading {
            parts,
            source: has_counts.then_some(if is_whole { Source::Exact } else { Source::Partial }),
            raw_usage: self.raw_usage,
            stream_error: reported(&self.errors),
            terminal: self.ended,
            once: self.recognition.once(has_counts),
            model: self.model.0,
            error: self.errors.kind(ending.refused),
            ..Reading::default()
        }
    }
}

/// The input includes what caches served and kept; the output includes reasoning.
pub(super) fn parts(usage: &mut Fields) -> Parts {
    let input = usage.tokens(&["input_tokens"]);
    let cache_read = usage.tokens(&["input_tokens_details", "cached_tokens"]);
    let cache_write = usage.tokens(&["input_tokens_details", "cache_write_tokens"]);
    let output = usage.tokens(&["output_tokens"]);
    let reasoning = usage.tokens(&["output_tokens_details", "reasoning_tokens"]);
    let total = usage.tokens(&["total_tokens"]);
    let mut parts = Parts {
        cache_read,
        cache_write_5m: cache_write,
        reasoning,
        web_searches: usage
            .first(&[
                &["server_tool_use", "web_search_requests"],
                // xAI.
                &["server_side_tool_usage_details", "web_search_calls"],
            ])
            .map(|searches| searches.0),
        provider_cost: usage.cost(),
        ..Parts::default()
    };
    if let Some(input) = input {
        let mut rest = Rest(input);
        parts.cache_read = rest.take(cache_read);
        parts.cache_write_5m = rest.take(cache_write);
        parts.input = rest.remaining();
    }
    if let Some(output) = output {
        let mut rest = Rest(output);
        parts.reasoning = rest.take(reasoning);
        parts.output = rest.remaining();
    }
    if input.is_none() && output.is_none() {
        parts.unsplit = total;
    }
    parts
}
