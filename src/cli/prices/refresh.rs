//! `moonlock prices refresh`: a later price list than the built-in one.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::load;
use crate::cli::exit::Failure;
use crate::cli::print::count;
use crate::cli::say;
use crate::config::resolve::DatabasePlace;
use crate::config::{Environment, Flags, price_list};
use crate::domain::pricing::CATALOG_DATE;
use crate::store::{Directory, prepare_directory};

#[derive(Debug, Args)]
#[command(after_help = "\
The genai-prices project publishes its list as prices/new_data/v2/data.json. Moonlock itself fetches nothing. Calls that
are stored already keep their cost; those to come are priced by the list that is later, this one or the built-in one.

Examples:
  moonlock prices refresh ~/Downloads/data.json
  curl -fsSL https://raw.githubusercontent.com/pydantic/genai-prices/main/prices/new_data/v2/data.json | moonlock prices refresh -
  moonlock prices refresh --built-in")]
pub(super) struct Refresh {
    /// The list; - is standard input
    #[arg(required_unless_present = "built_in")]
    file: Option<PathBuf>,
    /// As of which day it is [default: the day on which the file was changed last; today for -]
    #[arg(long, value_name = "DAY")]
    date: Option<Date>,
    /// Go back to the list that Moonlock comes with
    #[arg(long, conflicts_with_all = ["file", "date"])]
    built_in: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(environment: &Environment, refresh: &Refresh) -> Result<(), Failure> {
    let settings = load(environment, &refresh.flags)?;
    let database = settings.database.path();
    let Some(file) = &refresh.file else {
        let said = match price_list::forget(database).map_err(|error| Failure::run(&error))? {
            true => format!("The list of {CATALOG_DATE} holds when Moonlock is started anew."),
            false => format!("The list of {CATALOG_DATE} holds already."),
        };
        say(&said);
        return Ok(());
    };
    let (text, changed) = read(file)?;
    let date = refresh
        .date
        .or(changed)
        .unwrap_or_else(|| day(jiff::Timestamp::now()));
    if let DatabasePlace::Default(path) = &settings.database {
        prepare_directory(path, Directory::Create).map_err(|error| Failure::run(&error))?;
    }
    let catalog = price_list::keep(database, file, &text, date).map_err(|error| Failure::run(&error))?;
    say(&format!(
        "{} models as of {date} (Moonlock came with the list of {CATALOG_DATE}). It holds when Moonlock is started anew.",
        count(catalog.models() as u64)
    ));
    Ok(())
}

/// The text, and the day on which a file was changed last.
fn read(file: &Path) -> Result<(Vec<u8>, Option<Date>), Failure> {
    if file == Path::new("-") {
        let text = price_list::read(Path::new("standard input"), std::io::stdin().lock());
        return Ok((text.map_err(|error| Failure::run(&error))?, None));
    }
    let opened = File::open(file);
    let opened =
        opened.map_err(|error| Failure::run(&format_args!("cannot read {}: {error}", file.display())))?;
    let changed = opened.metadata().and_then(|about| about.modified()).ok();
    let changed = changed.and_then(|changed| jiff::Timestamp::try_from(changed).ok());
    let text = price_list::read(file, opened).map_err(|error| Failure::run(&error))?;
    Ok((text, changed.map(day)))
}

fn day(at: jiff::Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
