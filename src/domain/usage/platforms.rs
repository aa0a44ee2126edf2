//! Formats that one platform speaks alone: Aleph Alpha, Anthropic's oldest, LM Studio, Mistral's conversations and
//! OCR, Replicate; and embeddings that speak no other's.

use super::dialect::ErrorPart;
use super::fields::{Fields, Rest};
use super::json_scan::{Want, text};
use super::parts::Parts;
use super::shape::{Key, Shape, with_error};
use crate::domain::units::Tokens;

/// `/complete`: Aleph Alpha counts, in a stream on its last event; Anthropic's older API (`/v1/complete`) does not.
#[derive(Debug, Default)]
pub(super) struct Complete;

impl Shape for Complete {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        text(Key::Model, &["model_version"]),
        text(
            Key::Count("num_tokens_prompt_total"),
            &["num_tokens_prompt_total"]
        ),
        text(Key::Count("num_tokens_generated"), &["num_tokens_generated"]),
        text(Key::Kind, &["type"]),
        text(Key::Finish, &["stop_reason"]),
        text(Key::Finish, &["finish_reason"]),
    ];
    const NEEDLES: &'static [&'static str] = &[
        "\"num_tokens_generated\"",
        "\"model_version\"",
        "\"stop_reason\"",
        "\"finish_reason\"",
        "\"error\"",
    ];
    const LAST: &'static [&'static str] = &["completion_summary"];

    fn parts(usage: &mut Fields) -> Parts {
        Parts {
            input: usage.tokens(&["num_tokens_prompt_total"]),
            output: usage.tokens(&["num_tokens_generated"]),
            ..Parts::default()
        }
    }
}

/// Embeddings: Aleph Alpha and watsonx (which reranks in the same words) count in the body, Text Embeddings Inference
/// in a header.
#[derive(Debug, Default)]
pub(super) struct Embed;

impl Shape for Embed {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model_version"]),
        text(Key::Model, &["model_id"]),
        text(
            Key::Count("num_tokens_prompt_total"),
            &["num_tokens_prompt_total"]
        ),
        text(Key::Count("input_token_count"), &["input_token_count"]),
    ];
    const NEEDLES: &'static [&'static str] = &[
        "\"num_tokens_prompt_total\"",
        "\"input_token_count\"",
        "\"error\"",
    ];
    const HEADERS: &'static [&'static str] = &["x-compute-tokens"];

    fn parts(usage: &mut Fields) -> Parts {
        let input = usage.first(&[
            &["num_tokens_prompt_total"],
            &["input_token_count"],
            &["x-compute-tokens"],
        ]);
        Parts {
            input,
            output: input.map(|_| Tokens(0)),
            ..Parts::default()
        }
    }
}

/// LM Studio's own chat; a stream ends with all that the plain reply is. The output includes reasoning.
#[derive(Debug, Default)]
pub(super) struct LmStudio;

impl Shape for LmStudio {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model_instance_id"]),
        text(Key::Model, &["result", "model_instance_id"]),
        text(Key::Usage, &["stats"]),
        text(Key::Usage, &["result", "stats"]),
        text(Key::Kind, &["type"]),
    ];
    const NEEDLES: &'static [&'static str] = &["\"stats\"", "\"chat.end\"", "\"error\""];
    const MODEL: &'static str = "\"model_instance_id\"";
    const LAST: &'static [&'static str] = &["chat.end"];

    fn parts(usage: &mut Fields) -> Parts {
        let reasoning = usage.tokens(&["reasoning_output_tokens"]);
        let mut parts = Parts {
            input: usage.tokens(&["input_tokens"]),
            reasoning,
            ..Parts::default()
        };
        if let Some(output) = usage.tokens(&["total_output_tokens"]) {
            let mut rest = Rest(output);
            parts.reasoning = rest.take(reasoning);
            parts.output = rest.remaining();
        }
        parts
    }
}

/// Mistral's conversations. What connectors (web search, code) brought in is input beside the prompt: the total
/// shows it.
#[derive(Debug, Default)]
pub(super) struct Conversations;

impl Shape for Conversations {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        text(Key::Model, &["outputs", "*", "model"]),
        text(Key::Usage, &["usage"]),
        text(Key::Kind, &["type"]),
    ];
    const NEEDLES: &'static [&'static str] = &[
        "\"usage\"",
        "\"conversation.response.done\"",
        "\"conversation.response.error\"",
        "\"error\"",
    ];
    const LAST: &'static [&'static str] = &["conversation.response.done"];
    const ERRORS: &'static [&'static str] = &["error", "conversation.response.error"];

    fn parts(usage: &mut Fields) -> Parts {
        let prompt = usage.tokens(&["prompt_tokens"]);
        let output = usage.tokens(&["completion_tokens"]);
        let connectors = usage.tokens(&["connector_tokens"]).unwrap_or_default();
        let total = usage.tokens(&["total_tokens"]);
        let sum = prompt.zip(output).map(|(prompt, output)| prompt + output);
        let is_inside = total.is_some() && total == sum;
        let searches = ["web_search", "web_search_premium"]
            .into_iter()
            .filter_map(|name| usage.tokens(&["connectors", name]))
            .reduce(|sum, searches| sum + searches);
        Parts {
            input: prompt.map(|prompt| if is_inside { prompt } else { prompt + connectors }),
            output,
            web_searches: searches.map(|searches| searches.0),
            ..Parts::default()
        }
    }
}

/// Mistral's OCR counts pages, which are no tokens; the raw usage keeps them.
#[derive(Debug, Default)]
pub(super) struct Ocr;

impl Shape for Ocr {
    const WANTS: &'static [Want<Key>] =
        with_error![text(Key::Model, &["model"]), text(Key::Usage, &["usage_info"]),];
    const NEEDLES: &'static [&'static str] = &["\"usage_info\"", "\"error\""];

    fn parts(_: &mut Fields) -> Parts {
        Parts::default()
    }
}

/// Replicate's predictions. Language models count; others have times only. One that still runs counts nothing yet.
#[derive(Debug, Default)]
pub(super) struct Prediction;

impl Shape for Prediction {
    const WANTS: &'static [Want<Key>] =
        with_error![text(Key::Model, &["model"]), text(Key::Usage, &["metrics"]),];
    const NEEDLES: &'static [&'static str] = &["\"metrics\"", "\"error\""];

    fn parts(usage: &mut Fields) -> Parts {
        Parts {
            input: usage.tokens(&["input_token_count"]),
            output: usage.tokens(&["output_token_count"]),
            ..Parts::default()
        }
    }
}
