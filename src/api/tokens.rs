//! `/api/sessions/{id}/tokens`: tokens that the user reports by hand, and all that a session used.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ApiState;
use super::body::JsonBody;
use super::error::ApiError;
use super::query::Params;
use super::sessions::{find, hold, limit, session_id};
use crate::domain::call::{Call, CallEnd, CallStart, Outcome, Source};
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::report::Report as ManualReport;
use crate::domain::units::{Millis, Tokens};
use crate::domain::usage::parts::Parts;
use crate::domain::wire::SessionView;
use crate::store::{CallQuery, SessionFilter};

/// The longest name of an operation.
const MAX_OPERATION: usize = 200;

/// Tokens reported by hand.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Report {
    tokens_used: u64,
    /// What they were used for, in the user's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
}

/// What a session used at once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    id: CallId,
    tokens_used: Option<u64>,
    operation: String,
    source: Option<Source>,
    model: Option<String>,
    at: i64,
}

impl From<&Call> for Entry {
    fn from(call: &Call) -> Self {
        let end = call.end.as_ref();
        // What was reported by hand is kept as it was said; its operation is the user's own word.
        let said = end
            .filter(|end| end.source == Some(Source::Manual))
            .and_then(|end| {
                serde_json::from_str::<Report>(end.raw_usage.as_deref()?)
                    .ok()?
                    .operation
            });
        Self {
            id: call.start.id,
            tokens_used: end.and_then(|end| end.parts.total()).map(|tokens| tokens.0),
            operation: said.unwrap_or_else(|| call.start.operation.name().to_owned()),
            source: end.and_then(|end| end.source),
            model: call.model().map(str::to_owned),
            at: call.start.started_at.0,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Page {
    tokens: Vec<Entry>,
    next: Option<String>,
}

/// The session after a report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reported {
    id: CallId,
    tokens_used: u64,
    session: SessionView,
}

pub(super) async fn report(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    JsonBody(report): JsonBody<Report>,
) -> Result<(StatusCode, Json<Reported>), ApiError> {
    let session = session_id(&id)?;
    if report.tokens_used > Tokens::PLAUSIBLE_MAX.0 {
        let detail = format!("`tokensUsed` must be from 0 to {}", Tokens::PLAUSIBLE_MAX.0);
        return Err(ApiError::field("tokensUsed", detail));
    }
    if report
        .operation
        .as_ref()
        .is_some_and(|name| name.chars().count() > MAX_OPERATION)
    {
        return Err(ApiError::field(
            "operation",
            format!("`operation` has at most {MAX_OPERATION} characters"),
        ));
    }
    let id = CallId::from_uuid(Uuid::now_v7());
    let raw = serde_json::to_string(&report).unwrap_or_default();
    let start = CallStart {
        id,
        started_at: state.engine().now().wall,
        provider: "manual".into(),
        price_provider: None,
        operation: Operation::Manual,
        request_model: None,
        conversation: None,
        client: None,
        asked: None,
    };
    let end = CallEnd {
        outcome: Outcome::Complete,
        status: None,
        model: None,
        parts: Parts {
            unsplit: Some(Tokens(report.tokens_used)),
            ..Parts::default()
        },
        source: Some(Source::Manual),
        raw_usage: Some(raw.into()),
        request_id: None,
        error: None,
        streamed: false,
        ttft: None,
        duration: Millis(0),
    };
    hold(&state, session).await?;
    let session = state
        .engine()
        .report(
            session,
            vec![ManualReport {
                key: None,
                calls: vec![(start, end)],
            }],
        )
        .await?;
    Ok((
        StatusCode::CREATED,
        Json(Reported {
            id,
            tokens_used: report.tokens_used,
            session,
        }),
    ))
}

pub(super) async fn list(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Page>, ApiError> {
    params.only(&["limit", "cursor"])?;
    let session = find(&state, session_id(&id)?).await?.id;
    let limit = limit(&params)?;
    let before = params.get("cursor", "the `next` of the page before", |text| {
        text.parse().ok()
    })?;
    let query = CallQuery {
        session: Some(SessionFilter::Id(session)),
        before,
        limit: limit + 1,
        ..CallQuery::default()
    };
    let calls = state.read(move |reader| reader.calls(&query)).await?;
    let tokens: Vec<Entry> = calls.iter().take(limit).map(Entry::from).collect();
    let next = tokens
        .last()
        .filter(|_| calls.len() > limit)
        .map(|entry| entry.id.to_string());
    Ok(Json(Page { tokens, next }))
}
