//! What is watched about a session that has not ended, for alerts.

use super::super::alert::{Episode, Facts, Likely, Measure, Overrun, Rule, Scope};
use super::super::call::CallStart;
use super::super::forecast::alarm::{Alarms, IdleNotice, Level, OverrunWatch, Signal, Thread, Threads};
use super::super::forecast::{Amount, End};
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
    threads: Threads<Scope>,
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
            threads: Threads::default(),
            idle: IdleNotice::default(),
            found: Vec::new(),
        }
    }

    const fn scope(&self) -> Scope {
        Scope::session(self.session)
    }

    /// Takes up a call of before the start: what it told was told then.
    pub(super) fn recall(&mut self, call: &PastCall, at: Millis) {
        self.threads.recall(call.thread, call.used, at);
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
        let (thread, scope) = (thread_of(&standing.scope), standing.scope.clone());
        match standing.rule {
            Rule::OverrunTokens => self.tokens = watched(tokens),
            Rule::OverrunCost => self.cost = watched(cost),
            Rule::CallsBurst => self.threads.resume_burst(thread, at, scope),
            Rule::CallsSize => self.threads.resume_jump(thread, at, scope),
            Rule::CallsLoop => self.threads.resume_loop(thread, at, scope),
            Rule::SessionIdle => self.idle.resume(),
            _ => {}
        }
    }

    /// Takes a call that has just ended.
    pub(super) fn take(&mut self, start: &CallStart, call: &PastCall, at: Millis, now: Timestamp) {
        if now.since(call.ended_at) > FRESH {
            return;
        }
        let session = self.session;
        let changed = self
            .threads
            .observe(call.thread, call.used, at, || scope_of(session, start));
        if let Some((scope, alarms)) = changed {
            self.note_all(&scope, alarms);
        }
    }

    fn note_all(&mut self, scope: &Scope, alarms: Alarms) {
        self.note(alarms.burst, Rule::CallsBurst, scope.clone(), |burst| {
            Facts::Burst {
                calls: burst.calls,
                usual_most: burst.usual_most,
            }
        });
        self.note(alarms.jump, Rule::CallsSize, scope.clone(), |jump| {
            Facts::SizeJump {
                tokens: jump.tokens,
                usual: jump.usual,
            }
        });
        self.note(alarms.repeats, Rule::CallsLoop, scope.clone(), |seen| {
            Facts::Loop {
                calls: seen.calls,
                within: seen.within,
            }
        });
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
        for (scope, alarms) in self.threads.advance(at) {
            self.note_all(&scope, alarms);
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

/// What alerts about a call's thread are about: the session where its client names no thread.
fn scope_of(session_id: SessionId, start: &CallStart) -> Scope {
    let name = |name: Option<&str>| Box::from(Thread::name(name.unwrap_or_default()));
    let conversation: Box<str> = name(start.conversation.as_deref());
    match &start.agent {
        Some(agent) => Scope::Agent {
            session_id,
            conversation,
            agent: name(Some(&agent.id)),
        },
        None if conversation.is_empty() => Scope::session(session_id),
        None => Scope::Conversation {
            session_id: Some(session_id),
            conversation,
        },
    }
}

/// The thread that alerts of a scope are about.
fn thread_of(scope: &Scope) -> Thread {
    match scope {
        Scope::Conversation { conversation, .. } => Thread::of(Some(conversation), None),
        Scope::Agent {
            conversation, agent, ..
        } => Thread::of(Some(conversation), Some(agent)),
        _ => Thread::default(),
    }
}
