//! OpenAI's runs of assistants.
//!
//! A run's usage is `null` until it has ended. A stream has it on each step as well, and on the run at its end their
//! sum: only what the run itself says counts. `thread.run` is the one kind of object that is read, because an event's
//! `id` and `usage` stand before or behind the word that says what it is about.

use super::dialect::{Dialect, Ending, ErrorNote, ErrorPart, Gate, Model, string};
use super::fields::{Fields, Rest};
use super::json_scan::{Found, Want, start, text};
use super::once::{self, Making, Once};
use super::openai_chat::reported;
use super::parts::Parts;
use super::reading::{Flaws, Reading};
use crate::domain::call::Source;

/// The values wanted of a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Object,
    Id,
    Model,
    Status,
    Usage,
    Error(ErrorPart),
}

/// Reads runs.
#[derive(Debug)]
pub(super) struct Run {
    gate: Gate,
    errors: ErrorNote,
    /// What the current event says.
    event: Said,
    model: Model,
    id: Option<Box<str>>,
    /// The run's last status says that it goes on.
    under_way: bool,
    usage: Option<Box<[u8]>>,
    ended: bool,
}

/// What one event says of whatever it is about.
#[derive(Debug, Default)]
struct Said {
    is_run: bool,
    id: Option<Box<str>>,
    model: Model,
    status: Option<Box<[u8]>>,
    usage: Option<Box<[u8]>>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            gate: Gate::new(&["\"thread.run\"", "\"error\""], "\"thread.run\""),
            errors: ErrorNote::default(),
            event: Said::default(),
            model: Model::default(),
            id: None,
            under_way: true,
            usage: None,
            ended: false,
        }
    }
}

impl Dialect for Run {
    type Key = Key;

    const WANTS: &'static [Want<Key>] = &[
        text(Key::Object, &["object"]),
        text(Key::Id, &["id"]),
        text(Key::Model, &["model"]),
        text(Key::Status, &["status"]),
        text(Key::Usage, &["usage"]),
        start(Key::Error(ErrorPart::Whole), &["error"]),
        text(Key::Error(ErrorPart::Type), &["error", "type"]),
        text(Key::Error(ErrorPart::Code), &["error", "code"]),
        start(Key::Error(ErrorPart::Whole), &["last_error"]),
        text(Key::Error(ErrorPart::Code), &["last_error", "code"]),
    ];

    fn gate(&self, data: &[u8]) -> bool {
        self.gate.passes(data, false)
    }

    fn found(&mut self, key: Key, value: Found<'_>, flaws: &mut Flaws) -> bool {
        match (key, value) {
            (Key::Object, value) => {
                self.event.is_run = value == Found::Text(br#""thread.run""#);
                self.event.is_run
            }
            (Key::Id, value) => {
                self.event.id = once::id(string(value));
                false
            }
            (Key::Model, value) => self.event.model.found(value),
            (Key::Error(part), value) => self.errors.found(part, value),
            (Key::Status, Found::Text(status)) => {
                self.event.status = Some(status.into());
                false
            }
            (Key::Status, _) | (Key::Usage, Found::Text(b"null")) => false,
            (Key::Usage, Found::Text(text)) => {
                self.event.usage = Some(text.into());
                true
            }
            (Key::Usage, _) => {
                flaws.too_large = true;
                true
            }
        }
    }

    fn document_end(&mut self, ending: Ending) {
        let said = std::mem::take(&mut self.event);
        if said.is_run {
            self.id = said.id.or(self.id.take());
            self.model = Model(said.model.0.or(self.model.0.take()));
            self.usage = said.usage.or(self.usage.take());
            if let Some(status) = said.status {
                let goes_on: [&[u8]; 4] = [
                    br#""queued""#,
                    br#""in_progress""#,
                    br#""requires_action""#,
                    br#""cancelling""#,
                ];
                self.under_way = goes_on.contains(&&*status);
            }
        }
        self.errors.event_end(ending);
    }

    fn done(&mut self) {
        self.ended = true;
    }

    fn is_terminal(&self) -> bool {
        self.ended
    }

    fn finish(self, ending: Ending, flaws: &mut Flaws) -> Reading {
        let mut usage = self.usage.as_deref().and_then(|text| Fields::parse(text, flaws));
        let parts = usage.as_mut().map(parts).unwrap_or_default();
        let spoiled = usage.is_some_and(|usage| usage.spoiled);
        flaws.malformed_usage |= spoiled;
        let is_split = parts.prompt().is_some() && parts.generated().is_some();
        let is_exact = is_split && !spoiled && !self.under_way;
        let state = if self.under_way {
            Making::UnderWay
        } else {
            Making::Over
        };
        Reading {
            source: parts
                .total()
                .map(|_| if is_exact { Source::Exact } else { Source::Partial }),
            parts,
            raw_usage: self
                .usage
                .and_then(|text| str::from_utf8(&text).ok().map(Into::into)),
            once: self.id.map(|id| Once { id, state }),
            stream_error: reported(&self.errors),
            terminal: self.ended,
            model: self.model.0,
            error: self.errors.kind(ending.refused),
            ..Reading::default()
        }
    }
}

/// The prompt includes what the cache served, whose field is written in the singular here.
fn parts(usage: &mut Fields) -> Parts {
    let prompt = usage.tokens(&["prompt_tokens"]);
    let cached = usage.first(&[
        &["prompt_token_details", "cached_tokens"],
        &["prompt_tokens_details", "cached_tokens"],
    ]);
    let completion = usage.tokens(&["completion_tokens"]);
    let reasoning = usage.tokens(&["completion_tokens_details", "reasoning_tokens"]);
    let mut parts = Parts {
        cache_read: cached,
        reasoning,
        ..Parts::default()
    };
    if let Some(prompt) = prompt {
        let mut rest = Rest(prompt);
        parts.cache_read = rest.take(cached);
        parts.input = rest.remaining();
    }
    if let Some(completion) = completion {
        let mut rest = Rest(completion);
        parts.reasoning = rest.take(reasoning);
        parts.output = rest.remaining();
    }
    if prompt.is_none() && completion.is_none() {
        parts.unsplit = usage.tokens(&["total_tokens"]);
    }
    parts
}
