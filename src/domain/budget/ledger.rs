//! What was used by whom on each day of the running week and month, so that a budget's sum is known at once.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Days, Filter};
use crate::domain::call::Call;
use crate::domain::units::Timestamp;
use crate::domain::wire::Totals;

/// So many different users of tokens are told apart in a day; the rest are only counted.
const MOST_A_DAY: usize = 1_000;

/// What was used by calls that have provider, model and client in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The mount's name.
    pub provider: Box<str>,
    /// The model that answered, or the requested one.
    pub model: Option<Box<str>>,
    /// The program that made the calls.
    pub client: Option<Box<str>>,
    /// Their sums.
    pub totals: Totals,
}

impl Share {
    fn is_of(&self, call: &Call) -> bool {
        *self.provider == *call.start.provider
            && self.model.as_deref() == call.model()
            && self.client == call.start.client
    }
}

/// The sums of calls by the day on which they began. A call costs the same work however many there were.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    days: Days,
    shares: BTreeMap<Date, Vec<Share>>,
    /// The day that was looked at last, and its bounds.
    day: Option<(Date, Timestamp, Timestamp)>,
}

impl Ledger {
    /// An empty one.
    #[must_use]
    pub fn of(days: Days) -> Self {
        Self {
            days,
            ..Self::default()
        }
    }

    /// Takes up what was used by calls that began in a quarter of an hour.
    pub fn take_up(&mut self, at: Timestamp, share: Share) {
        let day = self.day(at);
        let shares = self.shares.entry(day).or_default();
        let known = shares.iter_mut().find(|known| {
            known.provider == share.provider && known.model == share.model && known.client == share.client
        });
        match known {
            Some(known) => known.totals.merge(&share.totals),
            None => shares.push(share),
        }
    }

    /// Takes a call that has ended into the sums.
    pub fn add(&mut self, call: &Call) {
        let day = self.day(call.start.started_at);
        let shares = self.shares.entry(day).or_default();
        let known = shares.iter().position(|share| share.is_of(call));
        let known = known.or((shares.len() >= MOST_A_DAY).then_some(MOST_A_DAY - 1));
        match known.and_then(|known| shares.get_mut(known)) {
            Some(share) => share.totals.add(call),
            None => {
                let mut totals = Totals::default();
                totals.add(call);
                shares.push(Share {
                    provider: call.start.provider.clone(),
                    model: call.model().map(Into::into),
                    client: call.start.client.clone(),
                    totals,
                });
            }
        }
    }

    /// Takes a call out of the sums that was taken in before.
    pub fn remove(&mut self, call: &Call) {
        let day = self.day(call.start.started_at);
        let shares = self.shares.get_mut(&day);
        let share = shares.and_then(|shares| shares.iter_mut().find(|share| share.is_of(call)));
        if let Some(share) = share {
            share.totals.remove(call);
        }
    }

    /// What calls that match used, of those that began in a stretch of whole days.
    #[must_use]
    pub fn sum(&self, filter: &Filter, from: Timestamp, to: Timestamp) -> Totals {
        let mut sum = Totals::default();
        let days = self.days.day(from)..self.days.day(to);
        for share in self.shares.range(days).flat_map(|(_, shares)| shares) {
            if filter.matches(&share.provider, share.model.as_deref(), share.client.as_deref()) {
                sum.merge(&share.totals);
            }
        }
        sum
    }

    /// Forgets the days that count in no period any more.
    pub fn forget_before(&mut self, now: Timestamp) {
        self.shares = self.shares.split_off(&self.days.earliest(now));
    }

    fn day(&mut self, at: Timestamp) -> Date {
        match self.day {
            Some((day, from, to)) if (from..to).contains(&at) => day,
            _ => {
                let day = self.days.day(at);
                let (from, to) = self.days.bounds(super::Period::Day, at);
                self.day = Some((day, from, to));
                day
            }
        }
    }
}
