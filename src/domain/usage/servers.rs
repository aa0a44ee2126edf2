//! Formats of model servers and platforms of their own: TGI, llama.cpp, watsonx, and Vertex AI's `predict`.

use super::dialect::ErrorPart;
use super::fields::{Fields, Rest};
use super::json_scan::{Want, start, text};
use super::parts::Parts;
use super::shape::{Key, Shape, with_error};
use crate::domain::units::Tokens;

/// Text Generation Inference: `/generate`, `/generate_stream` and `/`. Details come only if asked for, and without
/// the prompt's length in plain replies; headers have both.
#[derive(Debug, Default)]
pub(super) struct Tgi;

impl Shape for Tgi {
    // The details also list every token: only single values are wanted of them.
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Count("generated_tokens"), &["details", "generated_tokens"]),
        text(Key::Count("input_length"), &["details", "input_length"]),
        start(Key::Last, &["details", "finish_reason"]),
        text(Key::Error(ErrorPart::BareType), &["error_type"]),
    ];
    const NEEDLES: &'static [&'static str] = &["\"details\"", "\"error\""];
    const HEADERS: &'static [&'static str] = &["x-prompt-tokens", "x-generated-tokens"];

    fn parts(usage: &mut Fields) -> Parts {
        Parts {
            input: usage.first(&[&["input_length"], &["x-prompt-tokens"]]),
            output: usage.first(&[&["generated_tokens"], &["x-generated-tokens"]]),
            ..Parts::default()
        }
    }
}

/// llama.cpp's own `/completion` and `/infill`.
///
/// `tokens_evaluated` is the whole prompt; of its timings, `cache_n` was in the cache and `prompt_n` was not.
/// `tokens_cached` is what the cache holds afterwards, and is not looked at.
#[derive(Debug, Default)]
pub(super) struct LlamaCpp;

impl Shape for LlamaCpp {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        text(Key::Count("tokens_evaluated"), &["tokens_evaluated"]),
        text(Key::Count("tokens_predicted"), &["tokens_predicted"]),
        text(Key::Object("timings"), &["timings"]),
        text(Key::Done, &["stop"]),
        text(Key::Error(ErrorPart::BareType), &["type"]),
    ];
    const NEEDLES: &'static [&'static str] = &["\"stop\"", "\"timings\"", "\"error\""];

    fn parts(usage: &mut Fields) -> Parts {
        let cached = usage.tokens(&["timings", "cache_n"]);
        let fresh = usage.tokens(&["timings", "prompt_n"]);
        let prompt = usage.tokens(&["tokens_evaluated"]);
        let prompt = prompt.or_else(|| fresh.map(|fresh| fresh + cached.unwrap_or_default()));
        let mut parts = Parts {
            cache_read: cached,
            output: usage.first(&[&["tokens_predicted"], &["timings", "predicted_n"]]),
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

/// watsonx text generation. A stream says the prompt on its first event and 0 on later ones, and the output so far
/// on each: the largest of both is right.
#[derive(Debug, Default)]
pub(super) struct Watsonx;

impl Shape for Watsonx {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model_id"]),
        text(
            Key::Sum("input_token_count"),
            &["results", "*", "input_token_count"]
        ),
        text(
            Key::Sum("generated_token_count"),
            &["results", "*", "generated_token_count"]
        ),
        text(Key::Finish, &["results", "*", "stop_reason"]),
        start(Key::Error(ErrorPart::Whole), &["errors"]),
        text(Key::Error(ErrorPart::Code), &["errors", "*", "code"]),
    ];
    const NEEDLES: &'static [&'static str] = &["_token_count\"", "\"stop_reason\"", "\"error"];
    const MODEL: &'static str = "\"model_id\"";
    const LARGEST: bool = true;

    fn parts(usage: &mut Fields) -> Parts {
        Parts {
            input: usage.tokens(&["input_token_count"]),
            output: usage.tokens(&["generated_token_count"]),
            ..Parts::default()
        }
    }
}

/// Vertex AI's `predict`: embeddings count each text for itself, and generate nothing.
#[derive(Debug, Default)]
pub(super) struct Predict;

impl Shape for Predict {
    const WANTS: &'static [Want<Key>] = with_error![text(
        Key::Sum("token_count"),
        &["predictions", "*", "embeddings", "statistics", "token_count"]
    )];
    const NEEDLES: &'static [&'static str] = &["\"token_count\"", "\"error\""];

    fn parts(usage: &mut Fields) -> Parts {
        let input = usage.tokens(&["token_count"]);
        Parts {
            input,
            output: input.map(|_| Tokens(0)),
            ..Parts::default()
        }
    }
}
