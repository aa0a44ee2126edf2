//! `Idempotency-Key`: a `POST` that is said again under its key is carried out once, and answered the same both times.
//!
//! Around all routes, so that none forgets it: the answer of what was carried out is kept for a week, by the key and a
//! hash of the request. What was refused is not kept, for it changed nothing. Reports of tokens keep their keys with the
//! calls they make (see [`super::tokens`]), and imports know a call by its id: both pass by here.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::ApiState;
use super::body::{LIST_LIMIT, whole};
use super::error::ApiError;
use crate::domain::answer::Answer;
use crate::domain::record::Record;
use crate::domain::report::MAX_KEY;

/// The header that marks a request, as the draft of the IETF's HTTP API working group has it.
pub(super) const KEY_HEADER: &str = "idempotency-key";
/// Says of an answer that it was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The largest answer that is kept.
const MOST_KEPT: usize = 1024 * 1024;
/// The headers that are kept with an answer.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// The keys of requests that are being carried out.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<Mutex<HashSet<String>>>);

/// Keeps its key to itself until it is dropped.
struct Place {
    key: String,
    of: UnderWay,
}

impl UnderWay {
    fn take(&self, key: &str) -> Option<Place> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.to_owned()).then(|| Place {
            key: key.to_owned(),
            of: self.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut keys = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.key);
    }
}

/// The key of a request, if it has one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(KEY_HEADER) else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or("").trim().trim_matches('"');
    if key.is_empty() || key.len() > MAX_KEY {
        let detail = format!("`Idempotency-Key` must have 1 to {MAX_KEY} visible characters");
        return Err(ApiError::field("Idempotency-Key", detail));
    }
    Ok(Some(key.to_owned()))
}

/// Whether a path has ways of its own.
fn passes_by(path: &str) -> bool {
    path.ends_with("/tokens") || path == "/import"
}

pub(super) async fn once(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || passes_by(request.uri().path()) {
        return next.run(request).await;
    }
    let key = match key(request.headers()) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(error) => return error.into_response(),
    };
    carry_out(state, key, request, next)
        .await
        .unwrap_or_else(ApiError::into_response)
}

async fn carry_out(state: ApiState, key: String, request: Request, next: Next) -> Result<Response, ApiError> {
    let Some(_place) = state.0.under_way.take(&key) else {
        return Err(ApiError::busy(
            "a request with this key is being carried out: say it again when it is answered",
        ));
    };
    let (head, body) = request.into_parts();
    let body = whole(body, LIST_LIMIT).await?;
    let mut hash = Sha256::new();
    hash.update(head.uri.to_string());
    hash.update([0]);
    hash.update(&body);
    let fingerprint = hash.finalize().into();
    let now = state.engine().now().wall;
    let asked = key.clone();
    if let Some(known) = state.read(move |reader| reader.answer(&asked, now)).await? {
        if known.fingerprint != fingerprint {
            return Err(ApiError::key_of_another());
        }
        return Ok(again(known));
    }
    let answer = next.run(Request::from_parts(head, Body::from(body))).await;
    if !answer.status().is_success() {
        return Ok(answer);
    }
    let (head, body) = answer.into_parts();
    // An answer is made whole before it is sent.
    let body = to_bytes(body, usize::MAX)
        .await
        .map_err(|error| ApiError::database(&error))?;
    if body.len() <= MOST_KEPT {
        let kept = Answer {
            key: key.into(),
            fingerprint,
            status: head.status.as_u16(),
            headers: kept_headers(&head.headers),
            body: body.to_vec(),
            at: now,
        };
        let committed = state.engine().write(vec![Record::Answered(Box::new(kept))]);
        // A disk that does not answer must not hold the answer up for good.
        drop(tokio::time::timeout(state.engine().commit_bound(), committed).await);
    }
    Ok(Response::from_parts(head, Body::from(body)))
}

fn kept_headers(headers: &HeaderMap) -> Vec<(Box<str>, Box<str>)> {
    let kept = KEPT.iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.as_str().into(), value.into()))
    });
    kept.collect()
}

/// The same answer as before.
fn again(known: Answer) -> Response {
    let mut answer = Response::new(Body::from(Bytes::from(known.body)));
    *answer.status_mut() = StatusCode::from_u16(known.status).unwrap_or(StatusCode::OK);
    for (name, value) in &known.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(&**name), HeaderValue::from_str(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    answer
}
