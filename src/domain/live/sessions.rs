//! What commands and time do to sessions.

use super::super::alert::Scope;
use super::super::ids::{CheckpointId, SessionId};
use super::super::record::Record;
use super::super::session::checkpoint::{Checkpoint, MAX_CHECKPOINTS, NewCheckpoint};
use super::super::session::clock::{Nanos, Reading};
use super::super::session::event::TimerEvent;
use super::super::session::rules::{Action, Rule, rule};
use super::super::session::timer::{Change as TimerChange, NotNow, Timer, whole_millis};
use super::super::session::{Marks, NewSession, Origin, Patch, Session, Status};
use super::super::wire::{Change, CheckpointUsage, CheckpointView, Totals};
use super::ahead::{Ahead, end_of};
use super::{Effect, LiveSession, Refusal, State};

impl State {
    pub(super) fn create(
        &mut self,
        id: SessionId,
        new: NewSession,
        origin: Origin,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let (timer, event) = Timer::start(new.duration, now);
        let session = Session {
            id,
            name: new.name,
            origin,
            tags: new.tags,
            note: new.note,
            on_sleep: new.on_sleep,
            created_at: now.wall,
            allowance: new.allowance,
            timer,
            revision: 0,
        };
        let prior = self.prior(now.wall, now);
        let ahead = Ahead::new(id, prior, end_of(&session.timer));
        let mut live = LiveSession::new(session, Totals::default(), Marks::default());
        live.ahead = Some(Box::new(ahead));
        self.sessions.insert(id, live);
        if new.current {
            self.make_current(Some(id), now, effects);
        }
        self.session_changed(id, vec![event], now, effects);
        self.rearm();
    }

    pub(super) fn change(
        &mut self,
        id: SessionId,
        patch: &Patch,
        revision: Option<u64>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let live = self.sessions.get(&id).ok_or(Refusal::NoSuchSession)?;
        if revision.is_some_and(|seen| seen != live.session.revision) {
            return Err(Refusal::Stale);
        }
        // On a copy, so that a patch is carried out whole or not at all.
        let mut session = live.session.clone();
        let mut events = Vec::new();
        let mut current = patch.current;
        for change in &patch.clock {
            let decided = session.timer.decide(*change, now)?;
            decided.iter().for_each(|event| session.timer.apply(*event));
            if *change == TimerChange::Resume && !decided.is_empty() {
                current = current.or(Some(true));
            }
            events.extend(decided);
        }
        let is_described = patch.describe(&mut session);
        if current == Some(true) && rule(session.timer.status(), Action::MakeCurrent) == Rule::Refused {
            return Err(NotNow::Completed(Action::MakeCurrent).into());
        }
        let is_made_current = match current {
            Some(true) => self.make_current(Some(id), now, effects),
            Some(false) if self.current == Some(id) => self.make_current(None, now, effects),
            _ => false,
        };
        if is_described && let Some(live) = self.sessions.get_mut(&id) {
            session.timer = live.session.timer.clone();
            let before = std::mem::replace(&mut live.session, session).allowance;
            if live.session.allowance != before {
                self.clear_amount(&Scope::session(id), now, effects);
                self.budgets.touch(id);
            }
        }
        if !events.is_empty() || is_described || is_made_current {
            self.timer_events(id, events, now, effects);
        }
        self.rearm();
        Ok(())
    }

    /// Takes events of a session's clock, or another change of it, into account: one revision, one row, one event.
    pub(super) fn timer_events(
        &mut self,
        id: SessionId,
        events: Vec<TimerEvent>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let Some(live) = self.sessions.get_mut(&id) else {
            return;
        };
        events.iter().for_each(|event| live.session.timer.apply(*event));
        live.session.revision += 1;
        // A paused session keeps its place: its user is away from it, not from Moonlock, and calls made
        // meanwhile are still its own. A completed one gives it up.
        let has_ended = live.session.timer.status() == Status::Completed;
        if has_ended && self.current == Some(id) {
            self.make_current(None, now, effects);
        }
        if !events.is_empty() {
            self.clock_changed(id, now, effects);
        }
        self.session_changed(id, events, now, effects);
        if has_ended {
            self.end_alerts_of_ended(now, effects);
        }
    }

    fn session_changed(
        &mut self,
        id: SessionId,
        events: Vec<TimerEvent>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        self.budgets.places_changed();
        let Some(live) = self.sessions.get(&id) else {
            return;
        };
        let session = Box::new(live.session.clone());
        effects.push(Effect::Write(Record::Session {
            session,
            events,
            current: None,
        }));
        self.publish_session(id, now, effects);
    }

    /// Says where calls go that name no session, and whether that is a change. The session that they go to now is the
    /// caller's to revise; the one that they went to so far is what it was, for nobody changed it.
    pub(super) fn make_current(
        &mut self,
        next: Option<SessionId>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let previous = std::mem::replace(&mut self.current, next);
        if previous == next {
            return false;
        }
        self.budgets.places_changed();
        effects.push(Effect::Write(Record::Current(next)));
        if let Some(previous) = previous.filter(|_| next.is_some()) {
            // What the user does comes before what began by itself.
            if !self.end_auto(previous, now, effects) {
                self.publish_session(previous, now, effects);
            }
        }
        true
    }

    pub(super) fn publish_session(&mut self, id: SessionId, now: Reading, effects: &mut Vec<Effect>) {
        if let Some(view) = self.session_view(id, now) {
            self.publish(Some(id), Change::Session(view), now, effects);
        }
    }

    pub(super) fn checkpoint(
        &mut self,
        id: CheckpointId,
        session: SessionId,
        said: NewCheckpoint,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let live = self.sessions.get_mut(&session).ok_or(Refusal::NoSuchSession)?;
        let timer = &live.session.timer;
        if rule(timer.status(), Action::Checkpoint) == Rule::Refused {
            return Err(NotNow::Completed(Action::Checkpoint).into());
        }
        if live.marks.checkpoints >= MAX_CHECKPOINTS {
            return Err(Refusal::TooManyCheckpoints);
        }
        let before = live.marks.last_checkpoint.as_ref();
        let checkpoint = Checkpoint {
            before: before.map_or_else(Default::default, |before| (before.elapsed, before.usage)),
            id,
            session,
            said,
            at: now.wall,
            elapsed: whole_millis(timer.elapsed(now)),
            usage: CheckpointUsage::from(&live.totals),
        };
        let view = CheckpointView::from(&checkpoint);
        live.marks.last_checkpoint = Some(checkpoint.clone());
        live.marks.checkpoints += 1;
        effects.push(Effect::Write(Record::Checkpoint(Box::new(checkpoint))));
        self.publish_session(session, now, effects);
        self.publish(Some(session), Change::Checkpoint(view), now, effects);
        Ok(())
    }

    /// The last checkpoint of a session.
    #[must_use]
    pub fn last_checkpoint(&self, session: SessionId) -> Option<&Checkpoint> {
        self.sessions.get(&session)?.marks.last_checkpoint.as_ref()
    }

    /// Takes the time into account that has passed: what the clocks did since the last look, and what is due.
    pub(super) fn pass(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        if let Some(before) = self.looked_at.replace(now) {
            self.notice(&before, now, effects);
        }
        self.wake_alerts(now, effects);
        if self.due.is_some_and(|due| due <= now.boot) {
            self.expire(now, effects);
            self.end_idle(now, effects);
            self.rearm();
        }
    }

    fn notice(&mut self, before: &Reading, now: Reading, effects: &mut Vec<Effect>) {
        let is_quiet = now.since(before).is_some_and(|passed| {
            let second = 1_000_000_000;
            passed.total.0 < 2 * second && passed.asleep.0 < second && passed.wall_jump_ms.abs() < 1_000
        });
        // Nearly always: spares a look at every session with every call.
        if is_quiet {
            return;
        }
        let noticed: Vec<_> = self
            .sessions
            .iter()
            .map(|(id, live)| {
                (
                    *id,
                    live.session.timer.notice(before, &now, live.session.on_sleep),
                )
            })
            .filter(|(_, events)| !events.is_empty())
            .collect();
        for (id, events) in noticed {
            self.timer_events(id, events, now, effects);
        }
        self.rearm();
    }

    fn expire(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let timers = self.sessions.iter().map(|(id, live)| (*id, &live.session.timer));
        let expired: Vec<_> = timers
            .filter_map(|(id, timer)| Some((id, timer.expire(now)?)))
            .collect();
        for (id, event) in expired {
            self.timer_events(id, vec![event], now, effects);
        }
    }

    pub(super) fn heartbeat(&self, now: Reading, effects: &mut Vec<Effect>) {
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

    /// Finds out when the next thing happens by itself.
    pub(super) fn rearm(&mut self) {
        let deadlines = self
            .sessions
            .values()
            .filter_map(|live| live.session.timer.deadline());
        self.due = deadlines.chain(self.next_idle()).min();
    }

    /// When the next session's time is used up, or the next one has been idle for long enough, on the clock that
    /// counts through sleep.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Nanos> {
        self.due
    }

    /// Whether any session's clock runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.sessions
            .values()
            .any(|live| live.session.timer.status() == Status::Active)
    }
}
