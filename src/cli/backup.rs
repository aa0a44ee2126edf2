//! `moonlock backup`: a copy of the history, with the program running or not.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::{Failure, say};
use crate::config::{Environment, Flags, Settings};
use crate::store::{Directory, backup, file_name, prepare_directory};

/// Copy the history to a file, with the program running or not
#[derive(Debug, Args)]
#[command(
    after_help = "The copy is checked before it gets its name; a file that exists is never replaced.\n\
                  To restore one: stop Moonlock, then `moonlock restore FILE`.\n\n\
                  Examples:\n  moonlock backup\n  moonlock backup /mnt/usb/moonlock.db"
)]
pub(super) struct Backup {
    /// Where to [default: moonlock-DATE.db in the directory "backups" beside the database]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(environment: &Environment, arguments: &Backup) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let target = match &arguments.file {
        Some(file) => file.clone(),
        None => {
            let file = settings.backup.directory.join(file_name(Timestamp::now()));
            prepare_directory(&file, Directory::Create).map_err(|error| Failure::run(&error))?;
            file
        }
    };
    let made =
        backup(settings.database.path(), &target, &Arc::default()).map_err(|error| Failure::run(&error))?;
    if arguments.json {
        let path = made.path.display().to_string();
        let made =
            json!({ "path": path, "bytes": made.bytes, "calls": made.calls, "sessions": made.sessions });
        say(&made.to_string());
        return Ok(());
    }
    say(&format!("{}", made.path.display()));
    say(&format!(
        "{} bytes, {} calls, {} sessions; checked",
        made.bytes, made.calls, made.sessions
    ));
    Ok(())
}
