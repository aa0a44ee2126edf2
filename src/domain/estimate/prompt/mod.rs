//! What a request puts before the model, counted: a reader for each dialect's requests.

mod anthropic;
mod gemini;
mod openai;
mod plain;

use serde_json::Value;

use super::Unseen;
use super::json::{array, has, string};
use super::media::Detail;
use super::model::ToolRule;
use super::tally::Tally;
use super::tools::words;
use crate::domain::operation::Operation;

/// What a request says about its reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The most tokens that may be generated, for each choice.
    pub(super) most: Option<u64>,
    /// Whether it asks the model to reason, or not to.
    pub(super) reasoning: Option<Wish>,
    /// It names the tool to call: the model does not generate the name.
    pub(super) names_tool: bool,
}

/// Whether something is asked for, or asked not to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Yes,
    No,
}

/// Counts a request's prompt.
pub(super) fn count(operation: Operation, request: &Value, tally: &mut Tally<'_>) {
    match operation {
        Operation::ChatCompletions => openai::chat(operation, request, tally),
        Operation::Completions => openai::completion(request, tally),
        Operation::Embeddings => openai::embedding(request, tally),
        Operation::Responses | Operation::CompactResponse => openai::response(request, tally),
        Operation::Messages | Operation::RawPredict => anthropic::messages(request, tally),
        Operation::Converse | Operation::ConverseStream => anthropic::converse(request, tally),
        Operation::GenerateContent
        | Operation::StreamGenerateContent
        | Operation::EmbedContent
        | Operation::BatchEmbedContents
        | Operation::Interactions => gemini::contents(request, tally),
        Operation::Invoke | Operation::InvokeStream => invoke(operation, request, tally),
        Operation::CohereChat if !has(request, "messages") => plain::cohere_chat(request, tally),
        Operation::CohereChat | Operation::OllamaChat => openai::chat(operation, request, tally),
        Operation::OllamaGenerate => {
            tally.framing += tally.profile.prompt.request;
            tally.message("user");
            plain::prompt(request, tally);
        }
        Operation::OllamaEmbed
        | Operation::Embed
        | Operation::Complete
        | Operation::LmStudioChat
        | Operation::CohereGenerate
        | Operation::CohereEmbed
        | Operation::WatsonxText
        | Operation::TgiGenerate
        | Operation::LlamaCppCompletion
        | Operation::Predict => plain::prompt(request, tally),
        Operation::Rerank => plain::rerank(request, tally),
        Operation::Conversations => {
            tally.miss(Unseen::StoredContext);
            openai::response(request, tally);
        }
        _ => {}
    }
}

/// Bedrock hands on the model's own format: its fields tell which.
fn invoke(operation: Operation, request: &Value, tally: &mut Tally<'_>) {
    if has(request, "anthropic_version") {
        anthropic::messages(request, tally);
    } else if has(request, "messages") && request.pointer("/messages/0/content/0/type").is_none() {
        anthropic::converse(request, tally);
    } else if has(request, "messages") {
        openai::chat(operation, request, tally);
    } else {
        plain::prompt(request, tally);
    }
}

/// Reads what a request says about its reply, whatever its dialect.
pub(super) fn asked(request: &Value) -> Asked {
    const LIMITS: [&str; 15] = [
        "/max_completion_tokens",
        "/max_output_tokens",
        "/max_tokens",
        "/max_tokens_to_sample",
        "/max_gen_len",
        "/generationConfig/maxOutputTokens",
        "/generationConfig/max_output_tokens",
        "/request/generationConfig/maxOutputTokens",
        "/inferenceConfig/maxTokens",
        "/inferenceConfig/max_new_tokens",
        "/textGenerationConfig/maxTokenCount",
        "/options/num_predict",
        "/parameters/max_new_tokens",
        "/n_predict",
        "/maxTokens",
    ];
    let most = LIMITS.iter().find_map(|path| request.pointer(path)?.as_u64());
    Asked {
        most: most.filter(|most| *most > 0),
        reasoning: reasoning(request),
        names_tool: request.pointer("/tool_choice/function").is_some(),
    }
}

fn reasoning(request: &Value) -> Option<Wish> {
    const EFFORTS: [&str; 2] = ["/reasoning_effort", "/reasoning/effort"];
    const SWITCHES: [&str; 3] = [
        "/thinking/type",
        "/additionalModelRequestFields/thinking/type",
        "/think",
    ];
    const BUDGETS: [&str; 4] = [
        "/generationConfig/thinkingConfig/thinkingBudget",
        "/generationConfig/thinkingConfig/thinking_budget",
        "/generation_config/thinking_config/thinking_budget",
        "/request/generationConfig/thinkingConfig/thinkingBudget",
    ];
    let wish = |is_asked: bool| Some(if is_asked { Wish::Yes } else { Wish::No });
    for path in EFFORTS {
        if let Some(effort) = request.pointer(path).and_then(Value::as_str) {
            return wish(effort != "none");
        }
    }
    for path in SWITCHES {
        match request.pointer(path) {
            Some(Value::String(kind)) => return wish(kind != "disabled"),
            Some(Value::Bool(is_asked)) => return wish(*is_asked),
            _ => {}
        }
    }
    for path in BUDGETS {
        if let Some(budget) = request.pointer(path).and_then(Value::as_i64) {
            return wish(budget != 0);
        }
    }
    None
}

impl Tally<'_> {
    /// Adds the definition of a tool that is not put before the model as a namespace.
    fn tool(&mut self, definition: &Value) {
        self.has_tools = true;
        if let ToolRule::Words { each } = self.profile.tools {
            self.framing += each;
            words(definition).into_iter().for_each(|word| self.define(word));
        } else {
            self.define(&definition.to_string());
        }
    }

    /// Adds what stands around all such tools.
    fn tool_frame(&mut self, choice: Choice) {
        if let ToolRule::Json { fixed, forced, .. } = self.profile.tools {
            self.framing += if choice == Choice::Forced { forced } else { fixed };
        }
    }

    /// Adds a message's role and what stands around the message.
    fn message(&mut self, role: &str) {
        self.framing += self.profile.prompt.message;
        if matches!(role, "assistant" | "model" | "CHATBOT") {
            self.framing += self.profile.prompt.assistant;
        }
    }

    /// Adds token ids, texts, or lists of them.
    fn texts_or_ids(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.say(text),
            Value::Array(list) => {
                let ids = list.iter().filter(|element| element.is_number()).count();
                // Ids are tokens already: only they may be counted in the model's own.
                self.framing += i64::try_from(ids).unwrap_or(0);
                for element in list.iter().filter(|element| !element.is_number()) {
                    match element {
                        Value::Array(ids) => {
                            let ids = ids.iter().filter(|id| id.is_number()).count();
                            self.framing += i64::try_from(ids).unwrap_or(0);
                        }
                        Value::String(text) => self.say(text),
                        other => self.content(other),
                    }
                }
            }
            Value::Object(_) => self.content(value),
            _ => {}
        }
    }

    /// Adds a message's content: a text, or parts of the kinds that OpenAI, Cohere and Ollama know.
    fn content(&mut self, content: &Value) {
        match content {
            Value::String(text) => self.say(text),
            Value::Array(parts) => parts.iter().for_each(|part| self.part(part)),
            Value::Object(_) => self.part(content),
            _ => {}
        }
    }

    fn part(&mut self, part: &Value) {
        if let Value::String(text) = part {
            self.say(text);
            return;
        }
        let detail = |holder: &Value| {
            if string(holder, "detail") == "low" {
                Detail::Low
            } else {
                Detail::High
            }
        };
        match string(part, "type") {
            "image_url" => match part.get("image_url") {
                Some(Value::String(url)) => self.image_url(url, Detail::High),
                Some(image) => self.image_url(string(image, "url"), detail(image)),
                None => self.miss(Unseen::RemoteMedia),
            },
            "input_image" => self.image_url(string(part, "image_url"), detail(part)),
            "input_audio" => {
                let sound = part.get("input_audio").unwrap_or(part);
                match sound {
                    Value::String(data) => self.sound(data, "", 12),
                    _ => self.sound(string(sound, "data"), string(sound, "format"), 10),
                }
            }
            "file" | "input_file" | "document_url" => self.miss(Unseen::File),
            "video_url" | "input_video" => self.miss(Unseen::Media),
            "document" => self.say(&part.to_string()),
            "thinking" => self.content(part.get("thinking").unwrap_or(&Value::Null)),
            _ => {
                for key in ["text", "refusal"] {
                    self.say(string(part, key));
                }
            }
        }
    }
}

/// The functions among tools, where they stand in `function` or alone.
fn functions(tools: &[Value]) -> impl Iterator<Item = &Value> {
    tools.iter().filter_map(|tool| {
        let inner = tool.get("function").unwrap_or(tool);
        let kind = string(tool, "type");
        (has(inner, "name") && (kind == "function" || kind.is_empty())).then_some(inner)
    })
}

/// Whether a model may call tools, or has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Free,
    Forced,
}

fn choice(request: &Value) -> Choice {
    let is_forced = match request.get("tool_choice") {
        Some(Value::String(choice)) => matches!(choice.as_str(), "required" | "any"),
        Some(Value::Object(choice)) => choice
            .get("type")
            .and_then(Value::as_str)
            .is_none_or(|kind| !matches!(kind, "auto" | "none")),
        _ => false,
    };
    if is_forced { Choice::Forced } else { Choice::Free }
}

/// The number of elements at a key.
fn length(value: &Value, key: &str) -> u64 {
    array(value, key).len() as u64
}

/// Whether an array holds an object whose `role` is one of these.
fn has_role(messages: &[Value], roles: &[&str]) -> bool {
    messages
        .iter()
        .any(|message| roles.contains(&string(message, "role")))
}
