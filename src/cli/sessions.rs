//! `moonlock sessions`: the sessions, newest first.

use clap::Args;
use serde_json::json;

use super::client::{Client, SessionsPage};
use super::exit::Failure;
use super::print::{Cell, STRONG, Side, Table, UNKNOWN, clock, moment, percent, short, shortened};
use super::session_text::{cost, mark, style};
use super::{client_runtime, say};
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
    /// Only those whose name holds this, in any case
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Only those with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    flags: Flags,
}

fn status(text: &str) -> Result<Status, &'static str> {
    Status::from_name(text).ok_or("expected active, paused or completed")
}

impl Sessions {
    fn wants(&self, session: &SessionView) -> bool {
        let holds = |part: &String| session.name.to_lowercase().contains(&part.to_lowercase());
        (self.status.is_empty() || self.status.contains(&session.status))
            && self.name.as_ref().is_none_or(holds)
            && self.tag.as_ref().is_none_or(|tag| session.tags.contains(tag))
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
    let page = most.clamp(50, 1_000);
    let mut found = Vec::new();
    let mut path = format!("/api/sessions?limit={page}");
    loop {
        let answer: SessionsPage = client.get(&path).await?;
        let wanted = answer
            .sessions
            .into_iter()
            .filter(|session| arguments.wants(session));
        found.extend(wanted.take(most - found.len()));
        match answer.next {
            Some(next) if found.len() < most => path = format!("/api/sessions?limit={page}&cursor={next}"),
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
