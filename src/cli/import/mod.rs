//! `moonlock import`: history from the logs that Claude Code and Codex keep, and from exports of Moonlock.
//!
//! The logs are read here, and what they tell goes to the running Moonlock, because one program writes the database.
//! Where none runs, one is started in this process for as long as it takes: there is one way in.

mod exports;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::client::{Client, ClientError};
use super::exit::Failure;
use super::print::{WARNING, count, plain, styled};
use super::{runtime, say};
use crate::app::App;
use crate::config::{Environment, Flags, Settings};
use crate::domain::ids::SessionId;
use crate::domain::import::{LogReader, Logged, Tool, recognise};
use crate::domain::wire::ImportedCalls;

/// Take in history from the logs of Claude Code and Codex, or from an export
#[derive(Debug, Args)]
#[command(after_help = "\
Each call counts once: a log that is imported again adds only what is new in it, and what went through the proxy counts
as the proxy metered it. Imported calls cost what they would have cost on their day, and are marked as imported.

Without a source, the logs of both tools are read where they usually are.

An export of another Moonlock (json or jsonl) brings its sessions and calls as they are; what is here already stays as it
is, so that nothing is doubled. A session that had not ended there arrives as completed.

Examples:
  moonlock import --dry-run
  moonlock import
  moonlock import --claude-code --session 'before Moonlock'
  moonlock import --codex /mnt/old/.codex/sessions
  moonlock import ~/Downloads/rollout-2026-11-01T10-00-00-….jsonl
  moonlock import moonlock-calls.jsonl")]
pub(super) struct Import {
    /// Claude Code's logs [default directory: ~/.claude/projects]
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    claude_code: Option<Option<PathBuf>>,
    /// Codex's logs [default directory: ~/.codex/sessions]
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    codex: Option<Option<PathBuf>>,
    /// Logs of either tool, or exports of Moonlock
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where new calls go, by id or name [default: to no session]
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Only say what would be taken in
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// How many calls are sent at once.
const AT_ONCE: usize = 100;
/// The longest line that is read: a message with its pictures.
const LONGEST_LINE: u64 = 64 << 20;
/// How many lines that could not be used are named.
const NAMED: usize = 100;
/// How deep directories are searched.
const DEEPEST: usize = 16;

pub(super) fn run(environment: &Environment, arguments: &Import) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let (exports, files) = exports::among(&arguments.files);
    if !exports.is_empty() && arguments.session.is_some() {
        return Err(Failure::usage(
            &"an export says itself to which session a call belongs: leave out --session",
        ));
    }
    let logs = match exports.is_empty() || !files.is_empty() || arguments.names_tool() {
        true => find(environment, arguments, &files)?,
        false => Vec::new(),
    };
    runtime()?.block_on(async {
        let target = Target::find(&settings).await?;
        let imported = async {
            for export in &exports {
                exports::import(target.client(), arguments, export).await?;
            }
            if !logs.is_empty() {
                report(arguments, &import(&target, arguments, &logs).await?);
            }
            Ok(())
        }
        .await;
        target.leave().await;
        imported
    })
}

impl Import {
    const fn names_tool(&self) -> bool {
        self.claude_code.is_some() || self.codex.is_some()
    }
}

/// What became of calls from before the oldest that are kept.
const TOO_OLD: &str = "older than the calls that are kept, and left out";

/// A log to read.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    /// Whose it is; `None` is found out from what it says.
    tool: Option<Tool>,
}

/// The logs that are meant, each once.
fn find(environment: &Environment, arguments: &Import, files: &[&Path]) -> Result<Vec<Log>, Failure> {
    let mut logs: Vec<Log> = Vec::new();
    let all = !arguments.names_tool() && files.is_empty();
    let mut looked = Vec::new();
    for (tool, asked) in [
        (Tool::ClaudeCode, &arguments.claude_code),
        (Tool::Codex, &arguments.codex),
    ] {
        let directories = match asked {
            Some(Some(named)) if !named.exists() => {
                return Err(Failure::run(&format_args!("{} is not there", named.display())));
            }
            Some(Some(named)) => vec![named.clone()],
            Some(None) => usual(tool, environment),
            None if all => usual(tool, environment),
            None => continue,
        };
        for directory in directories {
            collect(&directory, tool, DEEPEST, &mut logs);
            looked.push(directory);
        }
    }
    for file in files {
        if file.is_dir() {
            let hint = "is a directory: say whose logs are in it with --claude-code or --codex";
            return Err(Failure::usage(&format_args!("{} {hint}", file.display())));
        }
        logs.push(Log {
            path: file.to_path_buf(),
            tool: None,
        });
    }
    logs.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    logs.dedup_by(|next, before| next.path == before.path);
    if logs.is_empty() {
        let places: Vec<String> = looked.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::run(&format_args!("no logs in {}", places.join(", "))));
    }
    Ok(logs)
}

/// Where a tool keeps its logs.
fn usual(tool: Tool, environment: &Environment) -> Vec<PathBuf> {
    let own = |variable: &str, usual: &[&str]| match (environment.get(variable), environment.home()) {
        (Some(directories), _) => directories
            .split(',')
            .map(|path| PathBuf::from(path.trim()))
            .collect(),
        (None, Some(home)) => usual.iter().map(|path| home.join(path)).collect(),
        (None, None) => Vec::new(),
    };
    let (homes, inside): (Vec<PathBuf>, &[&str]) = match tool {
        Tool::ClaudeCode => (
            own("CLAUDE_CONFIG_DIR", &[".claude", ".config/claude"]),
            &["projects"],
        ),
        Tool::Codex => (own("CODEX_HOME", &[".codex"]), &["sessions", "archived_sessions"]),
    };
    homes
        .iter()
        .flat_map(|home| inside.iter().map(|directory| home.join(directory)))
        .collect()
}

/// Finds a tool's logs in a directory and those inside it. Links are not followed: they could lead in circles.
fn collect(path: &Path, tool: Tool, depth: usize, logs: &mut Vec<Log>) {
    if path.is_file() {
        logs.push(Log {
            path: path.to_owned(),
            tool: Some(tool),
        });
        return;
    }
    // What cannot be read has no logs for us; where none is found, it is said where was looked.
    let Ok(entries) = std::fs::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() && depth > 0 {
            collect(&entry.path(), tool, depth - 1, logs);
        } else if kind.is_file()
            && name.ends_with(".jsonl")
            && (tool == Tool::ClaudeCode || name.starts_with("rollout-"))
        {
            logs.push(Log {
                path: entry.path(),
                tool: Some(tool),
            });
        }
    }
}

/// The Moonlock that takes the calls in.
enum Target {
    Running(Client),
    /// Started for this, because none runs.
    Own(Box<App>, Client),
}

impl Target {
    async fn find(settings: &Settings) -> Result<Self, Failure> {
        let running = match Client::of(settings) {
            Ok(client) => match client.get::<serde_json::Value>("/api/health").await {
                Ok(_) => Some(client),
                Err(ClientError::NotRunning(_)) => None,
                Err(error) => return Err(error.into()),
            },
            // It listens where nobody knows; if it runs, it holds its database.
            Err(_) => None,
        };
        if let Some(client) = running {
            return Ok(Self::Running(client));
        }
        let mut own = settings.clone().fixed();
        own.host = std::net::Ipv4Addr::LOCALHOST.into();
        own.port = 0;
        own.proxy_port = 0;
        own.backup.daily = false;
        let access = own.access.clone();
        let app = App::start(own).await.map_err(|error| Failure::run(&error))?;
        let client = Client::at(app.dashboard(), &access)?;
        Ok(Self::Own(Box::new(app), client))
    }

    const fn client(&self) -> &Client {
        match self {
            Self::Running(client) | Self::Own(_, client) => client,
        }
    }

    async fn leave(self) {
        if let Self::Own(app, client) = self {
            drop(client);
            app.stop().await;
        }
    }
}

/// What came of it.
#[derive(Default)]
struct Imported {
    files: u64,
    counts: ImportedCalls,
    skipped: Skipped,
}

/// What could not be used.
#[derive(Default)]
struct Skipped {
    /// The first of them.
    named: Vec<Place>,
    all: u64,
}

struct Place {
    path: PathBuf,
    /// `None`: the file itself.
    line: Option<u64>,
    reason: String,
}

impl Skipped {
    fn put(&mut self, path: &Path, line: Option<u64>, reason: &dyn std::fmt::Display) {
        self.all += 1;
        if self.named.len() < NAMED {
            self.named.push(Place {
                path: path.to_owned(),
                line,
                reason: reason.to_string(),
            });
        }
    }
}

async fn import(target: &Target, arguments: &Import, logs: &[Log]) -> Result<Imported, Failure> {
    let client = target.client();
    let session = match &arguments.session {
        Some(session) => Some(client.session(Some(session)).await?.id),
        None => None,
    };
    let size = logs
        .iter()
        .map(|log| std::fs::metadata(&log.path).map_or(0, |file| file.len()));
    let bar = progress_bar(size.sum());
    let mut imported = Imported::default();
    let mut waiting: Vec<Logged> = Vec::new();
    for log in logs {
        imported.files += 1;
        waiting.extend(read(log, &bar, &mut imported.skipped));
        while waiting.len() >= AT_ONCE {
            let rest = waiting.split_off(AT_ONCE);
            let batch = std::mem::replace(&mut waiting, rest);
            send(client, arguments, session, &batch, &mut imported.counts).await?;
        }
    }
    if !waiting.is_empty() {
        send(client, arguments, session, &waiting, &mut imported.counts).await?;
    }
    bar.finish_and_clear();
    Ok(imported)
}

/// It draws to standard error, and nothing where that is no terminal.
fn progress_bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

async fn send(
    client: &Client,
    arguments: &Import,
    session: Option<SessionId>,
    calls: &[Logged],
    counts: &mut ImportedCalls,
) -> Result<(), Failure> {
    let mut path = format!("/api/calls/import?dryRun={}", arguments.dry_run);
    if let Some(session) = session {
        path.push_str(&format!("&session={session}"));
    }
    let said: ImportedCalls = client.send(Method::POST, &path, &calls).await?;
    counts.imported += said.imported;
    counts.updated += said.updated;
    counts.known += said.known;
    counts.metered += said.metered;
    counts.too_old += said.too_old;
    Ok(())
}

/// Reads a log: its calls, the earliest first.
fn read(log: &Log, bar: &ProgressBar, skipped: &mut Skipped) -> Vec<Logged> {
    let tool = log.tool.or_else(|| whose(&log.path));
    let (Some(tool), Ok(file)) = (tool, File::open(&log.path)) else {
        skipped.put(
            &log.path,
            None,
            &"cannot be read, or is no log of Claude Code or Codex",
        );
        return Vec::new();
    };
    let mut reader = LogReader::new(tool);
    let mut lines = Lines::of(file);
    while let Some(line) = lines.next() {
        bar.inc(line.length);
        let problem = match line.text {
            Ok(text) => match reader.line(text) {
                // The tool is still writing it.
                Err(_) if line.is_unfinished => None,
                read => read.err().map(|problem| problem.to_string()),
            },
            Err(problem) => Some(problem),
        };
        if let Some(problem) = problem {
            skipped.put(&log.path, Some(line.number), &problem);
        }
    }
    let mut calls = reader.finish();
    let now = crate::domain::units::Timestamp(jiff::Timestamp::now().as_millisecond());
    calls.retain(|call| match call.problem(now) {
        Some((field, problem)) => {
            skipped.put(&log.path, None, &format_args!("a call's `{field}` {problem}"));
            false
        }
        None => true,
    });
    calls
}

/// Whose log a file is, by its first lines.
fn whose(path: &Path) -> Option<Tool> {
    const FIRST: usize = 20;
    let mut lines = Lines::of(File::open(path).ok()?);
    let mut first = Vec::new();
    while first.len() < FIRST
        && let Some(line) = lines.next()
    {
        first.push(line.text.map(<[u8]>::to_vec).unwrap_or_default());
    }
    recognise(first.iter().map(Vec::as_slice))
}

/// The lines of a file, one at a time.
struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    is_over: bool,
}

struct Line<'file> {
    /// Without its end, as a rule; why it cannot be read, if so.
    text: Result<&'file [u8], String>,
    /// From 1.
    number: u64,
    /// In bytes.
    length: u64,
    /// Whether the file ends in it.
    is_unfinished: bool,
}

impl Lines {
    fn of(file: File) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 16, file),
            line: Vec::new(),
            number: 0,
            is_over: false,
        }
    }

    /// The next line; `None` behind the last.
    fn next(&mut self) -> Option<Line<'_>> {
        if self.is_over {
            return None;
        }
        self.line.clear();
        self.number += 1;
        let read = (&mut self.file)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.line);
        let is_unfinished = self.line.last() != Some(&b'\n');
        let (text, length) = match read {
            Ok(0) => return None,
            Ok(length) if length as u64 == LONGEST_LINE && is_unfinished => {
                let rest = self.file.skip_until(b'\n');
                self.is_over = rest.is_err();
                let text = Err(format!("is longer than {LONGEST_LINE} bytes"));
                (text, length + rest.unwrap_or(0))
            }
            Ok(length) => (Ok(self.line.as_slice()), length),
            Err(error) => {
                self.is_over = true;
                (Err(error.to_string()), 0)
            }
        };
        Some(Line {
            text,
            number: self.number,
            length: length as u64,
            is_unfinished,
        })
    }
}

fn report(arguments: &Import, imported: &Imported) {
    let Imported {
        files,
        counts,
        skipped,
    } = imported;
    if arguments.json {
        let places = skipped.named.iter().map(|place| {
            json!({ "file": place.path.display().to_string(), "line": place.line, "reason": place.reason })
        });
        let places: Vec<_> = places.collect();
        let said = json!({
            "files": files,
            "dryRun": arguments.dry_run,
            "imported": counts.imported,
            "updated": counts.updated,
            "known": counts.known,
            "metered": counts.metered,
            "tooOld": counts.too_old,
            "skipped": skipped.all,
            "skippedLines": places,
        });
        say(&said.to_string());
        return;
    }
    let calls = counts.imported + counts.updated + counts.known + counts.metered + counts.too_old;
    say(&format!("{} files, {} calls", count(*files), count(calls)));
    let would = if arguments.dry_run { "would be " } else { "" };
    for (number, what) in [
        (counts.imported, format!("new: {would}taken in")),
        (
            counts.updated,
            format!("known, and the log says more now: {would}corrected"),
        ),
        (counts.known, "known".to_owned()),
        (counts.metered, "metered by the proxy, which counts".to_owned()),
        (counts.too_old, TOO_OLD.to_owned()),
    ] {
        if number > 0 {
            say(&format!("{:>9}  {what}", count(number)));
        }
    }
    if skipped.all == 0 {
        return;
    }
    let heading = format!("{} could not be used:", count(skipped.all));
    say(&styled(WARNING, &heading));
    for Place { path, line, reason } in &skipped.named {
        let line = line.map_or_else(String::new, |line| format!(":{line}"));
        say(&format!("  {}{line}: {}", path.display(), plain(reason)));
    }
    let unnamed = skipped.all - skipped.named.len() as u64;
    if unnamed > 0 {
        say(&format!("  and {} more", count(unnamed)));
    }
}
