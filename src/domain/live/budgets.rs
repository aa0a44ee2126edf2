//! Budgets: what is used of them, who is told, and who is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::alert::{Episode, Facts, Measure, Rule, Scope, Thresholds, Whose};
use super::super::budget::{
    Allowance, Budget, Closed, Days, Gate, Ledger, MOST_BUDGETS, Period, Share, Terms, TermsPatch, Used,
};
use super::super::call::Call;
use super::super::ids::{BudgetId, SessionId};
use super::super::record::Record;
use super::super::session::Status;
use super::super::session::clock::Reading;
use super::super::session::timer::whole_millis;
use super::super::units::Timestamp;
use super::super::wire::{BudgetView, Change, Totals};
use super::{Effect, Refusal, State};

/// The rules about a budget's amount: what they told is over when the amount is another.
const RULES_OF_AMOUNT: [Rule; 5] = [
    Rule::BudgetTokens,
    Rule::BudgetCost,
    Rule::BudgetUnpriced,
    Rule::OverrunTokens,
    Rule::OverrunCost,
];

/// The budgets that begin anew, and what has to be looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Budgets {
    days: Days,
    standing: Vec<Standing>,
    ledger: Ledger,
    /// The day that it is, from when and until before when.
    today: (Timestamp, Timestamp),
    /// Sessions whose sums or budgets have changed in this step.
    touched: Vec<SessionId>,
    /// Whether the sums of the budgets that begin anew have changed in this step, or the budgets.
    has_spent: bool,
    /// Sessions that take no more calls.
    closed: BTreeSet<SessionId>,
    /// Whether another call may pass, or fail to, than when that was last asked.
    is_gate_stale: bool,
}

/// A budget in its running period.
#[derive(Clone, Debug)]
struct Standing {
    budget: Budget,
    from: Timestamp,
    to: Timestamp,
    spent: Totals,
    is_closed: bool,
}

impl Budgets {
    /// Takes up what an earlier run kept; `spent` are quarters of an hour with what was used in them.
    pub(super) fn restore(
        days: Days,
        budgets: Vec<Budget>,
        spent: Vec<(Timestamp, Share)>,
        now: Timestamp,
    ) -> Self {
        let mut ledger = Ledger::of(days.clone());
        for (at, share) in spent {
            ledger.take_up(at, share);
        }
        let mut restored = Self {
            today: days.bounds(Period::Day, now),
            days,
            ledger,
            ..Self::default()
        };
        for budget in budgets {
            restored.put(budget, now);
        }
        restored
    }

    /// Sets a budget in place of what it was.
    fn put(&mut self, budget: Budget, now: Timestamp) {
        let (from, to) = self.days.bounds(budget.terms.period, now);
        let standing = Standing {
            spent: self.ledger.sum(&budget.terms.of, from, to),
            budget,
            from,
            to,
            is_closed: false,
        };
        self.has_spent = true;
        self.is_gate_stale = true;
        match self.position(standing.budget.id) {
            Some(at) => self.standing[at] = standing,
            None => self.standing.push(standing),
        }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> Vec<Budget> {
        let standing = self.standing.iter();
        standing.map(|standing| standing.budget.clone()).collect()
    }

    fn position(&self, id: BudgetId) -> Option<usize> {
        self.standing.iter().position(|standing| standing.budget.id == id)
    }

    /// A call that has ended was taken into the sums, out of them, or is known better: see [`State::account`].
    pub(super) fn account(
        &mut self,
        session: Option<SessionId>,
        before: Option<&Call>,
        after: Option<&Call>,
    ) {
        self.touched
            .extend(session.filter(|session| self.touched.last() != Some(session)));
        if let Some(call) = before {
            self.ledger.remove(call);
        }
        if let Some(call) = after {
            self.ledger.add(call);
        }
        for standing in &mut self.standing {
            let (from, to, of) = (standing.from, standing.to, &standing.budget.terms.of);
            let counts = |call: &&Call| {
                let start = &call.start;
                (from..to).contains(&start.started_at)
                    && of.matches(&start.provider, call.model(), start.client.as_deref())
            };
            if let Some(call) = before.filter(counts) {
                standing.spent.remove(call);
                self.has_spent = true;
            }
            if let Some(call) = after.filter(counts) {
                standing.spent.add(call);
                self.has_spent = true;
            }
        }
    }

    /// A session's budget was changed, or it was created.
    pub(super) fn touch(&mut self, session: SessionId) {
        self.touched.push(session);
    }

    /// The user wants to be told at other shares: everything has to be looked at.
    fn touch_all(&mut self, sessions: impl Iterator<Item = SessionId>) {
        self.touched.extend(sessions);
        self.has_spent = true;
    }

    /// A session is no more.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.is_gate_stale |= self.closed.remove(&session);
    }

    /// Where calls go has changed: that matters while a session takes none.
    pub(super) fn places_changed(&mut self) {
        self.is_gate_stale |= !self.closed.is_empty();
    }
}

impl State {
    /// Looks at the budgets whose sums have changed in this step, and at the calendar.
    pub(super) fn check_budgets(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let (from, to) = self.budgets.today;
        if !(from..to).contains(&now.wall) {
            self.begin_day(now, effects);
        }
        let mut touched = std::mem::take(&mut self.budgets.touched);
        for session in touched.drain(..) {
            self.check_session(session, now, effects);
        }
        self.budgets.touched = touched;
        if std::mem::take(&mut self.budgets.has_spent) {
            for at in 0..self.budgets.standing.len() {
                self.check_standing(at, now, effects);
            }
        }
    }

    /// Goes by other shares at which the user is told. What stands is held against them: see [`Thresholds`].
    pub(super) fn use_thresholds(&mut self, thresholds: Thresholds, now: Reading, effects: &mut Vec<Effect>) {
        if self.thresholds == thresholds {
            return;
        }
        self.thresholds = thresholds.clone();
        self.publish(None, Change::AlertsAt { percent: thresholds }, now, effects);
        self.budgets.touch_all(self.sessions.keys().copied());
        self.check_windows(now, effects);
    }

    /// A day has begun, and with it, maybe, a week or a month.
    fn begin_day(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let budgets = &mut self.budgets;
        budgets.today = budgets.days.bounds(Period::Day, now.wall);
        budgets.ledger.forget_before(now.wall);
        let is_over = |standing: &&Standing| !(standing.from..standing.to).contains(&now.wall);
        let over: Vec<Budget> = budgets
            .standing
            .iter()
            .filter(is_over)
            .map(|standing| standing.budget.clone())
            .collect();
        for budget in over {
            self.clear_amount(&scope(budget.id), now, effects);
            self.budgets.put(budget, now.wall);
        }
    }

    fn check_session(&mut self, id: SessionId, now: Reading, effects: &mut Vec<Effect>) {
        let Some(live) = self.sessions.get(&id) else {
            return;
        };
        let (allowance, totals) = (live.session.allowance, live.totals);
        let whose = Whose::Session {
            elapsed: whole_millis(live.session.timer.elapsed(now)),
        };
        let is_over = live.session.timer.status() == Status::Completed;
        let changed = match allowance.refuses(&totals) {
            Some(_) => self.budgets.closed.insert(id),
            None => self.budgets.closed.remove(&id),
        };
        self.budgets.is_gate_stale |= changed;
        if !is_over {
            self.check_allowance(&Scope::session(id), &whose, allowance, &totals, now, effects);
        }
    }

    fn check_standing(&mut self, at: usize, now: Reading, effects: &mut Vec<Effect>) {
        let Some(standing) = self.budgets.standing.get_mut(at) else {
            return;
        };
        let terms = &standing.budget.terms;
        let (allowance, spent) = (terms.allowance, standing.spent);
        let whose = Whose::Standing {
            name: terms.name.clone(),
            period: terms.period,
        };
        let is_closed = allowance.refuses(&spent).is_some();
        let scope = scope(standing.budget.id);
        self.budgets.is_gate_stale |= std::mem::replace(&mut standing.is_closed, is_closed) != is_closed;
        self.check_allowance(&scope, &whose, allowance, &spent, now, effects);
    }

    fn check_allowance(
        &mut self,
        scope: &Scope,
        whose: &Whose,
        allowance: Allowance,
        sums: &Totals,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        for (rule, measure) in [
            (Rule::BudgetTokens, Measure::Tokens),
            (Rule::BudgetCost, Measure::Cost),
        ] {
            let standing = self.alerts.find(rule, scope).map(Episode::passed);
            let told = standing.map(|standing| standing.percent);
            let used = allowance.used(sums).find(|used| used.measure == measure);
            let passed = |used: Used| Some((used, self.thresholds.of_budget(used.permille(), told)?));
            match used.and_then(passed) {
                Some((_, passed)) if standing == Some(passed) => {}
                Some((used, passed)) => {
                    let facts = Facts::Budget {
                        whose: whose.clone(),
                        used,
                        passed,
                        at_limit: allowance.at_limit,
                    };
                    self.raise(scope, &facts, now, effects);
                }
                None => self.clear(rule, scope, now, effects),
            }
        }
        let unpriced = sums.unpriced_tokens;
        if allowance.cost.is_some() && unpriced > 0 {
            if self.alerts.find(Rule::BudgetUnpriced, scope).is_none() {
                let whose = whose.clone();
                self.raise(scope, &Facts::Unpriced { whose, unpriced }, now, effects);
            }
        } else {
            self.clear(Rule::BudgetUnpriced, scope, now, effects);
        }
    }

    /// What was told of a budget is over: it has another amount, or begins anew.
    pub(super) fn clear_amount(&mut self, scope: &Scope, now: Reading, effects: &mut Vec<Effect>) {
        for rule in RULES_OF_AMOUNT {
            self.clear(rule, scope, now, effects);
        }
    }

    pub(super) fn create_budget(
        &mut self,
        id: BudgetId,
        terms: Terms,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if self.budgets.standing.len() >= MOST_BUDGETS {
            return Err(Refusal::TooManyBudgets);
        }
        let budget = Budget {
            id,
            terms,
            created_at: now.wall,
            revision: 0,
        };
        effects.push(Effect::Write(Record::Budget(Box::new(budget.clone()))));
        self.budgets.put(budget, now.wall);
        Ok(())
    }

    pub(super) fn change_budget(
        &mut self,
        id: BudgetId,
        patch: &TermsPatch,
        revision: Option<u64>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let at = self.budgets.position(id).ok_or(Refusal::NoSuchBudget)?;
        let mut budget = self.budgets.standing[at].budget.clone();
        if revision.is_some_and(|seen| seen != budget.revision) {
            return Err(Refusal::Stale);
        }
        let before = budget.terms.clone();
        patch.apply(&mut budget.terms);
        if budget.terms.allowance.is_empty() {
            return Err(Refusal::BudgetWithoutAmount);
        }
        if budget.terms == before {
            return Ok(());
        }
        budget.revision += 1;
        effects.push(Effect::Write(Record::Budget(Box::new(budget.clone()))));
        let has_other_name_only = Terms {
            name: before.name.clone(),
            ..budget.terms.clone()
        } == before;
        if !has_other_name_only {
            self.clear_amount(&scope(id), now, effects);
        }
        self.budgets.put(budget, now.wall);
        Ok(())
    }

    pub(super) fn drop_budget(
        &mut self,
        id: BudgetId,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let at = self.budgets.position(id).ok_or(Refusal::NoSuchBudget)?;
        self.budgets.standing.remove(at);
        self.budgets.is_gate_stale = true;
        effects.push(Effect::Write(Record::NoBudget(id)));
        self.clear_amount(&scope(id), now, effects);
        Ok(())
    }

    /// The budgets that begin anew, with what is used of each, in the order in which they were made.
    #[must_use]
    pub fn budgets(&self) -> Vec<BudgetView> {
        let standing = self.budgets.standing.iter();
        standing.map(Standing::view).collect()
    }

    /// One of them.
    #[must_use]
    pub fn budget(&self, id: BudgetId) -> Option<BudgetView> {
        let at = self.budgets.position(id)?;
        self.budgets.standing.get(at).map(Standing::view)
    }

    /// Which calls are refused from now on; `None`: the same as when that was last asked.
    pub fn new_gate(&mut self) -> Option<Gate> {
        std::mem::take(&mut self.budgets.is_gate_stale).then(|| self.gate())
    }

    fn gate(&self) -> Gate {
        let mut gate = Gate::default();
        for id in &self.budgets.closed {
            let Some(live) = self.sessions.get(id) else {
                continue;
            };
            let name = &live.session.name;
            if let Some(used) = live.session.allowance.refuses(&live.totals) {
                let why = format!(
                    "the budget of session “{name}” is used up ({used}). Raise it in the dashboard or with PATCH \
                     /api/sessions/{id}, or work in another session"
                );
                gate.sessions.insert(*id, why.into());
                if self.find(name) == Some(*id) {
                    gate.names.insert(name.clone(), *id);
                }
            }
        }
        if !gate.sessions.is_empty() {
            gate.conversations = self.all_bound().collect();
            gate.current = self.current;
        }
        for standing in self.budgets.standing.iter().filter(|standing| standing.is_closed) {
            let terms = &standing.budget.terms;
            if let Some(used) = terms.allowance.refuses(&standing.spent) {
                let why: Closed = Arc::from(format!(
                    "the budget “{}” for the {} is used up ({used}). Raise it with PATCH /api/budgets/{}, or wait \
                     until it begins anew",
                    terms.name,
                    terms.period.name(),
                    standing.budget.id
                ));
                gate.budgets.push((terms.of.clone(), why));
            }
        }
        gate
    }
}

impl Standing {
    fn view(&self) -> BudgetView {
        BudgetView::new(&self.budget, self.from, self.to, self.spent)
    }
}

const fn scope(budget_id: BudgetId) -> Scope {
    Scope::Budget { budget_id }
}
