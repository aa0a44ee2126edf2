//! `POST /api/calls/move`: puts calls where they belong, some by their ids or all that match.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ApiState;
use super::body::JsonBody;
use super::error::ApiError;
use super::session_fields::said;
use super::sessions::hold_known;
use crate::domain::ids::{CallId, SessionId};
use crate::domain::live::{Movable, Move, Refusal};
use crate::domain::units::Timestamp;
use crate::domain::wire::MovedCalls;
use crate::engine::CommandError;
use crate::store::{CallQuery, SessionFilter};

/// The most calls that are moved at once, and so the most ids in a request.
const AT_ONCE: usize = 1_000;
/// How often a request moves so many.
const ROUNDS: usize = 10;
/// How often calls are read again that changed meanwhile.
const ATTEMPTS: usize = 8;

/// Which calls, and where to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = MoveCalls)]
pub(super) struct Asked {
    /// `null` is *Unassigned*.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<SessionId>)]
    session: Option<Option<SessionId>>,
    #[serde(default)]
    calls: Option<Vec<CallId>>,
    /// Calls that began at or after this moment, in UTC epoch milliseconds.
    #[serde(default)]
    from: Option<i64>,
    /// Calls that began before this moment.
    #[serde(default)]
    to: Option<i64>,
    /// `null` is *Unassigned*.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<SessionId>)]
    from_session: Option<Option<SessionId>>,
    #[serde(default)]
    conversation: Option<String>,
    #[serde(default)]
    client: Option<String>,
}

/// Which calls.
#[derive(Clone)]
enum Which {
    These(Vec<CallId>),
    Matching(Box<CallQuery>),
}

impl Which {
    /// The conversation, if all its calls are meant.
    fn whole_conversation(&self) -> Option<Box<str>> {
        let Self::Matching(query) = self else { return None };
        let is_whole =
            query.session.is_none() && query.client.is_none() && query.from.is_none() && query.to.is_none();
        query.conversation.clone().filter(|_| is_whole)
    }
}

impl Asked {
    fn check(self) -> Result<(Which, Option<SessionId>), ApiError> {
        let Some(to) = self.session else {
            let detail = "`session` must say where to: a session's id, or `null` for none";
            return Err(ApiError::field("session", detail));
        };
        let filter =
            |session: Option<SessionId>| session.map_or(SessionFilter::Unassigned, SessionFilter::Id);
        let query = CallQuery {
            session: self.from_session.map(filter),
            conversation: self.conversation.map(Into::into),
            client: self.client.map(Into::into),
            from: self.from.map(Timestamp),
            to: self.to.map(Timestamp),
            ..CallQuery::default()
        };
        let has_filter = query != CallQuery::default();
        let which = match self.calls {
            Some(_) if has_filter => {
                let detail = "say which calls by `calls` or by a range and filters, not by both";
                return Err(ApiError::field("calls", detail));
            }
            Some(calls) if calls.len() > AT_ONCE => {
                let detail = format!("`calls` may have at most {AT_ONCE} ids");
                return Err(ApiError::field("calls", detail));
            }
            Some(calls) => Which::These(calls),
            None if !has_filter => {
                let detail = "say which: `calls`, or at least one of `from`, `to`, `fromSession`, `conversation` and `client`";
                return Err(ApiError::field("calls", detail));
            }
            None => Which::Matching(Box::new(CallQuery {
                except: Some(filter(to)),
                limit: AT_ONCE,
                ..query
            })),
        };
        Ok((which, to))
    }
}

#[utoipa::path(
    post,
    path = "/calls/move",
    tag = "calls",
    summary = "Puts calls where they belong.",
    request_body = Asked,
    responses((status = 200, body = MovedCalls))
)]
pub(super) async fn make(
    State(state): State<ApiState>,
    JsonBody(asked): JsonBody<Asked>,
) -> Result<Json<MovedCalls>, ApiError> {
    let from = asked.from_session.flatten();
    let (which, to) = asked.check()?;
    for (field, session) in [("session", to), ("fromSession", from)] {
        if let Some(id) = session
            && !hold_known(&state, id).await?
        {
            return Err(ApiError::field(field, format!("there is no session {id}")));
        }
    }
    let mut moved = 0;
    let mut touched: BTreeSet<SessionId> = to.into_iter().chain(from).collect();
    let mut more = false;
    for _ in 0..ROUNDS {
        let calls = move_some(&state, &which, to).await?;
        more = matches!(which, Which::Matching(_)) && calls.len() == AT_ONCE;
        let left = calls.iter().filter(|movable| movable.call.session != to);
        for movable in left {
            moved += 1;
            touched.extend(movable.call.session);
        }
        if !more {
            break;
        }
    }
    let (sessions, unassigned) = state.engine().sessions(touched.into_iter().collect()).await?;
    Ok(Json(MovedCalls {
        moved,
        more,
        sessions,
        unassigned,
    }))
}

/// Moves up to [`AT_ONCE`] of them, and gives them as they were.
async fn move_some(state: &ApiState, which: &Which, to: Option<SessionId>) -> Result<Vec<Movable>, ApiError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let rewritten = state.engine().settled().await?;
        let calls = read(state, which.clone()).await?;
        // The sums of a session that loses calls must be known before it does.
        let left: BTreeSet<SessionId> = calls.iter().filter_map(|movable| movable.call.session).collect();
        for session in left {
            hold_known(state, session).await?;
        }
        let order = Move {
            calls: calls.clone(),
            to,
            rewritten,
            conversation: which.whole_conversation(),
        };
        match state.engine().move_calls(order).await {
            Ok(()) => return Ok(calls),
            Err(CommandError::Refused(Refusal::CallsChanged, _)) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn read(state: &ApiState, which: Which) -> Result<Vec<Movable>, ApiError> {
    match which {
        Which::Matching(query) => state.read(move |reader| reader.movable(&query)).await,
        Which::These(ids) => {
            let asked = ids.clone();
            let found = state.read(move |reader| reader.movable_ids(&asked)).await?;
            let mut calls = BTreeMap::new();
            for (index, (id, movable)) in ids.into_iter().zip(found).enumerate() {
                let movable = movable.ok_or_else(|| {
                    ApiError::field(
                        &format!("calls[{index}]"),
                        format!("there is no call {id}, or it is no longer kept"),
                    )
                })?;
                calls.insert(id, movable);
            }
            Ok(calls.into_values().collect())
        }
    }
}
