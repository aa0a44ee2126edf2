//! What Moonlock itself answers on the proxy port: in the provider's error shape, so that clients show it, and
//! marked with `x-moonlock-error`.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::headers;
use super::route::NoRoute;
use crate::config::{Dialect, Mounts};

/// An answer of Moonlock's own.
#[derive(Clone, Debug)]
pub(super) struct OwnError {
    status: StatusCode,
    /// Its stable name in `x-moonlock-error`.
    pub(super) kind: &'static str,
    message: String,
}

impl OwnError {
    pub(super) fn no_route(why: &NoRoute, mounts: &Mounts) -> Self {
        let names: Vec<String> = mounts.iter().map(|mount| format!("/{}", mount.name)).collect();
        let message = format!("Moonlock: {why}. The mounts are: {}.", names.join(", "));
        let (status, kind) = match why {
            NoRoute::UnknownMount(_) => (StatusCode::NOT_FOUND, "unknown_mount"),
            NoRoute::NoHostPart { .. } => (StatusCode::NOT_FOUND, "no_host_part"),
            NoRoute::Unforwardable => (StatusCode::BAD_REQUEST, "bad_path"),
        };
        Self {
            status,
            kind,
            message,
        }
    }

    pub(super) fn unreachable(authority: &str, cause: &str) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            kind: "upstream_unreachable",
            message: format!("Moonlock: {authority} cannot be reached: {cause}."),
        }
    }

    pub(super) fn broke_off(authority: &str, cause: &str) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            kind: "upstream_broke_off",
            message: format!("Moonlock: {authority} gave no valid answer: {cause}."),
        }
    }

    pub(super) fn cut_off() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "request_cut_off",
            message: "Moonlock: the request broke off before its end, and was not forwarded.".to_owned(),
        }
    }

    /// The answer, in the shape that the provider's clients expect.
    pub(super) fn response(&self, dialect: Dialect) -> Response<Full<Bytes>> {
        let (message, kind) = (&self.message, self.kind);
        let body = match dialect {
            Dialect::OpenAi => {
                json!({"error": {"message": message, "type": "moonlock_error", "param": null, "code": kind}})
            }
            Dialect::Anthropic => {
                json!({"type": "error", "error": {"type": "api_error", "message": message}})
            }
            Dialect::Gemini => {
                json!({"error": {"code": self.status.as_u16(), "message": message, "status": google_status(self.status)}})
            }
        };
        let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(headers::ERROR, HeaderValue::from_static(kind));
        response
    }
}

/// Google's name for an HTTP status (google.rpc.Code).
fn google_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::BAD_REQUEST => "INVALID_ARGUMENT",
        _ => "UNAVAILABLE",
    }
}
