//! The database, the clocks and the disk.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use super::Finding;
use crate::cli::print::{moment, span};
use crate::config::Settings;
use crate::config::resolve::DatabasePlace;
use crate::domain::units::{Millis, Timestamp};
use crate::engine::clock::Clock;
use crate::store::{CallQuery, GroupBy, Reader, UsageQuery};

const DATABASE: &str = "database";

/// Providers that were used in so many days are in use.
const IN_USE: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Looks at the database; with the mounts that were used lately.
pub(super) fn database(settings: &Settings) -> (Vec<Finding>, Vec<Box<str>>) {
    let path = settings.database.path();
    if !path.exists() {
        return (vec![missing(settings, path)], Vec::new());
    }
    let reader = match Reader::open(path) {
        Ok(reader) => reader,
        Err(error) => {
            let remedy = "Say where it is with DB_PATH, or restore a backup with `moonlock restore`.";
            return (
                vec![Finding::problem(DATABASE, format!("{error}."), remedy)],
                Vec::new(),
            );
        }
    };
    let mut findings = vec![sound(&reader, path)];
    findings.extend(kept(settings, &reader));
    findings.extend(writable(path));
    #[cfg(unix)]
    findings.extend(private(path));
    (findings, providers(&reader))
}

fn missing(settings: &Settings, path: &Path) -> Finding {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    match (&settings.database, folder) {
        (DatabasePlace::Chosen(_), Some(folder)) if !folder.is_dir() => Finding::problem(
            DATABASE,
            format!("DB_PATH is {}, but its folder does not exist.", path.display()),
            format!("Make it: mkdir -p {}", folder.display()),
        ),
        _ => Finding::ok(
            DATABASE,
            format!(
                "There is none yet; Moonlock makes {} when it starts.",
                path.display()
            ),
        ),
    }
}

fn sound(reader: &Reader, path: &Path) -> Finding {
    let place = path.display();
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    match reader.problem(&Arc::default()) {
        Ok(None) => Finding::ok(DATABASE, format!("{place} is sound ({}).", bytes(size))),
        Ok(Some(problem)) => Finding::problem(
            DATABASE,
            format!("{place} is damaged: {problem}."),
            "Restart Moonlock, which rebuilds it from what can be read, or restore a backup with `moonlock restore`.",
        ),
        Err(error) => Finding::problem(
            DATABASE,
            format!("{place} cannot be read: {error}."),
            "Look at the disk and at the file's owner.",
        ),
    }
}

/// For how long calls are kept, if not for ever, and what that has made of the file.
fn kept(settings: &Settings, reader: &Reader) -> Option<Finding> {
    let size = reader.size().ok()?;
    let wanted = match settings.keep_calls_days {
        Some(days) => format!("Calls are kept for {days} days, their sums for good"),
        None if size.calls_since.is_some() => "From now on calls are kept for ever".to_owned(),
        None => return None,
    };
    let since = size.calls_since.map_or_else(String::new, |since| {
        format!(
            "; those before {} are gone, and {} in the file are free for new ones",
            moment(since.0),
            bytes(size.free_bytes)
        )
    });
    Some(Finding::ok(DATABASE, format!("{wanted}{since}.")))
}

fn writable(path: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = OpenOptions::new().append(true).open(path) {
        let text = format!("{} cannot be written: {error}.", path.display());
        findings.push(Finding::problem(
            DATABASE,
            text,
            "Give the file back to yourself with chown and chmod u+w.",
        ));
    }
    let folder = path
        .parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."));
    // SQLite keeps its log beside the file.
    if let Err(error) = tempfile::tempfile_in(folder) {
        let text = format!("Nothing can be written in {}: {error}.", folder.display());
        findings.push(Finding::problem(
            DATABASE,
            text,
            "Make the folder writable for yourself.",
        ));
    }
    findings
}

#[cfg(unix)]
fn private(path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        Finding::warning(
            "permission",
            format!(
                "{} can be read by others (mode {:o}).",
                path.display(),
                mode & 0o777
            ),
            format!("chmod 600 {}", path.display()),
        )
    })
}

fn providers(reader: &Reader) -> Vec<Box<str>> {
    let now = Clock::of_machine().now().wall;
    let query = UsageQuery {
        from: Some(Timestamp(now.0 - IN_USE)),
        group_by: vec![GroupBy::Provider],
        ..UsageQuery::default()
    };
    let groups = reader.usage(&query).unwrap_or_default();
    let names = groups.into_iter().filter_map(|group| group.keys.provider);
    names.map(|name| Box::from(&*name)).collect()
}

/// Looks at the wall clock, beside the machine's own and what is in the history.
pub(super) fn clock(settings: &Settings) -> Vec<Finding> {
    const ABOUT: &str = "clock";
    let now = Clock::of_machine().now();
    let newest = Reader::open(settings.database.path()).ok().and_then(|reader| {
        let query = CallQuery {
            limit: 1,
            ..CallQuery::default()
        };
        Some(reader.calls(&query).ok()?.first()?.start.started_at)
    });
    if let Some(newest) = newest.filter(|newest| newest.0 > now.wall.0 + 60_000) {
        let text = format!(
            "The wall clock says {}, but the newest call began at {}.",
            moment(now.wall.0),
            moment(newest.0)
        );
        let remedy = "Set the clock (timedatectl set-ntp true): days and weeks of budgets are cut by it.";
        return vec![Finding::problem(ABOUT, text, remedy)];
    }
    let up = Millis(u64::try_from(now.boot.millis()).unwrap_or(0));
    let asleep = Millis(u64::try_from(now.boot.0.saturating_sub(now.mono.0) / 1_000_000).unwrap_or(0));
    let slept = if asleep.0 < 1_000 {
        String::new()
    } else {
        format!(", {} of it asleep", span(asleep))
    };
    vec![Finding::ok(
        ABOUT,
        format!(
            "The machine is up for {}{slept}; its wall clock says {}.",
            span(up),
            moment(now.wall.0)
        ),
    )]
}

/// Looks how much room there is.
#[cfg(unix)]
pub(super) fn disk(settings: &Settings) -> Option<Finding> {
    const ABOUT: &str = "disk";
    let path = settings.database.path();
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir())?;
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("{} is free where the database is.", bytes(free));
    let remedy = "Make room: rows that cannot be written wait in memory, and are lost when Moonlock stops.";
    Some(match free {
        0..100_000_000 => Finding::problem(ABOUT, text, remedy),
        100_000_000..1_000_000_000 => Finding::warning(ABOUT, text, remedy),
        _ => Finding::ok(ABOUT, text),
    })
}

/// Looks how much room there is: there is no way to ask that is at hand.
#[cfg(not(unix))]
pub(super) const fn disk(_: &Settings) -> Option<Finding> {
    None
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}
