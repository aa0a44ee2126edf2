//! The forecasts of one session: all tokens, fresh ones, and money.

use super::constants::{COST, FRESH, TOTAL};
use super::outlook::{Outlook, TimeToLimit};
use super::prior::{Finished, Length, Prior, worth};
use super::projection::{End, Projection, Rest};
use super::{Amount, Chance};
use crate::domain::units::{Millis, NanoUsd, Tokens};
use crate::domain::usage::parts::Parts;
use crate::domain::wire::Totals;

/// What one finished call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallUse {
    /// All its tokens.
    pub total: Tokens,
    /// Those that no cache served: sent anew, written to a cache, or generated.
    pub fresh: Tokens,
    /// Its generated tokens.
    pub generated: Tokens,
    /// What it is worth in fresh prompt tokens, at what is usual among providers: a generated token is worth five, one
    /// that is read from a cache a tenth, one that is written to it five quarters.
    ///
    /// This carries over from model to model where money does not.
    pub worth: Tokens,
    /// Its price, if there is one.
    pub cost: Option<NanoUsd>,
}

impl CallUse {
    /// What a call used; `None` if nothing is known of its tokens.
    #[must_use]
    pub fn of(parts: &Parts, cost: Option<NanoUsd>) -> Option<Self> {
        let total = parts.total()?;
        let known = |tokens: Option<Tokens>| tokens.unwrap_or_default();
        let (read, written) = (known(parts.cache_read), known(parts.cache_write()));
        let generated = known(parts.generated());
        let sent = total.saturating_sub(read + written + generated);
        Some(Self {
            total,
            fresh: total.saturating_sub(read),
            generated,
            worth: worth(sent, generated, read, written),
            cost,
        })
    }
}

/// The forecasts of one session.
///
/// It takes finished calls, each with the session's active time at its end, and answers at any active time from then
/// on. It says nothing before the first call, unless the user's own sessions say what is usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    total: Projection<Tokens>,
    fresh: Projection<Tokens>,
    cost: Projection<NanoUsd>,
    worth: Tokens,
    /// The worth of those calls that have a price, and what they cost.
    priced_worth: Tokens,
    priced: NanoUsd,
    usual_worth: f64,
    length: Length,
    past_sessions: usize,
}

impl Forecast {
    /// A session that begins, with what is usual.
    #[must_use]
    pub fn new(prior: &Prior) -> Self {
        let worth = prior.worth();
        Self {
            total: Projection::new(TOTAL, prior.total()),
            fresh: Projection::new(FRESH, prior.fresh()),
            cost: Projection::new(COST, worth),
            worth: Tokens(0),
            priced_worth: Tokens(0),
            priced: NanoUsd(0),
            usual_worth: worth.size,
            length: prior.length(),
            past_sessions: prior.sessions(),
        }
    }

    /// Takes a finished call at the session's active time.
    pub fn observe(&mut self, call: CallUse, at: Millis) {
        self.total.observe(call.total, at);
        self.fresh.observe(call.fresh, at);
        self.worth += call.worth;
        if let Some(cost) = call.cost {
            self.cost.observe(cost, at);
            self.priced_worth += call.worth;
            self.priced += cost;
            // What a token's worth costs is this session's own: what is usual would be another model's.
            let spent = self.priced.units() as f64;
            let size = match self.priced_worth {
                Tokens(0) => spent / self.cost.calls() as f64,
                Tokens(worth) => self.usual_worth * (spent / worth as f64),
            };
            self.cost.expect_size(size);
        }
    }

    /// Takes from the session's sums what it has used: they know what was corrected or moved since, and the calls that
    /// are too old to be taken one by one.
    pub fn agree_with(&mut self, sums: &Totals) {
        let calls = sums.priced_requests.saturating_add(sums.unpriced_requests);
        let cost = sums.cost_nano_usd.map_or(0, |cost| NanoUsd(cost).units());
        self.total.set_spent(sums.total, calls);
        self.fresh
            .set_spent(sums.total.saturating_sub(sums.cache_read), calls);
        self.cost.set_spent(cost, sums.priced_requests);
    }

    /// The calls whose usage is known.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.total.calls()
    }

    /// Calls that have no price, and that the forecast of the cost therefore leaves out.
    #[must_use]
    pub const fn unpriced_calls(&self) -> u64 {
        self.total.calls().saturating_sub(self.cost.calls())
    }

    /// What the session has used, for [`Prior::learn`] when it is finished.
    #[must_use]
    pub fn finished(&self, active: Millis) -> Finished {
        Finished {
            active,
            calls: self.total.calls(),
            total: self.total.spent(),
            fresh: self.fresh.spent(),
            worth: self.worth,
        }
    }

    /// All tokens at the session's end.
    #[must_use]
    pub fn total(&self, at: Millis, end: End) -> Option<Outlook<Tokens>> {
        self.outlook(&self.total, at, end)
    }

    /// Those that no cache served.
    #[must_use]
    pub fn fresh(&self, at: Millis, end: End) -> Option<Outlook<Tokens>> {
        self.outlook(&self.fresh, at, end)
    }

    /// The cost; nothing before a call has a price, which is not a cost of nothing.
    #[must_use]
    pub fn cost(&self, at: Millis, end: End) -> Option<Outlook<NanoUsd>> {
        (self.cost.calls() > 0).then(|| self.outlook(&self.cost, at, end))?
    }

    fn outlook<A: Amount>(&self, of: &Projection<A>, at: Millis, end: End) -> Option<Outlook<A>> {
        (of.calls() > 0 || self.past_sessions > 0)
            .then(|| of.outlook(at, self.rest(at, end), self.past_sessions))
    }

    fn rest(&self, at: Millis, end: End) -> Rest {
        Rest::of(end, self.length, at)
    }

    /// How likely it is that all tokens exceed a budget by the session's end.
    #[must_use]
    pub fn tokens_overrun(&self, at: Millis, end: End, budget: Tokens) -> Option<Chance> {
        (self.total.calls() > 0).then(|| self.total.overrun(at, self.rest(at, end), budget))
    }

    /// How likely it is that the tokens that no cache served exceed a budget by the session's end.
    #[must_use]
    pub fn fresh_overrun(&self, at: Millis, end: End, budget: Tokens) -> Option<Chance> {
        (self.fresh.calls() > 0).then(|| self.fresh.overrun(at, self.rest(at, end), budget))
    }

    /// How likely it is that the cost exceeds a budget by the session's end.
    #[must_use]
    pub fn cost_overrun(&self, at: Millis, end: End, budget: NanoUsd) -> Option<Chance> {
        (self.cost.calls() > 0).then(|| self.cost.overrun(at, self.rest(at, end), budget))
    }

    /// When all tokens meet a budget.
    #[must_use]
    pub fn tokens_limit(&self, at: Millis, budget: Tokens) -> Option<TimeToLimit> {
        (self.total.calls() > 0).then(|| self.total.time_to(at, budget))
    }

    /// When the tokens that no cache served meet a budget.
    #[must_use]
    pub fn fresh_limit(&self, at: Millis, budget: Tokens) -> Option<TimeToLimit> {
        (self.fresh.calls() > 0).then(|| self.fresh.time_to(at, budget))
    }

    /// When the cost meets a budget.
    #[must_use]
    pub fn cost_limit(&self, at: Millis, budget: NanoUsd) -> Option<TimeToLimit> {
        (self.cost.calls() > 0).then(|| self.cost.time_to(at, budget))
    }
}
