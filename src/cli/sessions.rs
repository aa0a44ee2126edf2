//! `moonlock sessions`: the sessions, newest first.

use clap::Args;
use serde_json::json;

use super::client::{Client, SessionsPage};
use super::exit::Failure;
use super::print::{Cell, STRONG, Side, Table, UNKNOWN, clock, moment, percent, short, shortened};
use super::session_text::{cost, mark, style};
use super::{client_runtime, say};
use crate::config::connect::percent_encoded;
use crate::config::{Environment, Flags, Settings};
use crate::domain::session::Status;
use crate::domain::units::Millis;
use crate::domain::wire::SessionView;

/// List the sessions, newest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  moonlock sessions
  moonlock sessions --status active --status paused
  moonlock sessions --tag work --limit 100
  moonlock sessions --json | jq -r '.sessions[] | [.name, .usage.total] | @tsv'")]
pub(super) struct Sessions {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Only those with this status: active, paused or completed; may be repeated
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Vec<Status>,
    /// Only those with this in their name, a tag or the note, in any case
    #[arg(long, value_name = "TEXT", alias = "name")]
    search: Option<String>,
    /// Only those with this tag, in any case
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    flags: Flags,
}

/// So many sessions does the server give in a page at most.
const MOST_IN_A_PAGE: usize = 1_000;

fn status(text: &str) -> Result<Status, &'static str> {
    Status::from_name(text).ok_or("expected active, paused or completed")
}

impl Sessions {
    /// What the server is asked for, but for the page.
    fn filters(&self) -> String {
        let mut filters = String::new();
        let mut add = |name: &str, value: &str| filters.extend(["&", name, "=", &percent_encoded(value)]);
        if !self.status.is_empty() {
            let names: Vec<&str> = self.status.iter().map(|status| status.name()).collect();
            add("status", &names.join(","));
        }
        for (name, text) in [("search", &self.search), ("tag", &self.tag)] {
            if let Some(text) = text {
                add(name, text);
            }
        }
        filters
    }
}

pub(super) fn run(environment: &Environment, arguments: &Sessions) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let found = client_runtime()?.block_on(find(&Client::of(&settings)?, arguments))?;
    if arguments.json {
        say(&json!({ "sessions": found }).to_string());
    } else if found.is_empty() {
        say("No such session. `moonlock start NAME` starts one.");
    } else {
        table(&found).print();
    }
    Ok(())
}

async fn find(client: &Client, arguments: &Sessions) -> Result<Vec<SessionView>, Failure> {
    let most = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let filters = arguments.filters();
    let mut found: Vec<SessionView> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = (most - found.len()).min(MOST_IN_A_PAGE);
        let path = format!("/api/sessions?limit={page}{filters}{cursor}");
        let answer: SessionsPage = client.get(&path).await?;
        found.extend(answer.sessions);
        match answer.next {
            Some(next) if found.len() < most => cursor = format!("&cursor={next}"),
            _ => return Ok(found),
        }
    }
}

fn table(sessions: &[SessionView]) -> Table {
    let mut table = Table::new([
        ("", Side::Left),
        ("name", Side::Left),
        ("started", Side::Left),
        ("clock", Side::Right),
        ("calls", Side::Right),
        ("tokens", Side::Right),
        ("cost", Side::Right),
        ("budget", Side::Right),
        ("id", Side::Left),
    ]);
    for session in sessions {
        let name = shortened(&session.name, 28);
        table.row([
            Cell::styled(style(session.status), mark(session.status)),
            if session.current {
                Cell::styled(STRONG, name)
            } else {
                name.into()
            },
            moment(session.started_at).into(),
            clock(Millis(session.elapsed_ms)).into(),
            session.usage.requests.to_string().into(),
            short(session.usage.total).into(),
            cost(&session.usage).into(),
            budget(session).into(),
            session.id.to_string().into(),
        ]);
    }
    table
}

fn budget(session: &SessionView) -> String {
    let used = session
        .token_budget
        .and_then(|limit| percent(session.usage.total, limit));
    used.map_or_else(|| UNKNOWN.to_owned(), |used| format!("{used} %"))
}
