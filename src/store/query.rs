//! What can be asked of the history.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::domain::alert::{Rule, Severity};
use crate::domain::call::{Outcome, Source};
use crate::domain::histogram::Histogram;
use crate::domain::ids::{AlertId, CallId, SessionId};
use crate::domain::operation::Operation;
use crate::domain::session::{Marks, Session, Status, clock::Reading};
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use crate::domain::wire::Totals;

/// Whose calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFilter {
    /// Those of one session.
    Id(SessionId),
    /// Those of none.
    Unassigned,
}

/// Which calls. What is `None` does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallQuery {
    /// Whose.
    pub session: Option<SessionFilter>,
    /// The mount's name.
    pub provider: Option<Box<str>>,
    /// The model that answered, or the requested one where the reply named none.
    pub model: Option<Box<str>>,
    /// How they ended.
    pub outcome: Option<Outcome>,
    /// Where their numbers came from.
    pub source: Option<Source>,
    /// The operation.
    pub operation: Option<Operation>,
    /// The client's own thread.
    pub conversation: Option<Box<str>>,
    /// The agent inside the thread.
    pub agent: Option<Box<str>>,
    /// The program that made the call.
    pub client: Option<Box<str>>,
    /// The provider's HTTP status, from the one to the other, both included.
    pub status: Option<(u16, u16)>,
    /// It cost at least so much.
    pub min_cost: Option<NanoUsd>,
    /// It cost at most so much.
    pub max_cost: Option<NanoUsd>,
    /// It used at least so many tokens in all.
    pub min_tokens: Option<Tokens>,
    /// It used at most so many.
    pub max_tokens: Option<Tokens>,
    /// A part of the model's, the operation's or the client's name, in any case.
    pub search: Option<Box<str>>,
    /// Not theirs.
    pub except: Option<SessionFilter>,
    /// Started at or after this moment. (A call's id must carry the moment of its start.)
    pub from: Option<Timestamp>,
    /// Started before this moment.
    pub to: Option<Timestamp>,
    /// Running, or ended or rewritten at or after this moment.
    pub changed_since: Option<Timestamp>,
    /// Older than this call: the last one of the page before.
    pub before: Option<CallId>,
    /// At most so many.
    pub limit: usize,
}

impl CallQuery {
    /// Whether it asks for what only an ended call has.
    pub(super) const fn wants_ended(&self) -> bool {
        self.source.is_some()
            || self.status.is_some()
            || self.min_cost.is_some()
            || self.max_cost.is_some()
            || self.min_tokens.is_some()
            || self.max_tokens.is_some()
    }
}

impl Default for CallQuery {
    /// The fifty newest calls.
    fn default() -> Self {
        Self {
            session: None,
            provider: None,
            model: None,
            outcome: None,
            source: None,
            operation: None,
            conversation: None,
            agent: None,
            client: None,
            status: None,
            min_cost: None,
            max_cost: None,
            min_tokens: None,
            max_tokens: None,
            search: None,
            except: None,
            from: None,
            to: None,
            changed_since: None,
            before: None,
            limit: 50,
        }
    }
}

/// By what sessions are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionSort {
    /// When they began.
    #[default]
    Started,
    /// All their tokens.
    Tokens,
    /// What they cost, as far as that is known.
    Cost,
    /// How long their clocks have run.
    Duration,
}

/// A session's place in a sorted list: what it is sorted by, and its id.
pub type SessionPlace = (i64, SessionId);

/// Which sessions. What is `None` does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionQuery {
    /// A part of the name, of a tag or of the note, in any case.
    pub search: Option<Box<str>>,
    /// A whole tag, in any case.
    pub tag: Option<Box<str>>,
    /// The beginning of the id.
    pub id: Option<Box<str>>,
    /// Where they stand; empty is anywhere.
    pub status: Vec<Status>,
    /// Began at or after this moment.
    pub from: Option<Timestamp>,
    /// Began before this moment.
    pub to: Option<Timestamp>,
    /// By what they are sorted.
    pub sort: SessionSort,
    /// The smallest first, not the largest.
    pub ascending: bool,
    /// The moment until which clocks that run are taken to have run.
    pub now: Timestamp,
    /// Behind this place: that of the last one of the page before.
    pub after: Option<SessionPlace>,
    /// At most so many.
    pub limit: usize,
}

impl Default for SessionQuery {
    /// The fifty newest.
    fn default() -> Self {
        Self {
            search: None,
            tag: None,
            id: None,
            status: Vec::new(),
            from: None,
            to: None,
            sort: SessionSort::Started,
            ascending: false,
            now: Timestamp(0),
            after: None,
            limit: 50,
        }
    }
}

/// Which alerts. What is `None` does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertQuery {
    /// Of which rule.
    pub rule: Option<Rule>,
    /// How much they matter.
    pub severity: Option<Severity>,
    /// About which session, or a conversation of it.
    pub session: Option<SessionId>,
    /// Whether they stand.
    pub standing: Option<bool>,
    /// Raised at or after this moment.
    pub from: Option<Timestamp>,
    /// Raised before this moment.
    pub to: Option<Timestamp>,
    /// Older than this one: the last one of the page before.
    pub before: Option<AlertId>,
    /// At most so many.
    pub limit: usize,
}

impl Default for AlertQuery {
    /// The fifty newest.
    fn default() -> Self {
        Self {
            rule: None,
            severity: None,
            session: None,
            standing: None,
            from: None,
            to: None,
            before: None,
            limit: 50,
        }
    }
}

/// How many calls match, and when they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many.
    pub calls: u64,
    /// When the first of them began.
    pub first: Option<Timestamp>,
    /// When the last of them began.
    pub last: Option<Timestamp>,
}

/// By what sums are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// The session.
    Session,
    /// The mount's name.
    Provider,
    /// The model that answered, or the requested one where the reply named none.
    Model,
    /// The program that made the call.
    Client,
    /// The operation.
    Operation,
    /// Where the numbers came from.
    Source,
    /// How the call ended.
    Outcome,
    /// The quarter of an hour, the hour or the day in which the call began.
    Bucket,
    /// The client's own thread.
    Conversation,
}

/// How finely time is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// By quarters of an hour: every zone's days begin with one.
    #[default]
    Quarters,
    /// By hours.
    Hours,
    /// By the days of a zone.
    Days(TimeZone),
}

/// Whether it is asked how long calls took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timings {
    /// It is not.
    #[default]
    Ignored,
    /// It is.
    Wanted,
}

/// Which sums. A range is widened to whole quarters of an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageQuery {
    /// Calls that began at or after this moment.
    pub from: Option<Timestamp>,
    /// Calls that began before this moment.
    pub to: Option<Timestamp>,
    /// Whose.
    pub session: Option<SessionFilter>,
    /// How they are split; by nothing is one group, or none where there are no calls.
    pub group_by: Vec<GroupBy>,
    /// How finely [`GroupBy::Bucket`] cuts.
    pub step: Step,
    /// Whether groups say how long their calls took.
    pub timings: Timings,
}

/// What a group's calls have in common: `None` where they were not split by it, or where they have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageKeys {
    /// The session.
    pub session: Option<SessionId>,
    /// The mount's name.
    pub provider: Option<Arc<str>>,
    /// The model that answered, or the requested one.
    pub model: Option<Arc<str>>,
    /// The program that made the call.
    pub client: Option<Arc<str>>,
    /// The client's own thread.
    pub conversation: Option<Arc<str>>,
    /// The operation.
    pub operation: Option<Operation>,
    /// Where the numbers came from.
    pub source: Option<Source>,
    /// How the call ended.
    pub outcome: Option<Outcome>,
    /// The start of the quarter of an hour, of the hour or of the day.
    pub bucket: Option<Timestamp>,
}

/// The sums of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageGroup {
    /// What its calls have in common.
    pub keys: UsageKeys,
    /// Their sums.
    pub totals: Totals,
    /// The sum of their durations.
    pub duration: Millis,
    /// How long they took, if that was asked for.
    pub durations: Histogram,
    /// How long their first bytes took, where they were streamed.
    pub ttfts: Histogram,
}

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The session, its clock replayed from its events.
    pub session: Session,
    /// The sums of its calls.
    pub totals: Totals,
    /// What else is kept of it.
    pub marks: Marks,
    /// The last moment at which its clock is known to have run.
    pub heartbeat: Option<Reading>,
}
