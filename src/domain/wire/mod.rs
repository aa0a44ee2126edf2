//! What the API and the WebSocket say. The dashboard's TypeScript types are generated from this file.
//!
//! camelCase; integers, with the unit in the name where it is not plain; `null` is "not known".

mod alert;
mod budget;
mod call;
mod connect;
mod curve;
mod efficiency;
mod estimate;
mod forecast;
mod heatmap;
mod imported;
mod limits;
mod notification;
mod past;
mod session;
mod settings;
mod storage;
mod tokens;
mod totals;
mod usage;

use serde::{Deserialize, Serialize};

pub use alert::{AlertRule, AlertRules, AlertView, AlertsPage};
pub use budget::{BudgetView, BudgetsPage};
pub use call::{CallDetail, CallParts};
pub use connect::{Connect, Tool};
pub use curve::{ComparedView, ComparisonView, CurvePoint, CurveView, SessionFigures};
pub use efficiency::{EfficiencyPartView, EfficiencyUnit, EfficiencyView};
pub use estimate::{CalibrationPage, CalibrationView, ErrorsView, EstimateView, EstimatesView, IntervalView};
pub use forecast::{
    BandView, BudgetForecast, BurnRateView, ForecastEnd, ForecastView, Foretold, OutlookView,
    TimeToLimitView, TrackRecord,
};
pub use heatmap::{Heatmap, HeatmapCell, HeatmapKind};
pub use imported::{ImportedCalls, ImportedExport, ImportedThings, NotImported};
pub use limits::{LimitsView, WindowView};
pub use notification::{NotificationTarget, NotificationTargets, NotificationTest};
pub use past::{PastBand, PastNow, PastPlace, PastView, QuartilesView};

use super::alert::Thresholds;
use super::budget::{AtLimit, Counts};
use super::call::{Attribution, Call, Outcome, Source};
use super::ids::{CallId, SessionId};
use super::operation::Operation;
use super::pricing::PriceSource;
use super::session::timer::{OnSleep, whole_millis};
use super::session::{CallsFate, Marks, Origin, Session, Status, clock};
pub use session::{
    CheckpointMark, CheckpointUsage, CheckpointView, CheckpointsPage, ClockEvent, ClockEvents,
};
pub use settings::{SettingSource, SettingView, SettingsView};
pub use storage::{BackupView, StorageView};
pub use tokens::{Counted, Reconciliation, Reported, SourceTotals, TokenEntry, TokensPage, Uncertain};
pub use totals::Totals;
pub use usage::{UsageGroup, UsageKeys, UsagePage};

/// One call, as `/api/calls` and the events show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CallView {
    /// UUIDv7.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: CallId,
    /// The session it belongs to; `null` is *Unassigned*.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub session_id: Option<SessionId>,
    /// The session that the client asked for, by id or name, whether it exists or not.
    pub asked_session: Option<String>,
    /// Why the call belongs to its session.
    pub attribution: Attribution,
    /// The client's own thread.
    pub conversation: Option<String>,
    /// The agent inside that thread that made the call, where the client told of one; `null` is the thread's own.
    pub agent: Option<String>,
    /// The agent that started it; `null` is the thread's own.
    pub parent_agent: Option<String>,
    /// The program that made the call.
    pub client: Option<String>,
    /// The mount's name.
    pub provider: String,
    /// The model that answered, or the requested one where the reply named none.
    pub model: Option<String>,
    /// The model that the request named.
    pub request_model: Option<String>,
    /// The operation's name.
    #[cfg_attr(test, ts(type = "string"))]
    pub operation: Operation,
    /// Whether the reply was streamed; `null` while that is not known.
    pub streamed: Option<bool>,
    /// The provider's HTTP status.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Where the numbers came from; `null` where there are none.
    pub source: Option<Source>,
    /// Prompt tokens, without cached ones.
    pub input: Option<u64>,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Prompt tokens written to the provider's cache.
    pub cache_write: Option<u64>,
    /// Generated tokens, reasoning included.
    pub output: Option<u64>,
    /// The part of `output` that was reasoning.
    pub reasoning: Option<u64>,
    /// All tokens.
    pub total: Option<u64>,
    /// About how many tokens a running stream holds so far; `null` where that is not known, and when it has ended.
    pub output_so_far: Option<u64>,
    /// How sure its numbers are, where they were estimated; `null` where all are the provider's own.
    pub estimate: Option<EstimateView>,
    /// What it cost, in billionths of a US dollar; `null` where no price is known.
    pub cost_nano_usd: Option<i64>,
    /// By whose word it cost that; `null` where no price is known.
    pub price_source: Option<PriceSource>,
    /// As of which day, `YYYY-MM-DD`: the price list's date, or the day from which a price of the user's holds.
    pub price_date: Option<String>,
    /// UTC epoch milliseconds.
    pub started_at: i64,
    /// Time to the first byte of a streamed reply's body.
    pub ttft_ms: Option<u64>,
    /// Time to the reply's end.
    pub duration_ms: Option<u64>,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// The kind of error, where there was one.
    pub error: Option<String>,
    /// The call that counts this one's usage, where the same usage came more than once: a response that was polled
    /// or read again, a download that was repeated. Such a call has no numbers of its own and is in no sum.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub counted_by: Option<CallId>,
}

impl From<&Call> for CallView {
    fn from(call: &Call) -> Self {
        let start = &call.start;
        let end = call.end.as_ref();
        let parts = end.map(|end| end.parts).unwrap_or_default();
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Self {
            id: start.id,
            session_id: call.session,
            asked_session: start.asked.as_ref().map(|asked| asked.label.to_string()),
            attribution: call.attribution,
            conversation: text(&start.conversation),
            agent: start.agent.as_ref().map(|agent| agent.id.to_string()),
            parent_agent: start.agent.as_ref().and_then(|agent| text(&agent.parent)),
            client: text(&start.client),
            provider: start.provider.to_string(),
            model: call.model().map(str::to_owned),
            request_model: text(&start.request_model),
            operation: start.operation,
            streamed: end.map(|end| end.streamed),
            status: end.and_then(|end| end.status),
            outcome: call.outcome(),
            source: end.and_then(|end| end.source),
            input: parts.fresh_input().map(|tokens| tokens.0),
            cache_read: parts.cache_read.map(|tokens| tokens.0),
            cache_write: parts.cache_write().map(|tokens| tokens.0),
            output: parts.generated().map(|tokens| tokens.0),
            reasoning: parts.reasoning.map(|tokens| tokens.0),
            total: parts.total().map(|tokens| tokens.0),
            output_so_far: None,
            estimate: end.and_then(|end| EstimateView::of(&end.estimate)),
            cost_nano_usd: call.cost.map(|cost| cost.amount.0),
            price_source: call.cost.map(|cost| cost.source),
            price_date: call.cost.and_then(|cost| cost.date).map(|date| date.to_string()),
            started_at: start.started_at.0,
            ttft_ms: end.and_then(|end| end.ttft).map(|ttft| ttft.0),
            duration_ms: end.map(|end| end.duration.0),
            request_id: end.and_then(|end| text(&end.request_id)),
            error: end.and_then(|end| text(&end.error)),
            counted_by: call.counted_by,
        }
    }
}

/// How far a running stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CallProgress {
    /// The call.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: CallId,
    /// About how many tokens it holds so far.
    pub output_so_far: u64,
}

/// The answer to `POST /api/calls/move`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MovedCalls {
    /// How many were moved. Those that were there already are not among them.
    pub moved: u64,
    /// Whether more calls match than one request moves: say it again to move them as well.
    pub more: bool,
    /// The sessions that lost or got calls, as they are now.
    pub sessions: Vec<SessionView>,
    /// The sums of *Unassigned* now.
    pub unassigned: Totals,
}

/// One session with its clock and its sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionView {
    /// UUIDv7.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: SessionId,
    /// The user's name for it.
    pub name: String,
    /// How it came about.
    pub origin: Origin,
    /// The user's own words to find it by.
    pub tags: Vec<String>,
    /// What the user noted about it; `null` is nothing.
    pub note: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Whether calls that name no session go here.
    pub current: bool,
    /// Rises with every change of it, also of `current`; that another becomes the current one instead is none.
    pub revision: u64,
    /// How long it may run, in milliseconds; `null` is open-ended.
    pub duration: Option<u64>,
    /// What the machine's sleep does to it.
    pub on_sleep: OnSleep,
    /// How many tokens it may use; `null` is no budget.
    pub token_budget: Option<u64>,
    /// Which tokens count in that.
    pub budget_counts: Counts,
    /// What it may cost, in billionths of a US dollar; `null` is no budget.
    pub cost_budget_nano_usd: Option<i64>,
    /// What happens when one of both is used up.
    pub at_limit: AtLimit,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// UTC epoch milliseconds.
    pub started_at: i64,
    /// UTC epoch milliseconds; `null` until it has ended.
    pub ended_at: Option<i64>,
    /// The time it has run for at the moment `at`.
    pub elapsed_ms: u64,
    /// How much of it was taken out.
    pub trimmed_ms: u64,
    /// The newest things that happened to its clock and that the user should know of, in order.
    pub told: Vec<ClockEvent>,
    /// The server's wall clock when `elapsedMs` was read.
    pub at: i64,
    /// All its tokens: `usage.total`.
    pub tokens_used: u64,
    /// Those of calls that began while it was paused.
    pub paused_tokens: u64,
    /// How many checkpoints it has.
    pub checkpoints: u64,
    /// The last of them.
    pub last_checkpoint: Option<CheckpointMark>,
    /// Its sums.
    pub usage: Totals,
    /// How fast it burns; `null` before its first call, and once it has ended.
    pub burn_rate: Option<BurnRateView>,
    /// What it will come to; `null` while nothing is known, and once it has ended.
    pub forecast: Option<Box<ForecastView>>,
}

impl SessionView {
    /// Shows a session as it is at `now`.
    #[must_use]
    pub fn new(
        session: &Session,
        usage: Totals,
        marks: &Marks,
        current: Option<SessionId>,
        now: clock::Reading,
    ) -> Self {
        let timer = &session.timer;
        Self {
            id: session.id,
            name: session.name.to_string(),
            origin: session.origin,
            tags: session.tags.iter().map(ToString::to_string).collect(),
            note: Some(session.note.to_string()).filter(|note| !note.is_empty()),
            status: timer.status(),
            current: current == Some(session.id),
            revision: session.revision,
            duration: timer.duration().map(|duration| duration.0),
            on_sleep: session.on_sleep,
            token_budget: session.allowance.tokens.map(|budget| budget.0),
            budget_counts: session.allowance.counts,
            cost_budget_nano_usd: session.allowance.cost.map(|budget| budget.0),
            at_limit: session.allowance.at_limit,
            created_at: session.created_at.0,
            started_at: timer.started_at().0,
            ended_at: timer.ended_at().map(|at| at.0),
            elapsed_ms: whole_millis(timer.elapsed(now)).0,
            trimmed_ms: whole_millis(timer.trimmed()).0,
            told: timer
                .told()
                .iter()
                .map(|told| ClockEvent::told(timer, told))
                .collect(),
            at: now.wall.0,
            tokens_used: usage.total,
            paused_tokens: marks.paused_tokens.0,
            checkpoints: marks.checkpoints,
            last_checkpoint: marks.last_checkpoint.as_ref().map(CheckpointMark::from),
            usage,
            burn_rate: None,
            forecast: None,
        }
    }

    /// The same with what is foretold of it.
    #[must_use]
    pub fn foretelling(self, foretold: Foretold) -> Self {
        Self {
            burn_rate: foretold.burn_rate,
            forecast: foretold.forecast,
            ..self
        }
    }
}

/// The live state: `GET /api/live`, and the WebSocket's `snapshot`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Snapshot {
    /// The number of the last event that this state includes.
    pub seq: u64,
    /// The server's wall clock, UTC epoch milliseconds.
    pub at: i64,
    /// Moonlock's version.
    pub version: String,
    /// The proxy's base URL, e.g. `http://127.0.0.1:3002`.
    pub proxy_url: String,
    /// The sessions whose clock runs or is paused, and the most recent completed ones; newest first.
    pub sessions: Vec<SessionView>,
    /// The calls of *Unassigned*.
    pub unassigned: Totals,
    /// Running calls and the most recent ended ones, newest first.
    pub calls: Vec<CallView>,
    /// Alerts that stand, the newest first.
    pub alerts: Vec<AlertView>,
    /// The providers' own limits, as they last told of them.
    pub limits: Vec<LimitsView>,
    /// The shares at which budgets and limits alert, in percent, rising. A budget also does at 100.
    #[cfg_attr(test, ts(type = "Array<number>"))]
    #[schema(value_type = Vec<u8>)]
    pub alert_at_percent: Thresholds,
}

/// What changed. `kind` and `data` of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", content = "data", rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Change {
    /// A session was created or changed.
    #[serde(rename = "session")]
    Session(SessionView),
    /// The user noted a moment; the session's own event comes before it.
    #[serde(rename = "checkpoint")]
    Checkpoint(CheckpointView),
    /// A call began.
    #[serde(rename = "call.started")]
    CallStarted(CallView),
    /// A call ended; with the new sums of where it belongs.
    #[serde(rename = "call.finished")]
    CallFinished {
        /// The call.
        call: CallView,
        /// The sums of its session, or of *Unassigned*.
        totals: Totals,
    },
    /// Streams under way have grown: those of a session at once, at most four times a second. Of more than 128, each
    /// has its turn.
    #[serde(rename = "calls.grew")]
    CallsGrew {
        /// Which, and how far.
        calls: Vec<CallProgress>,
    },
    /// Calls were moved from one session to another. Told once to those who listen to the one and once to those who
    /// listen to the other; both sessions' own events come after it.
    #[serde(rename = "calls.moved")]
    CallsMoved {
        /// Which.
        #[cfg_attr(test, ts(type = "string[]"))]
        calls: Vec<CallId>,
        /// The session they belonged to; `null` is *Unassigned*.
        #[cfg_attr(test, ts(type = "string | null"))]
        from: Option<SessionId>,
        /// The session they belong to now.
        #[cfg_attr(test, ts(type = "string | null"))]
        to: Option<SessionId>,
        /// The sums of *Unassigned* now.
        unassigned: Totals,
    },
    /// A session was deleted. Its calls are deleted with it, or moved to *Unassigned* in the events that come after this.
    #[serde(rename = "session.deleted")]
    SessionDeleted {
        /// What becomes of its calls.
        calls: CallsFate,
    },
    /// Calls were read from another tool's log or from an export; the sessions' own events come after it.
    #[serde(rename = "calls.imported")]
    CallsImported {
        /// How many are new or have changed.
        calls: u64,
        /// The sums of *Unassigned* now.
        unassigned: Totals,
    },
    /// What is foretold of a session, anew: after its calls, and every few seconds while its clock runs.
    #[serde(rename = "forecast")]
    Forecast(Foretold),
    /// An alert was raised, changed or cleared.
    #[serde(rename = "alert")]
    Alert(AlertView),
    /// A provider told of its limits: all that is known of one credential's.
    #[serde(rename = "limits")]
    Limits(LimitsView),
    /// Other shares are set at which budgets and limits alert.
    #[serde(rename = "alerts.at")]
    AlertsAt {
        /// The shares, in percent, rising.
        #[cfg_attr(test, ts(type = "Array<number>"))]
        #[schema(value_type = Vec<u8>)]
        percent: Thresholds,
    },
}

/// One event of the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Event {
    /// Its number; each event's is one more than that of the one before.
    pub seq: u64,
    /// UTC epoch milliseconds.
    pub at: i64,
    /// The session it is about, if any.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub session_id: Option<SessionId>,
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
}

/// What the server says over the WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum ServerMessage {
    /// The first message of a connection.
    #[serde(rename_all = "camelCase")]
    Hello {
        /// Moonlock's version.
        version: String,
        /// The server's wall clock, UTC epoch milliseconds.
        at: i64,
        /// How often the server pings.
        heartbeat_ms: u64,
    },
    /// The whole live state.
    Snapshot(Box<Snapshot>),
    /// One change.
    Event(Box<Event>),
    /// The answer to a `ping`.
    Pong {
        /// The server's wall clock, UTC epoch milliseconds.
        at: i64,
    },
    /// A message of the client could not be used.
    Error {
        /// What was wrong, and what would be right.
        message: String,
    },
}

#[cfg(test)]
mod tests;
