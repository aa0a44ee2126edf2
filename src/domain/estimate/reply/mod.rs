//! What a reply says, gathered from its bytes, whole or cut off anywhere.

mod blocks;
mod deltas;
mod documents;
mod shapes;

use std::collections::BTreeMap;

use serde_json::Value;

use super::Unseen;
use super::model::{Family, Reasoning};
use super::prompt::{Asked, Wish};
use super::tally::Tally;
use crate::domain::operation::Operation;

/// The most choices, and the most blocks in one, that are told apart.
const MOST: usize = 4096;

/// What need not be generated of a call whose tool the request names.
const NAMED_CALL: i64 = 8;
/// What a call of the provider's own tool is usually made of.
const HOSTED_CALL: i64 = 16;

/// What a reply says.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The model that it names.
    pub(super) model: Option<Box<str>>,
    choices: BTreeMap<u64, Choice>,
    /// It is made in the background, and more is to come.
    under_way: bool,
    /// The provider ran tools of its own.
    ran_tools: bool,
    /// It says where it has its words from: it was generated with marks, or more than once, and shown without.
    cites: bool,
    /// Something that was generated is no text.
    media: bool,
    /// Tokens that came one by one, each with its text.
    single_tokens: u64,
}

/// One of a reply's alternatives.
#[derive(Debug, Default)]
struct Choice {
    blocks: BTreeMap<u64, Block>,
    end: End,
    /// The tokens that the reply lists one by one with their probabilities.
    listed: u64,
}

/// Why the model stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// Nobody said so.
    #[default]
    Unseen,
    /// By itself, or because it has called a tool.
    Natural,
    /// It had generated as much as it may.
    Length,
}

/// A piece of a choice.
#[derive(Debug, Default)]
struct Block {
    kind: BlockKind,
    /// A tool's name.
    name: String,
    text: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum BlockKind {
    #[default]
    Text,
    Reasoning,
    /// A function's arguments.
    Call,
    /// A call of the provider's own tool, whose words are not shown.
    Hosted,
}

impl Said {
    /// Gathers a reply's words.
    pub(super) fn read(operation: Operation, bytes: &[u8]) -> Self {
        let mut said = Self::default();
        documents::each(bytes, &mut |document| said.take(operation, document));
        said
    }

    fn take(&mut self, operation: Operation, document: &Value) {
        for path in [
            "/model",
            "/message/model",
            "/response/model",
            "/modelVersion",
            "/response/modelVersion",
        ] {
            if let Some(model) = document
                .pointer(path)
                .and_then(Value::as_str)
                .filter(|name| !name.is_empty())
            {
                self.model = Some(model.into());
            }
        }
        if matches!(operation, Operation::Responses | Operation::Interactions) {
            let paths = ["/response/status", "/interaction/status", "/status"];
            let mut statuses = paths.iter().filter_map(|path| document.pointer(path)?.as_str());
            if let Some(status) = statuses.next() {
                self.under_way = matches!(status, "queued" | "in_progress" | "pending");
            }
        }
        match operation {
            Operation::ChatCompletions | Operation::Completions => deltas::chat(document, self),
            Operation::Responses | Operation::CompactResponse => blocks::responses(document, self),
            Operation::Messages | Operation::RawPredict => blocks::messages(document, self),
            Operation::GenerateContent | Operation::StreamGenerateContent => deltas::gemini(document, self),
            Operation::Interactions => blocks::interactions(document, self),
            Operation::Converse | Operation::ConverseStream => blocks::converse(document, self),
            Operation::CohereChat | Operation::CohereGenerate => shapes::cohere(document, self),
            Operation::OllamaChat | Operation::OllamaGenerate => shapes::ollama(document, self),
            Operation::TgiGenerate
            | Operation::LlamaCppCompletion
            | Operation::WatsonxText
            | Operation::Complete
            | Operation::LmStudioChat
            | Operation::Conversations
            | Operation::Predict => {
                shapes::server(document, self);
            }
            Operation::Invoke | Operation::InvokeStream => shapes::invoke(document, self),
            _ => {}
        }
    }

    fn choice(&mut self, index: u64) -> &mut Choice {
        // Beyond the bound everything is one choice: its text still counts.
        let index = if self.choices.len() < MOST { index } else { 0 };
        self.choices.entry(index).or_default()
    }

    fn block(&mut self, choice: u64, block: u64, kind: BlockKind) -> &mut Block {
        let choice = self.choice(choice);
        let block = if choice.blocks.len() < MOST { block } else { 0 };
        let block = choice.blocks.entry(block).or_default();
        block.kind = kind;
        block
    }

    fn add(&mut self, choice: u64, block: u64, kind: BlockKind, text: &str) {
        if !text.is_empty() {
            self.block(choice, block, kind).text.push_str(text);
        }
    }

    fn name(&mut self, choice: u64, block: u64, name: &str) {
        let block = self.block(choice, block, BlockKind::Call);
        if block.name.is_empty() {
            block.name.push_str(name);
        }
    }

    fn end(&mut self, choice: u64, reason: Option<&Value>) {
        let Some(reason) = reason.and_then(Value::as_str).filter(|reason| !reason.is_empty()) else {
            return;
        };
        self.choice(choice).end = match reason.to_ascii_lowercase().as_str() {
            "length" | "max_tokens" | "max_output_tokens" | "max_length" => End::Length,
            _ => End::Natural,
        };
    }

    /// Whether it names a tool that the client has to call.
    fn calls(&self) -> bool {
        self.blocks().any(|block| block.kind == BlockKind::Call)
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.choices.values().flat_map(|choice| choice.blocks.values())
    }

    /// Counts what was said.
    pub(super) fn count(&self, operation: Operation, asked: Asked, tally: &mut Tally<'_>) {
        let rule = tally.profile.reply;
        let over_responses = matches!(operation, Operation::Responses | Operation::CompactResponse);
        for choice in self.choices.values() {
            if choice.listed > 0 {
                tally.framing += i64::try_from(choice.listed).unwrap_or(0);
                continue;
            }
            let calls = choice
                .blocks
                .values()
                .filter(|block| block.kind == BlockKind::Call)
                .count();
            let calls = i64::try_from(calls).unwrap_or(0);
            tally.framing += if over_responses {
                rule.responses
            } else {
                rule.fixed
            };
            tally.framing += match calls {
                0 => 0,
                1 => rule.call,
                many => rule.several + rule.parallel * many,
            };
            if asked.names_tool && calls == 1 && tally.profile.family == Family::OpenAi {
                tally.framing -= NAMED_CALL;
            }
            for block in choice.blocks.values() {
                tally.say(&block.name);
                match block.kind {
                    BlockKind::Reasoning => tally.think(&block.text),
                    BlockKind::Text | BlockKind::Call => tally.say(&block.text),
                    BlockKind::Hosted => tally.framing += HOSTED_CALL,
                }
            }
        }
        tally.has_tools = self.calls();
        if self.media {
            tally.miss(Unseen::Media);
        }
        if self.cites {
            tally.miss(Unseen::Frame);
        }
        if self.under_way {
            tally.miss(Unseen::End);
        }
        if self.single_tokens > 0 {
            tally.said = Some(self.single_tokens);
        }
        let reached_length =
            !self.choices.is_empty() && self.choices.values().all(|choice| choice.end == End::Length);
        if let Some(most) = asked.most.filter(|_| reached_length) {
            // It stopped because it had generated exactly that.
            tally.said = Some(most.saturating_mul(self.choices.len() as u64));
        } else if self.reasons_unseen(asked, tally) {
            tally.miss(Unseen::Reasoning);
        }
    }

    fn reasons_unseen(&self, asked: Asked, tally: &Tally<'_>) -> bool {
        let has_reasoned = self.blocks().any(|block| block.kind == BlockKind::Reasoning);
        match tally.profile.reasoning {
            Reasoning::Shown => false,
            Reasoning::Hidden => asked.reasoning != Some(Wish::No) || has_reasoned,
            // What Claude shows is a summary of it.
            Reasoning::OnRequest => asked.reasoning == Some(Wish::Yes) || has_reasoned,
        }
    }

    /// Whether the reply shows that the provider put more before the model than the request holds.
    pub(super) fn ran_tools(&self) -> bool {
        self.ran_tools
    }
}

#[cfg(test)]
mod tests;
