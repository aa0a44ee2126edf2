//! The results of a batch: a line of JSON for each of its requests, with a whole reply in it.
//!
//! OpenAI and who speaks it write `{"custom_id", "response": {"body": …}}` to a file, Anthropic answers with
//! `{"custom_id", "result": {"message": …}}`. A batch has up to 100,000 lines, so what they used is added up for each
//! model; each model is a call. Other files come by the same path and hold no usage.

use super::anthropic;
use super::dialect::{Dialect, Ending, string};
use super::fields::Fields;
use super::json_scan::{Found, Want, text};
use super::once::{Making, Once, Share};
use super::parts::Parts;
use super::reading::{Flaws, Reading};
use super::{openai_chat, openai_responses};
use crate::domain::call::Source;
use crate::domain::units::Tokens;

/// So many models are told apart; what the rest used is added up without a model's name, and so without a price.
const MOST_MODELS: usize = 32;

/// The values wanted of a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Model,
    /// A reply of OpenAI's has this kind of object.
    Object,
    /// Usage as OpenAI writes it.
    Usage,
    /// Usage as Anthropic writes it.
    MessageUsage,
}

/// Reads a batch's results.
#[derive(Debug, Default)]
pub(super) struct BatchResults {
    line: Line,
    shares: Vec<Share>,
}

/// What the current line says.
#[derive(Debug, Default)]
struct Line {
    model: Option<Box<str>>,
    is_list: bool,
    usage: Option<(Convention, Box<[u8]>)>,
}

/// How a usage object counts.
#[derive(Clone, Copy, Debug)]
enum Convention {
    OpenAi,
    Anthropic,
}

impl Dialect for BatchResults {
    type Key = Key;

    const LINES: bool = true;

    const WANTS: &'static [Want<Key>] = &[
        text(Key::Object, &["response", "body", "object"]),
        text(Key::Model, &["response", "body", "model"]),
        text(Key::Usage, &["response", "body", "usage"]),
        text(Key::Model, &["result", "message", "model"]),
        text(Key::MessageUsage, &["result", "message", "usage"]),
    ];

    /// Only lines are read.
    fn gate(&self, _data: &[u8]) -> bool {
        false
    }

    fn found(&mut self, key: Key, value: Found<'_>, flaws: &mut Flaws) -> bool {
        let convention = match key {
            Key::Model => {
                self.line.model = string(value).filter(|model| !model.is_empty());
                return false;
            }
            Key::Object => {
                self.line.is_list = value == Found::Text(br#""list""#);
                return false;
            }
            Key::Usage => Convention::OpenAi,
            Key::MessageUsage => Convention::Anthropic,
        };
        match value {
            Found::Text(b"null") => false,
            Found::Text(text) => {
                self.line.usage = Some((convention, text.into()));
                true
            }
            _ => {
                flaws.too_large = true;
                true
            }
        }
    }

    fn document_end(&mut self, ending: Ending) {
        let line = std::mem::take(&mut self.line);
        // A line that broke off is read when the results are fetched again.
        let Some((convention, usage)) = line.usage.filter(|_| ending.complete) else {
            return;
        };
        let mut flaws = Flaws::default();
        let Some(mut usage) = Fields::parse(&usage, &mut flaws) else {
            return;
        };
        let (parts, others) = match convention {
            Convention::Anthropic => anthropic::of_message(&mut usage, line.model.as_deref()),
            Convention::OpenAi if line.is_list => (openai_chat::parts_of_list(&mut usage), Vec::new()),
            Convention::OpenAi if usage.value(&["input_tokens"]).is_some() => {
                (openai_responses::parts(&mut usage), Vec::new())
            }
            Convention::OpenAi => (openai_chat::parts(&mut usage), Vec::new()),
        };
        let is_whole = !usage.spoiled && parts.prompt().is_some() && parts.generated().is_some();
        let source = if is_whole { Source::Exact } else { Source::Partial };
        self.add(line.model, parts, source);
        for other in others {
            self.add(other.model, other.parts, other.source);
        }
    }

    /// Only the body's own end tells.
    fn is_terminal(&self) -> bool {
        false
    }

    fn more_follow(&self) -> bool {
        true
    }

    fn finish(self, _ending: Ending, flaws: &mut Flaws) -> Reading {
        let mut shares = self.shares.into_iter();
        let Some(first) = shares.next() else {
            // Some other file: nothing is wrong with it.
            *flaws = Flaws::default();
            return Reading::default();
        };
        Reading {
            model: first.model,
            parts: first.parts,
            source: Some(first.source),
            others: shares.collect(),
            ..Reading::default()
        }
    }
}

impl BatchResults {
    fn add(&mut self, model: Option<Box<str>>, parts: Parts, source: Source) {
        if parts.total().is_none_or(|total| total == Tokens(0)) && parts.web_searches.is_none() {
            return;
        }
        let has_room = self.shares.len() + 1 < MOST_MODELS;
        let is_known = self.shares.iter().any(|share| share.model == model);
        let model = model.filter(|_| has_room || is_known);
        match self.shares.iter_mut().find(|share| share.model == model) {
            Some(share) => {
                share.parts = share.parts.plus(parts);
                if source != Source::Exact {
                    share.source = source;
                }
            }
            None => self.shares.push(Share {
                model,
                parts,
                source,
                once: None,
            }),
        }
    }
}

impl Reading {
    /// The body ended before its time: there was more to read.
    pub fn mark_cut_off(&mut self) {
        self.source = self.source.map(|_| Source::Partial);
        for share in &mut self.others {
            share.source = Source::Partial;
        }
    }

    /// Names what a batch's results are recognised by: their file, and each model.
    ///
    /// Each model's by itself, because a download that broke off may have seen fewer of them.
    pub(super) fn name_results(&mut self, file: &str) {
        let once = |model: &Option<Box<str>>| {
            Some(Once {
                id: format!("{file} {}", model.as_deref().unwrap_or_default()).into(),
                state: Making::Over,
            })
        };
        if self.source.is_some() {
            self.once = once(&self.model);
        }
        for share in &mut self.others {
            share.once = once(&share.model);
        }
    }
}
