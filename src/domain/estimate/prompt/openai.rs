//! OpenAI's requests, and those of everyone who speaks its formats.

use serde_json::Value;

use super::{Choice, Tally, choice, functions, has_role};
use crate::domain::estimate::Unseen;
use crate::domain::estimate::json::{array, as_text, compact, has, string};
use crate::domain::estimate::media::Detail;
use crate::domain::estimate::model::{Family, ToolRule};
use crate::domain::estimate::tools::{namespace, response_format, undescribed};
use crate::domain::operation::Operation;

/// Each of several calls that one message makes costs more than one that stands alone.
const PARALLEL: i64 = 15;
/// Each of several calls at once over the Responses API.
const CALL_IN_RESPONSES: i64 = 5;
/// A tool choice that names its function.
const NAMED_CHOICE: i64 = 8;
/// So much shorter is what stands around a schema over the Responses API.
const SCHEMA_IN_RESPONSES: i64 = 7;

/// Which of OpenAI's APIs a request speaks.
#[derive(Clone, Copy)]
enum Api {
    Chat { has_system: bool },
    Responses,
}

/// Chat completions; also Cohere's second chat and Ollama's, whose messages are alike.
pub(super) fn chat(operation: Operation, request: &Value, tally: &mut Tally<'_>) {
    tally.framing += tally.profile.prompt.request;
    let messages = array(request, "messages");
    let tools = array(request, "tools");
    let has_system = has_role(messages, &["system", "developer"]);
    for message in messages {
        let role = string(message, "role");
        tally.message(role);
        if let Some(content) = message.get("content") {
            tally.content(content);
        }
        let name = string(message, "name");
        if !name.is_empty() && role != "tool" {
            tally.framing += 1;
            if name != role {
                tally.say(name);
            }
        }
        tally.say(string(message, "refusal"));
        tally.say(string(message, "thinking"));
        for image in array(message, "images") {
            tally.image_data(image.as_str().unwrap_or_default(), Detail::High);
        }
        if has(message, "audio") {
            tally.miss(Unseen::StoredContext);
        }
        let calls = array(message, "tool_calls");
        let called = calls.iter().map(|call| call.get("function").unwrap_or(call));
        let old_call = message.get("function_call").filter(|call| call.is_object());
        for function in called.chain(old_call) {
            call(function, tally);
        }
        let single = tally.profile.prompt.call;
        tally.framing += match calls.len() + usize::from(old_call.is_some()) {
            0 => 0,
            1 if !tools.is_empty() && !has_system => single - 1,
            1 => single,
            many => PARALLEL * i64::try_from(many).unwrap_or(0),
        };
    }
    let old_functions = array(request, "functions");
    let all: Vec<_> = functions(tools).chain(old_functions).collect();
    define(&all, Api::Chat { has_system }, choice(request), tally);
    if !all.is_empty() && operation == Operation::CohereChat {
        tally.miss(Unseen::Frame);
    }
    for tool in tools {
        if let Some(custom) = tool.get("custom") {
            tally.has_tools = true;
            tally.say(&custom.to_string());
        }
    }
    if request.pointer("/tool_choice/function").is_some() || request.pointer("/function_call/name").is_some()
    {
        tally.framing += NAMED_CHOICE;
    }
    if let Some(schema) = request.pointer("/response_format/json_schema") {
        structured(schema, Api::Chat { has_system }, tally);
    }
    array(request, "documents")
        .iter()
        .for_each(|document| tally.say(&as_text(document)));
    if has(request, "web_search_options") || has(request, "search_parameters") {
        tally.miss(Unseen::ServerTool);
    }
}

fn call(function: &Value, tally: &mut Tally<'_>) {
    tally.has_tools = true;
    tally.say(string(function, "name"));
    match function.get("arguments").or_else(|| function.get("input")) {
        Some(Value::String(arguments)) => tally.say(&compact(arguments)),
        Some(arguments) => tally.say(&as_text(arguments)),
        None => {}
    }
}

/// Adds function definitions.
fn define(functions: &[&Value], api: Api, choice: Choice, tally: &mut Tally<'_>) {
    if functions.is_empty() {
        return;
    }
    tally.has_tools = true;
    match tally.profile.tools {
        ToolRule::Namespace {
            fixed,
            beside_system,
            responses,
        } => {
            tally.define(&namespace(functions));
            tally.framing -= undescribed(functions);
            tally.framing += match api {
                Api::Chat { has_system: true } => fixed - beside_system,
                Api::Chat { has_system: false } => fixed,
                Api::Responses => responses,
            };
        }
        ToolRule::Json { .. } | ToolRule::Words { .. } => {
            functions.iter().for_each(|function| tally.tool(function));
            tally.tool_frame(choice);
        }
    }
}

/// Adds the schema that a reply has to follow.
fn structured(schema: &Value, api: Api, tally: &mut Tally<'_>) {
    let Some(body) = schema.get("schema") else { return };
    // Elsewhere the schema only bounds what may be generated.
    if tally.profile.family == Family::OpenAi {
        let text = response_format(string(schema, "name"), string(schema, "description"), body);
        tally.define(&text);
        tally.has_tools = true;
        if let ToolRule::Namespace { beside_system, .. } = tally.profile.tools {
            tally.framing -= match api {
                Api::Chat { has_system: true } => beside_system,
                Api::Chat { has_system: false } => 0,
                Api::Responses => SCHEMA_IN_RESPONSES,
            };
        }
    }
}

/// The older completions.
pub(super) fn completion(request: &Value, tally: &mut Tally<'_>) {
    if !has(request, "prompt") {
        tally.miss(Unseen::StoredContext);
    }
    tally.texts_or_ids(request.get("prompt").unwrap_or(&Value::Null));
    tally.say(string(request, "suffix"));
}

/// Embeddings.
pub(super) fn embedding(request: &Value, tally: &mut Tally<'_>) {
    tally.texts_or_ids(request.get("input").unwrap_or(&Value::Null));
}

/// The Responses API.
pub(super) fn response(request: &Value, tally: &mut Tally<'_>) {
    tally.framing += tally.profile.prompt.request;
    let instructions = string(request, "instructions");
    if !instructions.is_empty() {
        tally.message("system");
        tally.say(instructions);
    }
    // Mistral's conversations say `inputs`.
    match request.get("input").or_else(|| request.get("inputs")) {
        Some(Value::String(text)) => {
            tally.message("user");
            tally.say(text);
        }
        Some(Value::Array(items)) => {
            items.iter().for_each(|item| self::item(item, tally));
            // Calls that follow each other without anything between were made at once.
            let is_call = |item: &Value| string(item, "type") == "function_call";
            for at_once in items.chunk_by(|one, next| is_call(one) && is_call(next)) {
                tally.framing += match at_once {
                    [one] if is_call(one) => tally.profile.prompt.call,
                    [_] | [] => 0,
                    many => CALL_IN_RESPONSES * i64::try_from(many.len()).unwrap_or(0),
                };
            }
        }
        _ => {}
    }
    if ["previous_response_id", "conversation", "prompt"]
        .iter()
        .any(|key| has(request, key))
    {
        tally.miss(Unseen::StoredContext);
    }
    let tools = array(request, "tools");
    let functions: Vec<_> = functions(tools).collect();
    define(&functions, Api::Responses, choice(request), tally);
    if !functions.is_empty() && tally.profile.family == Family::OpenAi {
        tally.miss(Unseen::Frame);
    }
    for tool in tools {
        match string(tool, "type") {
            "function" => {}
            "custom" => {
                tally.has_tools = true;
                tally.say(&tool.to_string());
            }
            // The provider runs it: what it finds becomes part of the prompt.
            _ => tally.miss(Unseen::ServerTool),
        }
    }
    if let Some(format) = request.pointer("/text/format") {
        structured(format, Api::Responses, tally);
    }
}

fn item(item: &Value, tally: &mut Tally<'_>) {
    match string(item, "type") {
        "function_call" | "custom_tool_call" => {
            tally.message("");
            call(item, tally);
        }
        "function_call_output" | "custom_tool_call_output" => {
            tally.message("tool");
            tally.content(item.get("output").unwrap_or(&Value::Null));
        }
        "reasoning" => {
            if has(item, "encrypted_content") || has(item, "id") {
                tally.miss(Unseen::Reasoning);
            }
            array(item, "content").iter().for_each(|part| tally.content(part));
        }
        "item_reference" | "compaction" => tally.miss(Unseen::StoredContext),
        "" | "message" => {
            tally.message(string(item, "role"));
            tally.content(item.get("content").unwrap_or(&Value::Null));
        }
        _ => {
            tally.miss(Unseen::ServerTool);
            tally.say(&item.to_string());
        }
    }
}
