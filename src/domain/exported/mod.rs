//! Reads what an export says: sessions and calls of another Moonlock, or of this one.
//!
//! Nothing is taken on trust. What no Moonlock could have written is refused with the field and the reason, for a row that
//! cannot be read again would be worse than one that is missing. What has a number of its own elsewhere in the row
//! (`total`, `input`, `usage`) is not read: it follows from the parts.

mod call;
mod session;

use serde::de::DeserializeOwned;

use super::units::Timestamp;
pub use call::ArrivedCall;
pub use session::{ArrivedSession, ExactEvent};

/// The longest name of anything, in bytes.
const MAX_TEXT: usize = 1_000;
/// No moment is later: the end of the year 9999, in UTC epoch milliseconds.
const LATEST: i64 = 253_402_300_799_999;
/// Nothing lasts longer: 31 years.
const LONGEST_MS: u64 = 1_000_000_000_000;
/// A clock may be ahead of another by a day.
const AHEAD_MS: i64 = 86_400_000;

/// Why something is not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", .field.as_ref().map(|field| format!("`{field}` ")).unwrap_or_default())]
pub struct NotUsable {
    /// The field that is at fault; `None`: the whole of it.
    pub field: Option<String>,
    /// What is wrong with it, to be read behind the field's name.
    pub why: String,
}

impl NotUsable {
    fn field(field: &str, why: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            why: why.into(),
        }
    }

    fn whole(why: impl Into<String>) -> Self {
        Self {
            field: None,
            why: why.into(),
        }
    }
}

/// Holds that something is so; why not, if it is not.
fn holds(is_so: bool, field: &str, why: impl Into<String>) -> Result<(), NotUsable> {
    if is_so {
        Ok(())
    } else {
        Err(NotUsable::field(field, why))
    }
}

/// Reads JSON as what it should be, naming the field that is not.
fn typed<'de, T: DeserializeOwned>(
    from: impl serde::Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, NotUsable> {
    serde_path_to_error::deserialize(from).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let why = format!("cannot be read: {inner}");
        match path.as_str() {
            "." => NotUsable::whole(why),
            path => NotUsable::field(path, why),
        }
    })
}

/// A moment that was, or all but was.
fn past(field: &str, at: i64, now: Timestamp) -> Result<Timestamp, NotUsable> {
    let latest = now.0.saturating_add(AHEAD_MS).min(LATEST);
    holds(
        (0..=latest).contains(&at),
        field,
        "is no moment of the past, in UTC epoch milliseconds",
    )?;
    Ok(Timestamp(at))
}

#[cfg(test)]
mod tests;
