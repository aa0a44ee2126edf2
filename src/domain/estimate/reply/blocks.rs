//! Replies that are made of numbered blocks: OpenAI's Responses, Anthropic, Bedrock's Converse, Interactions.

use serde_json::Value;

use super::{BlockKind, Said};
use crate::domain::estimate::json::{array, as_text, number, string};

/// The Responses API: events, or the response itself.
pub(super) fn responses(document: &Value, said: &mut Said) {
    let kind = string(document, "type");
    let index = number(document, "output_index").unwrap_or(0);
    match kind {
        "response.output_text.delta" | "response.refusal.delta" => {
            said.add(0, index, BlockKind::Text, string(document, "delta"));
        }
        "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
            said.add(0, index, BlockKind::Call, string(document, "delta"));
        }
        "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
            said.add(0, index, BlockKind::Reasoning, string(document, "delta"));
        }
        "response.output_item.added" | "response.output_item.done" => {
            if let Some(item) = document.get("item") {
                output_item(index, item, said);
            }
        }
        _ => {
            let response = document.get("response").unwrap_or(document);
            let items = array(response, "output");
            for (index, item) in items.iter().enumerate() {
                output_item(index as u64, item, said);
            }
            let reason = response.pointer("/incomplete_details/reason");
            said.end(0, reason);
            if !kind.is_empty() || string(response, "object") == "response" {
                said.choice(0);
            }
        }
    }
}

/// Takes an item as it is now, in place of what its pieces said.
fn output_item(index: u64, item: &Value, said: &mut Said) {
    let kind = match string(item, "type") {
        "message" => BlockKind::Text,
        "reasoning" => BlockKind::Reasoning,
        "function_call" | "custom_tool_call" => BlockKind::Call,
        kind => {
            if kind.ends_with("_call") || kind.starts_with("mcp") {
                said.ran_tools = true;
                // What the model wrote to the provider's tool is not shown.
                said.block(0, index, BlockKind::Hosted);
            }
            said.media |= kind == "image_generation_call";
            return;
        }
    };
    let block = said.block(0, index, kind);
    let mut text = String::new();
    for part in array(item, "content").iter().chain(array(item, "summary")) {
        text.push_str(string(part, "text"));
        text.push_str(string(part, "refusal"));
    }
    text.push_str(string(item, "arguments"));
    text.push_str(string(item, "input"));
    if text.len() > block.text.len() {
        block.text = text;
    }
    if kind == BlockKind::Call && block.name.is_empty() {
        block.name.push_str(string(item, "name"));
    }
}

/// Anthropic's events, or the message itself.
pub(super) fn messages(document: &Value, said: &mut Said) {
    let index = number(document, "index").unwrap_or(0);
    match string(document, "type") {
        "message_start" => {
            said.choice(0);
        }
        "content_block_start" => {
            if let Some(block) = document.get("content_block") {
                content_block(index, block, said);
            }
        }
        "content_block_delta" => {
            let delta = document.get("delta").unwrap_or(&Value::Null);
            said.add(0, index, BlockKind::Text, string(delta, "text"));
            said.add(0, index, BlockKind::Call, string(delta, "partial_json"));
            said.add(0, index, BlockKind::Reasoning, string(delta, "thinking"));
        }
        "message_delta" => said.end(0, document.pointer("/delta/stop_reason")),
        "message" => {
            said.choice(0);
            for (index, block) in array(document, "content").iter().enumerate() {
                content_block(index as u64, block, said);
            }
            said.end(0, document.get("stop_reason"));
        }
        _ => {}
    }
}

fn content_block(index: u64, block: &Value, said: &mut Said) {
    match string(block, "type") {
        "text" => said.add(0, index, BlockKind::Text, string(block, "text")),
        "thinking" => {
            said.block(0, index, BlockKind::Reasoning);
            said.add(0, index, BlockKind::Reasoning, string(block, "thinking"));
        }
        "redacted_thinking" => {
            said.block(0, index, BlockKind::Reasoning);
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            said.ran_tools |= string(block, "type") != "tool_use";
            said.name(0, index, string(block, "name"));
            // In a stream it begins empty and is filled by the pieces.
            if let Some(Value::Object(input)) = block.get("input")
                && !input.is_empty()
            {
                said.add(
                    0,
                    index,
                    BlockKind::Call,
                    &Value::Object(input.clone()).to_string(),
                );
            }
        }
        _ => said.ran_tools = true,
    }
}

/// Bedrock's Converse: events, or the message itself.
pub(super) fn converse(document: &Value, said: &mut Said) {
    let index = number(document, "contentBlockIndex").unwrap_or(0);
    if let Some(start) = document.pointer("/start/toolUse") {
        said.name(0, index, string(start, "name"));
    }
    if let Some(delta) = document.get("delta") {
        converse_block(index, delta, said);
    }
    for (index, block) in document
        .pointer("/output/message")
        .map_or(&[][..], |message| array(message, "content"))
        .iter()
        .enumerate()
    {
        converse_block(index as u64, block, said);
    }
    if document.get("role").is_some() || document.get("output").is_some() {
        said.choice(0);
    }
    said.end(0, document.get("stopReason"));
}

fn converse_block(index: u64, block: &Value, said: &mut Said) {
    said.add(0, index, BlockKind::Text, string(block, "text"));
    if let Some(call) = block.get("toolUse") {
        said.name(0, index, string(call, "name"));
        said.add(
            0,
            index,
            BlockKind::Call,
            &as_text(call.get("input").unwrap_or(&Value::Null)),
        );
    }
    if let Some(reasoning) = block.get("reasoningContent") {
        let text = reasoning
            .pointer("/reasoningText/text")
            .or_else(|| reasoning.get("text"));
        said.block(0, index, BlockKind::Reasoning);
        said.add(
            0,
            index,
            BlockKind::Reasoning,
            text.and_then(Value::as_str).unwrap_or_default(),
        );
    }
}

/// Gemini's Interactions: events, or the interaction itself.
pub(super) fn interactions(document: &Value, said: &mut Said) {
    let index = number(document, "index").unwrap_or(0);
    if let Some(delta) = document.get("delta") {
        interaction_block(index, delta, said);
    } else {
        let interaction = document.get("interaction").unwrap_or(document);
        if string(interaction, "object") == "interaction" {
            said.choice(0);
        }
        for (index, block) in array(interaction, "outputs").iter().enumerate() {
            interaction_block(index as u64, block, said);
        }
        for (index, step) in array(interaction, "steps").iter().enumerate() {
            let inner = array(step, "content");
            inner
                .iter()
                .for_each(|block| interaction_block(index as u64, block, said));
            interaction_block(index as u64, step, said);
        }
    }
}

fn interaction_block(index: u64, block: &Value, said: &mut Said) {
    match string(block, "type") {
        "text" => said.add(0, index, BlockKind::Text, string(block, "text")),
        kind if kind.starts_with("thought") => {
            said.block(0, index, BlockKind::Reasoning);
        }
        "function_call" => {
            said.name(0, index, string(block, "name"));
            said.add(
                0,
                index,
                BlockKind::Call,
                &as_text(block.get("arguments").unwrap_or(&Value::Null)),
            );
        }
        "image" | "audio" | "video" => said.media = true,
        "" | "model_output" | "user_input" => {}
        _ => said.ran_tools = true,
    }
}
