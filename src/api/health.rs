//! `GET /api/health`: whether everything works.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiState;
use crate::domain::wire::EstimatesView;
use crate::store::{Repair, Rows};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Health)]
pub(super) struct View {
    /// `ok`, or `degraded` while the database takes no writes.
    status: &'static str,
    version: &'static str,
    uptime_ms: u64,
    proxy_url: String,
    store: StoreView,
    estimates: EstimatesView,
    /// Targets of notifications whose last attempt failed; `/api/notifications` says why.
    failing_notifications: Vec<String>,
    /// Why the certificate's files cannot be used since they were changed: the one from before still is. `null` if they can.
    certificate_problem: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StoreView {
    /// Commits since the start.
    commits: u64,
    /// How long the last one took.
    last_commit_us: u64,
    /// Writes that wait for a database that takes none.
    waiting: u64,
    /// Writes that were lost.
    lost: u64,
    /// The last repair since the start; `null` if none was needed.
    repair: Option<RepairView>,
    /// How often since the start the file was deleted, moved or replaced while it was used, and was written anew.
    rescues: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RepairView {
    /// What was wrong, in SQLite's words.
    problem: String,
    /// Where the damaged file is kept.
    damaged: String,
    /// What became of each table's rows.
    tables: BTreeMap<String, RowsView>,
    /// Pages of tables that could not be read: what stood on them is lost, too.
    unreadable_pages: u64,
}

#[derive(Serialize, ToSchema)]
struct RowsView {
    kept: u64,
    lost: u64,
}

impl RepairView {
    fn of(repair: &Repair) -> Self {
        let rows = |rows: &Rows| RowsView {
            kept: rows.kept,
            lost: rows.lost,
        };
        Self {
            problem: repair.problem.to_string(),
            damaged: repair.damaged.display().to_string(),
            tables: repair
                .tables
                .iter()
                .map(|(name, of)| (name.clone(), rows(of)))
                .collect(),
            unreadable_pages: repair.unreadable_pages,
        }
    }
}

#[utoipa::path(
    get,
    path = "/health",
    tag = "moonlock",
    summary = "Whether everything works.",
    responses((status = 200, body = View))
)]
pub(super) async fn get(State(state): State<ApiState>) -> Json<View> {
    // An engine that has stopped estimates nothing.
    let estimates = state.engine().estimates().await.unwrap_or_default();
    let health = state.0.health.report();
    let uptime = state.0.started.elapsed().as_millis();
    let targets = (state.0.notifications.targets)().into_iter();
    let failing = targets.filter(|target| target.last_error.is_some());
    Json(View {
        status: if health.failing_for.is_some() {
            "degraded"
        } else {
            "ok"
        },
        version: env!("CARGO_PKG_VERSION"),
        uptime_ms: u64::try_from(uptime).unwrap_or(u64::MAX),
        proxy_url: state.0.ports.proxy_url.clone(),
        store: StoreView {
            commits: health.commits,
            last_commit_us: u64::try_from(health.last_commit.as_micros()).unwrap_or(u64::MAX),
            waiting: health.kept,
            lost: health.dropped,
            repair: health.repair.as_deref().map(RepairView::of),
            rescues: health.rescues,
        },
        estimates,
        failing_notifications: failing.map(|target| target.name).collect(),
        certificate_problem: state.0.ports.certificate_trouble.borrow().clone(),
    })
}
