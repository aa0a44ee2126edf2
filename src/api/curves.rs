//! `/api/sessions/{id}/curve` and `/api/sessions/compare`: how the use of sessions grew over their own time.

use axum::Json;
use axum::extract::{Path, State};

use super::ApiState;
use super::error::ApiError;
use super::query::Params;
use super::sessions::{no_session, session_id};
use crate::domain::forecast::MOST_SESSIONS;
use crate::domain::ids::SessionId;
use crate::domain::session::curve::{Axis, Course, Reach};
use crate::domain::units::Millis;
use crate::domain::wire::{ComparedView, ComparisonView, CurveView};

/// What stands for the median of one's own finished sessions.
const MEDIAN: &str = "median";

#[utoipa::path(
    get,
    path = "/sessions/{id}/curve",
    tag = "sessions",
    summary = "How its use grew over its own time.",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = CurveView))
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<CurveView>, ApiError> {
    params.only(&[])?;
    let id = session_id(&id)?;
    let found = courses(&state, vec![id], Reach::SoFar).await?;
    let course = found.first().ok_or_else(|| no_session(id))?;
    Ok(Json(course.into()))
}

#[utoipa::path(
    get,
    path = "/sessions/compare",
    tag = "sessions",
    summary = "Two to four sessions side by side.",
    params(("ids" = String, Query, description = "Two to four ids with commas between; `median` is the median of one's own finished sessions. Differences are to the first.")),
    responses((status = 200, body = ComparisonView))
)]
pub(super) async fn compare(
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<ComparisonView>, ApiError> {
    params.only(&["ids"])?;
    let wanted = wanted(params.text("ids").unwrap_or_default())?;
    let ids: Vec<SessionId> = wanted.iter().flatten().copied().collect();
    let named = courses(&state, ids.clone(), Reach::SoFar).await?;
    let axis = named.first().map(|course| course.curve.axis());
    let axis = axis.unwrap_or_else(|| Axis::new(Millis(0)));
    let past = finished(&state, axis, ids).await?;
    let mut named = named.iter().map(|course| ComparedView::new(course, &past));
    let sessions = wanted.iter().filter_map(|wanted| match wanted {
        Some(_) => named.next(),
        None => Some(ComparedView::median(&past)),
    });
    Ok(Json(ComparisonView::new(axis, sessions.collect())))
}

/// The sessions that are to be compared, in order; `None` is the median.
fn wanted(text: &str) -> Result<Vec<Option<SessionId>>, ApiError> {
    let wrong = |detail: String| ApiError::field("ids", detail);
    let mut wanted = Vec::new();
    for word in text.split(',') {
        let session = match word.trim() {
            MEDIAN => None,
            id => Some(id.parse().map_err(|_| {
                wrong(format!(
                    "`ids` has `{id}`; expected two to four session ids, or `{MEDIAN}`, with commas between"
                ))
            })?),
        };
        if wanted.contains(&session) {
            return Err(wrong(format!("`ids` has `{}` twice", word.trim())));
        }
        wanted.push(session);
    }
    if (2..=4).contains(&wanted.len()) {
        Ok(wanted)
    } else {
        Err(wrong(format!(
            "`ids` has {} sessions; two to four can be compared",
            wanted.len()
        )))
    }
}

/// A session, and beside it one's own last finished ones.
pub(super) async fn beside_past(
    state: &ApiState,
    id: SessionId,
    reach: Reach,
) -> Result<(Course, Vec<Course>), ApiError> {
    let found = courses(state, vec![id], reach).await?;
    let course = found.into_iter().next().ok_or_else(|| no_session(id))?;
    let past = finished(state, course.curve.axis(), vec![id]).await?;
    Ok((course, past))
}

/// The sessions of these ids, on one axis.
async fn courses(state: &ApiState, ids: Vec<SessionId>, reach: Reach) -> Result<Vec<Course>, ApiError> {
    let now = state.engine().now();
    let asked = ids.clone();
    let found = state
        .read(move |reader| reader.courses(&asked, reach, now))
        .await?;
    let named = ids.into_iter().zip(found);
    named
        .map(|(id, course)| course.ok_or_else(|| no_session(id)))
        .collect()
}

/// One's own last finished sessions, but for some.
async fn finished(state: &ApiState, axis: Axis, except: Vec<SessionId>) -> Result<Vec<Course>, ApiError> {
    let now = state.engine().now();
    state
        .read(move |reader| reader.finished(axis, MOST_SESSIONS, &except, now))
        .await
}
