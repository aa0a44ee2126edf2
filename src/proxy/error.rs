//! What Moonlock itself answers on the proxy port: in the provider's error shape, so that clients show it, and
//! marked with `x-moonlock-error`.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::headers;
use super::route::NoRoute;
use crate::config::{Dialect, Mounts};

/// The name of the error that a used-up budget is.
const OVER_BUDGET: &str = "budget";

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

    pub(super) fn too_many_connections(limit: usize) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            kind: "too_many_connections",
            message: format!(
                "Moonlock: {limit} connections are open, and more are not taken on: close some, or let Moonlock have \
                 more file descriptors (ulimit -n)."
            ),
        }
    }

    pub(super) fn cut_off() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "request_cut_off",
            message: "Moonlock: the request broke off before its end, and was not forwarded.".to_owned(),
        }
    }

    /// A budget is used up; `why` says which, and what to do.
    pub(super) fn over_budget(why: &str) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            kind: OVER_BUDGET,
            message: format!("Moonlock: this call was not forwarded: {why}."),
        }
    }

    /// A signature that AWS would refuse: it covers `host`, and not the one that the request goes to.
    pub(super) fn broken_aws_signature(host: &str, mount: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            kind: "aws_signature",
            message: format!(
                "Moonlock: this request is signed (SigV4) for the host `{host}`, and AWS refuses it behind any proxy. \
                 Use a Bedrock API key instead (AWS_BEARER_TOKEN_BEDROCK), or let Moonlock sign with this machine's \
                 AWS credentials: `sign = \"aws\"` under [mounts.{mount}] in its configuration file."
            ),
        }
    }

    /// A page in a browser asks.
    pub(super) fn page(page: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            kind: "page_refused",
            message: format!(
                "Moonlock: this request comes from a page in a browser (`{page}`), and pages may not use the proxy. If \
                 you trust it, add its origin to `allow_origins` under [server] in Moonlock's configuration file."
            ),
        }
    }

    /// The request was meant for another host.
    pub(super) fn another_host(host: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            kind: "host_refused",
            message: format!(
                "Moonlock: `{host}` is no name of this machine. Ask 127.0.0.1, or add the name to `allow_hosts` under \
                 [server] in Moonlock's configuration file."
            ),
        }
    }

    /// The request does not bring the token.
    pub(super) fn no_token(said: Option<&str>) -> Self {
        let what = match said {
            Some(_) => "the token is wrong",
            None => "there is no token",
        };
        Self {
            status: StatusCode::UNAUTHORIZED,
            kind: "no_token",
            message: format!(
                "Moonlock: {what}. Send MOONLOCK_TOKEN's value in the header `x-moonlock-token`, or put `/t/TOKEN` \
                 before the path."
            ),
        }
    }

    /// There is nothing to sign with.
    pub(super) fn no_aws_credentials(why: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            kind: "no_aws_credentials",
            message: format!("Moonlock: this request could not be signed: {why}."),
        }
    }

    /// A page in a browser asks to use credentials of this machine.
    pub(super) fn no_signature_for_pages(page: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            kind: "not_signed_for_pages",
            message: format!(
                "Moonlock: this request comes from a page in a browser (`{page}`), and is not signed with this \
                 machine's AWS credentials. Programs ask 127.0.0.1 or localhost, without an Origin."
            ),
        }
    }

    /// A request cannot be signed as it is.
    pub(super) fn unsignable(why: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "unsignable",
            message: format!("Moonlock: this request cannot be signed anew: {why}."),
        }
    }

    /// A request is longer than what is held to be signed.
    pub(super) fn too_large_to_sign(most_mib: usize) -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            kind: "too_large_to_sign",
            message: format!(
                "Moonlock: a request has to be held whole to be signed, and this one is over {most_mib} MiB. \
                 With a Bedrock API key (AWS_BEARER_TOKEN_BEDROCK) it needs no signature."
            ),
        }
    }

    /// The answer, in the shape that the provider's clients expect.
    pub(super) fn response(&self, dialect: Dialect) -> Response<Full<Bytes>> {
        let (message, kind) = (&self.message, self.kind);
        let body = match dialect {
            // What OpenAI says when an account's budget is used up: clients show it, and the careful ones do not retry.
            Dialect::OpenAi if kind == OVER_BUDGET => json!({"error": {
                "message": message, "type": "insufficient_quota", "param": null, "code": "insufficient_quota"
            }}),
            Dialect::OpenAi => {
                json!({"error": {"message": message, "type": "moonlock_error", "param": null, "code": kind}})
            }
            Dialect::Anthropic => {
                let kind = anthropic_error(self.status);
                json!({"type": "error", "error": {"type": kind, "message": message}})
            }
            Dialect::Aws => json!({ "message": message }),
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
        if kind == OVER_BUDGET {
            // OpenAI's and Anthropic's SDKs heed it: another attempt would be refused as well.
            headers.insert(headers::SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        if dialect == Dialect::Aws {
            headers.insert(
                headers::AWS_ERROR,
                HeaderValue::from_static(aws_error(self.status)),
            );
        }
        response
    }
}

/// Anthropic's name for an HTTP status.
fn anthropic_error(status: StatusCode) -> &'static str {
    match status {
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        _ => "api_error",
    }
}

/// Bedrock's name for an HTTP status. SDKs show it, and retry none but the last.
fn aws_error(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => "AccessDeniedException",
        StatusCode::NOT_FOUND => "ResourceNotFoundException",
        StatusCode::TOO_MANY_REQUESTS => "ThrottlingException",
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => "ValidationException",
        _ => "ServiceUnavailableException",
    }
}

/// Google's name for an HTTP status (google.rpc.Code).
fn google_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::TOO_MANY_REQUESTS => "RESOURCE_EXHAUSTED",
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => "INVALID_ARGUMENT",
        StatusCode::FORBIDDEN => "PERMISSION_DENIED",
        StatusCode::UNAUTHORIZED => "UNAUTHENTICATED",
        _ => "UNAVAILABLE",
    }
}
