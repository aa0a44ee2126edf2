//! The secret that fingerprints of credentials are made with.
//!
//! It is kept in the database, not in a file of its own: it is worth nothing without the fingerprints that stand
//! beside it, it has to move and be backed up with them, and the database is readable by its owner alone. Who has both
//! can try keys that they know already, but cannot get from a fingerprint to a key: keys are far too long to be guessed.

use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::ReadError;
use crate::domain::windows::FingerprintKey;

const NAME: &str = "fingerprint_key";

/// Reads the secret, or makes one.
///
/// # Errors
/// The database cannot be used, or the system gives no random numbers.
pub(super) fn fingerprint_key(connection: &Connection) -> Result<FingerprintKey, ReadError> {
    const SELECT: &str = "SELECT value FROM settings WHERE key = ?1";
    const REPLACE: &str = "REPLACE INTO settings (key, value) VALUES (?1, ?2)";
    let kept: Option<String> = connection
        .query_row(SELECT, [NAME], |row| row.get(0))
        .optional()?;
    // One that is damaged is made anew: fingerprints then differ from those before, which does no harm.
    if let Some(bytes) = kept.as_deref().and_then(of_hex) {
        return Ok(FingerprintKey::new(bytes));
    }
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| ReadError::NoRandomness)?;
    connection.execute(REPLACE, params![NAME, to_hex(&bytes)])?;
    Ok(FingerprintKey::new(bytes))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
