//! What is watched, and how much it matters.

use std::borrow::Cow;

use super::Thresholds;
use crate::domain::call::named;

named! {
    /// What an alert is about. At most one alert of a rule stands for each [scope](super::Scope).
    Rule {
        /// A budget in tokens is nearly used up, or is.
        BudgetTokens = "budget.tokens",
        /// A budget in money is nearly used up, or is.
        BudgetCost = "budget.cost",
        /// Calls without a known price are missing from a budget in money.
        BudgetUnpriced = "budget.unpriced",
        /// A session will probably use more tokens than its budget has.
        OverrunTokens = "overrun.tokens",
        /// A session will probably cost more than its budget has.
        OverrunCost = "overrun.cost",
        /// Many more calls in a minute than usual.
        CallsBurst = "calls.burst",
        /// A call much larger than the ones before it.
        CallsSize = "calls.size",
        /// A conversation that asks the same again and again.
        CallsLoop = "calls.loop",
        /// A session whose clock runs while nothing is asked.
        SessionIdle = "session.idle",
        /// A provider's own limit period is nearly used up.
        ProviderWindow = "provider.window",
        /// A provider fails one call after the other.
        ProviderErrors = "provider.errors",
        /// A provider says, one call after the other, that it is overloaded or that too much is asked of it.
        ProviderOverload = "provider.overload",
        /// Commits take longer than replies wait for them.
        StoreSlow = "store.slow",
        /// The database cannot be written.
        StoreFailing = "store.failing",
        /// Many rows wait to be written.
        StoreQueue = "store.queue",
        /// The database was damaged, or its file taken away.
        StoreRepaired = "store.repaired",
        /// The daily backup fails.
        BackupFailing = "backup.failing",
        /// Replies come that the meter cannot read.
        MeterBlind = "meter.blind",
    }
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 18] = [
        Self::BudgetTokens,
        Self::BudgetCost,
        Self::BudgetUnpriced,
        Self::OverrunTokens,
        Self::OverrunCost,
        Self::CallsBurst,
        Self::CallsSize,
        Self::CallsLoop,
        Self::SessionIdle,
        Self::ProviderWindow,
        Self::ProviderErrors,
        Self::ProviderOverload,
        Self::StoreSlow,
        Self::StoreFailing,
        Self::StoreQueue,
        Self::StoreRepaired,
        Self::BackupFailing,
        Self::MeterBlind,
    ];

    /// What it watches, as a sentence for the list of rules; `at` are the shares that the user has set.
    #[must_use]
    pub fn about(self, at: &Thresholds) -> Cow<'static, str> {
        let about = match self {
            Self::BudgetTokens => {
                return format!("A budget in tokens is used to {}.", at.listed_with_limit()).into();
            }
            Self::BudgetCost => {
                return format!("A budget in money is used to {}.", at.listed_with_limit()).into();
            }
            Self::ProviderWindow => {
                return format!("A provider's own limit is used to {}.", at.listed()).into();
            }
            Self::BudgetUnpriced => "A budget in money misses calls that have no known price.",
            Self::OverrunTokens => "A session will probably use more tokens than its budget has.",
            Self::OverrunCost => "A session will probably cost more than its budget has.",
            Self::CallsBurst => "Many more calls come in a minute than usual.",
            Self::CallsSize => "A call is much larger than the ones before it.",
            Self::CallsLoop => "A conversation asks nearly the same again and again.",
            Self::SessionIdle => "A session's clock runs while nothing is asked.",
            Self::ProviderErrors => "A provider fails one call after the other.",
            Self::ProviderOverload => "A provider turns one call after the other away.",
            Self::StoreSlow => "The disk is too slow for replies to wait for it.",
            Self::StoreFailing => "The database cannot be written.",
            Self::StoreQueue => "Many rows wait to be written.",
            Self::StoreRepaired => "The database was damaged, or deleted while it was used.",
            Self::BackupFailing => "The daily backup fails.",
            Self::MeterBlind => "Replies come that the meter cannot read.",
        };
        about.into()
    }

    /// Whether it tells of something that has happened and does not pass: its alert stands until it is acknowledged.
    #[must_use]
    pub const fn stands_until_acknowledged(self) -> bool {
        matches!(self, Self::StoreRepaired)
    }
}

named! {
    /// How much an alert matters.
    Severity {
        /// Good to know.
        Info = "info",
        /// Look at it when there is time.
        Warning = "warning",
        /// Look at it now.
        Critical = "critical",
    }
}

named! {
    /// What became of an alert.
    AlertStatus {
        /// It stands, and asks to be looked at.
        Active = "active",
        /// It stands, and the user has seen it.
        Acknowledged = "acknowledged",
        /// It stands, and the user wants to hear of it again later.
        Snoozed = "snoozed",
        /// It stands, and the user wants to hear nothing of its rule.
        Muted = "muted",
        /// It is over.
        Cleared = "cleared",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rules_are_listed_once_and_found_by_name() {
        for (index, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(rule as usize, index, "{rule:?}");
            assert_eq!(Rule::from_name(rule.name()), Some(rule));
        }
    }
}
