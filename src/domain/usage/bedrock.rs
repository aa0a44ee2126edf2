//! Amazon Bedrock: Converse, which speaks one format, and InvokeModel, which speaks each model's own.
//!
//! The input excludes what caches served and kept. InvokeModel says its counts up to three times: in the model's own
//! words, in reply headers, and on the last chunk of a stream (`amazon-bedrock-invocationMetrics`). Each number is
//! taken from the first of these that has it, never from two.

use super::dialect::ErrorPart;
use super::fields::{Fields, Rest};
use super::json_scan::{Want, start, text};
use super::parts::Parts;
use super::shape::{Key, Shape};
use crate::domain::units::Tokens;

/// `converse` and `converse-stream`. The wire also has the cache's counts twice, under two names.
#[derive(Debug, Default)]
pub(super) struct Converse;

impl Shape for Converse {
    const WANTS: &'static [Want<Key>] = &[
        text(Key::Usage, &["usage"]),
        text(Key::Finish, &["stopReason"]),
        // In the last event of a stream.
        start(Key::Last, &["metrics"]),
    ];
    const NEEDLES: &'static [&'static str] = &["\"usage\"", "\"stopReason\""];
    const AWS: bool = true;

    fn parts(usage: &mut Fields) -> Parts {
        let cache_write = usage.first(&[&["cacheWriteInputTokens"], &["cacheWriteInputTokenCount"]]);
        let mut long = None;
        for mut kept in usage.elements("cacheDetails") {
            if kept.value(&["ttl"]).and_then(|ttl| ttl.as_str()) == Some("1h") {
                long = kept.tokens(&["inputTokens"]);
            }
        }
        let mut parts = Parts {
            input: usage.tokens(&["inputTokens"]),
            cache_read: usage.first(&[&["cacheReadInputTokens"], &["cacheReadInputTokenCount"]]),
            output: usage.tokens(&["outputTokens"]),
            ..Parts::default()
        };
        if let Some(cache_write) = cache_write {
            let mut rest = Rest(cache_write);
            parts.cache_write_1h = rest.take(long);
            parts.cache_write_5m = rest.remaining();
        }
        parts
    }
}

/// `invoke` and `invoke-with-response-stream`.
#[derive(Debug, Default)]
pub(super) struct Invoke;

const TITAN_INPUT: &str = "inputTextTokenCount";
const HEADER_INPUT: &str = "x-amzn-bedrock-input-token-count";
const METRICS: &str = "amazon-bedrock-invocationMetrics";

impl Shape for Invoke {
    const WANTS: &'static [Want<Key>] = &[
        text(Key::Model, &["model"]),
        // Anthropic, Nova, and all who write like OpenAI.
        text(Key::Usage, &["usage"]),
        text(Key::Model, &["message", "model"]),
        text(Key::FirstUsage, &["message", "usage"]),
        text(Key::Usage, &["metadata", "usage"]),
        // Titan.
        text(Key::Count("inputTextTokenCount"), &["inputTextTokenCount"]),
        text(Key::Sum("tokenCount"), &["results", "*", "tokenCount"]),
        text(
            Key::Count("totalOutputTextTokenCount"),
            &["totalOutputTextTokenCount"],
        ),
        // Llama.
        text(Key::Count("prompt_token_count"), &["prompt_token_count"]),
        text(Key::Count("generation_token_count"), &["generation_token_count"]),
        // Cohere.
        text(Key::Object("meta"), &["meta"]),
        text(Key::Object(METRICS), &[METRICS]),
        // A chunk with it is the last one.
        start(Key::Last, &[METRICS]),
        // A guardrail that answers in the model's place says so in one chunk, which has the output's count and no
        // metrics. One that only masks says the same in every chunk.
        start(Key::Finish, &["totalOutputTextTokenCount"]),
        text(Key::Finish, &["delta", "stop_reason"]),
        text(Key::Finish, &["completionReason"]),
        text(Key::Finish, &["stop_reason"]),
        text(Key::Finish, &["choices", "*", "finish_reason"]),
        text(Key::Finish, &["messageStop", "stopReason"]),
        start(Key::Error(ErrorPart::Whole), &["error"]),
        text(Key::Error(ErrorPart::Type), &["error", "type"]),
        text(Key::Error(ErrorPart::Code), &["error", "code"]),
    ];
    const NEEDLES: &'static [&'static str] = &[];
    const AWS: bool = true;
    const HEADERS: &'static [&'static str] = &[
        "x-amzn-bedrock-input-token-count",
        "x-amzn-bedrock-output-token-count",
        "x-amzn-bedrock-cache-read-input-token-count",
        "x-amzn-bedrock-cache-write-input-token-count",
    ];

    fn parts(usage: &mut Fields) -> Parts {
        // OpenAI's way of counting includes what the cache served.
        let inclusive = usage.tokens(&["prompt_tokens"]);
        let input = usage.first(&[
            &["input_tokens"],
            &["inputTokens"],
            &["prompt_tokens"],
            &["inputTextTokenCount"],
            &["prompt_token_count"],
            &["meta", "tokens", "input_tokens"],
            &["meta", "billed_units", "input_tokens"],
            &[HEADER_INPUT],
            &[METRICS, "inputTokenCount"],
        ]);
        let cache_read = usage.first(&[
            &["cache_read_input_tokens"],
            &["cacheReadInputTokenCount"],
            &["prompt_tokens_details", "cached_tokens"],
            &["x-amzn-bedrock-cache-read-input-token-count"],
            &[METRICS, "cacheReadInputTokenCount"],
        ]);
        let cache_write = usage.first(&[
            &["cache_creation_input_tokens"],
            &["cacheWriteInputTokenCount"],
            &["x-amzn-bedrock-cache-write-input-token-count"],
            &[METRICS, "cacheWriteInputTokenCount"],
        ]);
        let long = usage.tokens(&["cache_creation", "ephemeral_1h_input_tokens"]);
        let output = usage.first(&[
            &["output_tokens"],
            &["outputTokens"],
            &["completion_tokens"],
            &["tokenCount"],
            &["totalOutputTextTokenCount"],
            &["generation_token_count"],
            &["meta", "tokens", "output_tokens"],
            &["meta", "billed_units", "output_tokens"],
            &["x-amzn-bedrock-output-token-count"],
            &[METRICS, "outputTokenCount"],
        ]);
        let reasoning = usage.first(&[
            &["output_tokens_details", "thinking_tokens"],
            &["completion_tokens_details", "reasoning_tokens"],
        ]);
        let mut parts = Parts {
            input,
            cache_read,
            reasoning,
            ..Parts::default()
        };
        if let Some(inclusive) = inclusive {
            let mut rest = Rest(inclusive);
            parts.cache_read = rest.take(cache_read);
            parts.input = rest.remaining();
        }
        if let Some(cache_write) = cache_write {
            let mut rest = Rest(cache_write);
            parts.cache_write_1h = rest.take(long);
            parts.cache_write_5m = rest.remaining();
        }
        if let Some(output) = output {
            let mut rest = Rest(output);
            parts.reasoning = rest.take(reasoning);
            parts.output = rest.remaining();
        }
        let says_input_only = [TITAN_INPUT, HEADER_INPUT]
            .iter()
            .any(|name| usage.value(&[name]).is_some());
        if output.is_none() && says_input_only {
            // Embeddings generate nothing: Titan's have this field alone, Cohere's the one header.
            parts.output = Some(Tokens(0));
        }
        parts
    }
}
