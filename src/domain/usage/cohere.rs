//! Cohere: chat of both versions, generate, embed and rerank, and what speaks like them.
//!
//! The same call has two counts. `tokens` is what the model saw and wrote, with the provider's template;
//! `billed_units` leaves the template out. The parts are the tokens, and the raw usage keeps both. Where there are
//! only billed units (embed, generate), these are the parts. Search units are no tokens.

use super::dialect::ErrorPart;
use super::fields::{Fields, Rest};
use super::json_scan::{Want, text};
use super::parts::Parts;
use super::shape::{Key, Shape, with_error};
use crate::domain::units::Tokens;

/// Chat and generate.
#[derive(Debug, Default)]
pub(super) struct Cohere;

impl Shape for Cohere {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        // Version 1, plain and on the last line of a stream.
        text(Key::Usage, &["meta"]),
        text(Key::Usage, &["response", "meta"]),
        text(Key::Kind, &["event_type"]),
        text(Key::Done, &["is_finished"]),
        // Version 2.
        text(Key::Usage, &["usage"]),
        text(Key::Usage, &["delta", "usage"]),
        text(Key::Kind, &["type"]),
        // Writer answers chat at the same path in OpenAI's way.
        text(Key::Finish, &["choices", "*", "finish_reason"]),
    ];
    const NEEDLES: &'static [&'static str] = &[
        "\"usage\"",
        "\"meta\"",
        "\"stream-end\"",
        "\"message-end\"",
        "\"finish_reason\"",
        "\"error\"",
    ];
    const LAST: &'static [&'static str] = &["stream-end", "message-end"];
    const LINES: bool = true;

    fn parts(usage: &mut Fields) -> Parts {
        let input = usage.first(&[
            &["tokens", "input_tokens"],
            &["billed_units", "input_tokens"],
            &["prompt_tokens"],
        ]);
        let cached = usage.first(&[&["cached_tokens"], &["prompt_tokens_details", "cached_tokens"]]);
        let output = usage.first(&[
            &["tokens", "output_tokens"],
            &["billed_units", "output_tokens"],
            &["completion_tokens"],
        ]);
        let reasoning = usage.first(&[
            &["tokens", "reasoning_tokens"],
            &["completion_tokens_details", "reasoning_tokens"],
        ]);
        let mut parts = Parts {
            cache_read: cached,
            reasoning,
            ..Parts::default()
        };
        if let Some(input) = input {
            let mut rest = Rest(input);
            parts.cache_read = rest.take(cached);
            parts.input = rest.remaining();
        }
        if let Some(output) = output {
            let mut rest = Rest(output);
            parts.reasoning = rest.take(reasoning);
            parts.output = rest.remaining();
        }
        parts
    }
}

/// Embed and rerank, which generate nothing. Voyage reranks name the total only.
#[derive(Debug, Default)]
pub(super) struct CohereEmbed;

impl Shape for CohereEmbed {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        text(Key::Usage, &["meta"]),
        text(Key::Usage, &["usage"]),
    ];
    const NEEDLES: &'static [&'static str] = &["\"meta\"", "\"usage\"", "\"error\""];

    fn parts(usage: &mut Fields) -> Parts {
        let input = usage.first(&[
            &["tokens", "input_tokens"],
            &["billed_units", "input_tokens"],
            &["prompt_tokens"],
            &["total_tokens"],
        ]);
        let images = usage.first(&[&["billed_units", "image_tokens"]]);
        let used = input.or(images);
        Parts {
            input,
            image_in: images,
            output: used.map(|_| Tokens(0)),
            // OpenRouter.
            provider_cost: usage.cost(),
            ..Parts::default()
        }
    }
}
