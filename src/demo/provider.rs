//! The scripted provider: three APIs on one port, told apart by their paths.
//!
//! A request can ask for trouble with an `x-demo-scenario` header: `rate-limited` or `overloaded`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::script::{Answer, Asked, Reply, Scenario};
use super::{anthropic, gemini, openai};
use crate::domain::operation::Operation;

/// The largest request that is read.
const LIMIT: usize = 32 << 20;
/// The time between two pieces of a stream.
const PACE: Duration = Duration::from_millis(25);

/// Serves until the task is dropped.
///
/// # Errors
/// The listener failed.
pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    axum::serve(listener, Router::new().fallback(answer)).await
}

async fn answer(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let scenario = match head.headers.get("x-demo-scenario").map(HeaderValue::as_bytes) {
        Some(b"rate-limited") => Scenario::RateLimited,
        Some(b"overloaded") => Scenario::Overloaded,
        _ => Scenario::Fine,
    };
    let bytes = to_bytes(body, LIMIT).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let asked = Asked {
        body,
        answer: Answer::to(&bytes),
        scenario,
    };
    let reply = match Operation::detect(head.method.as_str(), &path) {
        Some(Operation::ChatCompletions) => openai::chat(&asked),
        Some(Operation::Responses) => openai::responses(&asked),
        Some(Operation::Embeddings) => openai::embeddings(&asked),
        Some(Operation::Messages) => anthropic::messages(&asked),
        Some(Operation::GenerateContent) => gemini::generate(&asked, &path),
        Some(Operation::StreamGenerateContent) => gemini::stream(
            &asked,
            &path,
            head.uri.query().is_some_and(|query| query.contains("alt=sse")),
        ),
        _ => other(&path, &asked),
    };
    respond(reply, &path)
}

/// Calls that use nothing.
fn other(path: &str, asked: &Asked) -> Reply {
    if path.ends_with("/count_tokens") {
        Reply::Json(StatusCode::OK, json!({ "input_tokens": asked.answer.prompt }))
    } else if path.ends_with("/models") {
        let models = ["gpt-5-mini", "claude-sonnet-4-5"];
        let data: Vec<Value> = models
            .iter()
            .map(|id| json!({ "id": id, "object": "model" }))
            .collect();
        Reply::Json(StatusCode::OK, json!({ "object": "list", "data": data }))
    } else {
        let message = format!("the scripted provider does not know {path}");
        Reply::Json(
            StatusCode::NOT_FOUND,
            json!({ "error": { "message": message, "type": "invalid_request_error" } }),
        )
    }
}

fn respond(reply: Reply, path: &str) -> Response {
    let id = HeaderValue::from_str(&format!("req_{}", uuid::Uuid::now_v7().simple()));
    let (status, kind, body) = match reply {
        Reply::Json(status, value) => (status, "application/json", Body::from(value.to_string())),
        Reply::Pieces(kind, pieces) => (StatusCode::OK, kind, paced(pieces)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Ok(id) = id {
        let name = if path.ends_with("/messages") {
            "request-id"
        } else {
            "x-request-id"
        };
        headers.insert(name, id);
    }
    response
}

/// Sends pieces one after the other, as a model that thinks does.
fn paced(pieces: Vec<String>) -> Body {
    let pieces = stream::unfold(pieces.into_iter(), |mut pieces| async move {
        let piece = pieces.next()?;
        tokio::time::sleep(PACE).await;
        Some((Ok::<Bytes, Infallible>(Bytes::from(piece)), pieces))
    });
    Body::from_stream(pieces)
}
