//! A JSON body whose errors name the field.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::timeout;

use super::error::ApiError;

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest body that is read.
const LIMIT: usize = 64 * 1024;

/// A request's body, read as JSON.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        parse(&json_bytes(request, LIMIT).await?).map(Self)
    }
}

/// The largest body of a list.
pub(super) const LIST_LIMIT: usize = 1024 * 1024;

/// One thing, or a list of them.
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OneOrMany<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = json_bytes(request, LIST_LIMIT).await?;
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => parse_value(&bytes).map(Self::Many),
            _ if bytes.len() > LIMIT => Err(ApiError::too_large(LIMIT)),
            _ => parse(&bytes).map(Self::One),
        }
    }
}

async fn json_bytes(request: Request, limit: usize) -> Result<Bytes, ApiError> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let essence = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::not_json());
    }
    whole(request.into_body(), limit).await
}

/// A body, read to its end: so long and no longer, and not waited for for ever.
pub(super) async fn whole(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    match timeout(PATIENCE, to_bytes(body, limit)).await {
        Ok(read) => read.map_err(|_| ApiError::too_large(limit)),
        Err(_) => Err(ApiError::too_slow(PATIENCE)),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // An array could be read as a struct's fields in their order, which nobody means.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(|first| *first != b'{') && serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
        return Err(ApiError::field("", "the body must be a JSON object"));
    }
    parse_value(bytes)
}

fn parse_value<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let said = inner.to_string();
        match inner.classify() {
            serde_json::error::Category::Data if path == "." => {
                ApiError::field(missing_field(&said).unwrap_or_default(), said.as_str())
            }
            serde_json::error::Category::Data => ApiError::field(&path, format!("`{path}`: {said}")),
            _ => ApiError::invalid_json(said),
        }
    })?;
    reader
        .end()
        .map_err(|error| ApiError::invalid_json(error.to_string()))?;
    Ok(value)
}

/// The field that serde misses. It has no place in the body, so only the message names it.
fn missing_field(said: &str) -> Option<&str> {
    let (name, _) = said.strip_prefix("missing field `")?.split_once('`')?;
    Some(name)
}
