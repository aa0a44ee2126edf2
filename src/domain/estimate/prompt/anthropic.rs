//! Anthropic's messages, and Bedrock's Converse, which is shaped after them.

use serde_json::{Value, json};

use super::{Choice, Tally, choice};
use crate::domain::estimate::Unseen;
use crate::domain::estimate::json::{array, as_text, has, string};
use crate::domain::estimate::media::Detail;

/// The hidden instruction to follow a schema: alone, and beside a system prompt.
const STRUCTURED: i64 = 138;
const STRUCTURED_BESIDE_SYSTEM: i64 = 90;
/// The hidden instruction to think.
const THINKING: i64 = 28;

/// `POST /v1/messages`.
pub(super) fn messages(request: &Value, tally: &mut Tally<'_>) {
    tally.framing += tally.profile.prompt.request;
    if has(request, "system") {
        blocks(request.get("system").unwrap_or(&Value::Null), tally);
    }
    for message in array(request, "messages") {
        tally.message(string(message, "role"));
        blocks(message.get("content").unwrap_or(&Value::Null), tally);
    }
    let mut defined = false;
    for tool in array(request, "tools") {
        if has(tool, "input_schema") || matches!(string(tool, "type"), "" | "custom") {
            let mut definition = json!({"name": string(tool, "name")});
            for key in ["description", "input_schema"] {
                if let Some(value) = tool.get(key) {
                    definition[key] = value.clone();
                }
            }
            tally.tool(&definition);
            defined = true;
        } else {
            // The provider's own tools bring a text of their own, and what they find.
            tally.miss(Unseen::ServerTool);
        }
    }
    if defined
        && request
            .pointer("/tool_choice/type")
            .is_none_or(|kind| kind != "none")
    {
        tally.tool_frame(choice(request));
    }
    if let Some(schema) = request
        .pointer("/output_config/format/schema")
        .or_else(|| request.pointer("/output_format/schema"))
    {
        tally.define(&schema.to_string());
        tally.framing += if has(request, "system") {
            STRUCTURED_BESIDE_SYSTEM
        } else {
            STRUCTURED
        };
    }
    let thinking = request.pointer("/thinking/type").and_then(Value::as_str);
    if thinking.is_some_and(|kind| kind != "disabled") {
        tally.framing += THINKING;
    }
    if has(request, "mcp_servers") || has(request, "container") || has(request, "context_management") {
        tally.miss(Unseen::ServerTool);
    }
}

fn blocks(content: &Value, tally: &mut Tally<'_>) {
    match content {
        Value::String(text) => tally.say(text),
        Value::Array(list) => list.iter().for_each(|each| block(each, tally)),
        Value::Object(_) => block(content, tally),
        _ => {}
    }
}

fn block(block: &Value, tally: &mut Tally<'_>) {
    let source = block.get("source").unwrap_or(&Value::Null);
    match string(block, "type") {
        "image" => match string(source, "type") {
            "base64" => tally.image_data(string(source, "data"), Detail::High),
            "url" => tally.image_url(string(source, "url"), Detail::High),
            _ => tally.miss(Unseen::File),
        },
        "document" => match string(source, "type") {
            "text" => tally.say(string(source, "data")),
            "content" => blocks(source.get("content").unwrap_or(&Value::Null), tally),
            _ => tally.miss(Unseen::File),
        },
        "tool_use" => {
            tally.has_tools = true;
            tally.framing += tally.profile.prompt.call;
            tally.say(string(block, "name"));
            tally.say(&as_text(block.get("input").unwrap_or(&Value::Null)));
        }
        "tool_result" => blocks(block.get("content").unwrap_or(&Value::Null), tally),
        "thinking" => tally.say(string(block, "thinking")),
        "redacted_thinking" => tally.miss(Unseen::Reasoning),
        "text" | "" => tally.say(string(block, "text")),
        _ => {
            tally.miss(Unseen::ServerTool);
            tally.say(&block.to_string());
        }
    }
}

/// Bedrock `converse`, and the format of Amazon's own models.
pub(super) fn converse(request: &Value, tally: &mut Tally<'_>) {
    tally.framing += tally.profile.prompt.request;
    array(request, "system")
        .iter()
        .for_each(|part| converse_part(part, tally));
    for message in array(request, "messages") {
        tally.message(string(message, "role"));
        match message.get("content") {
            Some(Value::Array(parts)) => parts.iter().for_each(|part| converse_part(part, tally)),
            Some(Value::String(text)) => tally.say(text),
            _ => {}
        }
    }
    let tools = request.get("toolConfig").unwrap_or(&Value::Null);
    let mut defined = false;
    for spec in array(tools, "tools")
        .iter()
        .filter_map(|tool| tool.get("toolSpec"))
    {
        tally.tool(&json!({
            "name": string(spec, "name"),
            "description": string(spec, "description"),
            "input_schema": spec.pointer("/inputSchema/json").unwrap_or(&Value::Null),
        }));
        defined = true;
    }
    if defined {
        let wanted = tools.get("toolChoice").unwrap_or(&Value::Null);
        let is_forced = wanted.get("any").is_some() || wanted.get("tool").is_some();
        tally.tool_frame(if is_forced { Choice::Forced } else { Choice::Free });
    }
    if has(request, "guardrailConfig") {
        tally.miss(Unseen::ServerTool);
    }
    if has(request, "promptVariables") {
        tally.miss(Unseen::StoredContext);
    }
}

fn converse_part(part: &Value, tally: &mut Tally<'_>) {
    tally.say(string(part, "text"));
    if let Some(image) = part.get("image") {
        let data = image.pointer("/source/bytes").and_then(Value::as_str);
        match data {
            Some(data) => tally.image_data(data, Detail::High),
            None => tally.miss(Unseen::RemoteMedia),
        }
    }
    if has(part, "document") {
        tally.miss(Unseen::File);
    }
    if has(part, "video") {
        tally.miss(Unseen::Media);
    }
    if let Some(call) = part.get("toolUse") {
        tally.has_tools = true;
        tally.framing += tally.profile.prompt.call;
        tally.say(string(call, "name"));
        tally.say(&as_text(call.get("input").unwrap_or(&Value::Null)));
    }
    if let Some(result) = part.get("toolResult") {
        for content in array(result, "content") {
            converse_part(content, tally);
            if let Some(json) = content.get("json") {
                tally.say(&json.to_string());
            }
        }
    }
    if let Some(text) = part
        .pointer("/reasoningContent/reasoningText/text")
        .and_then(Value::as_str)
    {
        tally.say(text);
    }
}
