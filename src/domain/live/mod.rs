//! The engine's brain: the live state, and [`State::step`], which takes one input at one moment and says what has to
//! be written and told. Pure, so that a day can be replayed.

mod ahead;
mod alerts;
mod auto;
mod bound;
mod budgets;
mod calls;
mod counting;
mod deleting;
mod estimates;
mod forgetting;
mod importing;
mod limits;
mod moving;
mod providers;
mod reports;
mod sessions;
mod sums;
mod taking_in;
mod views;
mod watch;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::alert::{self, Alerts, Episode, Facts, Rule, Scope, Thresholds};
use super::budget::{self, Budget, Days, Terms, TermsPatch};
use super::call::{Call, CallStart, Ended};
use super::estimate::Estimated;
use super::estimate::calibration::Learnt;
use super::forecast::{Shown, TrackRecord};
use super::ids::{AlertId, BudgetId, CallId, CheckpointId, SessionId};
use super::import::Import;
use super::metrics::Metrics;
use super::pricing::{Price, Prices};
use super::record::Record;
use super::report::{Kept, Report};
use super::session::checkpoint::NewCheckpoint;
use super::session::clock::{Nanos, Reading};
use super::session::timer::NotNow;
use super::session::{CallsFate, Marks, NewSession, Origin, Patch, Session, Status};
use super::units::{Millis, Timestamp, Tokens};
use super::windows::{LimitSet, Limits, Observation};
use super::wire::{Event, Totals};
pub use ahead::{PAST_CALLS, PastCall};
pub use counting::Counting;
pub use deleting::Deletion;
pub use forgetting::Forgetting;
pub use moving::{Movable, Move};
pub use taking_in::TakeIn;

/// How many ended calls the live state shows.
const RECENT_CALLS: usize = 100;
/// How many completed sessions a snapshot shows.
const RECENT_SESSIONS: usize = 20;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A call began.
    CallStarted(CallStart),
    /// A call ended.
    CallEnded(CallId, Box<Ended>),
    /// What an ended call's provider did not say has been estimated; `None`: nothing can be said.
    Estimated(CallId, Option<Box<Estimated>>),
    /// More is known of how far the estimates of a model's calls are off.
    Learnt(Vec<Learnt>),
    /// Streams under way have grown to about so many tokens.
    Grew(Vec<(CallId, Tokens)>),
    /// The user reports tokens by hand, all of them or none.
    Reported(SessionId, Vec<Report>),
    /// Calls are read from another tool's log.
    Import(Box<Import>),
    /// Sessions and calls of an export are taken in.
    TakeIn(Box<TakeIn>),
    /// The user puts calls where they belong.
    Move(Box<Move>),
    /// The user starts a session.
    Create {
        /// The new session's id.
        id: SessionId,
        /// What it starts with.
        new: NewSession,
    },
    /// The user changes a session.
    Change {
        /// Which.
        id: SessionId,
        /// What to do.
        patch: Patch,
        /// The revision that the user saw; a stale one is refused.
        revision: Option<u64>,
    },
    /// The user deletes a session that has ended. Its calls have to follow: by [`Input::Move`] or [`Input::DeleteCalls`].
    Delete {
        /// Which.
        id: SessionId,
        /// What becomes of its calls.
        calls: CallsFate,
    },
    /// Calls of a deleted session are deleted.
    DeleteCalls(Box<Deletion>),
    /// A deleted session has no calls any more. What it used by calls that are no longer kept is used by nobody from now on.
    Emptied(SessionId, Box<Totals>),
    /// Calls that are older than they are kept go.
    Forget(Forgetting),
    /// The user notes a moment.
    Checkpoint {
        /// The new checkpoint's id.
        id: CheckpointId,
        /// Of which session.
        session: SessionId,
        /// What the user says of it.
        said: NewCheckpoint,
    },
    /// A provider told of its limits.
    LimitsSeen(Box<Observation>),
    /// What providers told of their limits is to be written down, and told.
    SettleLimits,
    /// Time passed.
    Tick,
    /// What is foretold of sessions is to be looked at, and told where that is due.
    LookAhead,
    /// Time passed, and it is to be noted which clocks ran until now.
    Heartbeat,
    /// The disk answers late or not at all.
    StoreTrouble(StoreTrouble),
    /// The disk answers again.
    StoreWell,
    /// The database was damaged, or its file taken away; as sentences, what became of it.
    StoreDamaged(Box<str>),
    /// The daily backup fails; as a sentence, why. `None`: it works again.
    Backup(Option<Box<str>>),
    /// The user changes settings that hold at once.
    Settings {
        /// As [`Restored::auto_idle`].
        auto_idle: Option<Millis>,
        /// The user's own prices.
        prices: Vec<Price>,
        /// The shares at which the user is told.
        thresholds: Thresholds,
    },
    /// The user acknowledges or snoozes an alert.
    Alert(AlertId, alert::Patch),
    /// The user makes a budget that begins anew.
    CreateBudget(BudgetId, Box<Terms>),
    /// The user changes a budget that begins anew.
    ChangeBudget {
        /// Which.
        id: BudgetId,
        /// What changes.
        patch: Box<TermsPatch>,
        /// The revision that the user saw; a stale one is refused.
        revision: Option<u64>,
    },
    /// The user wants no such budget any more.
    DropBudget(BudgetId),
    /// The user wants to hear nothing of a rule's alerts, or wants to hear of them again.
    Mute {
        /// The rule.
        rule: Rule,
        /// Whether it is silent.
        muted: bool,
    },
}

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreTrouble {
    /// A commit took longer than replies wait for it.
    Slow,
    /// Commits fail.
    Failing,
    /// The writer does not keep up.
    Queue {
        /// How many rows wait beyond what its queue holds.
        rows: usize,
    },
}

/// What has to be done about an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write it down.
    Write(Record),
    /// Tell everyone.
    Publish(Box<Event>),
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such session.
    #[error("there is no session with that id")]
    NoSuchSession,
    /// It does not apply to the session as it is.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// The session has all the checkpoints that it can have.
    #[error(
        "the session has {} checkpoints: it takes no more",
        super::session::checkpoint::MAX_CHECKPOINTS
    )]
    TooManyCheckpoints,
    /// A report's key was used for something else before; the number of the report.
    #[error("this key was used for another report of the session before: choose a new one")]
    KeyReused(usize),
    /// Only what has ended can be deleted.
    #[error("the session has not ended: complete it first, with {{\"status\": \"completed\"}}")]
    NotEnded,
    /// Calls to move or delete have changed since they were read: they have to be read again.
    #[error("the calls changed meanwhile: try again")]
    CallsChanged,
    /// No such alert stands.
    #[error("no alert with that id stands: it is over, or there never was one")]
    NoSuchAlert,
    /// No such budget begins anew.
    #[error("there is no budget with that id")]
    NoSuchBudget,
    /// There are all the budgets that there can be.
    #[error("there are {} budgets: there can be no more", budget::MOST_BUDGETS)]
    TooManyBudgets,
    /// A budget has to limit something.
    #[error("a budget needs tokenBudget, costBudgetNanoUsd or both; delete it instead")]
    BudgetWithoutAmount,
    /// Somebody changed it since.
    #[error("it has changed since you read it")]
    Stale,
}

#[derive(Clone, Debug)]
struct LiveSession {
    session: Session,
    totals: Totals,
    marks: Marks,
    /// When a call of it last began or ended; kept for those that end by themselves.
    active_at: Reading,
    /// How many of its calls run.
    running: usize,
    /// What is foretold of it, until it has ended.
    ahead: Option<Box<ahead::Ahead>>,
}

impl LiveSession {
    fn new(session: Session, totals: Totals, marks: Marks) -> Self {
        Self {
            active_at: session.timer.last().at,
            session,
            totals,
            marks,
            running: 0,
            ahead: None,
        }
    }
}

/// Everything that is live.
#[derive(Clone, Debug, Default)]
pub struct State {
    sessions: BTreeMap<SessionId, LiveSession>,
    /// Those that were deleted since the start.
    deleted: HashSet<SessionId>,
    current: Option<SessionId>,
    unassigned: Totals,
    running: HashMap<CallId, Call>,
    /// About how many tokens the streams among them hold so far.
    so_far: HashMap<CallId, Tokens>,
    /// Those of them that began while their session was paused.
    began_paused: HashSet<CallId>,
    /// The newest reports that had a key.
    reported: VecDeque<Kept>,
    /// After how long without a call a session ends that began by itself; `None`: none begins.
    auto_idle: Option<Millis>,
    /// The last look at the clocks.
    looked_at: Option<Reading>,
    /// When something happens by itself, on the clock that counts through sleep.
    due: Option<Nanos>,
    recent: VecDeque<Arc<Call>>,
    remembered: counting::Remembered,
    estimates: estimates::Estimates,
    bound: bound::Bound,
    /// How often a call was changed after its end.
    rewritten: u64,
    /// How often calls were moved.
    moves: u64,
    alerts: Alerts,
    /// The shares of budgets and of providers' own limits at which the user is told.
    thresholds: Thresholds,
    budgets: budgets::Budgets,
    streaks: providers::Streaks,
    limits: Limits,
    /// How well forecasts did.
    track_record: TrackRecord,
    prices: Prices,
    metrics: Metrics,
    seq: u64,
}

/// What [`State::step`] gives: what has to be done, and whether the command was carried out.
#[derive(Debug)]
pub struct Step {
    /// What has to be done, in order.
    pub effects: Vec<Effect>,
    /// Whether a command was carried out; always `Ok` for what is no command.
    pub answer: Result<(), Refusal>,
}

/// What the database knew when the program started.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Sessions.
    pub sessions: Vec<RestoredSession>,
    /// After how long without a call a session ends that began by itself; `None`: none begins by itself.
    pub auto_idle: Option<Millis>,
    /// Which session takes the calls that name none.
    pub current: Option<SessionId>,
    /// The conversations that are bound to sessions, the first one first.
    pub conversations: Vec<(Box<str>, SessionId)>,
    /// The sums of *Unassigned*.
    pub unassigned: Totals,
    /// The most recent ended calls, newest first.
    pub recent: Vec<Call>,
    /// What the providers last told of their limits.
    pub limits: Vec<LimitSet>,
    /// The alerts that stand, and those that are over and whose snooze is not.
    pub alerts: Vec<Episode>,
    /// The rules of which the user wants to hear nothing.
    pub muted: Vec<Rule>,
    /// The shares of budgets and of providers' own limits at which the user is told.
    pub thresholds: Thresholds,
    /// The calendar of the user's zone.
    pub days: Days,
    /// The budgets that begin anew.
    pub budgets: Vec<Budget>,
    /// What was used by whom in each quarter of an hour since [`Days::earliest`].
    pub spent: Vec<(Timestamp, budget::Share)>,
    /// How well forecasts did.
    pub track_record: TrackRecord,
}

/// A session that the database knew.
#[derive(Clone, Debug)]
pub struct RestoredSession {
    /// The session.
    pub session: Session,
    /// Its sums.
    pub totals: Totals,
    /// What else is kept of it.
    pub marks: Marks,
    /// The last reading that is known to be inside its open stretch.
    pub heartbeat: Option<Reading>,
    /// Its newest calls whose usage is known, if it has not ended: at most [`PAST_CALLS`].
    pub past: Vec<PastCall>,
    /// What was foretold of it.
    pub shown: Shown,
}

impl State {
    /// Takes up where the database left off, and says what the time in between did.
    ///
    /// `seq` is the number before the first event; it must be greater than any that an earlier run gave out.
    #[must_use]
    pub fn restore(restored: Restored, now: Reading, seq: u64) -> (Self, Vec<Effect>) {
        let mut state = Self {
            current: restored.current,
            unassigned: restored.unassigned,
            bound: bound::Bound::restore(restored.conversations),
            recent: restored
                .recent
                .into_iter()
                .take(RECENT_CALLS)
                .map(Arc::new)
                .collect(),
            limits: Limits::restore(restored.limits),
            alerts: Alerts::restore(restored.alerts, restored.muted),
            thresholds: restored.thresholds,
            budgets: budgets::Budgets::restore(restored.days, restored.budgets, restored.spent, now.wall),
            seq,
            auto_idle: restored.auto_idle,
            looked_at: Some(now),
            track_record: restored.track_record,
            ..Self::default()
        };
        let mut effects = Vec::new();
        let mut recovered = Vec::new();
        let mut open = Vec::new();
        for restored in restored.sessions {
            let RestoredSession {
                session,
                totals,
                marks,
                heartbeat,
                past,
                shown,
            } = restored;
            let id = session.id;
            if session.timer.status() != Status::Completed {
                open.push((id, past, shown));
            }
            recovered.extend(session.timer.recover(now, heartbeat).map(|event| (id, event)));
            state.budgets.touch(id);
            state
                .sessions
                .insert(id, LiveSession::new(session, totals, marks));
        }
        for (id, past, shown) in open {
            state.restore_ahead(id, past, shown, now);
        }
        for (id, event) in recovered {
            state.timer_events(id, vec![event], now, &mut effects);
        }
        state.resume_watches(now);
        state.find_last_activity(now);
        state.end_idle(now, &mut effects);
        state.end_alerts_of_ended(now, &mut effects);
        state.check_windows(now, &mut effects);
        state.check_budgets(now, &mut effects);
        state.rearm();
        (state, effects)
    }

    /// The same, with prices of the user's own.
    #[must_use]
    pub fn with_prices(self, prices: Prices) -> Self {
        Self { prices, ..self }
    }

    /// Takes one input at one moment.
    pub fn step(&mut self, now: Reading, input: Input) -> Step {
        let mut effects = Vec::new();
        self.pass(now, &mut effects);
        let answer = match input {
            Input::CallStarted(start) => {
                self.call_started(start, now, &mut effects);
                Ok(())
            }
            Input::CallEnded(id, ended) => {
                self.call_ended(id, *ended, now, &mut effects);
                Ok(())
            }
            Input::Estimated(id, estimated) => {
                self.estimated(id, estimated.map(|estimated| *estimated), now, &mut effects);
                Ok(())
            }
            Input::Learnt(all) => {
                effects.extend(all.into_iter().map(|learnt| {
                    Effect::Write(Record::Learnt {
                        learnt: Box::new(learnt),
                        at: now.wall,
                    })
                }));
                Ok(())
            }
            Input::Grew(grown) => {
                self.grew(grown, now, &mut effects);
                Ok(())
            }
            Input::Reported(session, reports) => self.reported(session, reports, now, &mut effects),
            Input::Import(import) => self.import(*import, now, &mut effects),
            Input::TakeIn(order) => self.take_in(*order, now, &mut effects),
            Input::Move(order) => self.move_calls(*order, now, &mut effects),
            Input::Create { id, new } => {
                self.create(id, new, Origin::Manual, now, &mut effects);
                Ok(())
            }
            Input::Change { id, patch, revision } => self.change(id, &patch, revision, now, &mut effects),
            Input::Delete { id, calls } => self.delete_session(id, calls, now, &mut effects),
            Input::DeleteCalls(deletion) => self.delete_calls(*deletion, now, &mut effects),
            Input::Emptied(session, left) => {
                self.emptied(session, &left, now, &mut effects);
                Ok(())
            }
            Input::Forget(forgetting) => {
                self.forget_calls(forgetting, &mut effects);
                Ok(())
            }
            Input::Checkpoint { id, session, said } => self.checkpoint(id, session, said, now, &mut effects),
            Input::LimitsSeen(observation) => {
                self.limits.take(*observation);
                Ok(())
            }
            Input::SettleLimits => {
                self.settle_limits(now, &mut effects);
                Ok(())
            }
            Input::Tick => {
                self.look_at_providers(now, &mut effects);
                Ok(())
            }
            Input::LookAhead => {
                self.look_ahead(now, &mut effects);
                Ok(())
            }
            Input::Heartbeat => {
                self.heartbeat(now, &mut effects);
                Ok(())
            }
            Input::StoreTrouble(trouble) => {
                self.store_trouble(trouble, now, &mut effects);
                Ok(())
            }
            Input::StoreWell => {
                self.store_well(now, &mut effects);
                Ok(())
            }
            Input::StoreDamaged(message) => {
                self.tell_anew(&Facts::StoreRepaired(message), now, &mut effects);
                Ok(())
            }
            Input::Backup(Some(problem)) => {
                self.tell_anew(&Facts::BackupFailing(problem), now, &mut effects);
                Ok(())
            }
            Input::Backup(None) => {
                self.clear(Rule::BackupFailing, &Scope::Moonlock, now, &mut effects);
                Ok(())
            }
            Input::Settings {
                auto_idle,
                prices,
                thresholds,
            } => {
                self.auto_idle = auto_idle;
                self.prices = std::mem::take(&mut self.prices).with_own(prices);
                self.end_idle(now, &mut effects);
                self.use_thresholds(thresholds, now, &mut effects);
                Ok(())
            }
            Input::Alert(id, patch) => self.change_alert(id, patch, now, &mut effects),
            Input::CreateBudget(id, terms) => self.create_budget(id, *terms, now, &mut effects),
            Input::ChangeBudget { id, patch, revision } => {
                self.change_budget(id, &patch, revision, now, &mut effects)
            }
            Input::DropBudget(id) => self.drop_budget(id, now, &mut effects),
            Input::Mute { rule, muted } => {
                self.mute(rule, muted, now, &mut effects);
                Ok(())
            }
        };
        self.check_budgets(now, &mut effects);
        Step { effects, answer }
    }

    /// Takes up a session that history has and the live state has not: one that ended long ago.
    ///
    /// No call can have been counted for it meanwhile, so its sums are whole.
    pub fn adopt(&mut self, session: Session, totals: Totals, marks: Marks) {
        // It may have been deleted since it was read.
        if self.deleted.contains(&session.id) {
            return;
        }
        self.budgets.touch(session.id);
        self.sessions
            .entry(session.id)
            .or_insert_with(|| LiveSession::new(session, totals, marks));
    }
}

#[cfg(test)]
mod tests;
