//! What is foretold of the sessions that have not ended.
//!
//! A forecast is a fold over the session's calls: each costs the same work, however many there were. What changes a
//! past call or the clock under it (a call is moved, a stretch is taken out) has it folded anew, from the newest calls,
//! which are kept; so it is after a restart, from the calls in the database, which gives the same. Sums are the
//! session's own, so that no correction is missed.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::super::alert::Measure;
use super::super::budget::{Allowance, Counts};
use super::super::call::{Call, Source};
use super::super::forecast::alarm::Thread;
use super::super::forecast::{
    Amount, BurnRate, CallUse, Chance, End, Finished, Forecast, Prior, Score, Shown, TimeToLimit,
};
use super::super::ids::{CallId, SessionId};
use super::super::record::{Foretold, Record};
use super::super::session::clock::{Nanos, Reading};
use super::super::session::timer::{Timer, whole_millis};
use super::super::session::{Session, Status};
use super::super::units::{Millis, Timestamp, Tokens};
use super::super::wire::{self, BudgetForecast, Change, ForecastEnd, ForecastView, Totals};
use super::watch::{Finding, Watched, Watches};
use super::{Effect, LiveSession, State};

/// So many of a session's calls are kept, and folded anew when something about them changes. Those before them tell
/// nothing of its rate any more.
pub const PAST_CALLS: usize = 2_048;
/// What is foretold is told no more often than this …
const TOLD_AT_MOST: Nanos = Nanos(1_000_000_000);
/// … and while a clock runs no less often.
const TOLD_AT_LEAST: Nanos = Nanos(5_000_000_000);

/// A call whose usage is known, as forecasts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastCall {
    /// When it ended.
    pub ended_at: Timestamp,
    /// The call.
    pub id: CallId,
    /// What it used.
    pub used: CallUse,
    /// Whose it is.
    pub thread: Thread,
}

impl PastCall {
    /// `None` for a call that has not ended, is counted with another, or of whose usage nothing is known; and for one
    /// that was imported: it says nothing of the pace.
    #[must_use]
    pub fn of(call: &Call) -> Option<Self> {
        let end = call.end.as_ref().filter(|_| call.counted_by.is_none())?;
        if end.source == Some(Source::Imported) {
            return None;
        }
        Some(Self {
            ended_at: Timestamp(call.start.started_at.0.saturating_add_unsigned(end.duration.0)),
            id: call.start.id,
            used: CallUse::of(&end.parts, call.cost.map(|cost| cost.amount))?,
            thread: Thread::of(
                call.start.conversation.as_deref(),
                call.start.agent.as_ref().map(|agent| &*agent.id),
            ),
        })
    }

    const fn place(&self) -> (Timestamp, CallId) {
        (self.ended_at, self.id)
    }
}

/// What follows from a session's calls alone.
#[derive(Clone, Debug)]
struct Fold {
    forecast: Forecast,
    pace: BurnRate,
}

impl Fold {
    fn new(prior: &Prior) -> Self {
        Self {
            forecast: Forecast::new(prior),
            pace: BurnRate::default(),
        }
    }

    fn take(&mut self, call: &PastCall, at: Millis) {
        self.forecast.observe(call.used, at);
        self.pace.observe(call.used, at);
    }
}

/// What is foretold of one session that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Ahead {
    /// What was usual when it began.
    prior: Prior,
    /// Its newest calls, in the order in which they ended.
    calls: VecDeque<PastCall>,
    fold: Fold,
    /// Whether something changed that the fold has passed.
    is_stale: bool,
    pub(super) shown: Shown,
    /// The end that `shown` was foretold for.
    end: End,
    /// Whether something changed since it was last told.
    is_new: bool,
    watches: Watches,
    told_at: Option<Nanos>,
}

impl Ahead {
    pub(super) fn new(id: SessionId, prior: Prior, end: End) -> Self {
        Self {
            fold: Fold::new(&prior),
            prior,
            calls: VecDeque::new(),
            is_stale: false,
            shown: Shown::default(),
            end,
            is_new: false,
            watches: Watches::new(id),
            told_at: None,
        }
    }

    /// Takes up the newest calls of a session that runs since before the start.
    pub(super) fn restored(
        mut self,
        mut calls: Vec<PastCall>,
        shown: Shown,
        timer: &Timer,
        now: Reading,
    ) -> Self {
        calls.sort_unstable_by_key(PastCall::place);
        for call in &calls {
            self.watches.recall(call, timer.elapsed_at(call.ended_at, now));
        }
        self.calls = calls.into();
        self.shown = shown;
        self.is_stale = true;
        self
    }

    /// Follows a change of the session's sums.
    pub(super) fn account(
        &mut self,
        before: Option<&Call>,
        after: Option<&Call>,
        timer: &Timer,
        totals: &Totals,
        now: Reading,
    ) {
        self.is_new = true;
        if let Some(gone) = before.and_then(PastCall::of)
            && let Ok(index) = self.calls.binary_search_by_key(&gone.place(), PastCall::place)
        {
            self.calls.remove(index);
            self.is_stale = true;
        }
        if let Some((call, past)) = after.and_then(|call| Some((call, PastCall::of(call)?))) {
            let at = timer.elapsed_at(past.ended_at, now);
            self.take(past, at);
            // While the clock stands, no time passes between calls: how fast they come cannot be told.
            if before.and_then(PastCall::of).is_none() && timer.status() == Status::Active {
                self.watches.take(&call.start, &past, at, now.wall);
            }
        }
        self.fold.forecast.agree_with(totals);
    }

    fn take(&mut self, call: PastCall, at: Millis) {
        let place = call.place();
        if self.calls.back().is_none_or(|last| last.place() < place) {
            self.calls.push_back(call);
            if !self.is_stale {
                self.fold.take(&call, at);
            }
        } else if let Err(index) = self.calls.binary_search_by_key(&place, PastCall::place) {
            self.calls.insert(index, call);
            self.is_stale = true;
        }
        if self.calls.len() > PAST_CALLS {
            self.calls.pop_front();
        }
    }

    fn fold_anew(&self, timer: &Timer, totals: &Totals, now: Reading) -> Fold {
        let mut fold = Fold::new(&self.prior);
        for call in &self.calls {
            fold.take(call, timer.elapsed_at(call.ended_at, now));
        }
        fold.forecast.agree_with(totals);
        fold
    }

    fn fold(&self, timer: &Timer, totals: &Totals, now: Reading) -> Cow<'_, Fold> {
        match self.is_stale {
            true => Cow::Owned(self.fold_anew(timer, totals, now)),
            false => Cow::Borrowed(&self.fold),
        }
    }
}

/// When a session ends, as it is planned.
pub(super) fn end_of(timer: &Timer) -> End {
    timer.duration().map_or(End::Open, End::Planned)
}

impl LiveSession {
    /// What is foretold of it now.
    pub(super) fn foretold(&self, score: Score, now: Reading) -> wire::Foretold {
        let timer = &self.session.timer;
        let at = whole_millis(timer.elapsed(now));
        let mut foretold = wire::Foretold {
            elapsed_ms: at.0,
            burn_rate: None,
            forecast: None,
        };
        let Some(ahead) = &self.ahead else { return foretold };
        let fold = ahead.fold(timer, &self.totals, now);
        foretold.burn_rate = fold.pace.at(at).map(Into::into);
        foretold.forecast = view(&fold.forecast, &self.session, score, at).map(Box::new);
        foretold
    }
}

fn view(forecast: &Forecast, session: &Session, score: Score, at: Millis) -> Option<ForecastView> {
    let end = end_of(&session.timer);
    let total = forecast.total(at, end)?;
    let view = |ahead: BudgetAhead| BudgetForecast::new(ahead.chance, ahead.time);
    Some(ForecastView {
        total: total.into(),
        fresh: forecast.fresh(at, end)?.into(),
        cost_nano_usd: forecast.cost(at, end).map(Into::into),
        token_budget: tokens_ahead(forecast, &session.allowance, at, end).map(view),
        cost_budget: cost_ahead(forecast, &session.allowance, at, end).map(view),
        confidence: total.confidence.given(score),
        calls: total.calls,
        past_sessions: total.past_sessions as u64,
        end: match end {
            End::Planned(_) => ForecastEnd::Planned,
            End::Open => ForecastEnd::Open,
        },
    })
}

/// How a budget will do.
#[derive(Clone, Copy, Debug)]
pub(super) struct BudgetAhead {
    pub(super) chance: Chance,
    pub(super) time: TimeToLimit,
}

fn tokens_ahead(forecast: &Forecast, allowance: &Allowance, at: Millis, end: End) -> Option<BudgetAhead> {
    let budget = allowance.tokens?;
    let (chance, time) = match allowance.counts {
        Counts::All => (
            forecast.tokens_overrun(at, end, budget),
            forecast.tokens_limit(at, budget),
        ),
        Counts::Fresh => (
            forecast.fresh_overrun(at, end, budget),
            forecast.fresh_limit(at, budget),
        ),
    };
    Some(BudgetAhead {
        chance: chance?,
        time: time?,
    })
}

fn cost_ahead(forecast: &Forecast, allowance: &Allowance, at: Millis, end: End) -> Option<BudgetAhead> {
    let budget = allowance.cost?;
    Some(BudgetAhead {
        chance: forecast.cost_overrun(at, end, budget)?,
        time: forecast.cost_limit(at, budget)?,
    })
}

impl State {
    /// What is usual for a session that began at a moment: the sessions that had ended by then.
    pub(super) fn prior(&self, began: Timestamp, now: Reading) -> Prior {
        let mut ended: Vec<_> = self
            .sessions
            .values()
            .filter_map(|live| Some((live.session.timer.ended_at()?, live)))
            .filter(|(ended_at, _)| *ended_at <= began)
            .collect();
        ended.sort_unstable_by_key(|(ended_at, live)| (*ended_at, live.session.id));
        let mut prior = Prior::default();
        for (_, live) in ended {
            let active = whole_millis(live.session.timer.elapsed(now));
            prior.learn(Finished::of(active, &live.totals));
        }
        prior
    }

    /// Takes up what is foretold of a session that runs since before the start.
    pub(super) fn restore_ahead(&mut self, id: SessionId, past: Vec<PastCall>, shown: Shown, now: Reading) {
        let Some(live) = self.sessions.get(&id) else {
            return;
        };
        let timer = &live.session.timer;
        let prior = self.prior(timer.started_at(), now);
        let ahead = Ahead::new(id, prior, end_of(timer)).restored(past, shown, timer, now);
        if let Some(live) = self.sessions.get_mut(&id) {
            live.ahead = Some(Box::new(ahead));
        }
    }

    /// Follows a session's clock: what was foretold for another end counts no longer, and what its calls tell has to be
    /// looked at anew. One that has ended is held against what was foretold.
    pub(super) fn clock_changed(&mut self, id: SessionId, now: Reading, effects: &mut Vec<Effect>) {
        let Some(live) = self.sessions.get_mut(&id) else {
            return;
        };
        let timer = &live.session.timer;
        let Some(ahead) = &mut live.ahead else { return };
        if timer.status() == Status::Completed {
            let active = whole_millis(timer.elapsed(now));
            let settled = ahead.shown.settle(active, ahead.end, Tokens(live.totals.total));
            let shown = std::mem::take(&mut ahead.shown);
            live.ahead = None;
            self.track_record.learn(settled);
            effects.push(Effect::Write(Record::Foretold(Box::new(Foretold {
                session: id,
                shown,
                settled: Some(settled),
            }))));
            return;
        }
        ahead.is_stale = true;
        ahead.is_new = true;
        let end = end_of(timer);
        if std::mem::replace(&mut ahead.end, end) != end {
            ahead.shown = Shown::default();
        }
    }

    /// Looks ahead: tells what has changed, and notes it, so that it can be held against what comes.
    pub(super) fn look_ahead(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let due: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, live)| live.is_due(now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.tell_ahead(id, now, effects);
        }
    }

    fn tell_ahead(&mut self, id: SessionId, now: Reading, effects: &mut Vec<Effect>) {
        let score = self.track_record.score();
        let Some(live) = self.sessions.get_mut(&id) else {
            return;
        };
        let (session, at) = (&live.session, whole_millis(live.session.timer.elapsed(now)));
        let Some(ahead) = &mut live.ahead else { return };
        let before = ahead.shown.clone();
        ahead.look(session, &live.totals, live.running == 0, now, at);
        if ahead.shown != before {
            effects.push(Effect::Write(Record::Foretold(Box::new(Foretold {
                session: id,
                shown: ahead.shown.clone(),
                settled: None,
            }))));
        }
        let found = ahead.watches.findings();
        let foretold = live.foretold(score, now);
        if foretold.burn_rate.is_some() || foretold.forecast.is_some() {
            self.publish(Some(id), Change::Forecast(foretold), now, effects);
        }
        for finding in found {
            match finding {
                Finding::Raise(scope, facts) => self.raise(&scope, &facts, now, effects),
                Finding::Clear(rule, scope) => self.clear(rule, &scope, now, effects),
            }
        }
    }

    /// Takes up the alerts that stand since before the start, so that what raised them neither repeats nor forgets them.
    pub(super) fn resume_watches(&mut self, now: Reading) {
        for episode in self.alerts.standing() {
            let session = episode.scope.session_id();
            let Some(live) = session.and_then(|id| self.sessions.get_mut(&id)) else {
                continue;
            };
            let timer = &live.session.timer;
            if let Some(ahead) = &mut live.ahead {
                let at = whole_millis(timer.elapsed(now));
                ahead.watches.resume(episode, &live.session, ahead.end, at);
            }
        }
    }

    /// A call of the session began or ended.
    pub(super) fn watch_activity(&mut self, id: SessionId, now: Reading) {
        if let Some(live) = self.sessions.get_mut(&id)
            && let Some(ahead) = &mut live.ahead
        {
            let at = whole_millis(live.session.timer.elapsed(now));
            ahead.watches.is_active(at);
        }
    }
}

impl Ahead {
    /// Brings everything to this moment.
    fn look(&mut self, session: &Session, totals: &Totals, is_quiet: bool, now: Reading, at: Millis) {
        if self.is_stale {
            self.fold = self.fold_anew(&session.timer, totals, now);
            self.is_stale = false;
        }
        self.is_new = false;
        self.told_at = Some(now.boot);
        if let Some(outlook) = self.fold.forecast.total(at, self.end) {
            self.shown.note(at, self.end, &outlook);
        }
        self.watches.pass(at, is_quiet);
        let (forecast, allowance) = (&self.fold.forecast, &session.allowance);
        let watched = |budget: Option<u64>, ahead: Option<BudgetAhead>| {
            Some(Watched {
                budget: budget?,
                end: self.end,
                ahead: ahead?,
                calls: forecast.calls(),
            })
        };
        let tokens = tokens_ahead(forecast, allowance, at, self.end);
        let tokens = watched(allowance.tokens.map(Amount::units), tokens);
        let cost = cost_ahead(forecast, allowance, at, self.end);
        let cost = watched(allowance.cost.map(Amount::units), cost);
        let is_likely = self.watches.look(Measure::Tokens, tokens.as_ref());
        self.watches.look(Measure::Cost, cost.as_ref());
        // Warnings are held against all tokens, so that only those about all of them can be.
        if let Some(budget) = allowance
            .tokens
            .filter(|_| is_likely && allowance.counts == Counts::All)
        {
            self.shown.warn(budget);
        }
    }
}

impl LiveSession {
    /// Whether there is something to tell: after calls soon, and as time passes now and then.
    fn is_due(&self, now: Reading) -> bool {
        let Some(ahead) = &self.ahead else { return false };
        let passed = |told_at: Nanos| now.boot.0.saturating_sub(told_at.0);
        let is_past = |time: Nanos| ahead.told_at.is_none_or(|told_at| passed(told_at) >= time.0);
        let runs = self.session.timer.status() == Status::Active;
        (ahead.is_new && is_past(TOLD_AT_MOST)) || (runs && is_past(TOLD_AT_LEAST))
    }
}
