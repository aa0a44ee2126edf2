//! What an alert is about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{BudgetId, SessionId};

/// What an alert is about: a rule is watched for each of them apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Scope {
    /// Moonlock itself.
    Moonlock,
    /// A session.
    #[serde(rename_all = "camelCase")]
    Session {
        /// Which.
        #[cfg_attr(test, ts(type = "string"))]
        session_id: SessionId,
    },
    /// A client's own thread.
    #[serde(rename_all = "camelCase")]
    Conversation {
        /// The session that its calls belong to; `null` is *Unassigned*.
        #[cfg_attr(test, ts(type = "string | null"))]
        session_id: Option<SessionId>,
        /// As the client names it; empty if it does not.
        conversation: Box<str>,
    },
    /// An agent inside a client's own thread.
    #[serde(rename_all = "camelCase")]
    Agent {
        /// The session that its calls belong to.
        #[cfg_attr(test, ts(type = "string"))]
        session_id: SessionId,
        /// The thread, as the client names it; empty if it does not.
        conversation: Box<str>,
        /// The agent, as the client names it.
        agent: Box<str>,
    },
    /// A budget that begins anew every day, week or month.
    #[serde(rename_all = "camelCase")]
    Budget {
        /// Which.
        #[cfg_attr(test, ts(type = "string"))]
        budget_id: BudgetId,
    },
    /// A provider.
    #[serde(rename_all = "camelCase")]
    Provider {
        /// The mount's name.
        provider: Box<str>,
    },
    /// A provider's own limit period.
    #[serde(rename_all = "camelCase")]
    Window {
        /// The mount's name.
        provider: Box<str>,
        /// Whose it is, as a fingerprint; `null` where requests named nobody.
        credential: Option<Box<str>>,
        /// The provider's name for it.
        window: Box<str>,
    },
}

/// What stands for nobody.
const NOBODY: &str = "-";

impl Scope {
    /// A session's.
    #[must_use]
    pub const fn session(session_id: SessionId) -> Self {
        Self::Session { session_id }
    }

    /// The session that it is about or in, if any.
    #[must_use]
    pub const fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::Session { session_id } | Self::Agent { session_id, .. } => Some(*session_id),
            Self::Conversation { session_id, .. } => *session_id,
            Self::Moonlock | Self::Budget { .. } | Self::Provider { .. } | Self::Window { .. } => None,
        }
    }
}

/// Writes it as one text that [`Scope::from_str`] reads: the kind, and behind a colon what it names.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moonlock => f.write_str("moonlock"),
            Self::Session { session_id } => write!(f, "session:{session_id}"),
            Self::Conversation {
                session_id,
                conversation,
            } => match session_id {
                Some(session) => write!(f, "conversation:{session}/{conversation}"),
                None => write!(f, "conversation:{NOBODY}/{conversation}"),
            },
            // The agent's name may have a slash, and the thread's as well: its length says where the one ends.
            Self::Agent {
                session_id,
                conversation,
                agent,
            } => write!(f, "agent:{session_id}/{}/{agent}{conversation}", agent.len()),
            Self::Budget { budget_id } => write!(f, "budget:{budget_id}"),
            Self::Provider { provider } => write!(f, "provider:{provider}"),
            Self::Window {
                provider,
                credential,
                window,
            } => {
                let credential = credential.as_deref().unwrap_or(NOBODY);
                write!(f, "window:{provider}/{credential}/{window}")
            }
        }
    }
}

/// A text names nothing that alerts are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is nothing that alerts are about")]
pub struct BadScope;

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        let (kind, named) = text.split_once(':').unwrap_or((text, ""));
        let session = |id: &str| id.parse::<SessionId>().map_err(|_| BadScope);
        match kind {
            "moonlock" if named.is_empty() => Ok(Self::Moonlock),
            "session" => session(named).map(Self::session),
            "conversation" => {
                let (id, conversation) = named.split_once('/').ok_or(BadScope)?;
                Ok(Self::Conversation {
                    session_id: match id {
                        NOBODY => None,
                        id => Some(session(id)?),
                    },
                    conversation: conversation.into(),
                })
            }
            "agent" => {
                let (id, rest) = named.split_once('/').ok_or(BadScope)?;
                let (length, names) = rest.split_once('/').ok_or(BadScope)?;
                let length = length.parse().map_err(|_| BadScope)?;
                let (agent, conversation) = names.split_at_checked(length).ok_or(BadScope)?;
                Ok(Self::Agent {
                    session_id: session(id)?,
                    conversation: conversation.into(),
                    agent: agent.into(),
                })
            }
            "budget" => {
                let budget_id = named.parse().map_err(|_| BadScope)?;
                Ok(Self::Budget { budget_id })
            }
            "provider" if !named.is_empty() => Ok(Self::Provider {
                provider: named.into(),
            }),
            "window" => {
                let (provider, rest) = named.split_once('/').ok_or(BadScope)?;
                let (credential, window) = rest.split_once('/').ok_or(BadScope)?;
                Ok(Self::Window {
                    provider: provider.into(),
                    credential: Some(credential).filter(|name| *name != NOBODY).map(Into::into),
                    window: window.into(),
                })
            }
            _ => Err(BadScope),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_scope_is_read_as_it_was_written() {
        let session_id = SessionId::from_uuid(Uuid::from_u128(7));
        for scope in [
            Scope::Moonlock,
            Scope::session(session_id),
            Scope::Conversation {
                session_id: Some(session_id),
                conversation: "a/b:c".into(),
            },
            Scope::Conversation {
                session_id: None,
                conversation: "".into(),
            },
            Scope::Agent {
                session_id,
                conversation: "a/b:c".into(),
                agent: "1/ü".into(),
            },
            Scope::Agent {
                session_id,
                conversation: "".into(),
                agent: "x".into(),
            },
            Scope::Budget {
                budget_id: BudgetId::from_uuid(Uuid::from_u128(8)),
            },
            Scope::Provider {
                provider: "openai".into(),
            },
            Scope::Window {
                provider: "openai".into(),
                credential: Some("00ff".into()),
                window: "a/b".into(),
            },
            Scope::Window {
                provider: "openai".into(),
                credential: None,
                window: "tokens".into(),
            },
        ] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        for text in [
            "",
            "moon",
            "moonlock:x",
            "session:1",
            "conversation:x",
            "conversation:x/y",
            "agent:x",
            "agent:00000000-0000-7000-8000-000000000007/1",
            "agent:00000000-0000-7000-8000-000000000007/1/ü",
            "agent:00000000-0000-7000-8000-000000000007/9/ü",
            "budget:",
            "provider:",
            "window:a/b",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(BadScope), "{text}");
        }
    }
}
