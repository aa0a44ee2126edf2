//! Replies of the other providers and of model servers.

use serde_json::Value;

use super::{BlockKind, Said, blocks, deltas};
use crate::domain::estimate::json::{array, as_text, has, number, string};

const TEXT: u64 = 0;
const REASONING: u64 = 1;
const CALLS: u64 = 2;

/// Cohere's chats, first and second, and its generate.
pub(super) fn cohere(document: &Value, said: &mut Said) {
    // Writer speaks OpenAI's format at the same path.
    if has(document, "choices") {
        return deltas::chat(document, said);
    }
    // The second chat's events have a type, the first's an event type.
    match string(document, "type") {
        "" => {}
        kind => {
            let message = document.pointer("/delta/message").unwrap_or(&Value::Null);
            let block = CALLS + number(document, "index").unwrap_or(0);
            if let Some(content) = message.get("content") {
                said.add(0, TEXT, BlockKind::Text, string(content, "text"));
                said.add(0, REASONING, BlockKind::Reasoning, string(content, "thinking"));
            }
            said.add(0, TEXT, BlockKind::Text, string(message, "tool_plan"));
            if let Some(function) = message.pointer("/tool_calls/function") {
                said.name(0, block, string(function, "name"));
                said.add(0, block, BlockKind::Call, string(function, "arguments"));
            }
            said.cites |= kind == "citation-start";
            if kind == "message-start" {
                said.choice(0);
            }
            said.end(0, document.pointer("/delta/finish_reason"));
            return;
        }
    }
    match string(document, "event_type") {
        "text-generation" => return said.add(0, TEXT, BlockKind::Text, string(document, "text")),
        // It repeats the whole reply.
        "stream-end" => return said.end(0, document.get("finish_reason")),
        "citation-generation" => {
            said.cites = true;
            return;
        }
        "" => {}
        _ => return,
    }
    said.cites |= has(document, "citations")
        || document
            .get("message")
            .is_some_and(|message| has(message, "citations"));
    if let Some(message) = document.get("message").filter(|message| message.is_object()) {
        for part in array(message, "content") {
            said.add(0, TEXT, BlockKind::Text, string(part, "text"));
            said.add(0, REASONING, BlockKind::Reasoning, string(part, "thinking"));
        }
        said.add(0, TEXT, BlockKind::Text, string(message, "tool_plan"));
        tool_calls(message, said);
    }
    for (at, generation) in array(document, "generations").iter().enumerate() {
        said.add(at as u64, TEXT, BlockKind::Text, string(generation, "text"));
    }
    said.add(0, TEXT, BlockKind::Text, string(document, "text"));
    tool_calls(document, said);
    said.end(0, document.get("finish_reason"));
}

/// Functions with a name and arguments, in `function` or alone.
fn tool_calls(holder: &Value, said: &mut Said) {
    for call in array(holder, "tool_calls") {
        let function = call.get("function").unwrap_or(call);
        let block = CALLS + said.choice(0).blocks.len() as u64;
        said.name(0, block, string(function, "name"));
        let arguments = function.get("arguments").or_else(|| function.get("parameters"));
        said.add(
            0,
            block,
            BlockKind::Call,
            &as_text(arguments.unwrap_or(&Value::Null)),
        );
    }
}

/// Ollama's chat and generate.
pub(super) fn ollama(document: &Value, said: &mut Said) {
    said.choice(0);
    let message = document.get("message").unwrap_or(document);
    for key in ["content", "response"] {
        said.add(0, TEXT, BlockKind::Text, string(message, key));
    }
    said.add(0, REASONING, BlockKind::Reasoning, string(message, "thinking"));
    tool_calls(message, said);
    said.end(0, document.get("done_reason"));
}

/// TGI, llama.cpp, watsonx, Vertex AI's `predict`, and what else holds its text in one field.
pub(super) fn server(document: &Value, said: &mut Said) {
    if document.get("token").is_some() {
        // TGI: an event a token.
        said.single_tokens += 1;
        return;
    }
    said.add(0, TEXT, BlockKind::Text, string(document, "generated_text"));
    for key in ["content", "completion"] {
        said.add(0, TEXT, BlockKind::Text, string(document, key));
    }
    // Aleph Alpha's completions, LM Studio's output, Mistral's outputs.
    for (at, each) in array(document, "completions").iter().enumerate() {
        said.add(at as u64, TEXT, BlockKind::Text, string(each, "completion"));
    }
    for each in array(document, "output").iter().chain(array(document, "outputs")) {
        said.add(0, TEXT, BlockKind::Text, string(each, "content"));
    }
    for (at, result) in array(document, "results").iter().enumerate() {
        said.add(at as u64, TEXT, BlockKind::Text, string(result, "generated_text"));
        said.end(at as u64, result.get("stop_reason"));
    }
    for (at, prediction) in array(document, "predictions").iter().enumerate() {
        let text = prediction.get("content").unwrap_or(prediction);
        said.add(
            at as u64,
            TEXT,
            BlockKind::Text,
            text.as_str().unwrap_or_default(),
        );
    }
    said.end(0, document.pointer("/details/finish_reason"));
}

/// Bedrock hands on the model's own reply: its fields tell which it is.
pub(super) fn invoke(document: &Value, said: &mut Said) {
    if has(document, "choices") {
        return deltas::chat(document, said);
    }
    for key in [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "messageStop",
    ] {
        if let Some(inner) = document.get(key) {
            return blocks::converse(inner, said);
        }
    }
    if document.pointer("/output/message").is_some() {
        return blocks::converse(document, said);
    }
    if !matches!(string(document, "type"), "" | "completion") {
        return blocks::messages(document, said);
    }
    for key in ["generation", "outputText", "completion", "text"] {
        said.add(0, TEXT, BlockKind::Text, string(document, key));
    }
    for (key, reason) in [
        ("outputs", "stop_reason"),
        ("results", "completionReason"),
        ("generations", "finish_reason"),
    ] {
        for (at, each) in array(document, key).iter().enumerate() {
            for field in ["text", "outputText"] {
                said.add(at as u64, TEXT, BlockKind::Text, string(each, field));
            }
            said.end(at as u64, each.get(reason));
        }
    }
    for (at, each) in array(document, "completions").iter().enumerate() {
        let text = each.pointer("/data/text").and_then(Value::as_str);
        said.add(at as u64, TEXT, BlockKind::Text, text.unwrap_or_default());
    }
    said.end(0, document.get("stop_reason"));
}
