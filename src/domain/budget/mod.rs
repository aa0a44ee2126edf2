//! Budgets: how much may be used, by a session or in every day, week or month, and what happens then.

mod gate;
mod ledger;
mod period;
#[cfg(test)]
mod tests;

pub use gate::{Asks, Closed, Gate};
pub use ledger::{Ledger, Share};
pub use period::{Days, Period};

use std::fmt;

use super::alert::Measure;
use super::alert::text::{Dollars, Grouped};
use super::call::named;
use super::ids::BudgetId;
use super::units::{NanoUsd, Timestamp, Tokens};
use super::wire::Totals;

/// So many budgets that begin anew can there be.
pub const MOST_BUDGETS: usize = 50;

/// The longest name of a budget, in characters; what it is limited to has at most as many.
pub const MAX_NAME: usize = 200;

named! {
    /// Which tokens a budget counts.
    Counts {
        /// All of them.
        All = "all",
        /// All but those that were read from a cache.
        Fresh = "fresh",
    }
}

named! {
    /// What happens when a budget is used up.
    AtLimit {
        /// The user is told.
        Alert = "alert",
        /// And calls are refused before they reach their provider; those that run go on to their end.
        Block = "block",
    }
}

/// How much may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Tokens; `None` is no budget.
    pub tokens: Option<Tokens>,
    /// Which of them count.
    pub counts: Counts,
    /// Money; `None` is no budget.
    pub cost: Option<NanoUsd>,
    /// What happens when one of both is used up.
    pub at_limit: AtLimit,
}

impl Default for Allowance {
    fn default() -> Self {
        Self::tokens(None)
    }
}

impl Allowance {
    /// So many tokens of any kind.
    #[must_use]
    pub const fn tokens(tokens: Option<Tokens>) -> Self {
        Self {
            tokens,
            counts: Counts::All,
            cost: None,
            at_limit: AtLimit::Alert,
        }
    }

    /// Whether nothing is limited.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tokens.is_none() && self.cost.is_none()
    }

    /// How much of each budget is used, after these sums.
    pub fn used(self, sums: &Totals) -> impl Iterator<Item = Used> {
        let tokens = self.tokens.map(|limit| Used {
            measure: Measure::Tokens,
            counts: self.counts,
            used: match self.counts {
                Counts::All => sums.total,
                Counts::Fresh => sums.total.saturating_sub(sums.cache_read),
            },
            limit: limit.0,
        });
        let whole = |amount: i64| u64::try_from(amount).unwrap_or(0);
        let cost = self.cost.map(|limit| Used {
            measure: Measure::Cost,
            counts: self.counts,
            used: whole(sums.cost_nano_usd.unwrap_or(0)),
            limit: whole(limit.0),
        });
        tokens.into_iter().chain(cost)
    }

    /// The budget that is used up and refuses calls, if one does.
    #[must_use]
    pub fn refuses(self, sums: &Totals) -> Option<Used> {
        let mut used = self.used(sums);
        used.find(|used| self.at_limit == AtLimit::Block && used.is_up())
    }
}

/// What changes of an allowance. What is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllowancePatch {
    /// Tokens.
    pub tokens: Option<Option<Tokens>>,
    /// Which of them count.
    pub counts: Option<Counts>,
    /// Money.
    pub cost: Option<Option<NanoUsd>>,
    /// What happens at the limit.
    pub at_limit: Option<AtLimit>,
}

impl AllowancePatch {
    /// Changes an allowance; gives whether it is different now.
    pub fn apply(self, allowance: &mut Allowance) -> bool {
        let before = *allowance;
        if let Some(tokens) = self.tokens {
            allowance.tokens = tokens;
        }
        if let Some(counts) = self.counts {
            allowance.counts = counts;
        }
        if let Some(cost) = self.cost {
            allowance.cost = cost;
        }
        if let Some(at_limit) = self.at_limit {
            allowance.at_limit = at_limit;
        }
        *allowance != before
    }
}

/// How much of a budget is used: tokens, or nano-dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// What it counts.
    pub measure: Measure,
    /// Which tokens, if it counts tokens.
    pub counts: Counts,
    /// How much is used.
    pub used: u64,
    /// Of how much.
    pub limit: u64,
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.measure, self.counts) {
            (Measure::Tokens, Counts::All) => {
                write!(f, "{} of {} tokens", Grouped(self.used), Grouped(self.limit))
            }
            (Measure::Tokens, Counts::Fresh) => {
                write!(
                    f,
                    "{} of {} fresh tokens",
                    Grouped(self.used),
                    Grouped(self.limit)
                )
            }
            (Measure::Cost, _) => {
                let dollars = |nanos| Dollars(NanoUsd(i64::try_from(nanos).unwrap_or(i64::MAX)));
                write!(f, "{} of {}", dollars(self.used), dollars(self.limit))
            }
        }
    }
}

impl Used {
    /// Whether nothing is left.
    #[must_use]
    pub const fn is_up(self) -> bool {
        self.used >= self.limit
    }

    /// How much is used, in thousandths of the limit.
    #[must_use]
    pub fn permille(self) -> u64 {
        permille(self.used, self.limit)
    }
}

/// How much is used of a limit, in thousandths; of nothing, all is used.
#[must_use]
pub fn permille(used: u64, limit: u64) -> u64 {
    let permille = (u128::from(used) * 1_000).checked_div(u128::from(limit));
    u64::try_from(permille.unwrap_or(u128::MAX)).unwrap_or(u64::MAX)
}

/// A budget that begins anew every day, week or month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its id.
    pub id: BudgetId,
    /// What the user set.
    pub terms: Terms,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with every change, so that a stale change is recognised.
    pub revision: u64,
}

/// What the user sets of a budget that begins anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its name.
    pub name: Box<str>,
    /// When it begins anew.
    pub period: Period,
    /// The calls that it is for.
    pub of: Filter,
    /// How much may be used.
    pub allowance: Allowance,
}

/// What changes of a budget's terms. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TermsPatch {
    /// Its name.
    pub name: Option<Box<str>>,
    /// When it begins anew.
    pub period: Option<Period>,
    /// The mount whose calls it counts.
    pub provider: Option<Option<Box<str>>>,
    /// The model whose calls it counts.
    pub model: Option<Option<Box<str>>>,
    /// The program whose calls it counts.
    pub client: Option<Option<Box<str>>>,
    /// How much may be used.
    pub allowance: AllowancePatch,
}

impl TermsPatch {
    /// Changes terms.
    pub fn apply(&self, terms: &mut Terms) {
        if let Some(name) = &self.name {
            terms.name.clone_from(name);
        }
        terms.period = self.period.unwrap_or(terms.period);
        let of = &mut terms.of;
        for (place, new) in [
            (&mut of.provider, &self.provider),
            (&mut of.model, &self.model),
            (&mut of.client, &self.client),
        ] {
            if let Some(new) = new {
                place.clone_from(new);
            }
        }
        self.allowance.apply(&mut terms.allowance);
    }
}

/// Which calls a budget is for: those that match all that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The mount's name.
    pub provider: Option<Box<str>>,
    /// The model that answered, or the requested one.
    pub model: Option<Box<str>>,
    /// The program that made the call.
    pub client: Option<Box<str>>,
}

impl Filter {
    /// Whether a call of these matches. What a call does not say matches nothing that is named.
    #[must_use]
    pub fn matches(&self, provider: &str, model: Option<&str>, client: Option<&str>) -> bool {
        let fits = |wanted: &Option<Box<str>>, given: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| given == Some(wanted))
        };
        fits(&self.provider, Some(provider)) && fits(&self.model, model) && fits(&self.client, client)
    }
}
