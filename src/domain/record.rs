//! What has to be written down.

use std::sync::Arc;

use super::call::Call;
use super::ids::SessionId;
use super::session::Session;
use super::session::clock::Reading;
use super::session::timer::TimerEvent;
use super::windows::LimitSet;
use super::wire::AlertView;

/// One thing to write down. Each can be written again without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A call has begun.
    CallStarted(Arc<Call>),
    /// A call has ended, or what is known of an ended call has changed: the sums are corrected.
    CallFinished(Arc<Call>),
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
    /// Calls that name no session go here.
    Current(Option<SessionId>),
    /// What a provider last told of its limits, in place of what it told before.
    Limits(Box<LimitSet>),
    /// An alert was raised or cleared.
    Alert(Box<AlertView>),
}
