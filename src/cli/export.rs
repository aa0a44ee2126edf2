//! `moonlock export`: the calls of the history as a file, with the program running or not.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;

use super::print::count;
use super::{Failure, tell};
use crate::api::export;
use crate::config::{Environment, Flags, Settings};
use crate::domain::ids::SessionId;
use crate::engine::clock::Clock;
use crate::store::{Reader, SessionQuery};

/// Write the calls of the history to a file
#[derive(Debug, Args)]
#[command(after_help = "\
The formats and filters are those of /api/export. A file appears under its name when it is whole.

Examples:
  moonlock export calls.csv
  moonlock export --format jsonl | gzip > calls.jsonl.gz
  moonlock export refactor.json --session refactor
  moonlock export week.csv --from 2026-11-16 --model gpt-4o
  moonlock export failed.csv --filter status=429")]
pub(super) struct Export {
    /// The file [default: standard output]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// csv, json or jsonl [default: by the file's name, else json]
    #[arg(long, value_parser = ["csv", "json", "jsonl"])]
    format: Option<String>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Only calls of this session, by id or name, or `unassigned`
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Only calls that began at or after this day or moment: 2026-11-16, 2026-11-16T10:00, or UTC epoch milliseconds
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<i64>,
    /// Only calls that began before it
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<i64>,
    /// Only calls to this mount
    #[arg(long)]
    provider: Option<String>,
    /// Only calls that this model answered
    #[arg(long)]
    model: Option<String>,
    /// Only calls of this program
    #[arg(long)]
    client: Option<String>,
    /// Only calls of this kind, e.g. chat.completions
    #[arg(long)]
    operation: Option<String>,
    /// Only calls that ended so, e.g. complete
    #[arg(long)]
    outcome: Option<String>,
    /// Only calls whose numbers came from there: exact, partial, estimated, manual or imported
    #[arg(long)]
    source: Option<String>,
    /// Only calls of this conversation
    #[arg(long)]
    conversation: Option<String>,
    /// Any other filter of /api/calls: status=429, minTokens=1000, search=text; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    filter: Vec<(String, String)>,
    #[command(flatten)]
    flags: Flags,
}

/// Reads a day or a moment, on this machine's clock.
fn moment(text: &str) -> Result<i64, &'static str> {
    if let Ok(millis) = text.parse() {
        return Ok(millis);
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.as_millisecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>();
    let at = civil.and_then(|at| at.to_zoned(TimeZone::system()));
    at.map(|at| at.timestamp().as_millisecond())
        .map_err(|_| "expected a day (2026-11-16), a moment (2026-11-16T10:00) or UTC epoch milliseconds")
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text
        .split_once('=')
        .ok_or("expected NAME=VALUE, such as status=429")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Export {
    /// The parameters of `/api/export`.
    fn parameters(&self, session: Option<String>) -> Vec<(String, String)> {
        let millis = |at: Option<i64>| at.map(|at| at.to_string());
        let pairs = [
            ("format", Some(self.format())),
            ("session", session),
            ("from", millis(self.from)),
            ("to", millis(self.to)),
            ("provider", self.provider.clone()),
            ("model", self.model.clone()),
            ("client", self.client.clone()),
            ("operation", self.operation.clone()),
            ("outcome", self.outcome.clone()),
            ("source", self.source.clone()),
            ("conversation", self.conversation.clone()),
        ];
        let given = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.chain(self.filter.iter().cloned()).collect()
    }

    fn format(&self) -> String {
        let by_name = || {
            let extension = self.file.as_deref()?.extension()?.to_str()?;
            ["csv", "json", "jsonl"]
                .contains(&extension)
                .then(|| extension.to_owned())
        };
        self.format
            .clone()
            .or_else(by_name)
            .unwrap_or_else(|| "json".to_owned())
    }
}

pub(super) fn run(environment: &Environment, arguments: &Export) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let reader = Reader::open(settings.database.path()).map_err(|error| Failure::run(&error))?;
    let session = arguments
        .session
        .as_deref()
        .map(|named| session(&reader, named))
        .transpose()?;
    let parameters = arguments.parameters(session);
    match &arguments.file {
        None => write(&reader, parameters, io::stdout().lock()).map(|_| ()),
        Some(file) => {
            let calls = to_file(&reader, parameters, file, arguments)?;
            tell(&format!("{}: {} calls", file.display(), count(calls)));
            Ok(())
        }
    }
}

fn to_file(
    reader: &Reader,
    parameters: Vec<(String, String)>,
    file: &Path,
    arguments: &Export,
) -> Result<u64, Failure> {
    let failed =
        |error: io::Error| Failure::run(&format_args!("{} cannot be written: {error}", file.display()));
    if file.exists() && !arguments.force {
        return Err(Failure::run(&format_args!(
            "{} exists: take another name, or say --force",
            file.display()
        )));
    }
    let folder = file
        .parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."));
    let unfinished = tempfile::Builder::new()
        .prefix(".moonlock-export-")
        .tempfile_in(folder)
        .map_err(failed)?;
    let calls = write(reader, parameters, unfinished.as_file())?;
    let named = if arguments.force {
        unfinished.persist(file)
    } else {
        unfinished.persist_noclobber(file)
    };
    named.map_err(|error| failed(error.error))?;
    Ok(calls)
}

/// Writes it; gives how many calls there are.
fn write(reader: &Reader, parameters: Vec<(String, String)>, out: impl Write) -> Result<u64, Failure> {
    let bar = progress();
    let mut out = BufWriter::new(out);
    let now = Clock::of_machine().now();
    let written = export::write_to(reader, parameters, now, &mut out, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let calls = written.map_err(|error| match error {
        export::ExportError::Parameter(_) => Failure::usage(&error),
        export::ExportError::Read(_) | export::ExportError::Write(_) => Failure::run(&error),
    })?;
    out.flush().map_err(|error| Failure::run(&error))?;
    Ok(calls)
}

/// A bar on standard error, where that is a terminal.
fn progress() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} calls") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A session's id: of several with a name, the newest.
fn session(reader: &Reader, named: &str) -> Result<String, Failure> {
    if named == "unassigned" || named.parse::<SessionId>().is_ok() {
        return Ok(named.to_owned());
    }
    let mut wanted = SessionQuery {
        search: Some(named.into()),
        limit: 1_000,
        ..SessionQuery::default()
    };
    loop {
        let page = reader.sessions(&wanted).map_err(|error| Failure::run(&error))?;
        let found = page.iter().find(|(stored, _)| *stored.session.name == *named);
        if let Some((stored, _)) = found {
            return Ok(stored.session.id.to_string());
        }
        match page.last() {
            Some((_, place)) => wanted.after = Some(*place),
            None => return Err(Failure::run(&format_args!("there is no session `{named}`"))),
        }
    }
}
