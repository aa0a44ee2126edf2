//! The engine's brain: the live state, and [`State::step`], which takes one input at one moment and says what has to
//! be written and told. Pure, so that a day can be replayed.

use std::collections::HashMap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::call::{AskedSession, Attribution, Call, CallEnd, CallStart};
use super::ids::{AlertId, CallId, SessionId};
use super::pricing;
use super::record::Record;
use super::session::clock::{Nanos, Reading};
use super::session::timer::{AlreadyCompleted, Change as TimerChange, Timer, TimerEvent};
use super::session::{Session, Status};
use super::units::{Millis, Timestamp, Tokens};
use super::wire::{AlertView, CallView, Change, Event, SessionView, Snapshot, Totals};

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
    CallEnded(CallId, CallEnd),
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
    alerts: Vec<AlertView>,
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

    /// Takes one input at one moment.
    pub fn step(&mut self, now: Reading, input: Input) -> Step {
        let mut effects = Vec::new();
        let answer = match input {
            Input::CallStarted(start) => {
                self.call_started(start, now, &mut effects);
                Ok(())
            }
            Input::CallEnded(id, end) => {
                self.call_ended(id, end, now, &mut effects);
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

    // Calls.

    fn call_started(&mut self, start: CallStart, now: Reading, effects: &mut Vec<Effect>) {
        let (session, attribution) = self.attribute(start.asked.as_ref());
        let call = Call {
            start,
            session,
            attribution,
            end: None,
            cost: None,
        };
        effects.push(Effect::Write(Record::CallStarted(Arc::new(call.clone()))));
        self.publish(session, Change::CallStarted(CallView::from(&call)), now, effects);
        self.running.insert(call.start.id, call);
    }

    fn call_ended(&mut self, id: CallId, end: CallEnd, now: Reading, effects: &mut Vec<Effect>) {
        // A call ends once; what ends it again changes nothing.
        let Some(mut call) = self.running.remove(&id) else {
            return;
        };
        call.end = Some(end);
        self.finish(call, now, effects);
    }

    fn finish(&mut self, mut call: Call, now: Reading, effects: &mut Vec<Effect>) {
        if let Some(end) = &call.end {
            let start = &call.start;
            call.cost = pricing::cost(
                start.price_provider.as_deref(),
                call.model(),
                start.started_at,
                &end.parts,
            );
        }
        let totals = match call.session.and_then(|id| self.sessions.get_mut(&id)) {
            Some(live) => &mut live.totals,
            None => &mut self.unassigned,
        };
        totals.add(&call);
        let totals = *totals;
        let call = Arc::new(call);
        effects.push(Effect::Write(Record::CallFinished(Arc::clone(&call))));
        let view = CallView::from(&*call);
        self.publish(
            call.session,
            Change::CallFinished { call: view, totals },
            now,
            effects,
        );
        self.recent.push_front(call);
        self.recent.truncate(RECENT_CALLS);
    }

    fn reported(
        &mut self,
        start: CallStart,
        end: CallEnd,
        session: SessionId,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !self.sessions.contains_key(&session) {
            return Err(Refusal::NoSuchSession);
        }
        let attribution = Attribution::Manual;
        self.finish(
            Call {
                start,
                session: Some(session),
                attribution,
                end: Some(end),
                cost: None,
            },
            now,
            effects,
        );
        Ok(())
    }

    /// Decides where a call belongs: where it asks to, else the current session, else *Unassigned*.
    ///
    /// A session that does not exist must not swallow the call into another one.
    fn attribute(&self, asked: Option<&AskedSession>) -> (Option<SessionId>, Attribution) {
        match asked {
            Some(asked) => match self.find(&asked.label) {
                Some(id) => (Some(id), asked.by),
                None => (None, Attribution::Unassigned),
            },
            None => match self.current {
                Some(id) => (Some(id), Attribution::Active),
                None => (None, Attribution::Unassigned),
            },
        }
    }

    /// A session by id or name. Of several with one name: the newest that has not ended, else the newest.
    fn find(&self, label: &str) -> Option<SessionId> {
        if let Ok(id) = label.parse::<SessionId>() {
            return self.sessions.contains_key(&id).then_some(id);
        }
        let mut named = self
            .sessions
            .values()
            .rev()
            .map(|live| &live.session)
            .filter(|s| &*s.name == label);
        let newest = named.next()?;
        let ended = |session: &Session| session.timer.status() == Status::Completed;
        let open = std::iter::once(newest)
            .chain(named)
            .find(|session| !ended(session));
        Some(open.unwrap_or(newest).id)
    }

    // Sessions.

    fn change(
        &mut self,
        id: SessionId,
        change: TimerChange,
        revision: Option<u64>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        // A clock that has just run out is completed before anything else is decided about it.
        self.expire(now, effects);
        let session = &self.sessions.get(&id).ok_or(Refusal::NoSuchSession)?.session;
        if revision.is_some_and(|seen| seen != session.revision) {
            return Err(Refusal::Stale);
        }
        let Some(event) = session.timer.decide(change, now)? else {
            return Ok(());
        };
        if change == TimerChange::Resume {
            self.make_current(Some(id), now, effects);
        }
        self.timer_event(id, event, now, effects);
        Ok(())
    }

    fn timer_event(&mut self, id: SessionId, event: TimerEvent, now: Reading, effects: &mut Vec<Effect>) {
        let Some(live) = self.sessions.get_mut(&id) else {
            return;
        };
        live.session.timer.apply(event);
        live.session.revision += 1;
        // A paused session keeps its place: its user is away from it, not from Moonlock, and calls made
        // meanwhile are still its own. A completed one gives it up.
        if live.session.timer.status() == Status::Completed && self.current == Some(id) {
            self.make_current(None, now, effects);
        }
        self.session_changed(id, event, now, effects);
    }

    fn session_changed(&mut self, id: SessionId, event: TimerEvent, now: Reading, effects: &mut Vec<Effect>) {
        let Some(live) = self.sessions.get(&id) else {
            return;
        };
        let session = Box::new(live.session.clone());
        effects.push(Effect::Write(Record::Session {
            session,
            events: vec![event],
            current: None,
        }));
        self.publish_session(id, now, effects);
    }

    fn make_current(&mut self, next: Option<SessionId>, now: Reading, effects: &mut Vec<Effect>) {
        let previous = std::mem::replace(&mut self.current, next);
        if previous == next {
            return;
        }
        effects.push(Effect::Write(Record::Current(next)));
        if let Some(previous) = previous.filter(|_| next.is_some()) {
            self.publish_session(previous, now, effects);
        }
    }

    fn publish_session(&mut self, id: SessionId, now: Reading, effects: &mut Vec<Effect>) {
        if let Some(view) = self.session_view(id, now) {
            self.publish(Some(id), Change::Session(view), now, effects);
        }
    }

    fn expire(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let timers = self.sessions.iter().map(|(id, live)| (*id, &live.session.timer));
        let expired: Vec<_> = timers
            .filter_map(|(id, timer)| Some((id, timer.expire(now)?)))
            .collect();
        for (id, event) in expired {
            self.timer_event(id, event, now, effects);
        }
    }

    fn heartbeat(&self, now: Reading, effects: &mut Vec<Effect>) {
        let running = self
            .sessions
            .iter()
            .filter(|(_, live)| live.session.timer.status() == Status::Active);
        effects.extend(running.map(|(id, _)| {
            Effect::Write(Record::Heartbeat {
                session: *id,
                at: now,
            })
        }));
    }

    /// When the next session's time is used up, on the clock that counts through sleep.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Nanos> {
        self.sessions
            .values()
            .filter_map(|live| live.session.timer.deadline())
            .min()
    }

    /// Whether any session's clock runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.sessions
            .values()
            .any(|live| live.session.timer.status() == Status::Active)
    }

    // Alerts about Moonlock itself.

    fn store_trouble(&mut self, id: AlertId, trouble: StoreTrouble, now: Reading, effects: &mut Vec<Effect>) {
        let (rule, message) = match trouble {
            StoreTrouble::Slow => (
                "store.slow",
                "The disk is slow: replies are passed on before their rows are certain to survive a crash. \
                 Look for what keeps the disk busy.",
            ),
            StoreTrouble::Failing => (
                "store.failing",
                "The database cannot be written: calls go through and are kept in memory until it can. \
                 Look whether the disk is full or read-only.",
            ),
        };
        if self.alerts.iter().any(|alert| alert.rule == rule) {
            return;
        }
        let alert = AlertView {
            id,
            rule: rule.to_owned(),
            message: message.to_owned(),
            raised_at: now.wall.0,
            cleared_at: None,
        };
        self.alerts.push(alert.clone());
        self.tell_alert(alert, now, effects);
    }

    fn store_well(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let (cleared, rest) = std::mem::take(&mut self.alerts)
            .into_iter()
            .partition(|alert| alert.rule.starts_with("store."));
        self.alerts = rest;
        let cleared: Vec<AlertView> = cleared;
        for mut alert in cleared {
            alert.cleared_at = Some(now.wall.0);
            self.tell_alert(alert, now, effects);
        }
    }

    fn tell_alert(&mut self, alert: AlertView, now: Reading, effects: &mut Vec<Effect>) {
        effects.push(Effect::Write(Record::Alert(Box::new(alert.clone()))));
        self.publish(None, Change::Alert(alert), now, effects);
    }

    /// Whether an alert about the database lasts.
    #[must_use]
    pub fn has_store_trouble(&self) -> bool {
        self.alerts.iter().any(|alert| alert.rule.starts_with("store."))
    }

    // Views.

    fn publish(
        &mut self,
        session_id: Option<SessionId>,
        change: Change,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        self.seq += 1;
        let event = Event {
            seq: self.seq,
            at: now.wall.0,
            session_id,
            change,
        };
        effects.push(Effect::Publish(Box::new(event)));
    }

    /// The number of the last event.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// One session as it is now; `None` if it is not held live.
    #[must_use]
    pub fn session_view(&self, id: SessionId, now: Reading) -> Option<SessionView> {
        let live = self.sessions.get(&id)?;
        Some(SessionView::new(&live.session, live.totals, self.current, now))
    }

    /// Everything that is live. `wanted` says which sessions; *Unassigned* is `None`.
    #[must_use]
    pub fn snapshot(&self, now: Reading, wanted: impl Fn(Option<SessionId>) -> bool) -> Snapshot {
        let mut completed = 0;
        let sessions = self
            .sessions
            .values()
            .rev()
            .filter(|live| wanted(Some(live.session.id)))
            .filter(|live| {
                let ended = live.session.timer.status() == Status::Completed;
                completed += usize::from(ended);
                !ended || completed <= RECENT_SESSIONS
            });
        let sessions = sessions
            .map(|live| SessionView::new(&live.session, live.totals, self.current, now))
            .collect();
        let mut running: Vec<&Call> = self
            .running
            .values()
            .filter(|call| wanted(call.session))
            .collect();
        running.sort_unstable_by_key(|call| std::cmp::Reverse((call.start.started_at, call.start.id)));
        let ended = self
            .recent
            .iter()
            .map(|call| &**call)
            .filter(|call| wanted(call.session));
        Snapshot {
            seq: self.seq,
            at: now.wall.0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            proxy_url: String::new(),
            sessions,
            unassigned: self.unassigned,
            calls: running.into_iter().chain(ended).map(CallView::from).collect(),
            alerts: self.alerts.clone(),
        }
    }

    /// When the oldest running call began; `None` if none runs.
    #[must_use]
    pub fn oldest_running(&self) -> Option<Timestamp> {
        self.running.values().map(|call| call.start.started_at).min()
    }
}

#[cfg(test)]
mod tests;
