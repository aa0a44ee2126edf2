//! OpenAI chat completions and embeddings, and everything that speaks them.
//!
//! The prompt includes what caches served and kept, and audio; the completion includes reasoning and audio. Where a
//! server means it otherwise, its total shows it.

use super::dialect::{Dialect, Ending, ErrorNote, ErrorPart, Gate, Model, is_reason};
use super::fields::{Fields, Rest};
use super::json_scan::{Found, Want, start, text};
use super::parts::Parts;
use super::reading::{Flaws, Reading, StreamError};
use crate::domain::call::Source;
use crate::domain::units::{NanoUsd, Tokens};

/// The values wanted of a chat reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Model,
    Usage,
    /// llama.cpp measures each reply, also where nobody asked for usage.
    Timings,
    FinishReason,
    Error(ErrorPart),
}

/// Reads chat completions.
#[derive(Debug)]
pub(super) struct Chat {
    gate: Gate,
    model: Model,
    errors: ErrorNote,
    counts: Counts,
    raw_usage: Option<Box<str>>,
    /// Counts that a server gives beside its usage, or without one.
    timings: Option<(Counts, Box<str>)>,
    finished: bool,
    done: bool,
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            gate: Gate::new(
                &["\"usage\"", "\"finish_reason\"", "\"error\"", "\"timings\""],
                "\"model\"",
            ),
            model: Model::default(),
            errors: ErrorNote::default(),
            counts: Counts::default(),
            raw_usage: None,
            timings: None,
            finished: false,
            done: false,
        }
    }
}

impl Dialect for Chat {
    type Key = Key;

    const WANTS: &'static [Want<Key>] = &[
        text(Key::Model, &["model"]),
        text(Key::Usage, &["usage"]),
        // Groq writes it here, and newer replies in both places of the same chunk.
        text(Key::Usage, &["x_groq", "usage"]),
        text(Key::Timings, &["timings"]),
        // Workers AI.
        text(Key::Usage, &["result", "usage"]),
        // Moonshot.
        text(Key::Usage, &["choices", "*", "usage"]),
        text(Key::FinishReason, &["choices", "*", "finish_reason"]),
        start(Key::Error(ErrorPart::Whole), &["error"]),
        text(Key::Error(ErrorPart::Type), &["error", "type"]),
        text(Key::Error(ErrorPart::Code), &["error", "code"]),
        text(Key::Error(ErrorPart::Status), &["error", "status"]),
        start(Key::Error(ErrorPart::Whole), &["choices", "*", "error"]),
        text(Key::Error(ErrorPart::Type), &["choices", "*", "error", "type"]),
        text(Key::Error(ErrorPart::Code), &["choices", "*", "error", "code"]),
        text(Key::Error(ErrorPart::BareType), &["type"]),
        text(Key::Error(ErrorPart::BareCode), &["code"]),
    ];

    fn gate(&self, data: &[u8]) -> bool {
        self.gate.passes(data, self.model.is_known())
    }

    fn found(&mut self, key: Key, value: Found<'_>, flaws: &mut Flaws) -> bool {
        match (key, value) {
            (Key::Model, value) => self.model.found(value),
            (Key::Error(part), value) => self.errors.found(part, value),
            (Key::FinishReason, value) => {
                let finished = is_reason(value);
                self.finished |= finished;
                finished
            }
            (Key::Usage, Found::Text(b"null")) => false,
            (Key::Usage, Found::Text(text)) => {
                if let Some(mut usage) = Fields::parse(text, flaws) {
                    self.counts.replace(Counts::read(&mut usage));
                    flaws.malformed_usage |= usage.spoiled;
                    self.raw_usage = str::from_utf8(text).ok().map(Into::into);
                }
                true
            }
            (Key::Timings, Found::Text(text)) => {
                let timings = Fields::parse(text, flaws).map(|mut timings| Counts::of_timings(&mut timings));
                if let Some(timings) = timings.filter(|timings| timings.prompt.is_some()) {
                    self.timings = Some((timings, String::from_utf8_lossy(text).into()));
                }
                true
            }
            (Key::Usage | Key::Timings, _) => {
                flaws.too_large = true;
                true
            }
        }
    }

    fn document_end(&mut self, ending: Ending) {
        self.errors.event_end(ending);
    }

    fn done(&mut self) {
        self.done = true;
    }

    fn is_terminal(&self) -> bool {
        self.done
    }

    fn finish(mut self, ending: Ending, _flaws: &mut Flaws) -> Reading {
        if self.raw_usage.is_none()
            && let Some((counts, raw)) = self.timings.take()
        {
            self.counts = counts;
            self.raw_usage = Some(raw);
        }
        let parts = self.counts.parts();
        let has_counts = parts.total().is_some();
        // Some servers count in every chunk: what a cut stream said last is not what the call used.
        let ended = ending.complete || self.done || self.finished;
        let is_exact =
            ended && !self.counts.spoiled && parts.prompt().is_some() && parts.generated().is_some();
        Reading {
            parts,
            source: has_counts.then_some(if is_exact { Source::Exact } else { Source::Partial }),
            raw_usage: self.raw_usage,
            stream_error: reported(&self.errors),
            // Perplexity and others send no marker.
            terminal: self.done || (self.finished && has_counts),
            model: self.model.0,
            error: self.errors.kind(ending.refused),
            ..Reading::default()
        }
    }
}

/// Reads embeddings. They generate nothing, and some servers name the total only.
#[derive(Debug, Default)]
pub(super) struct Embeddings(Chat);

impl Dialect for Embeddings {
    type Key = Key;

    const WANTS: &'static [Want<Key>] = Chat::WANTS;

    fn gate(&self, data: &[u8]) -> bool {
        self.0.gate(data)
    }

    fn found(&mut self, key: Key, value: Found<'_>, flaws: &mut Flaws) -> bool {
        self.0.found(key, value, flaws)
    }

    fn document_end(&mut self, ending: Ending) {
        self.0.document_end(ending);
    }

    fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    fn finish(mut self, ending: Ending, flaws: &mut Flaws) -> Reading {
        self.0.counts.generated_nothing();
        self.0.finish(ending, flaws)
    }
}

/// The parts of a usage object that stands alone.
pub(super) fn parts(usage: &mut Fields) -> Parts {
    Counts::read(usage).parts()
}

/// The same of embeddings.
pub(super) fn parts_of_list(usage: &mut Fields) -> Parts {
    let mut counts = Counts::read(usage);
    counts.generated_nothing();
    counts.parts()
}

/// Whether the status of a reply hid an error.
pub(super) fn reported(errors: &ErrorNote) -> StreamError {
    if errors.is_reported() {
        StreamError::Reported
    } else {
        StreamError::Absent
    }
}

/// The numbers of a usage object, as the provider means them.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    prompt: Option<Tokens>,
    completion: Option<Tokens>,
    total: Option<Tokens>,
    cache_read: Option<Tokens>,
    cache_write: Option<Tokens>,
    audio_in: Option<Tokens>,
    image_in: Option<Tokens>,
    reasoning: Option<Tokens>,
    /// Reasoning that the server counts beside the completion.
    reasoning_beside: Option<Tokens>,
    audio_out: Option<Tokens>,
    image_out: Option<Tokens>,
    web_searches: Option<Tokens>,
    cost: Option<NanoUsd>,
    spoiled: bool,
}

impl Counts {
    fn read(usage: &mut Fields) -> Self {
        let prompt = usage.tokens(&["prompt_tokens"]);
        let total = usage.tokens(&["total_tokens"]);
        // Older completions that generated nothing leave the field out, and the total says so.
        let is_left_out = usage.value(&["completion_tokens"]).is_none();
        let generated_nothing = is_left_out && prompt.is_some() && prompt == total;
        let completion = usage
            .tokens(&["completion_tokens"])
            .or_else(|| generated_nothing.then_some(Tokens(0)));
        let cache_read = usage.first(&[
            &["prompt_tokens_details", "cached_tokens"],
            &["prompt_cache_hit_tokens"],
            &["cached_tokens"],
            &["num_cached_tokens"],
        ]);
        let cache_write = usage.tokens(&["prompt_tokens_details", "cache_write_tokens"]);
        let audio_in = usage.tokens(&["prompt_tokens_details", "audio_tokens"]);
        let image_in = usage.tokens(&["prompt_tokens_details", "image_tokens"]);
        let mut reasoning = usage.tokens(&["completion_tokens_details", "reasoning_tokens"]);
        let audio_out = usage.tokens(&["completion_tokens_details", "audio_tokens"]);
        let image_out = usage.tokens(&["completion_tokens_details", "image_tokens"]);
        let web_searches = usage.first(&[
            &["num_search_queries"],
            &["server_tool_use", "web_search_requests"],
            &["server_tool_use_details", "web_search_requests"],
            &["server_side_tool_usage_details", "web_search_calls"],
        ]);
        let mut reasoning_beside = None;
        if let Some(outer) = usage.tokens(&["reasoning_tokens"]) {
            // Perplexity's research models count their thinking beside the completion.
            if usage.value(&["num_search_queries"]).is_some() {
                reasoning_beside = Some(outer);
            } else {
                reasoning = reasoning.or(Some(outer));
            }
        }
        Self {
            prompt,
            completion,
            total,
            cache_read,
            cache_write,
            audio_in,
            image_in,
            reasoning,
            reasoning_beside,
            audio_out,
            image_out,
            web_searches,
            cost: usage.cost(),
            spoiled: usage.spoiled,
        }
    }

    /// Embeddings are no tokens.
    fn generated_nothing(&mut self) {
        self.prompt = self.prompt.or(self.total);
        if self.prompt.is_some() {
            self.completion = self.completion.or(Some(Tokens(0)));
        }
    }

    /// llama.cpp: of the prompt, `cache_n` was in the cache and `prompt_n` was not.
    fn of_timings(timings: &mut Fields) -> Self {
        let cache_read = timings.tokens(&["cache_n"]);
        let fresh = timings.tokens(&["prompt_n"]);
        Self {
            prompt: fresh.map(|fresh| fresh + cache_read.unwrap_or_default()),
            completion: timings.tokens(&["predicted_n"]),
            cache_read,
            spoiled: timings.spoiled,
            ..Self::default()
        }
    }

    /// Usage is cumulative: what a later object says replaces what an earlier one said.
    fn replace(&mut self, later: Self) {
        *self = Self {
            prompt: later.prompt.or(self.prompt),
            completion: later.completion.or(self.completion),
            total: later.total.or(self.total),
            cache_read: later.cache_read.or(self.cache_read),
            cache_write: later.cache_write.or(self.cache_write),
            audio_in: later.audio_in.or(self.audio_in),
            image_in: later.image_in.or(self.image_in),
            reasoning: later.reasoning.or(self.reasoning),
            reasoning_beside: later.reasoning_beside.or(self.reasoning_beside),
            audio_out: later.audio_out.or(self.audio_out),
            image_out: later.image_out.or(self.image_out),
            web_searches: later.web_searches.or(self.web_searches),
            cost: later.cost.or(self.cost),
            spoiled: later.spoiled || self.spoiled,
        };
    }

    fn parts(&self) -> Parts {
        let mut parts = Parts {
            web_searches: self.web_searches.map(|searches| searches.0),
            provider_cost: self.cost,
            ..Parts::default()
        };
        let sum = self
            .prompt
            .zip(self.completion)
            .map(|(prompt, completion)| prompt + completion);
        // What the total has beyond prompt and completion.
        let beyond = self
            .total
            .zip(sum)
            .map_or(Tokens(0), |(total, sum)| total.saturating_sub(sum));
        self.split_prompt(&mut parts, beyond);
        self.split_completion(&mut parts, beyond);
        if self.prompt.is_none() && self.completion.is_none() {
            parts.unsplit = self.total;
        }
        parts
    }

    fn split_prompt(&self, parts: &mut Parts, beyond: Tokens) {
        parts.cache_read = self.cache_read;
        parts.cache_write_5m = self.cache_write;
        parts.audio_in = self.audio_in;
        parts.image_in = self.image_in;
        let Some(prompt) = self.prompt else { return };
        // Mistral counts audio beside the prompt.
        let audio_is_beside = beyond.0 > 0 && self.audio_in == Some(beyond);
        // OpenRouter may report the same tokens as read and as written; they were in the prompt once.
        let same_twice = self.cache_read == self.cache_write
            && self
                .cache_read
                .zip(self.cache_write)
                .is_some_and(|(read, write)| read + write > prompt);
        let mut rest = Rest(prompt);
        parts.cache_read = rest.take(self.cache_read);
        parts.cache_write_5m = rest.take(if same_twice {
            Some(Tokens(0))
        } else {
            self.cache_write
        });
        if !audio_is_beside {
            parts.audio_in = rest.take(self.audio_in);
        }
        parts.image_in = rest.take(self.image_in);
        parts.input = rest.remaining();
    }

    fn split_completion(&self, parts: &mut Parts, beyond: Tokens) {
        parts.reasoning = self.reasoning.or(self.reasoning_beside);
        parts.audio_out = self.audio_out;
        parts.image_out = self.image_out;
        let Some(completion) = self.completion else { return };
        let is_beyond = |tokens: Option<Tokens>| beyond.0 > 0 && tokens == Some(beyond);
        let mut rest = Rest(completion);
        if self.reasoning_beside.is_some() || is_beyond(self.reasoning) {
            // Perplexity and xAI: beside the completion, and already set.
        } else if self.reasoning.is_none() && beyond.0 > 0 && !is_beyond(self.audio_in) {
            // Gemini behind this format thinks without saying so: only the total shows it.
            parts.reasoning = Some(beyond);
        } else {
            parts.reasoning = rest.take(self.reasoning);
        }
        parts.audio_out = rest.take(self.audio_out);
        parts.image_out = rest.take(self.image_out);
        parts.output = rest.remaining();
    }
}
