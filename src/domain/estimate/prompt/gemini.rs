//! Gemini's contents, for generating, embedding and its Interactions.

use serde_json::Value;

use super::{Choice, Tally};
use crate::domain::estimate::Unseen;
use crate::domain::estimate::json::{array, as_text, has, string};
use crate::domain::estimate::media::Detail;

/// Tokens of a second of sound.
const SOUND: u64 = 32;
/// Tokens of a second of film, its sound included.
const FILM: u64 = 263;

/// The value at a key that is written in either of Google's two ways.
fn either<'v>(value: &'v Value, camel: &str, snake: &str) -> Option<&'v Value> {
    value.get(camel).or_else(|| value.get(snake))
}

/// Counts the contents, the system instruction and the tools.
pub(super) fn contents(request: &Value, tally: &mut Tally<'_>) {
    // The Code Assist API wraps the request.
    let request = request
        .get("request")
        .filter(|inner| inner.is_object())
        .unwrap_or(request);
    tally.framing += tally.profile.prompt.request;
    if let Some(instruction) = either(request, "systemInstruction", "system_instruction") {
        content(instruction, tally);
    }
    for key in ["contents", "content", "input"] {
        content(request.get(key).unwrap_or(&Value::Null), tally);
    }
    for each in array(request, "requests") {
        content(each.get("content").unwrap_or(&Value::Null), tally);
    }
    for tool in array(request, "tools") {
        let declarations = either(tool, "functionDeclarations", "function_declarations");
        for declaration in declarations.and_then(Value::as_array).into_iter().flatten() {
            tally.tool(declaration);
        }
        if string(tool, "type") == "function" {
            tally.tool(tool);
        } else if declarations.is_none() {
            tally.miss(Unseen::ServerTool);
        }
    }
    if tally.has_tools {
        tally.tool_frame(Choice::Free);
    }
    let stored = ["cachedContent", "cached_content", "previous_interaction_id"];
    if stored.iter().any(|key| has(request, key)) {
        tally.miss(Unseen::StoredContext);
    }
}

fn content(value: &Value, tally: &mut Tally<'_>) {
    match value {
        Value::String(text) => tally.say(text),
        Value::Array(list) => list.iter().for_each(|each| content(each, tally)),
        Value::Object(_) if value.get("parts").is_some() => {
            tally.message(string(value, "role"));
            content(value.get("parts").unwrap_or(&Value::Null), tally);
        }
        Value::Object(_) if value.get("content").is_some() => {
            content(value.get("content").unwrap_or(&Value::Null), tally);
        }
        Value::Object(_) => part(value, tally),
        _ => {}
    }
}

fn part(part: &Value, tally: &mut Tally<'_>) {
    tally.say(string(part, "text"));
    if let Some(data) = either(part, "inlineData", "inline_data") {
        let kind = either(data, "mimeType", "mime_type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        blob(kind, string(data, "data"), tally);
    }
    if let kind @ ("image" | "audio" | "video" | "document") = string(part, "type") {
        blob(kind, string(part, "data"), tally);
    }
    if either(part, "fileData", "file_data").is_some() {
        tally.miss(Unseen::File);
    }
    if let Some(call) = either(part, "functionCall", "function_call") {
        tally.has_tools = true;
        tally.framing += tally.profile.prompt.call;
        tally.say(string(call, "name"));
        tally.say(&as_text(call.get("args").unwrap_or(&Value::Null)));
    }
    if let Some(response) = either(part, "functionResponse", "function_response") {
        tally.say(string(response, "name"));
        tally.say(&as_text(response.get("response").unwrap_or(&Value::Null)));
    }
    if let Some(code) = either(part, "executableCode", "executable_code") {
        tally.say(string(code, "code"));
    }
    if let Some(result) = either(part, "codeExecutionResult", "code_execution_result") {
        tally.say(string(result, "output"));
    }
    if either(part, "thoughtSignature", "thought_signature").is_some() {
        tally.miss(Unseen::Reasoning);
    }
}

fn blob(kind: &str, data: &str, tally: &mut Tally<'_>) {
    if kind.starts_with("image") {
        tally.image_data(data, Detail::High);
    } else if kind.starts_with("audio") {
        tally.sound(data, kind, SOUND);
    } else if kind.starts_with("video") {
        tally.film(data, FILM);
    } else {
        tally.miss(Unseen::File);
    }
}
