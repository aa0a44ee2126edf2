//! `/api/sessions/{id}/tokens`: tokens that the user reports by hand, and all that a session used.

use std::collections::HashSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::ApiState;
use super::body::OneOrMany;
use super::describe;
use super::error::ApiError;
use super::idempotent::{REPLAYED, key};
use super::query::Params;
use super::report::Entry;
use super::sessions::{find, hold, limit, session_id};
use crate::domain::call::{Call, CallEnd, CallStart, Source};
use crate::domain::ids::{CallId, SessionId};
use crate::domain::live::Refusal;
use crate::domain::report::{Kept, Report, ReportKey};
use crate::domain::units::Timestamp;
use crate::domain::wire::{Counted, Reconciliation, Reported, TokenEntry, TokensPage};
use crate::engine::CommandError;
use crate::store::{CallQuery, GroupBy, Reader, SessionFilter, UsageQuery};

/// The most reports of one request.
const MAX_REPORTS: usize = 1_000;

impl From<&Call> for TokenEntry {
    fn from(call: &Call) -> Self {
        let end = call.end.as_ref();
        // What was reported by hand is kept as it was said; its operation is the user's own word.
        let said = end
            .filter(|end| end.source == Some(Source::Manual))
            .and_then(|end| serde_json::from_str::<Entry>(end.raw_usage.as_deref()?).ok())
            .unwrap_or_default();
        Self {
            id: call.start.id,
            tokens_used: end.and_then(|end| end.parts.total()).map(|tokens| tokens.0),
            operation: said
                .operation
                .unwrap_or_else(|| call.start.operation.name().to_owned()),
            source: end.and_then(|end| end.source),
            model: call.model().map(str::to_owned),
            cost_nano_usd: call.cost.map(|cost| cost.amount.0),
            note: said.note,
            at: call.start.started_at.0,
            changed_at: call.changed_at.map(|at| at.0),
        }
    }
}

/// Calls that are counted together or not at all, and where the body names their key.
struct Unit {
    report: Report,
    field: String,
}

#[utoipa::path(
    post,
    path = "/sessions/{id}/tokens",
    tag = "sessions",
    summary = "Counts tokens that are reported by hand, all of them or none.",
    params(("id" = String, Path, format = "uuid")),
    request_body = describe::OneOrManyTokens,
    responses((status = 201, body = Reported))
)]
pub(super) async fn report(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: OneOrMany<Entry>,
) -> Result<Response, ApiError> {
    let session = session_id(&id)?;
    let (entries, is_list) = match body {
        OneOrMany::One(entry) => (vec![entry], false),
        OneOrMany::Many(entries) => (entries, true),
    };
    if entries.is_empty() || entries.len() > MAX_REPORTS {
        let detail = format!("a list holds 1 to {MAX_REPORTS} reports");
        return Err(ApiError::field("", detail));
    }
    let now = state.engine().now().wall;
    let calls = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let place = if is_list {
                format!("[{index}].")
            } else {
                String::new()
            };
            entry.check(&place, state.mounts(), now)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let units = units(&entries, calls, key(&headers)?, is_list)?;
    hold(&state, session).await?;
    let Outcome { counted, is_repeated } = count(&state, session, units, now).await?;
    let shown = Box::new(find(&state, session).await?);
    let answer = match counted.first() {
        Some(Counted { id, tokens_used }) if !is_list => Reported::One {
            id: *id,
            tokens_used: *tokens_used,
            session: shown,
        },
        _ => Reported::Many {
            reported: counted,
            session: shown,
        },
    };
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    if is_repeated {
        let value = axum::http::HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, value);
    }
    Ok(response)
}

/// The header's key is that of the whole body; a key in the body is that of its entry.
fn units(
    entries: &[Entry],
    calls: Vec<(CallStart, CallEnd)>,
    header: Option<String>,
    is_list: bool,
) -> Result<Vec<Unit>, ApiError> {
    let place = |index: usize| match is_list {
        true => format!("[{index}].idempotencyKey"),
        false => "idempotencyKey".to_owned(),
    };
    if let Some(key) = header {
        if let Some(index) = entries.iter().position(|entry| entry.idempotency_key.is_some()) {
            let detail = "the header `Idempotency-Key` stands for the whole body: give one key";
            return Err(ApiError::field(&place(index), detail));
        }
        let key = Some(keyed(&key, entries));
        let report = Report { key, calls };
        let field = "Idempotency-Key".to_owned();
        return Ok(vec![Unit { report, field }]);
    }
    let mut used = HashSet::new();
    let mut units = Vec::with_capacity(entries.len());
    for (index, (entry, call)) in entries.iter().zip(calls).enumerate() {
        let field = place(index);
        if let Some(key) = &entry.idempotency_key
            && !used.insert(key.as_str())
        {
            let detail = format!("`{field}` stands in the list twice");
            return Err(ApiError::field(&field, detail));
        }
        let key = entry
            .idempotency_key
            .as_deref()
            .map(|key| keyed(key, std::slice::from_ref(entry)));
        let report = Report {
            key,
            calls: vec![call],
        };
        units.push(Unit { report, field });
    }
    Ok(units)
}

fn keyed(key: &str, entries: &[Entry]) -> ReportKey {
    let said = serde_json::to_vec(entries).unwrap_or_default();
    ReportKey {
        key: key.into(),
        fingerprint: Sha256::digest(said).into(),
    }
}

struct Outcome {
    counted: Vec<Counted>,
    /// Every call had been counted before.
    is_repeated: bool,
}

/// Counts what was not counted before under its key. The database knows the keys of earlier runs, the engine those that
/// are not in the database yet.
async fn count(
    state: &ApiState,
    session: SessionId,
    units: Vec<Unit>,
    now: Timestamp,
) -> Result<Outcome, ApiError> {
    let keys: Vec<Option<Box<str>>> = units
        .iter()
        .map(|unit| unit.report.key.as_ref().map(|key| key.key.clone()))
        .collect();
    let known = in_database(state, session, keys.clone(), now).await?;
    not_too_old(state, &units, &known).await?;
    let mut new = Vec::new();
    let mut fields = Vec::new();
    let mut ids: Vec<Vec<CallId>> = Vec::with_capacity(units.len());
    let mut tokens = Vec::new();
    for (unit, kept) in units.into_iter().zip(known) {
        let totals = unit.report.calls.iter().map(|(_, end)| end.parts.total());
        tokens.extend(totals.map(Option::unwrap_or_default));
        match kept {
            Some(kept) if Some(&kept.key) != unit.report.key.as_ref() => {
                return Err(ApiError::key_reused(unit.field));
            }
            Some(kept) => ids.push(kept.calls),
            None => {
                ids.push(unit.report.calls.iter().map(|(start, _)| start.id).collect());
                new.push(unit.report);
                fields.push(unit.field);
            }
        }
    }
    let fresh: HashSet<CallId> = new
        .iter()
        .flat_map(|report| report.calls.iter().map(|(start, _)| start.id))
        .collect();
    if !new.is_empty() {
        match state.engine().report(session, new).await {
            Err(CommandError::Refused(Refusal::KeyReused(index), _)) => {
                return Err(ApiError::key_reused(
                    fields.get(index).cloned().unwrap_or_default(),
                ));
            }
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        // Somebody may have said the same at the same time: the ids of the first count.
        let asked: Vec<Box<str>> = keys.iter().flatten().cloned().collect();
        for kept in state
            .engine()
            .reported(session, asked)
            .await?
            .into_iter()
            .flatten()
        {
            let unit = keys.iter().position(|key| key.as_ref() == Some(&kept.key.key));
            if let Some(ids) = unit.and_then(|unit| ids.get_mut(unit)) {
                *ids = kept.calls;
            }
        }
    }
    let counted: Vec<Counted> = ids
        .into_iter()
        .flatten()
        .zip(tokens)
        .map(|(id, tokens)| Counted {
            id,
            tokens_used: tokens.0,
        })
        .collect();
    Ok(Outcome {
        is_repeated: !counted.iter().any(|counted| fresh.contains(&counted.id)),
        counted,
    })
}

/// Holds that new calls are not older than those that are kept: they would be said to have been counted.
async fn not_too_old(state: &ApiState, units: &[Unit], known: &[Option<Kept>]) -> Result<(), ApiError> {
    let new = units.iter().zip(known).filter(|(_, kept)| kept.is_none());
    let calls = new.flat_map(|(unit, _)| &unit.report.calls);
    let Some(oldest) = calls.map(|(start, _)| start.started_at).min() else {
        return Ok(());
    };
    match state.read(Reader::calls_since).await? {
        Some(since) if oldest < since => Err(ApiError::field(
            "at",
            format!(
                "`at` is before {}: calls of that time are no longer kept, and none is taken in",
                since.0
            ),
        )),
        _ => Ok(()),
    }
}

async fn in_database(
    state: &ApiState,
    session: SessionId,
    keys: Vec<Option<Box<str>>>,
    now: Timestamp,
) -> Result<Vec<Option<Kept>>, ApiError> {
    if keys.iter().all(Option::is_none) {
        return Ok(vec![None; keys.len()]);
    }
    state
        .read(move |reader| {
            let find = |key: Option<Box<str>>| key.map_or(Ok(None), |key| reader.report(session, &key, now));
            keys.into_iter().map(find).collect()
        })
        .await
}

#[utoipa::path(
    get,
    path = "/sessions/{id}/tokens",
    tag = "sessions",
    summary = "All that a session used, newest first.",
    params(("id" = String, Path, format = "uuid"), describe::Paging, ("since" = Option<i64>, Query, description = "Only what changed at or after this moment; UTC epoch milliseconds.")),
    responses((status = 200, body = TokensPage))
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<TokensPage>, ApiError> {
    params.only(&["limit", "cursor", "since"])?;
    let session = find(&state, session_id(&id)?).await?;
    let limit = limit(&params)?;
    let before = params.get("cursor", "the `next` of the page before", |text| {
        text.parse().ok()
    })?;
    let since = params.get("since", "UTC epoch milliseconds", |text| text.parse().ok())?;
    let whose = Some(SessionFilter::Id(session.id));
    let query = CallQuery {
        session: whose,
        before,
        changed_since: since.map(Timestamp),
        limit: limit + 1,
        ..CallQuery::default()
    };
    let sums = UsageQuery {
        session: whose,
        group_by: vec![GroupBy::Source],
        ..UsageQuery::default()
    };
    let (calls, groups) = state
        .read(move |reader| Ok::<_, crate::store::ReadError>((reader.calls(&query)?, reader.usage(&sums)?)))
        .await?;
    let tokens: Vec<TokenEntry> = calls.iter().take(limit).map(TokenEntry::from).collect();
    let next = tokens
        .last()
        .filter(|_| calls.len() > limit)
        .map(|entry| entry.id.to_string());
    let groups = groups.into_iter().map(|group| (group.keys.source, group.totals));
    Ok(Json(TokensPage {
        tokens,
        next,
        reconciliation: Reconciliation::new(groups, session.paused_tokens),
    }))
}
