//! Gemini and Vertex AI `generateContent`, streamed or not, also wrapped in `response` as Code Assist does.
//!
//! Each chunk repeats the usage so far, and the last one with counts is right as it stands: merging it with earlier
//! ones is wrong, because counts can shrink. The prompt includes what the cache served, candidates exclude thoughts.

use super::dialect::{Dialect, Ending, ErrorNote, ErrorPart, Gate, Model, is_reason};
use super::fields::{Fields, Rest};
use super::json_scan::{Found, Want, start, text};
use super::node::Node;
use super::openai_chat::reported;
use super::parts::Parts;
use super::reading::{Flaws, Reading};
use crate::domain::call::Source;
use crate::domain::units::Tokens;

/// The values wanted of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Model,
    Usage,
    /// Why a candidate, or the whole reply, ended.
    Finish,
    Error(ErrorPart),
}

/// Reads `generateContent` replies.
#[derive(Debug)]
pub(super) struct Gemini {
    gate: Gate,
    model: Model,
    errors: ErrorNote,
    parts: Parts,
    is_whole: bool,
    raw_usage: Option<Box<str>>,
    finished: bool,
}

impl Default for Gemini {
    fn default() -> Self {
        let needles = [
            "\"usageMetadata\"",
            "\"finishReason\"",
            "\"blockReason\"",
            "\"error\"",
        ];
        Self {
            gate: Gate::new(&needles, "\"modelVersion\""),
            model: Model::default(),
            errors: ErrorNote::default(),
            parts: Parts::default(),
            is_whole: false,
            raw_usage: None,
            finished: false,
        }
    }
}

impl Dialect for Gemini {
    type Key = Key;

    const WANTS: &'static [Want<Key>] = &[
        text(Key::Model, &["modelVersion"]),
        text(Key::Model, &["response", "modelVersion"]),
        text(Key::Usage, &["usageMetadata"]),
        text(Key::Usage, &["response", "usageMetadata"]),
        text(Key::Finish, &["candidates", "*", "finishReason"]),
        text(Key::Finish, &["response", "candidates", "*", "finishReason"]),
        text(Key::Finish, &["promptFeedback", "blockReason"]),
        text(Key::Finish, &["response", "promptFeedback", "blockReason"]),
        start(Key::Error(ErrorPart::Whole), &["error"]),
        text(Key::Error(ErrorPart::Status), &["error", "status"]),
        text(Key::Error(ErrorPart::Code), &["error", "code"]),
    ];

    fn gate(&self, data: &[u8]) -> bool {
        self.gate.passes(data, self.model.is_known())
    }

    fn found(&mut self, key: Key, value: Found<'_>, flaws: &mut Flaws) -> bool {
        match (key, value) {
            (Key::Model, value) => self.model.found(value),
            (Key::Error(part), value) => self.errors.found(part, value),
            (Key::Finish, value) => {
                let finished = is_reason(value);
                self.finished |= finished;
                finished
            }
            (Key::Usage, Found::Text(b"null")) => false,
            (Key::Usage, Found::Text(text)) => {
                if let Some(mut usage) = Fields::parse(text, flaws) {
                    let parts = parts(&mut usage);
                    flaws.malformed_usage |= usage.spoiled;
                    // Early chunks on Vertex name the traffic type only.
                    if parts.total().is_some() {
                        self.parts = parts;
                        self.is_whole =
                            !usage.spoiled && parts.prompt().is_some() && parts.generated().is_some();
                        self.raw_usage = str::from_utf8(text).ok().map(Into::into);
                    }
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
        self.errors.event_end(ending);
    }

    /// A finish reason does not end the stream: chunks with other numbers can follow it.
    fn is_terminal(&self) -> bool {
        false
    }

    fn finish(self, ending: Ending, _flaws: &mut Flaws) -> Reading {
        let has_counts = self.parts.total().is_some();
        let is_exact = self.is_whole && (ending.complete || self.finished);
        Reading {
            parts: self.parts,
            source: has_counts.then_some(if is_exact { Source::Exact } else { Source::Partial }),
            raw_usage: self.raw_usage,
            stream_error: reported(&self.errors),
            terminal: self.finished,
            model: self.model.0,
            error: self.errors.kind(ending.refused),
            ..Reading::default()
        }
    }
}

fn parts(usage: &mut Fields) -> Parts {
    let prompt = usage.tokens(&["promptTokenCount"]);
    let cached = usage.tokens(&["cachedContentTokenCount"]);
    let tool_use = usage.tokens(&["toolUsePromptTokenCount"]);
    let candidates = usage.first(&[&["candidatesTokenCount"], &["responseTokenCount"]]);
    let thoughts = usage.tokens(&["thoughtsTokenCount"]);
    let total = usage.tokens(&["totalTokenCount"]);
    let known = [prompt, tool_use, candidates, thoughts, total];
    if known.iter().all(Option::is_none) {
        return Parts::default();
    }
    let mut parts = Parts {
        cache_read: cached,
        reasoning: thoughts,
        ..Parts::default()
    };
    if let Some(prompt) = prompt {
        let mut rest = Rest(prompt);
        parts.cache_read = rest.take(cached);
        // Details count all of a modality, cached or not.
        let mut fresh = |modality| {
            let all = modality_tokens(usage, "promptTokensDetails", modality)?;
            let cached = modality_tokens(usage, "cacheTokensDetails", modality).unwrap_or_default();
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
    // A field that is left out is zero, unless the total says otherwise. One that is unusable is not zero.
    let others = [prompt, tool_use, thoughts].into_iter().flatten().sum();
    let has_candidates = usage.value(&["candidatesTokenCount"]).is_some();
    let candidates = candidates.or_else(|| {
        (!has_candidates && prompt.is_some()).then(|| total.unwrap_or(others).saturating_sub(others))
    });
    if let Some(candidates) = candidates {
        let mut rest = Rest(candidates);
        parts.audio_out = rest.take(modality_tokens(usage, "candidatesTokensDetails", "AUDIO"));
        parts.image_out = rest.take(modality_tokens(usage, "candidatesTokensDetails", "IMAGE"));
        parts.output = rest.remaining();
    }
    if prompt.is_none() && candidates.is_none() && thoughts.is_none() {
        parts.unsplit = total;
    }
    parts
}

/// The tokens of one modality, where the details name it.
fn modality_tokens(usage: &Fields, details: &str, modality: &str) -> Option<Tokens> {
    let entries = usage.value(&[details])?.as_array()?;
    let entry = entries
        .iter()
        .find(|entry| entry.get("modality").and_then(Node::as_str) == Some(modality))?;
    entry
        .get("tokenCount")
        .and_then(Node::as_u64)
        .map(Tokens)
        .filter(|tokens| *tokens <= Tokens::PLAUSIBLE_MAX)
}
