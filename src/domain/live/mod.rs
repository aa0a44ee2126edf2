//! The engine's brain: the live state, and [`State::step`], which takes one input at one moment and says what has to
//! be written and told. Pure, so that a day can be replayed.

mod alerts;
mod calls;
mod counting;
mod limits;
mod sessions;
mod views;

use std::collections::HashMap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::call::{Call, CallEnd, CallStart, Ended};
use super::ids::{AlertId, CallId, SessionId};
use super::pricing::Prices;
use super::record::Record;
use super::session::Session;
use super::session::clock::Reading;
use super::session::timer::{AlreadyCompleted, Change as TimerChange, Timer};
use super::units::{Millis, Tokens};
use super::windows::{LimitSet, Limits, Observation};
use super::wire::{AlertView, Event, Totals};
pub use counting::Counting;

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
    CallEnded(CallId, Ended),
    /// The user reports tokens by hand: a call that began and ended at once.
    Reported(CallStart, CallEnd, SessionId),
    /// The user starts a session.
    Create {
        /// The new session's id.
        id: SessionId,
        /// Its name.
        name: Box<str>,
        /// How long it may run; `None` is open-ended.
        duration: Option<Millis>,
        /// How many tokens it may use.
        token_budget: Option<Tokens>,
    },
    /// The user changes a session.
    Change {
        /// Which.
        id: SessionId,
        /// What to do.
        change: TimerChange,
        /// The revision that the user saw; a stale one is refused.
        revision: Option<u64>,
    },
    /// A provider told of its limits.
    LimitsSeen(Box<Observation>),
    /// What providers told of their limits is to be written down, and told.
    SettleLimits,
    /// Time passed.
    Tick,
    /// The disk answers late or not at all.
    StoreTrouble(AlertId, StoreTrouble),
    /// The disk answers again.
    StoreWell,
}

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreTrouble {
    /// A commit took longer than replies wait for it.
    Slow,
    /// Commits fail.
    Failing,
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
    /// It is completed.
    #[error(transparent)]
    Completed(#[from] AlreadyCompleted),
    /// Somebody changed it since.
    #[error("the session has changed since you read it")]
    Stale,
}

#[derive(Clone, Debug)]
struct LiveSession {
    session: Session,
    totals: Totals,
}

/// Everything that is live.
#[derive(Clone, Debug, Default)]
pub struct State {
    sessions: BTreeMap<SessionId, LiveSession>,
    current: Option<SessionId>,
    unassigned: Totals,
    running: HashMap<CallId, Call>,
    recent: VecDeque<Arc<Call>>,
    remembered: counting::Remembered,
    alerts: Vec<AlertView>,
    limits: Limits,
    prices: Prices,
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
    /// Sessions, each with its sums and the last reading that is known to be inside its open segment.
    pub sessions: Vec<(Session, Totals, Option<Reading>)>,
    /// Which session takes the calls that name none.
    pub current: Option<SessionId>,
    /// The sums of *Unassigned*.
    pub unassigned: Totals,
    /// The most recent ended calls, newest first.
    pub recent: Vec<Call>,
    /// What the providers last told of their limits.
    pub limits: Vec<LimitSet>,
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
            recent: restored
                .recent
                .into_iter()
                .take(RECENT_CALLS)
                .map(Arc::new)
                .collect(),
            limits: Limits::restore(restored.limits),
            seq,
            ..Self::default()
        };
        let mut effects = Vec::new();
        let mut recovered = Vec::new();
        for (session, totals, heartbeat) in restored.sessions {
            let id = session.id;
            recovered.extend(session.timer.recover(now, heartbeat).map(|event| (id, event)));
            state.sessions.insert(id, LiveSession { session, totals });
        }
        for (id, event) in recovered {
            state.timer_event(id, event, now, &mut effects);
        }
        state.expire(now, &mut effects);
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
        let answer = match input {
            Input::CallStarted(start) => {
                self.call_started(start, now, &mut effects);
                Ok(())
            }
            Input::CallEnded(id, ended) => {
                self.call_ended(id, ended, now, &mut effects);
                Ok(())
            }
            Input::Reported(start, end, session) => self.reported(start, end, session, now, &mut effects),
            Input::Create {
                id,
                name,
                duration,
                token_budget,
            } => {
                let (timer, event) = Timer::start(duration, now);
                let session = Session {
                    id,
                    name,
                    created_at: now.wall,
                    duration,
                    token_budget,
                    timer,
                    revision: 0,
                };
                self.sessions.insert(
                    id,
                    LiveSession {
                        session,
                        totals: Totals::default(),
                    },
                );
                self.make_current(Some(id), now, &mut effects);
                self.session_changed(id, event, now, &mut effects);
                Ok(())
            }
            Input::Change { id, change, revision } => self.change(id, change, revision, now, &mut effects),
            Input::LimitsSeen(observation) => {
                self.limits.take(*observation);
                Ok(())
            }
            Input::SettleLimits => {
                self.settle_limits(now, &mut effects);
                Ok(())
            }
            Input::Tick => {
                self.expire(now, &mut effects);
                self.heartbeat(now, &mut effects);
                Ok(())
            }
            Input::StoreTrouble(id, trouble) => {
                self.store_trouble(id, trouble, now, &mut effects);
                Ok(())
            }
            Input::StoreWell => {
                self.store_well(now, &mut effects);
                Ok(())
            }
        };
        Step { effects, answer }
    }

    /// Takes up a session that history has and the live state has not: one that ended long ago.
    ///
    /// No call can have been counted for it meanwhile, so its sums are whole.
    pub fn adopt(&mut self, session: Session, totals: Totals) {
        self.sessions
            .entry(session.id)
            .or_insert(LiveSession { session, totals });
    }
}

#[cfg(test)]
mod tests;
