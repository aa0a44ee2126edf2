//! `POST /api/calls/import`: takes in calls that were read from another tool's log.

use axum::Json;
use axum::extract::{FromRequest, Request, State};

use crate::api::ApiState;
use crate::api::body::OneOrMany;
use crate::api::error::ApiError;
use crate::api::query::Params;
use crate::api::report::id_at;
use crate::api::sessions::hold_known;
use crate::domain::ids::SessionId;
use crate::domain::import::{Import, Incoming, Logged, Metered, Verdict, without_copies};
use crate::domain::live::Refusal;
use crate::domain::wire::ImportedCalls;
use crate::engine::CommandError;
use crate::store::{CallQuery, ReadError, Reader};

/// The most calls of one request.
const AT_ONCE: usize = 1_000;
/// How many of the proxy's calls are read at once.
const PAGE: usize = 1_000;
/// How often it is looked up anew what is known of calls that changed meanwhile.
const ATTEMPTS: usize = 8;

#[utoipa::path(
    post,
    path = "/calls/import",
    tag = "calls",
    summary = "Takes in calls that were read from another tool's log. Each counts once, and not beside what the proxy metered.",
    params(
        ("session" = Option<String>, Query, format = "uuid", description = "Where the new ones go; without it to *Unassigned*."),
        ("dryRun" = Option<bool>, Query, description = "Only say what would become of them.")
    ),
    request_body = Vec<Logged>,
    responses((status = 200, body = ImportedCalls))
)]
pub(in crate::api) async fn make(
    State(state): State<ApiState>,
    params: Params,
    request: Request,
) -> Result<Json<ImportedCalls>, ApiError> {
    // What is wrong with the address is said before the body is read.
    params.only(&["session", "dryRun"])?;
    let session: Option<SessionId> = params.get("session", "a session's id", |text| text.parse().ok())?;
    let is_dry = params.get("dryRun", "true or false", |text| text.parse::<bool>().ok())?;
    let calls = match OneOrMany::<Logged>::from_request(request, &state).await? {
        OneOrMany::One(call) => vec![call],
        OneOrMany::Many(calls) => calls,
    };
    if calls.is_empty() || calls.len() > AT_ONCE {
        let detail = format!("a list holds 1 to {AT_ONCE} calls");
        return Err(ApiError::field("", detail));
    }
    let now = state.engine().now().wall;
    for (index, call) in calls.iter().enumerate() {
        if let Some((field, problem)) = call.problem(now) {
            let place = format!("[{index}].{field}");
            let place = place.trim_end_matches('.');
            return Err(ApiError::field(place, format!("`{place}` {problem}")));
        }
    }
    if let Some(session) = session
        && !hold_known(&state, session).await?
    {
        return Err(ApiError::field(
            "session",
            format!("there is no session {session}"),
        ));
    }
    let calls = without_copies(calls);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let rewritten = state.engine().settled().await?;
        let (incoming, too_old) = look_up(&state, calls.clone()).await?;
        let counts = ImportedCalls {
            too_old,
            ..count(&incoming)
        };
        if is_dry == Some(true) {
            return Ok(Json(counts));
        }
        // The sums of a session whose calls change must be known before they do.
        for known in incoming.iter().filter_map(|incoming| incoming.known.as_ref()) {
            if let Some(session) = known.session {
                hold_known(&state, session).await?;
            }
        }
        let import = Import {
            calls: incoming,
            session,
            rewritten,
        };
        match state.engine().import(import).await {
            Ok(()) => return Ok(Json(counts)),
            Err(CommandError::Refused(Refusal::CallsChanged, _)) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn count(incoming: &[Incoming]) -> ImportedCalls {
    let mut counts = ImportedCalls::default();
    for incoming in incoming {
        match incoming.verdict() {
            Verdict::New => counts.imported += 1,
            Verdict::Grown => counts.updated += 1,
            Verdict::Known => counts.known += 1,
            Verdict::Metered => counts.metered += 1,
        }
    }
    counts
}

/// Looks up what is known of logged calls; with how many are left out because they are older than what is kept.
async fn look_up(state: &ApiState, mut calls: Vec<Logged>) -> Result<(Vec<Incoming>, u64), ApiError> {
    let mounts = state.mounts().clone();
    state
        .read(move |reader| {
            let all = calls.len();
            let since = reader.calls_since()?;
            calls.retain(|call| since.is_none_or(|since| call.started_at >= since));
            let too_old = (all - calls.len()) as u64;
            let mut metered = metered(reader, &calls)?;
            let incoming = calls.into_iter().map(|call| {
                let key = call.once();
                let known = reader.counting(&key)?.and_then(|counting| counting.call);
                let price_provider = mounts.get(&call.provider).and_then(|mount| mount.prices.clone());
                let metered = metered.take(&call);
                let (start, end) = call.clone().call(id_at(call.started_at), price_provider);
                Ok(Incoming {
                    key,
                    start,
                    end,
                    known,
                    metered,
                })
            });
            let incoming = incoming.collect::<Result<Vec<_>, ReadError>>()?;
            Ok::<_, ReadError>((incoming, too_old))
        })
        .await
}

/// The proxy's own calls of the times that logged calls tell of.
fn metered(reader: &Reader, calls: &[Logged]) -> Result<Metered, ReadError> {
    let mut metered = Metered::default();
    for (from, to) in Metered::stretches(calls) {
        let mut before = None;
        loop {
            let page = reader.ended_calls(&CallQuery {
                from: Some(from),
                to: Some(to),
                before,
                limit: PAGE,
                ..CallQuery::default()
            })?;
            let is_last = page.len() < PAGE;
            before = page.last().map(|call| call.start.id);
            metered.extend(page);
            if is_last {
                break;
            }
        }
    }
    Ok(metered)
}
