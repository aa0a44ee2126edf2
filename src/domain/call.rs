//! One metered call: who asked whom for what, when, how it ended and what it used.

use super::estimate::Intervals;
use super::ids::{CallId, SessionId};
use super::operation::Operation;
use super::pricing::Cost;
use super::units::{Millis, Timestamp};
use super::usage::once::{Once, Share};
use super::usage::parts::Parts;
use super::windows::Observation;

/// Makes a fieldless enum whose variants have a stable name in the API and the database.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl utoipa::PartialSchema for $name {
            // Not derived: the derive reads no name that a macro hands on.
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .enum_values(Some([$($text),+]))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl $name {
            /// The name used in the API, the database and the exports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// How a call ended.
    Outcome {
        /// It is still under way.
        Running = "running",
        /// The whole reply arrived and was passed on.
        Complete = "complete",
        /// The client went away before the reply's end.
        ClientAborted = "client_aborted",
        /// The provider refused, could not be reached, or broke off the reply.
        UpstreamError = "upstream_error",
        /// The provider reported an error inside a stream that had begun well.
        StreamError = "stream_error",
        /// Moonlock was stopped while the call ran.
        Interrupted = "interrupted",
    }
}

named! {
    /// Where a call's numbers came from. No source at all means that nothing is known.
    Source {
        /// The provider said every number.
        Exact = "exact",
        /// The provider said some of them.
        Partial = "partial",
        /// Counted here, because the provider said nothing.
        Estimated = "estimated",
        /// Reported by hand.
        Manual = "manual",
        /// Read from another tool's history.
        Imported = "imported",
    }
}

named! {
    /// Why a call belongs to its session.
    Attribution {
        /// The `x-moonlock-session` header named it.
        Header = "header",
        /// The path's `/s/{session}/` prefix named it.
        Path = "path",
        /// Its conversation is bound to it.
        Conversation = "conversation",
        /// It was the active session when the call began.
        Active = "active",
        /// The user said so when it was reported by hand.
        Manual = "manual",
        /// The user moved it there afterwards, or out of its session.
        Moved = "moved",
        /// No session applied.
        Unassigned = "unassigned",
    }
}

/// The session that a request itself asks for, by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedSession {
    /// The id or name, as the client wrote it.
    pub label: Box<str>,
    /// Where the client wrote it: [`Attribution::Header`] or [`Attribution::Path`].
    pub by: Attribution,
}

/// The agent inside a conversation that made a call: one that the client's own agent started, not that one itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubAgent {
    /// Its id, as the client names it.
    pub id: Box<str>,
    /// The agent that started it; `None` is the conversation's own.
    pub parent: Option<Box<str>>,
}

/// What is known of a call when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallStart {
    /// The call's id, made when its request arrived.
    pub id: CallId,
    /// When the request arrived.
    pub started_at: Timestamp,
    /// The mount that it was sent to.
    pub provider: Box<str>,
    /// The price list's name for that provider, if it has one.
    pub price_provider: Option<Box<str>>,
    /// The operation.
    pub operation: Operation,
    /// The model that the request names.
    pub request_model: Option<Box<str>>,
    /// The client's own thread, from its headers or its request's metadata.
    pub conversation: Option<Box<str>>,
    /// The agent inside that thread; `None` is the thread's own, or not told.
    pub agent: Option<SubAgent>,
    /// The program that made the call, recognised from its headers.
    pub client: Option<Box<str>>,
    /// The session that the request asks for, if any.
    pub asked: Option<AskedSession>,
}

/// The kind of error of a reply that the meter could not decode: its bytes were passed on all the same.
pub const UNDECODABLE: &str = "undecodable";

/// What is known of a call when it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEnd {
    /// How it ended.
    pub outcome: Outcome,
    /// The provider's HTTP status, if it answered.
    pub status: Option<u16>,
    /// The model that answered.
    pub model: Option<Box<str>>,
    /// What it used.
    pub parts: Parts,
    /// Where the numbers came from; `None` where there are none.
    pub source: Option<Source>,
    /// Where the truth of what was estimated of them is thought to lie.
    pub estimate: Intervals,
    /// The provider's own usage object, as it was.
    pub raw_usage: Option<Box<str>>,
    /// The provider's id of the request.
    pub request_id: Option<Box<str>>,
    /// The kind of error that the provider or the transport named; never its message.
    pub error: Option<Box<str>>,
    /// Whether the reply was streamed.
    pub streamed: bool,
    /// From the request's arrival to the first byte of a streamed reply's body.
    pub ttft: Option<Millis>,
    /// From the request's arrival to the reply's end.
    pub duration: Millis,
}

impl CallEnd {
    /// Whether the provider answered with an error status: such a call uses nothing.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        self.outcome == Outcome::UpstreamError && self.status.is_some_and(|status| status >= 400)
    }
}

/// What is told of a call's end: the end, and what its reply says beyond this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The end.
    pub end: CallEnd,
    /// What its usage is recognised by, where it can be fetched again.
    pub once: Option<Once>,
    /// What other models used in it: each is a call of its own, by this id.
    pub others: Vec<(CallId, Share)>,
    /// What its provider told of the limits it keeps.
    pub limits: Option<Box<Observation>>,
    /// Whether what the provider did not say is being estimated.
    pub estimate: Promise,
}

/// Whether what the provider did not say of a call is being estimated when the call ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promise {
    /// It is not: nothing is missing, or nothing can be said.
    #[default]
    None,
    /// It is, and comes behind the end.
    Coming,
    /// It should be, but too many wait for it already.
    Refused,
}

impl From<CallEnd> for Ended {
    fn from(end: CallEnd) -> Self {
        Self {
            end,
            once: None,
            others: Vec::new(),
            limits: None,
            estimate: Promise::None,
        }
    }
}

/// A call as it is kept: its start, the session it belongs to and, once it has ended, its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its start.
    pub start: CallStart,
    /// The session it belongs to; `None` is *Unassigned*.
    pub session: Option<SessionId>,
    /// Why it belongs there.
    pub attribution: Attribution,
    /// Its end; `None` while it runs.
    pub end: Option<CallEnd>,
    /// What it cost, and by whose word; `None` where nothing or no price is known.
    pub cost: Option<Cost>,
    /// The call that its usage is counted with, where it came more than once: then this one has no numbers of its own
    /// and is in no sum.
    pub counted_by: Option<CallId>,
    /// When it was last rewritten after its end (moved, estimated, its numbers given up for another's), or reported of
    /// an earlier moment.
    pub changed_at: Option<Timestamp>,
}

impl Call {
    /// The same call without numbers, because they are counted with another.
    #[must_use]
    pub fn counted_with(mut self, other: CallId) -> Self {
        if let Some(end) = &mut self.end {
            end.parts = Parts::default();
            end.source = None;
            end.raw_usage = None;
        }
        self.cost = None;
        self.counted_by = Some(other);
        self
    }

    /// What another model used in this call, as a call of its own.
    #[must_use]
    pub fn beside(&self, id: CallId, share: Share) -> Self {
        let start = CallStart {
            id,
            request_model: None,
            ..self.start.clone()
        };
        let end = self.end.clone().map(|end| CallEnd {
            model: share.model,
            parts: share.parts,
            source: Some(share.source),
            raw_usage: None,
            ..end
        });
        Self {
            start,
            end,
            cost: None,
            ..self.clone()
        }
    }

    /// How the call ended, or that it runs.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.end.as_ref().map_or(Outcome::Running, |end| end.outcome)
    }

    /// The model that answered, or the one that was asked for.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.end
            .as_ref()
            .and_then(|end| end.model.as_deref())
            .or(self.start.request_model.as_deref())
    }
}
