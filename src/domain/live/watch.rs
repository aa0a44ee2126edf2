//! What is watched about a session that has not ended, for alerts.

use super::super::alert::{Episode, Facts, Likely, Measure, Overrun, Rule, Scope};
use super::super::forecast::alarm::{Bursts, IdleNotice, Level, Loops, OverrunWatch, Signal, SizeJumps};
use super::super::forecast::{Amount, CallUse, End};
use super::super::ids::SessionId;
use super::super::session::Session;
use super::super::units::{Millis, Timestamp};
use super::ahead::{BudgetAhead, PastCall};

/// A call that ended longer ago, and is counted only now, was moved here or found out later: it is no alarm.
const FRESH: Millis = Millis(60_000);

/// What a watch has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Something is found.
    Raise(Scope, Facts),
    /// What was found is over.
    Clear(Rule, Scope),
}

/// The watch of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct BudgetWatch {
    /// The budget and the end; anything else has to be watched anew.
    of: Option<(u64, End)>,
    watch: OverrunWatch,
}

/// The watches of one session. What they find waits until it is next looked at, within a second.
#[derive(Clone, Debug)]
pub(super) struct Watches {
    session: SessionId,
    tokens: BudgetWatch,
    cost: BudgetWatch,
    bursts: Bursts,
    sizes: SizeJumps,
    loops: Loops,
    idle: IdleNotice,
    found: Vec<Finding>,
}

/// How a budget will do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    /// In tokens or billionths of a dollar.
    pub(super) budget: u64,
    pub(super) end: End,
    pub(super) ahead: BudgetAhead,
    pub(super) calls: u64,
}

impl Watches {
    pub(super) fn new(session: SessionId) -> Self {
        Self {
            session,
            tokens: BudgetWatch::default(),
            cost: BudgetWatch::default(),
            bursts: Bursts::default(),
            sizes: SizeJumps::default(),
            loops: Loops::default(),
            idle: IdleNotice::default(),
            found: Vec::new(),
        }
    }

    const fn scope(&self) -> Scope {
        Scope::session(self.session)
    }

    /// Takes up a call of before the start: what it told was told then.
    pub(super) fn recall(&mut self, used: CallUse, at: Millis) {
        self.bursts.observe(at);
        self.sizes.observe(used.total, at);
        self.idle.observe(at);
    }

    /// Takes up an alert that stands since before the start.
    pub(super) fn resume(&mut self, standing: &Episode, session: &Session, end: End, at: Millis) {
        let level = match standing.level {
            90.. => Level::Likely,
            _ => Level::Watch,
        };
        let watched = |budget: Option<u64>| BudgetWatch {
            of: budget.map(|budget| (budget, end)),
            watch: OverrunWatch::resumed(level),
        };
        let tokens = session.allowance.tokens.map(Amount::units);
        let cost = session.allowance.cost.map(Amount::units);
        match (standing.rule, &standing.scope) {
            (Rule::OverrunTokens, _) => self.tokens = watched(tokens),
            (Rule::OverrunCost, _) => self.cost = watched(cost),
            (Rule::CallsBurst, _) => self.bursts.resume(at),
            (Rule::CallsSize, _) => self.sizes.resume(at),
            (Rule::CallsLoop, Scope::Conversation { conversation, .. }) => {
                self.loops.resume(conversation, at)
            }
            (Rule::SessionIdle, _) => self.idle.resume(),
            _ => {}
        }
    }

    /// Takes a call that has just ended.
    pub(super) fn take(&mut self, conversation: Option<&str>, call: &PastCall, at: Millis, now: Timestamp) {
        let used = call.used;
        if now.since(call.ended_at) > FRESH {
            return;
        }
        let scope = self.scope();
        let burst = self.bursts.observe(at);
        self.note(burst, Rule::CallsBurst, scope.clone(), |burst| Facts::Burst {
            calls: burst.calls,
            usual_most: burst.usual_most,
        });
        let jump = self.sizes.observe(used.total, at);
        self.note(jump, Rule::CallsSize, scope, |jump| Facts::SizeJump {
            tokens: jump.tokens,
            usual: jump.usual,
        });
        if let Some(signal) = self.loops.observe(conversation, used, at) {
            let name = conversation.unwrap_or_default();
            let name = match &signal {
                Signal::Raise(seen) => seen.conversation.clone(),
                Signal::Clear => Loops::name(name),
            };
            let scope = self.conversation(name);
            self.note(Some(signal), Rule::CallsLoop, scope, |seen| Facts::Loop {
                calls: seen.calls,
                within: seen.within,
            });
        }
    }

    fn conversation(&self, conversation: Box<str>) -> Scope {
        Scope::Conversation {
            session_id: Some(self.session),
            conversation,
        }
    }

    fn note<N>(
        &mut self,
        signal: Option<Signal<N>>,
        rule: Rule,
        scope: Scope,
        facts: impl FnOnce(N) -> Facts,
    ) {
        let finding = signal.map(|signal| match signal {
            Signal::Raise(numbers) => Finding::Raise(scope, facts(numbers)),
            Signal::Clear => Finding::Clear(rule, scope),
        });
        self.found.extend(finding);
    }

    /// A call began or ended.
    pub(super) fn is_active(&mut self, at: Millis) {
        let signal = self.idle.observe(at);
        self.note(signal, Rule::SessionIdle, self.scope(), |idle| Facts::Idle {
            since: Millis(at.0.saturating_sub(idle.since.0)),
        });
    }

    /// Takes the time; `is_quiet` says that no call runs.
    pub(super) fn pass(&mut self, at: Millis, is_quiet: bool) {
        let (burst, jump) = (self.bursts.advance(at), self.sizes.advance(at));
        self.note(burst, Rule::CallsBurst, self.scope(), |burst| Facts::Burst {
            calls: burst.calls,
            usual_most: burst.usual_most,
        });
        self.note(jump, Rule::CallsSize, self.scope(), |jump| Facts::SizeJump {
            tokens: jump.tokens,
            usual: jump.usual,
        });
        for conversation in self.loops.advance(at) {
            let scope = self.conversation(conversation);
            self.found.push(Finding::Clear(Rule::CallsLoop, scope));
        }
        let idle = is_quiet.then(|| self.idle.advance(at)).flatten();
        self.note(idle, Rule::SessionIdle, self.scope(), |idle| Facts::Idle {
            since: Millis(at.0.saturating_sub(idle.since.0)),
        });
    }

    /// Looks at a budget of tokens or of money; `None`: there is none, or nothing is known. Whether an overrun is nearly certain.
    pub(super) fn look(&mut self, of: Measure, outlook: Option<&Watched>) -> bool {
        let (rule, watched) = match of {
            Measure::Tokens => (Rule::OverrunTokens, &mut self.tokens),
            Measure::Cost => (Rule::OverrunCost, &mut self.cost),
        };
        let scope = Scope::session(self.session);
        let now = outlook.map(|outlook| (outlook.budget, outlook.end));
        if watched.of != now {
            if watched.watch.level() != Level::Fine {
                self.found.push(Finding::Clear(rule, scope.clone()));
            }
            *watched = BudgetWatch {
                of: now,
                watch: OverrunWatch::default(),
            };
        }
        let Some(outlook) = outlook else { return false };
        let signal = watched.watch.observe(outlook.ahead.chance, outlook.calls);
        let finding = signal.map(|signal| match signal {
            Signal::Raise(seen) if seen.level < Level::Exceeded => Finding::Raise(
                scope,
                Facts::Overrun(Overrun {
                    of,
                    likely: if seen.level == Level::Watch {
                        Likely::Watch
                    } else {
                        Likely::Nearly
                    },
                    percent: seen.chance.percent(),
                    left: outlook.ahead.time.early.zip(outlook.ahead.time.late),
                }),
            ),
            // What has come is told by the budget's own rule.
            Signal::Raise(_) | Signal::Clear => Finding::Clear(rule, scope),
        });
        self.found.extend(finding);
        watched.watch.level() == Level::Likely
    }

    /// What was found since it was last asked for.
    pub(super) fn findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.found)
    }
}
