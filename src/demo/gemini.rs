//! Gemini's API, as far as the demo speaks it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::script::{Asked, Reply, Scenario};
use crate::domain::operation::Operation;

fn chunk(asked: &Asked, path: &str, text: &str, generated: u64, finish: Option<&str>) -> Value {
    let answer = &asked.answer;
    let model = Operation::GenerateContent
        .model_in_path(path)
        .unwrap_or("gemini-2.5-flash");
    let content = json!({ "parts": [{ "text": text }], "role": "model" });
    let mut candidate = json!({ "content": content, "index": 0 });
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": answer.prompt,
            "cachedContentTokenCount": answer.cached,
            "candidatesTokenCount": generated,
            "thoughtsTokenCount": answer.reasoning,
            "totalTokenCount": answer.prompt + generated + answer.reasoning,
            "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": answer.prompt }]
        },
        "modelVersion": model,
        "responseId": "demo"
    })
}

fn refused() -> Reply {
    let error =
        json!({ "code": 429, "message": "Resource exhausted (scripted).", "status": "RESOURCE_EXHAUSTED" });
    Reply::Json(StatusCode::TOO_MANY_REQUESTS, json!({ "error": error }))
}

/// What is generated and no thought.
fn visible(asked: &Asked) -> u64 {
    asked.answer.generated - asked.answer.reasoning
}

pub(super) fn generate(asked: &Asked, path: &str) -> Reply {
    if asked.scenario == Scenario::RateLimited {
        return refused();
    }
    let whole = chunk(asked, path, &asked.answer.text(), visible(asked), Some("STOP"));
    Reply::Json(StatusCode::OK, whole)
}

/// Server-sent events with `alt=sse`, else one JSON array in pieces.
pub(super) fn stream(asked: &Asked, path: &str, events: bool) -> Reply {
    if asked.scenario == Scenario::RateLimited {
        return refused();
    }
    let last = asked.answer.pieces.len() - 1;
    let chunks = asked.answer.pieces.iter().enumerate().map(|(at, piece)| {
        let finish = (at == last).then_some("STOP");
        chunk(asked, path, piece, at as u64 + 1, finish).to_string()
    });
    if events {
        return Reply::Pieces(
            "text/event-stream",
            chunks.map(|chunk| format!("data: {chunk}\r\n\r\n")).collect(),
        );
    }
    let mut pieces: Vec<String> = chunks
        .enumerate()
        .map(|(at, chunk)| {
            if at == 0 {
                format!("[{chunk}")
            } else {
                format!(",\r\n{chunk}")
            }
        })
        .collect();
    pieces.push("]".to_owned());
    Reply::Pieces("application/json; charset=UTF-8", pieces)
}
