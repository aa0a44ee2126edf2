//! Ollama's own API: a line of JSON for each piece of text, and the counts on the one that says `done`.
//!
//! Counts of zero are left out (`omitempty` in its Go source): where all of the prompt was in the cache, the prompt's
//! count is missing. It is unknown then, not zero.

use super::dialect::ErrorPart;
use super::fields::{Fields, Rest};
use super::json_scan::{Want, text};
use super::parts::Parts;
use super::shape::{Key, Shape, with_error};
use crate::domain::units::Tokens;

/// `/api/chat` and `/api/generate`.
#[derive(Debug, Default)]
pub(super) struct Ollama;

impl Shape for Ollama {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        text(Key::Count("prompt_eval_count"), &["prompt_eval_count"]),
        text(
            Key::Count("prompt_eval_cached_count"),
            &["prompt_eval_cached_count"]
        ),
        text(Key::Count("eval_count"), &["eval_count"]),
        text(Key::Done, &["done"]),
    ];
    const NEEDLES: &'static [&'static str] = &["\"done\"", "\"error\""];
    const LINES: bool = true;

    fn parts(usage: &mut Fields) -> Parts {
        let prompt = usage.tokens(&["prompt_eval_count"]);
        let cached = usage.tokens(&["prompt_eval_cached_count"]);
        let mut parts = Parts {
            cache_read: cached,
            output: usage.tokens(&["eval_count"]),
            ..Parts::default()
        };
        if let Some(prompt) = prompt {
            let mut rest = Rest(prompt);
            parts.cache_read = rest.take(cached);
            parts.input = rest.remaining();
        }
        parts
    }
}

/// `/api/embed`, and the older `/api/embeddings`, which counts nothing.
#[derive(Debug, Default)]
pub(super) struct OllamaEmbed;

impl Shape for OllamaEmbed {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        text(Key::Count("prompt_eval_count"), &["prompt_eval_count"]),
    ];
    const NEEDLES: &'static [&'static str] = &["\"prompt_eval_count\"", "\"error\""];

    fn parts(usage: &mut Fields) -> Parts {
        let prompt = usage.tokens(&["prompt_eval_count"]);
        Parts {
            input: prompt,
            output: prompt.map(|_| Tokens(0)),
            ..Parts::default()
        }
    }
}
