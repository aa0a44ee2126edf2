//! `moonlock status`: what runs, in a few lines, in one, or as JSON.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::arguments::here;
use super::client::{Client, ClientError};
use super::exit::Failure;
use super::print::{BAD, FAINT, WARNING, clock, plain, short, shortened, styled};
use super::session_text::{budgets, cost, lines, mark};
use super::{client_runtime, say};
use crate::config::{Environment, Flags, Settings};
use crate::domain::alert::{AlertStatus, Severity};
use crate::domain::call::Outcome;
use crate::domain::units::Millis;
use crate::domain::wire::{AlertView, SessionView, Snapshot};

/// How long a status line waits: what shows it waits as well.
const PATIENCE: Duration = Duration::from_millis(500);

/// Say what runs: the current session, its tokens, cost and budget
#[derive(Debug, Args)]
#[command(after_help = "\
--line is for tmux, starship or Claude Code's status line: one line, at once, exit code 0 also where nothing runs.

Examples:
  moonlock status
  moonlock status --session refactor
  moonlock status --json | jq .session.usage.total
  tmux set -g status-right '#(moonlock status --line)'

In ~/.claude/settings.json:
  \"statusLine\": {\"type\": \"command\", \"command\": \"moonlock status --line\"}")]
pub(super) struct Status {
    /// Print JSON
    #[arg(long, conflicts_with = "line")]
    json: bool,
    /// Print one line, without colour
    #[arg(long)]
    line: bool,
    /// The session, by id or name [default: $MOONLOCK_SESSION, or the current one]
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(environment: &Environment, status: &Status) -> Result<(), Failure> {
    let settings = Settings::load(environment, &status.flags).map_err(|error| Failure::usage(&error))?;
    let named = status.session.as_deref().or_else(|| here(environment));
    client_runtime()?.block_on(async {
        if status.line {
            say(&line(&settings, named).await);
            return Ok(());
        }
        let client = Client::of(&settings)?;
        let live = match client.live().await {
            Ok(live) => live,
            Err(error) => {
                if status.json {
                    say(&json!({ "running": false, "reason": error.to_string() }).to_string());
                    return Err(Failure::silent(Failure::from(error).code()));
                }
                return Err(error.into());
            }
        };
        let session = match named {
            Some(named) => Some(client.session(Some(named)).await?),
            None => current(&live).cloned(),
        };
        if status.json {
            say(&as_json(&client, &live, session.as_ref()).to_string());
        } else {
            describe(&client, &live, session.as_ref());
        }
        Ok(())
    })
}

/// The session to show where none is named.
fn current(live: &Snapshot) -> Option<&SessionView> {
    live.sessions.iter().find(|session| session.current)
}

fn running(live: &Snapshot) -> usize {
    let running = live.calls.iter().filter(|call| call.outcome == Outcome::Running);
    running.count()
}

/// Those that want to be heard.
fn loud(live: &Snapshot) -> impl Iterator<Item = &AlertView> {
    live.alerts
        .iter()
        .filter(|alert| alert.status == AlertStatus::Active)
}

fn as_json(client: &Client, live: &Snapshot, session: Option<&SessionView>) -> Value {
    json!({
        "running": true,
        "version": live.version,
        "dashboardUrl": client.place().to_string(),
        "proxyUrl": live.proxy_url,
        "session": session,
        "unassigned": live.unassigned,
        "runningCalls": running(live),
        "alerts": live.alerts,
    })
}

fn describe(client: &Client, live: &Snapshot, session: Option<&SessionView>) {
    match session {
        Some(session) => {
            let lines = lines(session, &live.alert_at_percent);
            lines.iter().for_each(|line| say(line));
        }
        None => {
            say(
                "No session is current: calls that name none are Unassigned. `moonlock start NAME` starts one.",
            );
            say(&format!(
                "  unassigned {} tokens, {}",
                short(live.unassigned.total),
                cost(&live.unassigned)
            ));
        }
    }
    for alert in loud(live) {
        let style = match alert.severity {
            Severity::Critical => BAD,
            Severity::Warning => WARNING,
            Severity::Info => FAINT,
        };
        say(&format!("{} {}", styled(style, "!"), plain(&alert.message)));
    }
    let running = match running(live) {
        0 => String::new(),
        1 => "1 call runs  ".to_owned(),
        calls => format!("{calls} calls run  "),
    };
    let places = format!("{running}dashboard {}  proxy {}", client.place(), live.proxy_url);
    say(&styled(FAINT, &places));
}

/// One line, whatever happens.
async fn line(settings: &Settings, named: Option<&str>) -> String {
    let asked = async {
        let client = Client::of(settings)?.with_patience(PATIENCE);
        let live = client.live().await?;
        let session = match named {
            Some(named) => client.find_session(named).await?,
            None => current(&live).cloned(),
        };
        Ok((live, session))
    };
    match asked.await {
        Ok((live, session)) => one_line(&live, session.as_ref()),
        Err(ClientError::NotRunning(_) | ClientError::NoPort) => "moonlock: off".to_owned(),
        Err(_) => "moonlock: no answer".to_owned(),
    }
}

fn one_line(live: &Snapshot, session: Option<&SessionView>) -> String {
    let mut words = match session {
        Some(session) => {
            let mut words = vec![
                format!("{} {}", mark(session.status), shortened(&session.name, 24)),
                clock(Millis(session.elapsed_ms)),
                format!("{} tok", short(session.usage.total)),
                cost(&session.usage),
            ];
            words.extend(
                budgets(session, &live.alert_at_percent)
                    .iter()
                    .map(|budget| format!("{} %", budget.percent)),
            );
            words
        }
        None => vec![
            "no session".to_owned(),
            format!("{} tok", short(live.unassigned.total)),
            cost(&live.unassigned),
        ],
    };
    let alerts = loud(live).count();
    if alerts > 0 {
        words.push(format!("! {alerts}"));
    }
    words.join("  ")
}
