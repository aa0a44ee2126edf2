//! `moonlock alerts`: what was worth an alert, and what is done with it.

use clap::{Args, Subcommand};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::stretch;
use super::client::Client;
use super::exit::Failure;
use super::print::{BAD, Cell, FAINT, Side, Table, WARNING, moment};
use super::{client_runtime, say};
use crate::config::{Environment, Flags, Settings};
use crate::domain::alert::{AlertStatus, Severity};
use crate::domain::units::Millis;
use crate::domain::wire::AlertView;
use crate::engine::clock::Clock;

/// List the alerts that stand; acknowledge or snooze them
#[derive(Debug, Args)]
#[command(after_help = "\
An alert is named by its id or the end of it, as the list shows it; `all` is every one that stands.

Examples:
  moonlock alerts
  moonlock alerts --all --limit 100
  moonlock alerts ack 1f3c
  moonlock alerts snooze all --for 2h")]
pub(super) struct Alerts {
    /// Those that are over as well
    #[arg(long)]
    all: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say that they were seen: they are silent until they get worse
    Ack {
        /// Their ids, or the ends of those; or `all`
        #[arg(required = true, value_name = "ALERT")]
        alerts: Vec<String>,
    },
    /// Silence them for a while
    Snooze {
        /// Their ids, or the ends of those; or `all`
        #[arg(required = true, value_name = "ALERT")]
        alerts: Vec<String>,
        /// For how long: 30m, 2h
        #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = stretch)]
        time: Millis,
    },
}

#[derive(Deserialize)]
struct Page {
    alerts: Vec<AlertView>,
}

pub(super) fn run(environment: &Environment, arguments: &Alerts) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let client = Client::of(&settings)?;
    let shown = client_runtime()?.block_on(async {
        match &arguments.action {
            None => {
                let standing = if arguments.all { "" } else { "&standing=true" };
                let path = format!("/api/alerts?limit={}{standing}", arguments.limit);
                Ok(client.get::<Page>(&path).await?.alerts)
            }
            Some(Action::Ack { alerts }) => change(&client, alerts, &json!({ "acknowledged": true })).await,
            Some(Action::Snooze { alerts, time }) => {
                let now = Clock::of_machine().now().wall.0;
                let until = now.saturating_add(i64::try_from(time.0).unwrap_or(i64::MAX));
                change(&client, alerts, &json!({ "snoozedUntil": until })).await
            }
        }
    })?;
    if arguments.json {
        say(&json!({ "alerts": shown }).to_string());
    } else if shown.is_empty() {
        say("No alerts.");
    } else {
        table(&shown).print();
    }
    Ok(())
}

async fn change(client: &Client, named: &[String], patch: &Value) -> Result<Vec<AlertView>, Failure> {
    let standing = client
        .get::<Page>("/api/alerts?standing=true&limit=1000")
        .await?
        .alerts;
    let mut changed = Vec::new();
    for id in find(&standing, named)? {
        let alert: AlertView = client
            .send(Method::PATCH, &format!("/api/alerts/{id}"), patch)
            .await?;
        changed.push(alert);
    }
    Ok(changed)
}

/// The ids of the alerts that are named.
fn find(standing: &[AlertView], named: &[String]) -> Result<Vec<String>, Failure> {
    let ids: Vec<String> = standing.iter().map(|alert| alert.id.to_string()).collect();
    let mut found = Vec::new();
    for name in named {
        let matching: Vec<&String> = ids
            .iter()
            .filter(|id| name == "all" || id.ends_with(&name.to_lowercase()))
            .collect();
        match matching.len() {
            0 if name == "all" => {}
            0 => {
                return Err(Failure::run(&format_args!(
                    "no alert `{name}` stands; `moonlock alerts` lists them"
                )));
            }
            1 => {}
            _ if name == "all" => {}
            several => {
                return Err(Failure::run(&format_args!(
                    "`{name}` is the end of {several} alerts' ids: give more of it"
                )));
            }
        }
        found.extend(matching.into_iter().cloned());
    }
    Ok(found)
}

fn table(alerts: &[AlertView]) -> Table {
    let mut table = Table::new([
        ("id", Side::Left),
        ("raised", Side::Left),
        ("", Side::Left),
        ("status", Side::Left),
        ("", Side::Left),
    ]);
    for alert in alerts {
        let style = match alert.severity {
            _ if alert.status != AlertStatus::Active => FAINT,
            Severity::Critical => BAD,
            Severity::Warning => WARNING,
            Severity::Info => FAINT,
        };
        let id = alert.id.to_string();
        let end = id.rsplit('-').next().unwrap_or_default();
        table.row([
            end.into(),
            moment(alert.raised_at).into(),
            Cell::styled(style, alert.severity.name()),
            alert.status.name().into(),
            alert.message.clone().into(),
        ]);
    }
    table
}
