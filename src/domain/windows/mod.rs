//! Windows: the providers' own limit periods, as the headers of their replies tell of them.
//!
//! [`read`] turns a reply's head into [`Window`]s, by the tables in `names.rs` and the notations in `values.rs`.
//! [`Limits`] holds what was last said, for each provider and each credential.

mod limits;
mod names;
mod read;
mod values;

pub use limits::{LimitSet, Limits, SeenWindow};
pub use names::may_tell;
pub use read::read;

use std::fmt;
use std::str::FromStr;

use super::call::named;
use super::units::{Millis, Timestamp};

named! {
    /// What a window counts.
    Kind {
        /// Requests.
        Requests = "requests",
        /// Tokens, whichever.
        Tokens = "tokens",
        /// Prompt tokens.
        InputTokens = "input_tokens",
        /// Generated tokens.
        OutputTokens = "output_tokens",
        /// Images.
        Images = "images",
        /// A share of a plan, in a measure that the provider keeps to itself.
        Plan = "plan",
        /// Nothing: a refusal that says when to come back.
        Pause = "pause",
        /// Something that is not known here.
        Other = "other",
    }
}

named! {
    /// Whether calls pass, by the provider's word.
    Standing {
        /// They do.
        Allowed = "allowed",
        /// They do, and soon will not.
        Warning = "warning",
        /// They do not.
        Rejected = "rejected",
    }
}

/// Thousandths of a whole. More than a thousand is a limit that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Permille(pub u32);

/// Whether the provider says that it is this window, of several, that decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It says nothing of it.
    #[default]
    Unnamed,
    /// It decides.
    Deciding,
}

/// One limit period, as one reply tells of it. What is `None` the reply does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The provider's name for it, without what all of them begin with: `tokens`, `requests-day`, `5h`, `primary`.
    pub name: Box<str>,
    /// What it counts.
    pub kind: Kind,
    /// How long it lasts.
    pub period: Option<Millis>,
    /// How much may be used in it.
    pub limit: Option<u64>,
    /// How much of that is left.
    pub remaining: Option<u64>,
    /// How much of it is used, where the provider says it as a share; see [`Window::used`].
    pub said_used: Option<Permille>,
    /// Whether calls pass.
    pub standing: Option<Standing>,
    /// Whether it is the one that decides.
    pub role: Role,
    /// When it begins anew.
    pub resets_at: Option<Timestamp>,
}

impl Window {
    /// How much of it is used: as the provider says, else by what is left of the limit.
    #[must_use]
    pub fn used(&self) -> Option<Permille> {
        self.said_used.or_else(|| {
            let limit = self.limit.filter(|limit| *limit > 0)?;
            let used = u128::from(limit.saturating_sub(self.remaining?));
            u32::try_from(used * 1000 / u128::from(limit)).ok().map(Permille)
        })
    }
}

/// What one reply said, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The mount that answered.
    pub provider: Box<str>,
    /// Whose windows they are; `None` where the request named nobody.
    pub credential: Option<Fingerprint>,
    /// When the reply's head arrived.
    pub at: Timestamp,
    /// What it said.
    pub windows: Vec<Window>,
}

/// What is kept of a credential: enough to tell it from another, and nothing that leads back to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// The secret that fingerprints are made with: random, and never shown.
#[derive(Clone)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// A key of these bytes, which must be random.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(…)")
    }
}

#[cfg(test)]
mod tests;
