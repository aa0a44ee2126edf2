//! What the API and the WebSocket say. The dashboard's TypeScript types are generated from this file.
//!
//! camelCase; integers, with the unit in the name where it is not plain; `null` is "not known".

mod alert;
mod budget;
mod call;
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

use serde::{Deserialize, Serialize};

pub use alert::AlertView;
pub use budget::BudgetView;
pub use call::{CallDetail, CallParts};
pub use curve::{ComparedView, ComparisonView, CurvePoint, CurveView, SessionFigures};
pub use efficiency::{EfficiencyPartView, EfficiencyUnit, EfficiencyView};
pub use estimate::{CalibrationPage, CalibrationView, ErrorsView, EstimateView, EstimatesView, IntervalView};
pub use forecast::{
    BandView, BudgetForecast, BurnRateView, ForecastEnd, ForecastView, Foretold, OutlookView, TimeToLimitView,
};
pub use heatmap::{Heatmap, HeatmapCell, HeatmapKind};
pub use imported::{ImportedCalls, ImportedExport, ImportedThings, NotImported};
pub use limits::{LimitsView, WindowView};
pub use notification::{NotificationTarget, NotificationTargets, NotificationTest};
pub use past::{PastBand, PastNow, PastPlace, PastView, QuartilesView};

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

/// Sums over calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Totals {
    /// Calls that have ended.
    pub requests: u64,
    /// Those of them that did not end as `complete`.
    pub errors: u64,
    /// Prompt tokens, without cached ones.
    pub input: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Prompt tokens written to a cache.
    pub cache_write: u64,
    /// Generated tokens, reasoning included.
    pub output: u64,
    /// The part of `output` that was reasoning.
    pub reasoning: u64,
    /// All tokens.
    pub total: u64,
    /// What the priced calls cost, in billionths of a US dollar; `null` if none of them has a price.
    pub cost_nano_usd: Option<i64>,
    /// Calls that have a price. It is told by `costNanoUsd` not being `null`.
    #[serde(skip)]
    pub priced_requests: u64,
    /// Tokens of calls that have no price: they are not in `costNanoUsd`.
    pub unpriced_tokens: u64,
    /// Those calls: they have numbers, but no price.
    pub unpriced_requests: u64,
    /// Tokens whose source is not `exact`.
    pub inexact_tokens: u64,
    /// Calls of which no token number is known, though the provider did not refuse them.
    pub unknown_requests: u64,
}

impl Totals {
    /// Takes a call that has ended into the sums. One that is counted with another is in none.
    pub fn add(&mut self, call: &Call) {
        let Some(end) = call.end.as_ref().filter(|_| call.counted_by.is_none()) else {
            return;
        };
        let known = |tokens: Option<super::units::Tokens>| tokens.map_or(0, |tokens| tokens.0);
        let total = known(end.parts.total());
        self.requests += 1;
        self.errors += u64::from(end.outcome != Outcome::Complete);
        let add = |sum: &mut u64, tokens: u64| *sum = sum.saturating_add(tokens);
        add(&mut self.input, known(end.parts.fresh_input()));
        add(&mut self.cache_read, known(end.parts.cache_read));
        add(&mut self.cache_write, known(end.parts.cache_write()));
        add(&mut self.output, known(end.parts.generated()));
        add(&mut self.reasoning, known(end.parts.reasoning));
        add(&mut self.total, total);
        match call.cost {
            Some(cost) => {
                self.priced_requests += 1;
                self.cost_nano_usd = Some(self.cost_nano_usd.unwrap_or(0).saturating_add(cost.amount.0));
            }
            None => {
                add(&mut self.unpriced_tokens, total);
                self.unpriced_requests += u64::from(end.source.is_some());
            }
        }
        if end.source != Some(Source::Exact) {
            add(&mut self.inexact_tokens, total);
        }
        self.unknown_requests += u64::from(end.parts.total().is_none() && !end.was_refused());
    }

    /// Takes other sums into these: of other calls.
    pub fn merge(&mut self, other: &Self) {
        let add = |sum: &mut u64, number: u64| *sum = sum.saturating_add(number);
        add(&mut self.requests, other.requests);
        add(&mut self.errors, other.errors);
        add(&mut self.input, other.input);
        add(&mut self.cache_read, other.cache_read);
        add(&mut self.cache_write, other.cache_write);
        add(&mut self.output, other.output);
        add(&mut self.reasoning, other.reasoning);
        add(&mut self.total, other.total);
        if let Some(cost) = other.cost_nano_usd {
            self.cost_nano_usd = Some(self.cost_nano_usd.unwrap_or(0).saturating_add(cost));
        }
        add(&mut self.priced_requests, other.priced_requests);
        add(&mut self.unpriced_tokens, other.unpriced_tokens);
        add(&mut self.unpriced_requests, other.unpriced_requests);
        add(&mut self.inexact_tokens, other.inexact_tokens);
        add(&mut self.unknown_requests, other.unknown_requests);
    }

    /// What was used since an earlier moment of the same sums.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(before.requests),
            errors: self.errors.saturating_sub(before.errors),
            input: self.input.saturating_sub(before.input),
            cache_read: self.cache_read.saturating_sub(before.cache_read),
            cache_write: self.cache_write.saturating_sub(before.cache_write),
            output: self.output.saturating_sub(before.output),
            reasoning: self.reasoning.saturating_sub(before.reasoning),
            total: self.total.saturating_sub(before.total),
            cost_nano_usd: self
                .cost_nano_usd
                .map(|cost| cost.saturating_sub(before.cost_nano_usd.unwrap_or(0))),
            priced_requests: self.priced_requests.saturating_sub(before.priced_requests),
            unpriced_tokens: self.unpriced_tokens.saturating_sub(before.unpriced_tokens),
            unpriced_requests: self.unpriced_requests.saturating_sub(before.unpriced_requests),
            inexact_tokens: self.inexact_tokens.saturating_sub(before.inexact_tokens),
            unknown_requests: self.unknown_requests.saturating_sub(before.unknown_requests),
        }
    }

    /// Takes a call out of the sums that was taken in before.
    pub fn remove(&mut self, call: &Call) {
        let mut sums = Self::default();
        sums.add(call);
        let take = |sum: &mut u64, number: u64| *sum = sum.saturating_sub(number);
        take(&mut self.requests, sums.requests);
        take(&mut self.errors, sums.errors);
        take(&mut self.input, sums.input);
        take(&mut self.cache_read, sums.cache_read);
        take(&mut self.cache_write, sums.cache_write);
        take(&mut self.output, sums.output);
        take(&mut self.reasoning, sums.reasoning);
        take(&mut self.total, sums.total);
        take(&mut self.priced_requests, sums.priced_requests);
        self.cost_nano_usd = self
            .cost_nano_usd
            .filter(|_| self.priced_requests > 0)
            .map(|sum| sum.saturating_sub(sums.cost_nano_usd.unwrap_or(0)));
        take(&mut self.unpriced_tokens, sums.unpriced_tokens);
        take(&mut self.unpriced_requests, sums.unpriced_requests);
        take(&mut self.inexact_tokens, sums.inexact_tokens);
        take(&mut self.unknown_requests, sums.unknown_requests);
    }
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
