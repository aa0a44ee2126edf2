//! What has to be written down.

use std::sync::Arc;

use super::alert::{Episode, Rule};
use super::answer::Answer;
use super::budget::Budget;
use super::call::Call;
use super::estimate::calibration::Learnt;
use super::forecast::{Settled, Shown};
use super::ids::{BudgetId, CallId, SessionId};
use super::report::Kept;
use super::session::CallsFate;
use super::session::Session;
use super::session::checkpoint::Checkpoint;
use super::session::clock::Reading;
use super::session::event::TimerEvent;
use super::session::track::Made;
use super::units::{Timestamp, Tokens};
use super::usage::once::OnceKey;
use super::windows::LimitSet;

/// One thing to write down. Each can be written again without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A call has begun.
    CallStarted(Arc<Call>),
    /// A call has ended, or what is known of an ended call has changed: the sums are corrected.
    CallFinished(Arc<Call>),
    /// Usage that can be fetched again is counted by this call.
    Counted(Counted),
    /// A session was created or has changed, with the events of its clock that this brought.
    Session {
        /// The session as it is now.
        session: Box<Session>,
        /// The new events; the first record of a session must have its first.
        events: Vec<TimerEvent>,
        /// If this also changes where calls go that name no session: the new one.
        current: Option<Option<SessionId>>,
    },
    /// A session's clock runs: how far a crash of the machine can set it back.
    Heartbeat {
        /// The session.
        session: SessionId,
        /// When.
        at: Reading,
    },
    /// A checkpoint of a session.
    Checkpoint(Box<Checkpoint>),
    /// A call that has ended began while its session was paused.
    WhilePaused {
        /// The call.
        call: CallId,
        /// Its session.
        session: SessionId,
        /// All its tokens.
        tokens: Tokens,
    },
    /// An ended call that began while its session was paused has left that session.
    NotWhilePaused(CallId),
    /// A session is deleted: from now on only the calls that still belong to it know of it.
    SessionDeleted {
        /// The session.
        session: SessionId,
        /// What becomes of its calls.
        calls: CallsFate,
    },
    /// A call that has ended is deleted.
    CallDeleted(CallId),
    /// Calls that began before a moment are no longer kept: those from one to another whose sessions had ended by then. All
    /// sums stay as they are.
    CallsForgotten {
        /// The moment.
        before: Timestamp,
        /// The first of them.
        first: CallId,
        /// The last.
        last: CallId,
    },
    /// No call belongs to a deleted session any more.
    SessionEmptied(SessionId),
    /// A request that had a key was answered.
    Answered(Box<Answer>),
    /// Nothing: it is known to be committed when everything before it is.
    Fence,
    /// Tokens were reported under a key, so that a repetition is recognised.
    Reported(Box<Kept>),
    /// A conversation's calls that name no session go here; `None`: they go where all others go.
    Bound {
        /// The client's own thread.
        conversation: Box<str>,
        /// Its session.
        session: Option<SessionId>,
        /// When.
        at: Timestamp,
    },
    /// What was foretold of a session, in place of what was noted before.
    Foretold(Box<Foretold>),
    /// What the calls of a finished session made of it: so it need not be made of them again.
    Course(Box<KeptCourse>),
    /// Calls that name no session go here.
    Current(Option<SessionId>),
    /// What a provider last told of its limits, in place of what it told before.
    Limits(Box<LimitSet>),
    /// What is known now of how far the estimates of a model's calls are off.
    Learnt {
        /// What is known.
        learnt: Box<Learnt>,
        /// When.
        at: Timestamp,
    },
    /// An alert was raised, changed or cleared.
    Alert(Box<Episode>),
    /// A budget that begins anew was made or changed.
    Budget(Box<Budget>),
    /// It is no more.
    NoBudget(BudgetId),
    /// The user wants to hear nothing of a rule's alerts, or wants to hear of them again.
    Muted {
        /// The rule.
        rule: Rule,
        /// Whether it is silent.
        muted: bool,
    },
}

/// What the calls of a finished session made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCourse {
    /// The session.
    pub session: SessionId,
    /// The store's note of which state of the session and its calls this was made of.
    pub made_of: Box<str>,
    /// What was made of them.
    pub made: Made,
}

/// What was foretold of a session while it ran, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foretold {
    /// The session.
    pub session: SessionId,
    /// What was shown.
    pub shown: Shown,
    /// What came of it, once the session has ended.
    pub settled: Option<Settled>,
}

/// Which call counts the usage behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The key.
    pub key: OnceKey,
    /// The call.
    pub call: CallId,
    /// Whether a later reply can still say more.
    pub standing: Standing,
}

/// Whether what was counted is the last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known yet, or not all: what is fetched later and says more takes its place.
    Open,
    /// All is known and has ended: what comes again changes nothing.
    Settled,
}
