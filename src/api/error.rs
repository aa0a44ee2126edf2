//! What went wrong, as RFC 9457 says it: `application/problem+json` with a stable `type`.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::live::Refusal;
use crate::domain::session::timer::NotNow;
use crate::domain::wire::SessionView;
use crate::engine::{CommandError, Stopped};

/// A request that was not carried out.
#[derive(Debug)]
pub struct ApiError {
    kind: Kind,
    detail: String,
    field: Option<String>,
    session: Option<Box<SessionView>>,
}

/// The kinds of problem. Each has a stable name, which is the end of its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    InvalidField,
    InvalidJson,
    NotJson,
    TooLarge,
    TooSlow,
    NotFound,
    NotAllowed,
    Stale,
    Completed,
    Conflict,
    KeyReused,
    NoToken,
    Forbidden,
    Database,
    Disk,
    Busy,
    Stopping,
}

impl Kind {
    const fn describe(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidField => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-field",
                "A field has no usable value",
            ),
            Self::InvalidJson => (
                StatusCode::BAD_REQUEST,
                "invalid-json",
                "The body is not valid JSON",
            ),
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "The body must be JSON",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large",
            ),
            Self::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                "The body did not come in time",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            Self::NotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The method does not apply",
            ),
            Self::Stale => (StatusCode::CONFLICT, "stale", "It has changed since you read it"),
            Self::Completed => (StatusCode::CONFLICT, "completed", "The session is completed"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "As it is, that cannot be done"),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "key-reused",
                "The idempotency key stands for something else",
            ),
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "no-token",
                "The request does not bring the token",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "forbidden",
                "The request comes from another site",
            ),
            Self::Database => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "database",
                "The database could not be read",
            ),
            Self::Disk => (
                StatusCode::INSUFFICIENT_STORAGE,
                "disk",
                "A file could not be written",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "It cannot be done just now",
            ),
            Self::Stopping => (
                StatusCode::SERVICE_UNAVAILABLE,
                "stopping",
                "Moonlock is shutting down",
            ),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Problem<'a> {
    /// `urn:moonlock:problem:` and the kind of problem.
    r#type: String,
    /// What kind of problem it is.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What was wrong, and what would be right.
    detail: &'a str,
    /// The field, parameter or header that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The session as it is now, where the request was about an older state of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SessionView>)]
    session: Option<&'a SessionView>,
}

impl ApiError {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            field: None,
            session: None,
        }
    }

    /// A field of the body or the query has no usable value, or the whole of it, if the field is empty. The detail
    /// says what would be right.
    pub(super) fn field(field: &str, detail: impl Into<String>) -> Self {
        Self {
            field: (!field.is_empty()).then(|| field.to_owned()),
            ..Self::new(Kind::InvalidField, detail)
        }
    }

    pub(super) fn key_reused(field: String) -> Self {
        Self {
            field: Some(field),
            ..Self::new(Kind::KeyReused, Refusal::KeyReused(0).to_string())
        }
    }

    pub(super) fn key_of_another() -> Self {
        Self {
            field: Some("Idempotency-Key".to_owned()),
            ..Self::new(
                Kind::KeyReused,
                "this key was used for another request in the last 7 days: choose a new one",
            )
        }
    }

    pub(super) fn invalid_json(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidJson, detail)
    }

    pub(super) fn not_json() -> Self {
        Self::new(
            Kind::NotJson,
            "send the body as JSON, with the header `content-type: application/json`",
        )
    }

    pub(super) fn not_exported() -> Self {
        Self::new(
            Kind::NotJson,
            "send an export as JSON (`content-type: application/json`) or as JSON lines (`content-type: application/jsonl`)",
        )
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(Kind::TooLarge, format!("a body may have at most {limit} bytes"))
    }

    pub(super) fn too_slow(patience: Duration) -> Self {
        let seconds = patience.as_secs();
        Self::new(
            Kind::TooSlow,
            format!("a body may take at most {seconds} s to come"),
        )
    }

    /// More connections are open than are taken on.
    pub(super) fn too_many_connections(limit: usize) -> Self {
        Self::busy(format!(
            "{limit} connections are open, and more are not taken on: close some, or let Moonlock have more file \
             descriptors (ulimit -n)"
        ))
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, what)
    }

    pub(super) fn no_token() -> Self {
        Self::new(
            Kind::NoToken,
            "send MOONLOCK_TOKEN's value as `Authorization: Bearer TOKEN`; in a browser, open this address's page and sign in",
        )
    }

    pub(super) fn forbidden(why: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, why)
    }

    pub(super) fn conflict(why: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, why)
    }

    /// A file could not be written.
    pub(super) fn disk(error: &impl std::fmt::Display) -> Self {
        tracing::warn!(%error, "a file could not be written");
        Self::new(Kind::Disk, error.to_string())
    }

    pub(super) fn busy(why: impl Into<String>) -> Self {
        Self::new(Kind::Busy, why)
    }

    pub(super) fn database(error: &impl std::fmt::Display) -> Self {
        tracing::error!(%error, "database could not be read");
        Self::new(
            Kind::Database,
            "reading the database failed; Moonlock's log says why",
        )
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl From<Stopped> for ApiError {
    fn from(stopped: Stopped) -> Self {
        Self::new(Kind::Stopping, stopped.to_string())
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Stopped(stopped) => stopped.into(),
            CommandError::Unsettled => Self::new(Kind::Busy, error.to_string()),
            CommandError::Refused(refusal, session) => {
                let (kind, field) = match refusal {
                    Refusal::NoSuchSession | Refusal::NoSuchAlert | Refusal::NoSuchBudget => {
                        (Kind::NotFound, None)
                    }
                    Refusal::TooManyBudgets | Refusal::NotEnded => (Kind::Conflict, None),
                    Refusal::BudgetWithoutAmount => (Kind::InvalidField, Some("tokenBudget")),
                    Refusal::NotNow(NotNow::Completed(_)) => (Kind::Completed, None),
                    Refusal::NotNow(NotNow::Shorter(_)) => (Kind::InvalidField, Some("duration")),
                    Refusal::NotNow(NotNow::NothingToTrim) => (Kind::InvalidField, Some("trim")),
                    Refusal::NotNow(NotNow::NoSuchTrim) => (Kind::InvalidField, Some("untrim")),
                    Refusal::NotNow(NotNow::NoSuchGap) => (Kind::InvalidField, Some("countGap")),
                    Refusal::NotNow(NotNow::BeyondPlan | NotNow::TooManyTrims | NotNow::TooManyEvents)
                    | Refusal::TooManyCheckpoints => (Kind::Conflict, None),
                    Refusal::KeyReused(_) => (Kind::KeyReused, Some("idempotencyKey")),
                    Refusal::CallsChanged => (Kind::Busy, None),
                    Refusal::Stale => (Kind::Stale, None),
                };
                Self {
                    session,
                    field: field.map(str::to_owned),
                    ..Self::new(kind, refusal.to_string())
                }
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind.describe();
        let problem = Problem {
            r#type: format!("urn:moonlock:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            field: self.field.as_deref(),
            session: self.session.as_deref(),
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

pub(super) async fn no_such_route(uri: axum::http::Uri) -> ApiError {
    ApiError::not_found(format!("there is no {}", uri.path()))
}

pub(super) async fn method_not_allowed(method: axum::http::Method) -> ApiError {
    ApiError::new(Kind::NotAllowed, format!("{method} does not apply here"))
}
