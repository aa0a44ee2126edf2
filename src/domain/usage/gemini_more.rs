//! Gemini's other operations: embeddings, and the Interactions API.

use super::dialect::ErrorPart;
use super::fields::{Fields, Rest};
use super::json_scan::{Want, text};
use super::parts::Parts;
use super::shape::{Key, Shape, with_error};
use crate::domain::units::Tokens;

/// `embedContent` and `batchEmbedContents`. Only newer models say what they used; nothing is generated.
#[derive(Debug, Default)]
pub(super) struct Embed;

impl Shape for Embed {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Model, &["modelVersion"]),
        text(Key::Usage, &["usageMetadata"]),
    ];
    const NEEDLES: &'static [&'static str] = &["\"usageMetadata\"", "\"error\""];
    const MODEL: &'static str = "\"modelVersion\"";

    fn parts(usage: &mut Fields) -> Parts {
        let prompt = usage.tokens(&["promptTokenCount"]);
        Parts {
            input: prompt,
            output: prompt.map(|_| Tokens(0)),
            ..Parts::default()
        }
    }
}

/// `interactions`: running usage on steps, and the truth on the event that completes them.
///
/// The input includes what the cache served; what tools brought in and thoughts are counted beside input and output.
#[derive(Debug, Default)]
pub(super) struct Interactions;

impl Shape for Interactions {
    const WANTS: &'static [Want<Key>] = with_error![
        text(Key::Id, &["id"]),
        text(Key::Id, &["interaction", "id"]),
        text(Key::Status, &["status"]),
        text(Key::Status, &["interaction", "status"]),
        text(Key::Model, &["model"]),
        text(Key::Model, &["interaction", "model"]),
        text(Key::Usage, &["usage"]),
        text(Key::Usage, &["interaction", "usage"]),
        text(Key::Usage, &["metadata", "usage"]),
        text(Key::Kind, &["event_type"]),
    ];
    const NEEDLES: &'static [&'static str] = &[
        "\"usage\"",
        "\"error\"",
        "\"interaction.completed\"",
        "\"interaction.failed\"",
    ];
    const LAST: &'static [&'static str] = &["interaction.completed", "interaction.failed"];

    fn parts(usage: &mut Fields) -> Parts {
        let input = usage.tokens(&["total_input_tokens"]);
        let tool_use = usage.tokens(&["total_tool_use_tokens"]);
        let cached = usage.tokens(&["total_cached_tokens"]);
        let output = usage.tokens(&["total_output_tokens"]);
        let mut parts = Parts {
            cache_read: cached,
            output,
            reasoning: usage.tokens(&["total_thought_tokens"]),
            ..Parts::default()
        };
        if let Some(input) = input {
            let mut rest = Rest(input);
            parts.cache_read = rest.take(cached);
            if cached.unwrap_or_default() == Tokens(0) {
                // The modalities count cached tokens too, and do not say which.
                parts.audio_in = rest.take(modality(usage, "input_tokens_by_modality", "audio"));
                parts.image_in = rest.take(modality(usage, "input_tokens_by_modality", "image"));
            }
            parts.input = rest.remaining().map(|rest| rest + tool_use.unwrap_or_default());
        }
        if let Some(output) = output {
            let mut rest = Rest(output);
            parts.audio_out = rest.take(modality(usage, "output_tokens_by_modality", "audio"));
            parts.image_out = rest.take(modality(usage, "output_tokens_by_modality", "image"));
            parts.output = rest.remaining();
        }
        if input.is_none() && output.is_none() {
            parts.unsplit = usage.tokens(&["total_tokens"]);
        }
        parts
    }
}

/// The tokens of one modality, where the list names it.
fn modality(usage: &Fields, list: &str, modality: &str) -> Option<Tokens> {
    let mut entries = usage.elements(list);
    let entry = entries
        .iter_mut()
        .find(|entry| entry.value(&["modality"]).and_then(|name| name.as_str()) == Some(modality))?;
    entry.tokens(&["tokens"])
}
