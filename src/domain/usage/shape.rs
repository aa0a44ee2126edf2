//! Readers that are tables: where a format's values stand, and how its numbers become parts.
//!
//! Most formats need no more than that. A [`Shape`] is the table, [`Tabled`] the one reader for all of them. It keeps
//! what it finds as one usage object, merged over the events of a stream as the shape says.

use std::marker::PhantomData;

use serde_json::{Map, Value};

use super::dialect::{Dialect, Ending, ErrorNote, ErrorPart, Gate, Model, is_reason};
use super::fields::Fields;
use super::json_scan::{Found, Want};
use super::once::Recognition;
use super::openai_chat::reported;
use super::parts::Parts;
use super::reading::{Flaws, Reading};
use crate::domain::call::Source;

/// What a value is to the reader.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Model,
    /// The usage object: its fields are kept.
    Usage,
    /// The usage object of an event that only has a placeholder for the output.
    FirstUsage,
    /// A number that stands by itself, and the name it is kept under.
    Count(&'static str),
    /// A number that stands once for each result: they are added up.
    Sum(&'static str),
    /// An object that is kept whole under a name.
    Object(&'static str),
    /// Why the model stopped; `null` until it has.
    Finish,
    /// Something that only the last event of a stream has.
    Last,
    /// `true` in the last object of a stream.
    Done,
    /// The kind of an event; one of [`Shape::LAST`] says that it is the last.
    Kind,
    /// What the provider calls the whole, where it can be fetched again.
    Id,
    /// How far it is.
    Status,
    Error(ErrorPart),
}

/// A format, as a table.
pub(super) trait Shape: Default {
    /// Where the values stand.
    const WANTS: &'static [Want<Key>];
    /// Quoted keys and values of which one stands in each event that matters.
    const NEEDLES: &'static [&'static str];
    /// The quoted key of the model.
    const MODEL: &'static str = "\"model\"";
    /// The kinds of event that end a stream.
    const LAST: &'static [&'static str] = &[];

    /// The kinds of event that report an error.
    const ERRORS: &'static [&'static str] = &["error"];

    /// The body can be an AWS event stream.
    const AWS: bool = false;
    /// Reply headers with counts: kept under their names, in lower case.
    const HEADERS: &'static [&'static str] = &[];
    /// The body can be a line of JSON for each event.
    const LINES: bool = false;
    /// Counts that a later event leaves at 0 or behind: the largest is right.
    const LARGEST: bool = false;

    /// Turns the usage object into parts.
    fn parts(usage: &mut Fields) -> Parts;
}

/// The wants of a shape, and after them those of an error as most providers write it.
macro_rules! with_error {
    ($($want:expr),* $(,)?) => {
        &[
            $($want,)*
            crate::domain::usage::json_scan::start(Key::Error(ErrorPart::Whole), &["error"]),
            crate::domain::usage::json_scan::text(Key::Error(ErrorPart::Type), &["error", "type"]),
            crate::domain::usage::json_scan::text(Key::Error(ErrorPart::Code), &["error", "code"]),
            crate::domain::usage::json_scan::text(Key::Error(ErrorPart::Status), &["error", "status"]),
            crate::domain::usage::json_scan::text(Key::Error(ErrorPart::BareCode), &["code"]),
        ]
    };
}
pub(super) use with_error;

/// Reads what a [`Shape`] describes.
#[derive(Debug)]
pub(super) struct Tabled<S> {
    gate: Gate,
    model: Model,
    errors: ErrorNote,
    /// The usage so far.
    usage: Map<String, Value>,
    /// What the reply's headers say of it.
    headers: Map<String, Value>,
    /// What the current event says of it.
    event: Map<String, Value>,
    recognition: Recognition,
    finished: bool,
    more_follow: bool,
    /// The current event is one that ends the stream.
    is_last_event: bool,
    ended: bool,
    shape: PhantomData<S>,
}

impl<S: Shape> Default for Tabled<S> {
    fn default() -> Self {
        Self {
            gate: Gate::new(S::NEEDLES, S::MODEL),
            model: Model::default(),
            errors: ErrorNote::default(),
            usage: Map::new(),
            headers: Map::new(),
            event: Map::new(),
            recognition: Recognition::default(),
            finished: false,
            more_follow: false,
            is_last_event: false,
            ended: false,
            shape: PhantomData,
        }
    }
}

impl<S: Shape> Dialect for Tabled<S> {
    type Key = Key;

    const WANTS: &'static [Want<Key>] = S::WANTS;
    const LINES: bool = S::LINES;
    const AWS: bool = S::AWS;

    fn headers(&mut self, get: &dyn Fn(&str) -> Option<Box<str>>) {
        for name in S::HEADERS {
            let count = get(name).and_then(|count| count.trim().parse::<u64>().ok());
            self.headers
                .extend(count.map(|count| ((*name).to_owned(), count.into())));
        }
        if S::AWS
            && let Some(kind) = get("x-amzn-errortype")
        {
            self.errors.name(kind.split(':').next().unwrap_or_default());
        }
    }

    fn exception(&mut self, name: &str) {
        self.errors.report();
        self.errors.name(name);
    }

    fn gate(&self, data: &[u8]) -> bool {
        self.gate.passes(data, self.model.is_known())
    }

    fn found(&mut self, key: Key, value: Found<'_>, flaws: &mut Flaws) -> bool {
        match (key, value) {
            (Key::Model, value) => self.model.found(value),
            (Key::Error(part), value) => self.errors.found(part, value),
            (Key::Id, value) => {
                self.recognition.id(value);
                false
            }
            (Key::Status, value) => {
                self.recognition.status(value);
                false
            }
            (Key::Finish, value) => {
                let finished = is_reason(value);
                self.finished |= finished;
                finished
            }
            (Key::Done, value) => {
                let is_last = value == Found::Text(b"true");
                self.is_last_event |= is_last;
                self.more_follow = !is_last;
                is_last
            }
            (Key::Kind, Found::Text(text)) => {
                let is_last = S::LAST.iter().any(|last| is_string(text, last));
                let is_error = S::ERRORS.iter().any(|error| is_string(text, error));
                self.is_last_event |= is_last;
                if is_error {
                    self.errors.report();
                }
                is_last || is_error
            }
            (Key::Kind, _) | (_, Found::Text(b"null")) => false,
            (Key::Last, _) => {
                self.is_last_event = true;
                true
            }
            (Key::Usage | Key::FirstUsage, Found::Text(text)) => {
                match serde_json::from_slice(text) {
                    Ok(Value::Object(usage)) => {
                        self.event.extend(usage);
                        if let Key::FirstUsage = key {
                            self.event.remove("output_tokens");
                        }
                    }
                    _ => flaws.malformed_usage = true,
                }
                true
            }
            (Key::Count(name) | Key::Object(name), Found::Text(text)) => {
                match serde_json::from_slice(text) {
                    Ok(value) => drop(self.event.insert(name.to_owned(), value)),
                    Err(_) => flaws.malformed_usage = true,
                }
                true
            }
            (Key::Sum(name), Found::Text(text)) => {
                let before = self.event.get(name).map_or(Some(0), Value::as_u64);
                let number = serde_json::from_slice(text).ok().and_then(|value| count(&value));
                // What is no number spoils the sum.
                let sum = before
                    .zip(number)
                    .and_then(|(sum, number)| sum.checked_add(number));
                let sum = sum.map_or_else(|| "?".into(), Value::from);
                self.event.insert(name.to_owned(), sum);
                true
            }
            (Key::Usage | Key::FirstUsage | Key::Count(_) | Key::Sum(_) | Key::Object(_), _) => {
                flaws.too_large = true;
                true
            }
        }
    }

    fn document_end(&mut self, ending: Ending) {
        self.ended |= std::mem::take(&mut self.is_last_event) && ending.complete;
        self.errors.event_end(ending);
        self.recognition.event_end(ending);
        for (name, value) in std::mem::take(&mut self.event) {
            // Usage is cumulative, and what an event leaves open it does not take back.
            let is_behind = S::LARGEST && value.as_u64() < self.usage.get(&name).and_then(Value::as_u64);
            if !value.is_null() && !is_behind {
                self.usage.insert(name, value);
            }
        }
    }

    fn done(&mut self) {
        self.ended = true;
    }

    fn is_terminal(&self) -> bool {
        self.ended
    }

    fn more_follow(&self) -> bool {
        self.more_follow
    }

    fn finish(mut self, ending: Ending, flaws: &mut Flaws) -> Reading {
        self.usage.extend(self.headers);
        let raw_usage = (!self.usage.is_empty())
            .then(|| serde_json::to_string(&self.usage).ok())
            .flatten();
        let mut usage = Fields::of(self.usage);
        let parts = S::parts(&mut usage);
        flaws.malformed_usage |= usage.spoiled;
        let has_counts = parts.total().is_some();
        let ended = ending.complete || self.ended || self.finished;
        let is_exact = ended
            && !self.recognition.is_under_way()
            && !usage.spoiled
            && parts.prompt().is_some()
            && parts.generated().is_some();
        Reading {
            once: self.recognition.once(has_counts),
            parts,
            source: has_counts.then_some(if is_exact { Source::Exact } else { Source::Partial }),
            raw_usage: raw_usage.map(Into::into),
            stream_error: reported(&self.errors),
            // Some streams have no last event.
            terminal: self.ended || (self.finished && has_counts),
            model: self.model.0,
            error: self.errors.kind(ending.refused),
            ..Reading::default()
        }
    }
}

/// A whole number, also as some servers write it: `12.0`.
fn count(value: &Value) -> Option<u64> {
    let mut fields = Fields::of(Map::from_iter([("count".to_owned(), value.clone())]));
    fields.tokens(&["count"]).map(|tokens| tokens.0)
}

/// Whether a JSON text is this string, which needs no escapes.
fn is_string(text: &[u8], wanted: &str) -> bool {
    let inside = text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inside == Some(wanted.as_bytes())
}
