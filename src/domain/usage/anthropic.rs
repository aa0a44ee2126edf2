//! Anthropic messages, and everything that speaks them.
//!
//! `input_tokens` excludes what caches served and kept; `output_tokens` includes thinking. A stream says its usage
//! twice: `message_start` has the prompt and a placeholder for the output, `message_delta` the truth. Both are
//! cumulative, so the later one replaces the earlier one field by field.

use super::dialect::{Dialect, Ending, ErrorNote, ErrorPart, Gate, Model, is_reason};
use super::fields::{Fields, Rest};
use super::json_scan::{Found, Want, start, text};
use super::node::Node;
use super::once::Share;
use super::openai_chat::reported;
use super::parts::Parts;
use super::reading::{Flaws, Reading};
use crate::domain::call::Source;
use crate::domain::units::{NanoUsd, Tokens};

/// The values wanted of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    EventType,
    Model,
    /// Usage inside `message_start`.
    FirstUsage,
    /// Usage of `message_delta`, or of a message that is not streamed.
    Usage,
    StopReason,
    Error(ErrorPart),
}

/// Reads messages.
#[derive(Debug)]
pub(super) struct Anthropic {
    gate: Gate,
    model: Model,
    errors: ErrorNote,
    counts: Counts,
    first_raw: Option<Box<str>>,
    raw: Option<Box<str>>,
    spoiled: bool,
    stopped: bool,
    /// The current event is the one that ends the stream.
    is_last_event: bool,
    ended: bool,
}

impl Default for Anthropic {
    fn default() -> Self {
        let needles = ["\"usage\"", "\"message_stop\"", "\"stop_reason\"", "\"error\""];
        Self {
            gate: Gate::new(&needles, "\"model\""),
            model: Model::default(),
            errors: ErrorNote::default(),
            counts: Counts::default(),
            first_raw: None,
            raw: None,
            spoiled: false,
            stopped: false,
            is_last_event: false,
            ended: false,
        }
    }
}

impl Dialect for Anthropic {
    type Key = Key;

    const WANTS: &'static [Want<Key>] = &[
        text(Key::EventType, &["type"]),
        text(Key::Model, &["model"]),
        text(Key::Model, &["message", "model"]),
        text(Key::FirstUsage, &["message", "usage"]),
        text(Key::Usage, &["usage"]),
        text(Key::StopReason, &["delta", "stop_reason"]),
        start(Key::Error(ErrorPart::Whole), &["error"]),
        text(Key::Error(ErrorPart::Type), &["error", "type"]),
        text(Key::Error(ErrorPart::Code), &["error", "code"]),
    ];

    fn gate(&self, data: &[u8]) -> bool {
        self.gate.passes(data, self.model.is_known())
    }

    fn found(&mut self, key: Key, value: Found<'_>, flaws: &mut Flaws) -> bool {
        match (key, value) {
            (Key::EventType, value) => {
                self.is_last_event = value == Found::Text(br#""message_stop""#);
                self.is_last_event
            }
            (Key::Model, value) => self.model.found(value),
            (Key::Error(part), value) => self.errors.found(part, value),
            (Key::StopReason, value) => {
                let stopped = is_reason(value);
                self.stopped |= stopped;
                stopped
            }
            (Key::FirstUsage | Key::Usage, Found::Text(b"null")) => false,
            (Key::FirstUsage | Key::Usage, Found::Text(text)) => {
                if let Some(mut usage) = Fields::parse(text, flaws) {
                    let raw = str::from_utf8(text).ok().map(Into::into);
                    self.counts.read_prompt(&mut usage);
                    if let Key::FirstUsage = key {
                        self.first_raw = raw;
                    } else {
                        self.counts.read_output(&mut usage);
                        self.raw = raw;
                    }
                    flaws.malformed_usage |= usage.spoiled;
                    self.spoiled |= usage.spoiled;
                }
                true
            }
            (Key::FirstUsage | Key::Usage, _) => {
                flaws.too_large = true;
                true
            }
        }
    }

    fn document_end(&mut self, ending: Ending) {
        self.ended |= std::mem::take(&mut self.is_last_event) && ending.complete;
        self.errors.event_end(ending);
    }

    fn is_terminal(&self) -> bool {
        self.ended
    }

    fn finish(self, ending: Ending, _flaws: &mut Flaws) -> Reading {
        let (parts, passes) = self.counts.split(self.model.0.as_deref());
        let has_counts = parts.total().is_some();
        // A delta without a stop reason is not the last one.
        let ended = ending.complete || self.ended || self.stopped;
        let is_exact = ended && !self.spoiled && parts.prompt().is_some() && parts.generated().is_some();
        let source = if is_exact { Source::Exact } else { Source::Partial };
        let raw_usage = match (self.first_raw, self.raw) {
            (Some(first), Some(last)) => Some(format!("[{first},{last}]").into()),
            (first, last) => last.or(first),
        };
        Reading {
            parts,
            source: has_counts.then_some(source),
            others: shares(passes, source, parts.provider_cost),
            raw_usage,
            stream_error: reported(&self.errors),
            terminal: self.ended,
            model: self.model.0,
            error: self.errors.kind(ending.refused),
            ..Reading::default()
        }
    }
}

/// What one message used, by model, of a usage object that stands alone.
pub(super) fn of_message(usage: &mut Fields, model: Option<&str>) -> (Parts, Vec<Share>) {
    let mut counts = Counts::default();
    counts.read_prompt(usage);
    counts.read_output(usage);
    let (parts, passes) = counts.split(model);
    (parts, shares(passes, Source::Exact, parts.provider_cost))
}

/// The passes of other models as shares. A pass that does not say both of its sides is not exact.
fn shares(passes: Vec<Pass>, source: Source, cost: Option<NanoUsd>) -> Vec<Share> {
    let shares = passes.into_iter().map(|pass| {
        let is_whole = pass.prompt.input.is_some() && pass.output.is_some();
        Share {
            parts: Parts {
                // A provider that says what the message cost means all of it.
                provider_cost: cost.map(|_| NanoUsd(0)),
                ..pass.parts()
            },
            model: pass.model,
            source: if is_whole { source } else { Source::Partial },
            once: None,
        }
    });
    shares.filter(|share| share.parts.total().is_some()).collect()
}

/// The numbers of a message, over the events that say them.
#[derive(Debug, Default)]
struct Counts {
    prompt: Prompt,
    output: Option<Tokens>,
    thinking: Option<Tokens>,
    web_searches: Option<Tokens>,
    /// OpenRouter says what its messages cost.
    cost: Option<NanoUsd>,
    /// By model, if any are listed.
    passes: Vec<Pass>,
}

impl Counts {
    fn read_prompt(&mut self, usage: &mut Fields) {
        self.prompt.replace(Prompt::read(usage));
        let searches = usage.tokens(&["server_tool_use", "web_search_requests"]);
        self.web_searches = searches.or(self.web_searches);
        self.cost = usage.cost().or(self.cost);
        let passes = Pass::read_all(usage);
        if !passes.is_empty() {
            self.passes = passes;
        }
    }

    /// The output of `message_start` is a placeholder and is not read.
    fn read_output(&mut self, usage: &mut Fields) {
        self.output = usage.tokens(&["output_tokens"]).or(self.output);
        self.thinking = usage
            .tokens(&["output_tokens_details", "thinking_tokens"])
            .or(self.thinking);
    }

    /// What the model that answered used, and the passes of others.
    ///
    /// The numbers at the top leave out compaction and advisor passes, which are billed all the same. A pass names its
    /// model where it is not the one that answered.
    fn split(&self, model: Option<&str>) -> (Parts, Vec<Pass>) {
        let (own, others): (Vec<_>, Vec<_>) = self
            .passes
            .iter()
            .cloned()
            .partition(|pass| pass.model.is_none() || pass.model.as_deref() == model);
        let top = Pass {
            model: None,
            prompt: self.prompt,
            output: self.output,
        };
        let own = own.into_iter().reduce(|sum, pass| sum.plus(&pass));
        let billed = own.filter(|own| !others.is_empty() || top.sum() < own.sum());
        let mut parts = billed.unwrap_or(top).parts();
        parts.web_searches = self.web_searches.map(|searches| searches.0);
        parts.provider_cost = self.cost;
        if let Some(output) = parts.output {
            let mut rest = Rest(output);
            parts.reasoning = rest.take(self.thinking);
            parts.output = rest.remaining();
        } else {
            parts.reasoning = self.thinking;
        }
        (parts, others)
    }
}

/// The prompt's side of a usage object.
#[derive(Clone, Copy, Debug, Default)]
struct Prompt {
    input: Option<Tokens>,
    cache_read: Option<Tokens>,
    cache_created: Option<Tokens>,
    created_5m: Option<Tokens>,
    created_1h: Option<Tokens>,
}

impl Prompt {
    fn read(usage: &mut Fields) -> Self {
        Self {
            input: usage.tokens(&["input_tokens"]),
            cache_read: usage.tokens(&["cache_read_input_tokens"]),
            cache_created: usage.tokens(&["cache_creation_input_tokens"]),
            created_5m: usage.tokens(&["cache_creation", "ephemeral_5m_input_tokens"]),
            created_1h: usage.tokens(&["cache_creation", "ephemeral_1h_input_tokens"]),
        }
    }

    /// Takes a later event's numbers, unless an earlier one knew more about the cache.
    ///
    /// Compatible servers exist that report a prompt-scale `input_tokens` in the event that does not know the
    /// cache, and the true split in the other. The event that names the most cached tokens is the one that knows;
    /// numbers of both must not be mixed, or cached tokens count twice.
    fn replace(&mut self, later: Self) {
        if later.cached() < self.cached() {
            self.input = self.input.or(later.input);
            return;
        }
        *self = Self {
            input: later.input.or(self.input),
            cache_read: later.cache_read.or(self.cache_read),
            cache_created: later.cache_created.or(self.cache_created),
            created_5m: later.created_5m.or(self.created_5m),
            created_1h: later.created_1h.or(self.created_1h),
        };
    }

    /// Tokens that a cache served or kept.
    fn cached(&self) -> Tokens {
        let (short, long) = self.cache_write();
        [self.cache_read, short, long].into_iter().flatten().sum()
    }

    fn sum(&self) -> Tokens {
        self.input.unwrap_or_default() + self.cached()
    }

    /// Cache writes by their life. The split adds up to `cache_creation_input_tokens`, it does not add to it.
    fn cache_write(&self) -> (Option<Tokens>, Option<Tokens>) {
        let Some(created) = self.cache_created else {
            return (self.created_5m, self.created_1h);
        };
        let mut rest = Rest(created);
        let long = rest.take(self.created_1h);
        (rest.remaining(), long)
    }
}

/// What one of the passes used that a call was billed for.
#[derive(Clone, Debug)]
struct Pass {
    /// The model, where the pass names it.
    model: Option<Box<str>>,
    prompt: Prompt,
    output: Option<Tokens>,
}

impl Pass {
    /// The passes that a usage object lists, added up by model.
    fn read_all(usage: &mut Fields) -> Vec<Self> {
        let mut listed = usage.elements("iterations");
        let mut passes: Vec<Self> = Vec::new();
        for fields in &mut listed {
            let pass = Self::read(fields);
            match passes.iter_mut().find(|known| known.model == pass.model) {
                Some(known) => *known = known.clone().plus(&pass),
                None => passes.push(pass),
            }
        }
        usage.spoiled |= listed.iter().any(|pass| pass.spoiled);
        passes
    }

    fn read(fields: &mut Fields) -> Self {
        let prompt = Prompt::read(fields);
        let (created_5m, created_1h) = prompt.cache_write();
        Self {
            model: fields.value(&["model"]).and_then(Node::as_str).map(Into::into),
            prompt: Prompt {
                cache_created: None,
                created_5m,
                created_1h,
                ..prompt
            },
            output: fields.tokens(&["output_tokens"]),
        }
    }

    fn plus(self, next: &Self) -> Self {
        let (one, other) = (self.prompt, next.prompt);
        Self {
            model: self.model,
            prompt: Prompt {
                input: add(one.input, other.input),
                cache_read: add(one.cache_read, other.cache_read),
                cache_created: None,
                created_5m: add(one.created_5m, other.created_5m),
                created_1h: add(one.created_1h, other.created_1h),
            },
            output: add(self.output, next.output),
        }
    }

    fn sum(&self) -> Tokens {
        self.prompt.sum() + self.output.unwrap_or_default()
    }

    fn parts(&self) -> Parts {
        let (cache_write_5m, cache_write_1h) = self.prompt.cache_write();
        Parts {
            input: self.prompt.input,
            cache_read: self.prompt.cache_read,
            cache_write_5m,
            cache_write_1h,
            output: self.output,
            ..Parts::default()
        }
    }
}

fn add(one: Option<Tokens>, other: Option<Tokens>) -> Option<Tokens> {
    [one, other]
        .into_iter()
        .flatten()
        .reduce(|sum, tokens| sum + tokens)
}
