//! `moonlock compare`: sessions side by side.

use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::exit::Failure;
use super::print::{Cell, FAINT, Side, Table, UNKNOWN, clock, count, dollars, shortened};
use super::{client_runtime, say};
use crate::config::{Environment, Flags, Settings};
use crate::domain::units::{Millis, NanoUsd};
use crate::domain::wire::{ComparedView, ComparisonView, SessionFigures};

/// Put sessions side by side; differences are to the first
#[derive(Debug, Args)]
#[command(after_help = "\
`median` stands for the median of your own finished sessions, once there are three.

Examples:
  moonlock compare monday tuesday
  moonlock compare refactor median
  moonlock compare monday tuesday --json | jq .sessions[1].difference")]
pub(super) struct Compare {
    /// Two to four sessions, by id or name, or `median`
    #[arg(required = true, num_args = 2..=4, value_name = "SESSION")]
    sessions: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(environment: &Environment, arguments: &Compare) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let client = Client::of(&settings)?;
    client_runtime()?.block_on(async {
        let mut ids = Vec::new();
        for named in &arguments.sessions {
            ids.push(match named.as_str() {
                "median" => "median".to_owned(),
                named => client.session(Some(named)).await?.id.to_string(),
            });
        }
        let path = format!("/api/sessions/compare?ids={}", ids.join(","));
        if arguments.json {
            say(&client.get::<Value>(&path).await?.to_string());
        } else {
            table(&client.get::<ComparisonView>(&path).await?.sessions).print();
        }
        Ok(())
    })
}

/// How a figure is written.
type Written = fn(i64) -> String;

/// A figure's name, where it stands, and how it is written.
type Figure = (&'static str, fn(&SessionFigures) -> Option<i64>, Written);

const FIGURES: [Figure; 13] = [
    ("clock", |figures| Some(figures.elapsed_ms), time),
    ("calls", |figures| Some(figures.requests), number),
    ("failed", |figures| Some(figures.errors), number),
    ("tokens", |figures| Some(figures.total), number),
    ("  input", |figures| Some(figures.input), number),
    ("  cache read", |figures| Some(figures.cache_read), number),
    ("  cache write", |figures| Some(figures.cache_write), number),
    ("  output", |figures| Some(figures.output), number),
    ("  reasoning in it", |figures| Some(figures.reasoning), number),
    ("cost", |figures| figures.cost_nano_usd, money),
    ("from a cache, %", |figures| figures.cache_share_percent, number),
    ("output a minute", |figures| figures.output_per_minute, number),
    ("efficiency", |figures| figures.efficiency, number),
];

fn number(number: i64) -> String {
    format!("{}{}", sign(number), count(number.unsigned_abs()))
}

fn time(millis: i64) -> String {
    format!("{}{}", sign(millis), clock(Millis(millis.unsigned_abs())))
}

fn money(nanos: i64) -> String {
    dollars(NanoUsd(nanos))
}

const fn sign(number: i64) -> &'static str {
    if number < 0 { "-" } else { "" }
}

fn table(sessions: &[ComparedView]) -> Table {
    let names: Vec<String> = sessions
        .iter()
        .map(|session| {
            session
                .name
                .as_deref()
                .map_or_else(|| median(session), |name| shortened(name, 24))
        })
        .collect();
    let mut heads = vec![("", Side::Left)];
    for (at, name) in names.iter().enumerate() {
        heads.push((name, Side::Right));
        if at > 0 {
            heads.push(("Δ", Side::Right));
        }
    }
    let mut table = Table::new(heads);
    for (name, figure, written) in FIGURES {
        let write = |figures: Option<&SessionFigures>| {
            let found = figures.and_then(figure);
            found.map_or_else(|| UNKNOWN.to_owned(), written)
        };
        let mut row = vec![Cell::styled(FAINT, name)];
        for (at, session) in sessions.iter().enumerate() {
            row.push(write(session.figures.as_ref()).into());
            if at > 0 {
                let difference = session.difference.as_ref().and_then(figure);
                let more = difference.is_some_and(|difference| difference > 0);
                let difference = write(session.difference.as_ref());
                row.push(Cell::styled(
                    FAINT,
                    format!("{}{difference}", if more { "+" } else { "" }),
                ));
            }
        }
        table.row(row);
    }
    table
}

fn median(session: &ComparedView) -> String {
    format!("median of {}", session.past_sessions)
}
