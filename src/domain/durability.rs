//! What a commit promises.

use serde::Deserialize;

/// What a commit survives, and whether the last bytes of a reply wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// They wait; a row survives the end of the process, however sudden.
    #[default]
    Normal,
    /// They wait; a row also survives a power cut.
    Full,
    /// They do not wait; commits come a little late, in larger groups.
    Relaxed,
}

impl Durability {
    /// As a configuration file says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Full => "full",
            Self::Relaxed => "relaxed",
        }
    }
}
