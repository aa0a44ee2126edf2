//! What a rule found, and the sentence that says it.

use std::fmt;

use super::text::{Grouped, Odds, Span};
use super::{Passed, Rule, Severity};
use crate::domain::budget::{AtLimit, Period, Used};
use crate::domain::units::{Millis, Tokens};

/// What a rule found: it tells the rule, how bad it is, and the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facts {
    /// A budget is nearly used up, or is.
    Budget {
        /// The budget.
        whose: Whose,
        /// How much of it is used.
        used: Used,
        /// The share that was passed.
        passed: Passed,
        /// What happens when it is used up.
        at_limit: AtLimit,
    },
    /// Calls without a known price are missing from a budget in money.
    Unpriced {
        /// The budget.
        whose: Whose,
        /// Their tokens.
        unpriced: u64,
    },
    /// A session's budget will probably not last.
    Overrun(Overrun),
    /// Many more calls in a minute than usual.
    Burst {
        /// Calls in the last 60 seconds.
        calls: u32,
        /// What the session's minutes have at most, as a rule.
        usual_most: u32,
    },
    /// A call much larger than the ones before it.
    SizeJump {
        /// The call's tokens.
        tokens: Tokens,
        /// What the calls before it had, about.
        usual: Tokens,
    },
    /// A conversation that repeats itself.
    Loop {
        /// How many calls were alike.
        calls: usize,
        /// In how much time.
        within: Millis,
    },
    /// A session without calls.
    Idle {
        /// For how long its clock has run since the last one.
        since: Millis,
    },
    /// A provider's own limit period is nearly used up.
    Window {
        /// The mount's name.
        provider: Box<str>,
        /// The provider's name for the period.
        window: Box<str>,
        /// How much of it is used.
        percent: u32,
        /// The share that was passed.
        passed: Passed,
        /// When it begins anew, where the provider says so.
        anew_in: Option<Millis>,
    },
    /// A provider fails one call after the other.
    ProviderErrors {
        /// The mount's name.
        provider: Box<str>,
        /// How many in a row.
        calls: u32,
        /// In how much time.
        within: Millis,
    },
    /// A provider turns one call after the other away.
    ProviderOverload {
        /// The mount's name.
        provider: Box<str>,
        /// How many in a row.
        calls: u32,
        /// In how much time.
        within: Millis,
    },
    /// Replies of a provider cannot be read.
    MeterBlind {
        /// The mount's name.
        provider: Box<str>,
        /// How many in a row.
        calls: u32,
    },
    /// Many rows wait to be written.
    StoreQueue {
        /// How many.
        rows: usize,
    },
    /// Commits take longer than replies wait for them.
    StoreSlow,
    /// The database cannot be written.
    StoreFailing,
    /// The database was damaged, or its file taken away; as sentences, what became of it.
    StoreRepaired(Box<str>),
    /// The daily backup fails; as a sentence, why.
    BackupFailing(Box<str>),
}

/// Whose a budget is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A session's.
    Session {
        /// How long its clock has run.
        elapsed: Millis,
    },
    /// One that begins anew.
    Standing {
        /// Its name.
        name: Box<str>,
        /// When it begins anew.
        period: Period,
    },
}

/// A budget that will probably not last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun {
    /// Which of the session's budgets.
    pub of: Measure,
    /// How sure it is.
    pub likely: Likely,
    /// How likely it is, in percent.
    pub percent: u8,
    /// In how much active time the budget is used up, as a range, where that can be said.
    pub left: Option<(Millis, Millis)>,
}

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Tokens.
    Tokens,
    /// Money.
    Cost,
}

/// How sure an overrun is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likely {
    /// Likely enough to keep an eye on it.
    Watch,
    /// Nearly certain.
    Nearly,
}

impl Facts {
    /// The rule that finds such.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        match self {
            Self::Budget { used, .. } => match used.measure {
                Measure::Tokens => Rule::BudgetTokens,
                Measure::Cost => Rule::BudgetCost,
            },
            Self::Unpriced { .. } => Rule::BudgetUnpriced,
            Self::Overrun(overrun) => match overrun.of {
                Measure::Tokens => Rule::OverrunTokens,
                Measure::Cost => Rule::OverrunCost,
            },
            Self::Burst { .. } => Rule::CallsBurst,
            Self::SizeJump { .. } => Rule::CallsSize,
            Self::Loop { .. } => Rule::CallsLoop,
            Self::Idle { .. } => Rule::SessionIdle,
            Self::Window { .. } => Rule::ProviderWindow,
            Self::ProviderErrors { .. } => Rule::ProviderErrors,
            Self::ProviderOverload { .. } => Rule::ProviderOverload,
            Self::MeterBlind { .. } => Rule::MeterBlind,
            Self::StoreQueue { .. } => Rule::StoreQueue,
            Self::StoreSlow => Rule::StoreSlow,
            Self::StoreFailing => Rule::StoreFailing,
            Self::StoreRepaired(_) => Rule::StoreRepaired,
            Self::BackupFailing(_) => Rule::BackupFailing,
        }
    }

    /// The threshold that was passed, in percent; 0 where the rule has only one.
    #[must_use]
    pub const fn level(&self) -> u8 {
        match self {
            Self::Budget { passed, .. } | Self::Window { passed, .. } => passed.percent,
            Self::Overrun(overrun) => match overrun.likely {
                Likely::Watch => 80,
                Likely::Nearly => 90,
            },
            _ => 0,
        }
    }

    /// How much it matters.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Overrun(overrun) => match overrun.likely {
                Likely::Watch => Severity::Info,
                Likely::Nearly => Severity::Warning,
            },
            Self::Budget { passed, .. } | Self::Window { passed, .. } => passed.severity,
            Self::Idle { .. } | Self::Unpriced { .. } => Severity::Info,
            Self::Burst { .. }
            | Self::SizeJump { .. }
            | Self::StoreSlow
            | Self::StoreQueue { .. }
            | Self::ProviderErrors { .. }
            | Self::ProviderOverload { .. }
            | Self::MeterBlind { .. }
            | Self::BackupFailing(_) => Severity::Warning,
            Self::Loop { .. } | Self::StoreFailing | Self::StoreRepaired(_) => Severity::Critical,
        }
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget {
                whose,
                used,
                passed,
                at_limit,
            } => budget(f, whose, *used, passed.percent, *at_limit),
            Self::Unpriced { whose, unpriced } => write!(
                f,
                "{} has used more than it shows: {} tokens {} were of models without a known price. Give them one \
                 under [[prices]] in the configuration file.",
                whose.budget(),
                Grouped(*unpriced),
                whose.since(),
            ),
            Self::Overrun(overrun) => overrun.fmt(f),
            Self::Burst { calls, usual_most } => write!(
                f,
                "{} calls in the last minute, where at most {} are usual here. Look whether an agent runs away.",
                Grouped(u64::from(*calls)),
                Grouped(u64::from(*usual_most))
            ),
            Self::SizeJump { tokens, usual } => write!(
                f,
                "The last call used {} tokens, where the calls before it used about {}. If its context grew by \
                 accident, compact it or begin a new conversation.",
                Grouped(tokens.0),
                Grouped(usual.0)
            ),
            Self::Loop { calls, within } => write!(
                f,
                "One conversation made {calls} nearly equal calls in {}. Look whether its agent goes in circles, and \
                 stop it if so.",
                Span(*within)
            ),
            Self::Idle { since } => write!(
                f,
                "The session's clock has run for {} without a call. Pause it if you are away.",
                Span(*since)
            ),
            Self::Window {
                provider,
                window,
                percent,
                anew_in,
                ..
            } => {
                write!(
                    f,
                    "{provider} says that its limit “{window}” is used to {percent} %"
                )?;
                if let Some(left) = anew_in {
                    write!(f, "; it begins anew in {}", Span(*left))?;
                }
                f.write_str(". Slow down, or use another model or provider until then.")
            }
            Self::ProviderErrors {
                provider,
                calls,
                within,
            } => write!(
                f,
                "{provider} failed {calls} calls in a row within {}. Look at its status page, and use another provider \
                 meanwhile.",
                Span(*within)
            ),
            Self::ProviderOverload {
                provider,
                calls,
                within,
            } => write!(
                f,
                "{provider} turned {calls} calls in a row away within {}: it is overloaded, or your key asks too much \
                 of it. Wait, or use another model meanwhile.",
                Span(*within)
            ),
            Self::MeterBlind { provider, calls } => write!(
                f,
                "The last {calls} replies of {provider} could not be decoded: they were passed on, but their tokens \
                 are not counted. Let the client ask for gzip, br, zstd or no compression."
            ),
            Self::StoreQueue { rows } => write!(
                f,
                "{} rows wait to be written: the disk does not keep up. Look for what keeps it busy; they are lost if \
                 Moonlock is killed now.",
                Grouped(*rows as u64)
            ),
            Self::StoreSlow => f.write_str(
                "The disk is slow: replies are passed on before their rows are certain to survive a crash. \
                 Look for what keeps the disk busy.",
            ),
            Self::StoreFailing => f.write_str(
                "The database cannot be written: calls go through and are kept in memory until it can. \
                 Look whether the disk is full or read-only.",
            ),
            Self::StoreRepaired(message) | Self::BackupFailing(message) => f.write_str(message),
        }
    }
}

fn budget(
    f: &mut fmt::Formatter<'_>,
    whose: &Whose,
    used: Used,
    level: u8,
    at_limit: AtLimit,
) -> fmt::Result {
    let (of, since) = (whose.budget(), whose.since());
    match (level, at_limit) {
        (100.., AtLimit::Block) => write!(
            f,
            "{of} is used up: {used} {since}. New calls are refused; raise it to let them through."
        ),
        (100.., AtLimit::Alert) => write!(
            f,
            "{of} is used up: {used} {since}. Calls still go through; raise it, or stop here."
        ),
        (level, AtLimit::Block) => write!(
            f,
            "{of} is used to {level} %: {used} {since}. Calls are refused when it is used up; raise it, or slow down."
        ),
        (level, AtLimit::Alert) => write!(
            f,
            "{of} is used to {level} %: {used} {since}. Raise it, or slow down."
        ),
    }
}

impl Whose {
    fn budget(&self) -> String {
        match self {
            Self::Session { .. } => "The session's budget".to_owned(),
            Self::Standing { name, .. } => format!("The budget “{name}”"),
        }
    }

    fn since(&self) -> String {
        match self {
            Self::Session { elapsed } => format!("in {}", Span(*elapsed)),
            Self::Standing { period, .. } => match period {
                Period::Day => "since midnight".to_owned(),
                Period::Week => "since Monday".to_owned(),
                Period::Month => "since the first of the month".to_owned(),
            },
        }
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = match self.of {
            Measure::Tokens => "use more tokens",
            Measure::Cost => "cost more",
        };
        let odds = Odds(self.percent);
        write!(
            f,
            "At this pace the session will {more} than its budget has: {odds} likely"
        )?;
        if let Some((soonest, latest)) = self.left {
            write!(f, ", used up in {} to {}", Span(soonest), Span(latest))?;
        }
        f.write_str(". Slow down, use a smaller model, or raise the budget.")
    }
}
