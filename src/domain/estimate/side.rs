//! One side of a call by the built-in rules, before any correction.

use serde_json::Value;

use super::json::read;
use super::model::{Family, PerMille, Profile, Reasoning, ToolRule};
use super::need::can_be_counted;
use super::prompt::{self, Asked};
use super::reply::Said;
use super::tally::Tally;
use super::{CallBody, Count, Ending, How, Kept, Kind, Unseen};
use crate::domain::operation::Operation;

/// A side by the built-in rules.
#[derive(Debug)]
pub(super) struct Raw {
    /// All its tokens but those of reasoning and sound.
    pub(super) plain: u64,
    pub(super) audio: u64,
    pub(super) reasoning: u64,
    /// Tokens of text by the encoding.
    pub(super) text: u64,
    pub(super) kind: Kind,
    pub(super) how: How,
    pub(super) unseen: Vec<Unseen>,
}

impl Raw {
    pub(super) fn total(&self) -> u64 {
        self.plain + self.audio + self.reasoning
    }
}

/// Both sides of a call.
pub(super) struct Sides {
    pub(super) profile: &'static Profile,
    /// The model by which calls are held against each other.
    pub(super) model: Box<str>,
    pub(super) prompt: Option<Raw>,
    pub(super) reply: Option<Raw>,
}

/// Whether a reply is made of generated text.
const fn generates(operation: Operation) -> bool {
    !matches!(
        operation,
        Operation::Embeddings
            | Operation::Embed
            | Operation::OllamaEmbed
            | Operation::CohereEmbed
            | Operation::EmbedContent
            | Operation::BatchEmbedContents
            | Operation::Rerank
    )
}

/// Counts both sides by the rules.
pub(super) fn sides(call: &CallBody<'_>, counter: &dyn Count) -> Sides {
    let request = read(call.request.bytes);
    let said = if can_be_counted(call.operation) && generates(call.operation) {
        Said::read(call.operation, call.reply.bytes)
    } else {
        Said::default()
    };
    let model = model(call, &said, request.as_ref());
    let profile = Profile::of(&model);
    let mut sides = Sides {
        profile,
        model,
        prompt: None,
        reply: None,
    };
    if !can_be_counted(call.operation) {
        return sides;
    }
    let asked = request.as_ref().map_or_else(Asked::default, prompt::asked);
    // Of a request that could not be kept nothing is known but that it was there.
    if request.is_some() || call.request.length > call.request.bytes.len() as u64 {
        let mut tally = Tally::new(counter, profile);
        if let Some(request) = &request {
            prompt::count(call.operation, request, &mut tally);
        }
        if said.ran_tools() {
            tally.miss(Unseen::ServerTool);
        }
        sides.prompt = Some(prompt_side(tally, call.request));
    }
    if generates(call.operation) {
        let mut tally = Tally::new(counter, profile);
        said.count(call.operation, asked, &mut tally);
        if call.ending == Ending::Cut {
            tally.miss(Unseen::End);
        }
        sides.reply = Some(reply_side(tally, call.reply));
    }
    sides
}

/// The model that answered; where a reply calls it by a name that says nothing, the one that was asked for.
fn model(call: &CallBody<'_>, said: &Said, request: Option<&Value>) -> Box<str> {
    let in_request = request.and_then(|request| request.get("model")?.as_str());
    let names = [
        call.reply_model,
        said.model.as_deref(),
        call.request_model,
        in_request,
    ];
    let mut names = names.into_iter().flatten().filter(|name| !name.is_empty());
    // Cohere has a default.
    let default = if call.operation == Operation::CohereChat {
        "command-a"
    } else {
        ""
    };
    let first = names.clone().next().unwrap_or(default);
    names
        .find(|name| Profile::of(name).family != Family::Unknown)
        .unwrap_or(first)
        .into()
}

fn prompt_side(tally: Tally<'_>, kept: Kept<'_>) -> Raw {
    let tools = match tally.profile.tools {
        ToolRule::Namespace { .. } | ToolRule::Words { .. } => PerMille::ONE,
        ToolRule::Json { ratio, .. } => ratio,
    };
    let plain = tally.sum(tally.profile.prompt.ratio, tools);
    side(tally, plain, 0, kept)
}

fn reply_side(tally: Tally<'_>, kept: Kept<'_>) -> Raw {
    let ratio = tally.profile.reply.ratio;
    let mut plain = tally.sum(ratio, PerMille::ONE);
    let mut reasoning = ratio.of(tally.reasoning);
    if let Some(all) = tally.said {
        // What was generated and did not come as text was reasoning, if the model reasons.
        if tally.profile.reasoning == Reasoning::Shown && reasoning == 0 {
            plain = all;
        } else {
            plain = plain.min(all);
            reasoning = all - plain;
        }
    }
    side(tally, plain, reasoning, kept)
}

fn side(tally: Tally<'_>, plain: u64, reasoning: u64, kept: Kept<'_>) -> Raw {
    let mut raw = Raw {
        plain,
        audio: tally.audio,
        reasoning,
        text: tally.text + tally.tools + tally.reasoning,
        kind: tally.kind(),
        how: tally.how,
        unseen: tally.unseen,
    };
    if kept.length > kept.bytes.len() as u64 {
        raw.unseen.push(Unseen::Rest);
    }
    raw
}
