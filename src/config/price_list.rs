//! A price list that the user has brought because it is later than the built-in one: a file beside the database.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tempfile::NamedTempFile;

use crate::domain::pricing::{BadCatalog, CATALOG_DATE, Catalog};

/// The longest list that is read; the one of 2026 has less than a megabyte.
const LONGEST: u64 = 32 << 20;

/// The file: a list as it was published, and as of which day.
#[derive(Deserialize, Serialize)]
struct Saved<'a> {
    date: Date,
    #[serde(borrow)]
    providers: &'a RawValue,
}

/// A price list cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum PriceListError {
    /// The file cannot be read or written.
    #[error("the price list {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no price list.
    #[error("{}: {source}", file.display())]
    Bad {
        /// The file.
        file: PathBuf,
        /// Why.
        source: BadCatalog,
    },
    /// It is damaged.
    #[error("{}: {source}; bring it again with `moonlock prices refresh`", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where.
        source: serde_json::Error,
    },
    /// The list that is built in is later.
    #[error(
        "the list is of {date}, and the built-in one of {CATALOG_DATE}: nothing to refresh. If it is later, say its day with --date"
    )]
    Older {
        /// As of which day it is.
        date: Date,
    },
}

/// Where the list is kept.
#[must_use]
pub fn place(database: &Path) -> PathBuf {
    database.with_extension("prices.json")
}

/// The list to price calls by: the one that was brought if it is later than the built-in one.
///
/// # Errors
/// One was brought and cannot be used.
pub fn load(database: &Path) -> Result<Catalog, PriceListError> {
    let file = place(database);
    let text = match File::open(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Catalog::default()),
        Err(source) => return Err(PriceListError::File { file, source }),
        Ok(opened) => read(&file, opened)?,
    };
    let saved: Saved<'_> = match serde_json::from_slice(&text) {
        Ok(saved) => saved,
        Err(source) => return Err(PriceListError::Damaged { file, source }),
    };
    // The program has been updated since.
    if saved.date <= CATALOG_DATE {
        return Ok(Catalog::default());
    }
    Catalog::read(saved.providers.get().as_bytes(), saved.date)
        .map_err(|source| PriceListError::Bad { file, source })
}

/// Reads a list as it was published. `file` is its name for errors.
///
/// # Errors
/// It cannot be read, or is too long.
pub fn read(file: &Path, from: impl Read) -> Result<Vec<u8>, PriceListError> {
    let failed = |source| PriceListError::File {
        file: file.to_owned(),
        source,
    };
    let mut text = Vec::new();
    let length = from.take(LONGEST + 1).read_to_end(&mut text).map_err(failed)?;
    if length as u64 > LONGEST {
        let why = format!("it is longer than {} MB", LONGEST >> 20);
        return Err(failed(io::Error::new(ErrorKind::FileTooLarge, why)));
    }
    Ok(text)
}

/// Keeps a list for the program's next start. `file` is where it came from, for errors.
///
/// # Errors
/// It is no list, is not later than the built-in one, or cannot be written.
pub fn keep(database: &Path, file: &Path, text: &[u8], date: Date) -> Result<Catalog, PriceListError> {
    let catalog = Catalog::read(text, date).map_err(|source| PriceListError::Bad {
        file: file.to_owned(),
        source,
    })?;
    if date <= CATALOG_DATE {
        return Err(PriceListError::Older { date });
    }
    let place = place(database);
    let saved =
        serde_json::from_slice(text).and_then(|providers| serde_json::to_vec(&Saved { date, providers }));
    let written = saved.map_err(io::Error::from).and_then(|text| {
        let mut new = NamedTempFile::new_in(place.parent().unwrap_or_else(|| Path::new(".")))?;
        new.write_all(&text)?;
        new.persist(&place).map_err(|error| error.error)
    });
    match written {
        Ok(_) => Ok(catalog),
        Err(source) => Err(PriceListError::File { file: place, source }),
    }
}

/// Goes back to the built-in list; says whether there was another.
///
/// # Errors
/// The file cannot be removed.
pub fn forget(database: &Path) -> Result<bool, PriceListError> {
    let file = place(database);
    match std::fs::remove_file(&file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(PriceListError::File { file, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pricing::Prices;
    use jiff::ToSpan;

    const LIST: &[u8] = br#"[{"id":"openai","name":"OpenAI","api_pattern":"https://api\\.openai\\.com",
        "models":[{"id":"gpt-99","match":{"equals":"gpt-99"},"prices":{"input_mtok":1,"output_mtok":2}}]}]"#;

    #[test]
    fn a_later_list_is_kept_and_an_older_is_not() {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("moonlock.db");
        let file = Path::new("data.json");
        assert_eq!(load(&database).unwrap().date(), CATALOG_DATE);
        let later = CATALOG_DATE + 3.days();
        let kept = keep(&database, file, LIST, later).unwrap();
        assert_eq!((kept.date(), kept.models()), (later, 1));
        let loaded = load(&database).unwrap();
        assert_eq!((loaded.date(), loaded.models()), (later, 1));
        assert_eq!(Prices::default().with_catalog(loaded).catalog().date(), later);

        assert!(matches!(
            keep(&database, file, LIST, CATALOG_DATE),
            Err(PriceListError::Older { .. })
        ));
        for wrong in [&b"{}"[..], b"[]", b"not JSON", b""] {
            let error = keep(&database, file, wrong, later).unwrap_err();
            assert!(
                error.to_string().starts_with("data.json: not a price list"),
                "{error}"
            );
        }
        assert_eq!(load(&database).unwrap().models(), 1, "what was kept stays");

        std::fs::write(place(&database), "{\"date\":").unwrap();
        assert!(
            load(&database)
                .unwrap_err()
                .to_string()
                .contains("prices refresh")
        );
        assert!(forget(&database).unwrap() && !forget(&database).unwrap());
        assert_eq!(load(&database).unwrap().date(), CATALOG_DATE);
    }
}
