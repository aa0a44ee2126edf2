//! Requests whose prompt is a text in one field: model servers, embeddings, and Cohere's first API.

use serde_json::Value;

use super::{Tally, length};
use crate::domain::estimate::Unseen;
use crate::domain::estimate::json::{array, as_text, has, string};
use crate::domain::estimate::media::Detail;

/// The fields that hold a prompt, in any of these dialects.
const FIELDS: [&str; 13] = [
    "system_prompt",
    "prompt",
    "input",
    "inputs",
    "inputText",
    "input_text",
    "texts",
    "text",
    "suffix",
    "system",
    "input_prefix",
    "input_suffix",
    "context",
];

/// A prompt in a field of its own.
pub(super) fn prompt(request: &Value, tally: &mut Tally<'_>) {
    for field in FIELDS {
        tally.texts_or_ids(request.get(field).unwrap_or(&Value::Null));
    }
    for image in array(request, "images") {
        match image.as_str() {
            Some(url) if url.starts_with("data:") => tally.image_url(url, Detail::High),
            Some(data) => tally.image_data(data, Detail::High),
            None => tally.miss(Unseen::Media),
        }
    }
    if has(request, "inputImage") || has(request, "multimodal_data") {
        tally.miss(Unseen::Media);
    }
    for instance in array(request, "instances") {
        for field in ["content", "prompt", "text"] {
            tally.texts_or_ids(instance.get(field).unwrap_or(&Value::Null));
        }
        if has(instance, "image") || has(instance, "video") {
            tally.miss(Unseen::Media);
        }
    }
}

/// Cohere's `/v1/chat`.
pub(super) fn cohere_chat(request: &Value, tally: &mut Tally<'_>) {
    tally.framing += tally.profile.prompt.request;
    tally.say(string(request, "preamble"));
    for turn in array(request, "chat_history") {
        tally.message(string(turn, "role"));
        tally.say(string(turn, "message"));
    }
    tally.message("USER");
    tally.say(string(request, "message"));
    for key in ["documents", "tool_results"] {
        array(request, key)
            .iter()
            .for_each(|document| tally.say(&as_text(document)));
    }
    array(request, "tools").iter().for_each(|tool| tally.tool(tool));
    if length(request, "tools") > 0 {
        tally.miss(Unseen::Frame);
    }
    if length(request, "connectors") > 0 {
        tally.miss(Unseen::ServerTool);
    }
    if has(request, "conversation_id") {
        tally.miss(Unseen::StoredContext);
    }
}

/// Each document is read together with the query.
pub(super) fn rerank(request: &Value, tally: &mut Tally<'_>) {
    let query = tally.tokens(string(request, "query"));
    tally.text += query.saturating_mul(length(request, "documents"));
    tally.texts_or_ids(request.get("documents").unwrap_or(&Value::Null));
}
