//! OpenAI images, transcriptions and speech: one usage object with the kinds of tokens in its details.
//!
//! The details are plural for images and singular for audio (`input_tokens_details`, `input_token_details`). Older
//! models report none of it: DALL·E has no usage, `whisper-1` only a duration in seconds, which is no token count.
//! Mistral's transcriptions speak like its chat: the audio is what the total has beyond prompt and completion.

use super::dialect::ErrorPart;
use super::fields::{Fields, Rest};
use super::json_scan::text;
use super::parts::Parts;
use super::shape::{Key, Shape, with_error};
use crate::domain::units::Tokens;

/// Images; a stream says its usage on the event with the finished image. Moderations have no usage at all.
#[derive(Debug, Default)]
pub(super) struct Images;

impl Shape for Images {
    const WANTS: &'static [super::json_scan::Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        text(Key::Usage, &["usage"]),
        text(Key::Kind, &["type"]),
    ];
    const NEEDLES: &'static [&'static str] = &[
        "\"usage\"",
        "\"error\"",
        "\"image_generation.completed\"",
        "\"image_edit.completed\"",
    ];
    const LAST: &'static [&'static str] = &["image_generation.completed", "image_edit.completed"];

    fn parts(usage: &mut Fields) -> Parts {
        let mut parts = parts(usage);
        if usage.value(&["output_tokens_details"]).is_none() {
            // Without details all that was generated is the image.
            parts.image_out = parts.output.take();
        }
        parts
    }
}

/// Transcriptions, translations and speech.
#[derive(Debug, Default)]
pub(super) struct Audio;

impl Shape for Audio {
    const WANTS: &'static [super::json_scan::Want<Key>] = with_error![
        text(Key::Model, &["model"]),
        text(Key::Usage, &["usage"]),
        text(Key::Kind, &["type"]),
    ];
    const NEEDLES: &'static [&'static str] = &[
        "\"usage\"",
        "\"error\"",
        "\"transcript.text.done\"",
        "\"speech.audio.done\"",
        "\"transcription.done\"",
    ];
    const LAST: &'static [&'static str] =
        &["transcript.text.done", "speech.audio.done", "transcription.done"];

    fn parts(usage: &mut Fields) -> Parts {
        match usage.tokens(&["prompt_tokens"]) {
            Some(prompt) => with_audio_beside(usage, prompt),
            None => parts(usage),
        }
    }
}

fn with_audio_beside(usage: &mut Fields, prompt: Tokens) -> Parts {
    let output = usage.tokens(&["completion_tokens"]);
    let total = usage.tokens(&["total_tokens"]);
    let beyond = total.map(|total| total.saturating_sub(prompt + output.unwrap_or_default()));
    let audio = usage.first(&[
        &["prompt_tokens_details", "audio_tokens"],
        &["prompt_token_details", "audio_tokens"],
    ]);
    Parts {
        input: Some(prompt),
        audio_in: audio.or(beyond),
        output,
        ..Parts::default()
    }
}

fn parts(usage: &mut Fields) -> Parts {
    let mut detail = |side: &'static str, kind: &'static str| {
        let (plural, singular) = match side {
            "input" => ("input_tokens_details", "input_token_details"),
            _ => ("output_tokens_details", "output_token_details"),
        };
        usage.first(&[&[plural, kind], &[singular, kind]])
    };
    let cached = detail("input", "cached_tokens");
    let audio_in = detail("input", "audio_tokens");
    let image_in = detail("input", "image_tokens");
    let audio_out = detail("output", "audio_tokens");
    let image_out = detail("output", "image_tokens");
    let mut parts = Parts {
        provider_cost: usage.cost(),
        ..Parts::default()
    };
    let input = usage.tokens(&["input_tokens"]);
    let output = usage.tokens(&["output_tokens"]);
    if let Some(input) = input {
        let mut rest = Rest(input);
        parts.cache_read = rest.take(cached);
        parts.audio_in = rest.take(audio_in);
        parts.image_in = rest.take(image_in);
        parts.input = rest.remaining();
    }
    if let Some(output) = output {
        let mut rest = Rest(output);
        parts.audio_out = rest.take(audio_out);
        parts.image_out = rest.take(image_out);
        parts.output = rest.remaining();
    }
    if input.is_none() && output.is_none() {
        parts.unsplit = usage.tokens(&["total_tokens"]);
    }
    parts
}
