//! Replies whose documents each hold the next piece of every choice: OpenAI's chat, and Gemini.

use serde_json::Value;

use super::{BlockKind, Said};
use crate::domain::estimate::json::{array, as_text, has, number, string};

/// Where a choice's blocks stand: calls come behind these.
const REASONING: u64 = 0;
const TEXT: u64 = 1;
const REFUSAL: u64 = 2;
const OLD_CALL: u64 = 3;
const CALLS: u64 = 4;

/// Chat completions and completions, whole or in pieces.
pub(super) fn chat(document: &Value, said: &mut Said) {
    for (at, choice) in array(document, "choices").iter().enumerate() {
        let index = number(choice, "index").unwrap_or(at as u64);
        // Some providers repeat the whole message beside each piece.
        let delta = choice
            .get("delta")
            .or_else(|| choice.get("message"))
            .unwrap_or(&Value::Null);
        said.choice(index);
        said.add(index, TEXT, BlockKind::Text, string(choice, "text"));
        content(delta.get("content").unwrap_or(&Value::Null), index, said);
        said.add(index, REFUSAL, BlockKind::Text, string(delta, "refusal"));
        let reasoning = ["reasoning_content", "reasoning"].map(|key| string(delta, key));
        let reasoning = reasoning
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default();
        said.add(index, REASONING, BlockKind::Reasoning, reasoning);
        if let Some(call) = delta.get("function_call").filter(|call| call.is_object()) {
            function(index, OLD_CALL, call, said);
        }
        for (at, call) in array(delta, "tool_calls").iter().enumerate() {
            let block = CALLS + number(call, "index").unwrap_or(at as u64);
            let called = call
                .get("function")
                .or_else(|| call.get("custom"))
                .unwrap_or(&Value::Null);
            function(index, block, called, said);
        }
        if has(delta, "audio") {
            said.media = true;
            let transcript = delta.pointer("/audio/transcript").and_then(Value::as_str);
            said.add(index, TEXT, BlockKind::Text, transcript.unwrap_or_default());
        }
        said.media |= has(delta, "images");
        let listed = choice.get("logprobs").map_or(0, |listed| {
            let either = ["content", "refusal", "tokens"].map(|key| array(listed, key).len() as u64);
            either.into_iter().sum()
        });
        said.choice(index).listed += listed;
        said.end(index, choice.get("finish_reason"));
    }
    said.ran_tools |= has(document, "citations") || has(document, "search_results");
}

fn function(choice: u64, block: u64, call: &Value, said: &mut Said) {
    said.name(choice, block, string(call, "name"));
    let arguments = call
        .get("arguments")
        .or_else(|| call.get("input"))
        .unwrap_or(&Value::Null);
    said.add(choice, block, BlockKind::Call, &as_text(arguments));
}

fn content(content: &Value, choice: u64, said: &mut Said) {
    match content {
        Value::String(text) => said.add(choice, TEXT, BlockKind::Text, text),
        Value::Array(parts) => {
            for part in parts {
                match string(part, "type") {
                    "thinking" => {
                        for inner in array(part, "thinking") {
                            said.add(choice, REASONING, BlockKind::Reasoning, string(inner, "text"));
                        }
                    }
                    "text" | "" => said.add(choice, TEXT, BlockKind::Text, string(part, "text")),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Gemini's candidates, whole or in pieces; the Code Assist API wraps them.
pub(super) fn gemini(document: &Value, said: &mut Said) {
    let document = document
        .get("response")
        .filter(|inner| inner.is_object())
        .unwrap_or(document);
    for (at, candidate) in array(document, "candidates").iter().enumerate() {
        let index = number(candidate, "index").unwrap_or(at as u64);
        said.choice(index);
        let parts = candidate
            .get("content")
            .map_or(&[][..], |content| array(content, "parts"));
        for part in parts {
            if part.get("thought") == Some(&Value::Bool(true)) {
                said.add(index, REASONING, BlockKind::Reasoning, string(part, "text"));
            } else {
                said.add(index, TEXT, BlockKind::Text, string(part, "text"));
            }
            if has(part, "thoughtSignature") {
                said.block(index, REASONING, BlockKind::Reasoning);
            }
            if let Some(call) = part.get("functionCall") {
                let block = CALLS + said.choice(index).blocks.len() as u64;
                said.name(index, block, string(call, "name"));
                said.add(
                    index,
                    block,
                    BlockKind::Call,
                    &as_text(call.get("args").unwrap_or(&Value::Null)),
                );
            }
            if let Some(code) = part.get("executableCode") {
                said.add(index, TEXT, BlockKind::Text, string(code, "code"));
                said.ran_tools = true;
            }
            said.media |= has(part, "inlineData");
        }
        said.ran_tools |= has(candidate, "groundingMetadata") || has(candidate, "urlContextMetadata");
        said.end(index, candidate.get("finishReason"));
    }
}
