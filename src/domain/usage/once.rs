//! Usage that can be fetched more than once: how it is recognised when it comes again.
//!
//! A background response is polled until it ends, a stored one is read again, a batch's results are downloaded twice:
//! each time the same usage comes. The reader says what the reply is called and whether it has ended ([`Once`]); who
//! counted it is known by a key that is made of that name ([`OnceKey`]). What decides is
//! [`live`](crate::domain::live).

use std::fmt;

use ring::digest::{SHA256, digest};

use super::dialect::{Ending, string};
use super::json_scan::Found;
use super::parts::Parts;
use crate::domain::call::Source;

/// Ids longer than this are none.
pub(super) const LONGEST_ID: usize = 256;

/// What a reply's usage is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The provider's id of what was made: a response, a run, an interaction; of a batch's results, the file and the
    /// model.
    pub id: Box<str>,
    /// Whether it has ended.
    pub state: Making,
}

/// How far the provider is with what is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// It is queued or in progress: its usage is still to come, or will grow.
    UnderWay,
    /// It has ended, well or not: its usage does not change any more.
    Over,
}

/// What one of several models used in one reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The model; `None` where the provider did not name it.
    pub model: Option<Box<str>>,
    /// What it used.
    pub parts: Parts,
    /// [`Source::Exact`] or [`Source::Partial`].
    pub source: Source,
    /// What it is recognised by, where it can be fetched again.
    pub once: Option<Once>,
}

/// Stands for a provider's name of something: sixteen bytes of a SHA-256, so that two names never meet in one key, and
/// a row is short however long the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OnceKey([u8; 16]);

impl OnceKey {
    /// The key of what the mount `provider` calls `id`.
    #[must_use]
    pub fn new(provider: &str, id: &str) -> Self {
        // A mount's name holds no NUL.
        let digest = digest(&SHA256, format!("{provider}\0{id}").as_bytes());
        let mut key = [0; 16];
        for (byte, hashed) in key.iter_mut().zip(digest.as_ref()) {
            *byte = *hashed;
        }
        Self(key)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for OnceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnceKey({:032x})", u128::from_be_bytes(self.0))
    }
}

/// What a reply says of how it is recognised, event by event.
///
/// An event's words hold when it has mattered: another like it may have been passed over unread, as it came whole.
#[derive(Debug, Default)]
pub(super) struct Recognition {
    id: Option<Box<str>>,
    /// It is not kept, so nobody can fetch it.
    is_fleeting: bool,
    is_under_way: bool,
    event: Words,
}

/// What the current event says.
#[derive(Debug, Default)]
struct Words {
    id: Option<Box<str>>,
    is_fleeting: Option<bool>,
    is_under_way: Option<bool>,
}

impl Recognition {
    /// An id stands in the event; the first counts.
    pub(super) fn id(&mut self, value: Found<'_>) {
        self.event.id = self.event.id.take().or_else(|| id(string(value)));
    }

    /// Whether it is kept.
    pub(super) fn store(&mut self, value: Found<'_>) {
        self.event.is_fleeting = Some(value == Found::Text(b"false"));
    }

    /// How far the making is.
    pub(super) fn status(&mut self, value: Found<'_>) {
        self.event.is_under_way = Some(matches!(
            value,
            Found::Text(br#""queued""# | br#""in_progress""# | br#""pending""#)
        ));
    }

    /// The event has ended.
    pub(super) fn event_end(&mut self, ending: Ending) {
        let Words {
            id,
            is_fleeting,
            is_under_way,
        } = std::mem::take(&mut self.event);
        if ending.mattered {
            self.id = self.id.take().or(id);
            self.is_fleeting = is_fleeting.unwrap_or(self.is_fleeting);
            self.is_under_way = is_under_way.unwrap_or(self.is_under_way);
        }
    }

    /// Whether the usage is still to come, or will grow.
    pub(super) const fn is_under_way(&self) -> bool {
        self.is_under_way
    }

    /// What the reply's usage is recognised by; `has_counts` says whether it has any.
    pub(super) fn once(self, has_counts: bool) -> Option<Once> {
        let state = if self.is_under_way || !has_counts {
            Making::UnderWay
        } else {
            Making::Over
        };
        let id = self.id.filter(|_| !self.is_fleeting)?;
        Some(Once { id, state })
    }
}

/// An id that can be used as one.
pub(super) fn id(text: Option<Box<str>>) -> Option<Box<str>> {
    text.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_for_one_name_of_one_provider() {
        let key = OnceKey::new("openai", "resp_1");
        assert_eq!(key, OnceKey::new("openai", "resp_1"));
        for (provider, id) in [("openai", "resp_2"), ("azure", "resp_1"), ("open", "airesp_1")] {
            assert_ne!(key, OnceKey::new(provider, id), "{provider} {id}");
        }
        // It is kept in databases: it must stay what it is.
        assert_eq!(
            OnceKey::new("openai", "resp_1").as_bytes()[..4],
            digest(&SHA256, b"openai\0resp_1").as_ref()[..4]
        );
    }
}
