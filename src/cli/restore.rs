//! `moonlock restore`: a backup in the database's place.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::print::count;
use super::{Failure, say};
use crate::config::{Environment, Flags, Settings};
use crate::store::restore;

/// Put a backup in the database's place
#[derive(Debug, Args)]
#[command(after_help = "\
Moonlock must not run. The backup is looked through first, and stays; the database that was there is kept beside the new
one as moonlock.db.before-restore-DATE.

Examples:
  moonlock restore ~/.local/share/moonlock/backups/moonlock-2026-11-22T10-00-00Z.db")]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(environment: &Environment, arguments: &Restore) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let restored = restore(&arguments.file, settings.database.path(), Timestamp::now())
        .map_err(|error| Failure::run(&error))?;
    let (made, aside) = (restored.backup, restored.aside);
    if arguments.json {
        let aside = aside.map(|aside| aside.display().to_string());
        let path = made.path.display().to_string();
        say(
            &json!({ "path": path, "calls": made.calls, "sessions": made.sessions, "aside": aside })
                .to_string(),
        );
        return Ok(());
    }
    say(&format!(
        "{}: {} calls, {} sessions; checked",
        made.path.display(),
        count(made.calls),
        count(made.sessions)
    ));
    if let Some(aside) = aside {
        say(&format!("What was there is now {}", aside.display()));
    }
    Ok(())
}
