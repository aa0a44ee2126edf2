//! `moonlock usage`: sums from the history, with the program running or not.

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::print::{Cell, Side, Table, UNKNOWN, count, dollars};
use super::{Failure, say};
use crate::api::usage::group::{GROUPS, Grouping};
use crate::api::usage::period::period_start;
use crate::api::usage::step;
use crate::config::{Environment, Flags, Settings};
use crate::domain::units::{NanoUsd, Timestamp};
use crate::domain::wire::UsageGroup;
use crate::store::{Reader, Timings, UsageQuery};

/// Print what was used
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  moonlock usage --since day\n  moonlock usage --json --group-by provider,model"
)]
pub(super) struct Usage {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Split the sums by these, with commas between: session, provider, model, client, operation, source, outcome, hour,
    /// day, weekday (1 is Monday), hourOfDay
    #[arg(long, value_name = "NAMES", default_value = "provider,model", value_parser = parse_groups)]
    group_by: Grouping,
    /// Count from the beginning of this hour, day, week, month or year, or all
    #[arg(long, value_name = "PERIOD", default_value = "all")]
    since: String,
    #[command(flatten)]
    flags: Flags,
}

fn parse_groups(text: &str) -> Result<Grouping, String> {
    Grouping::parse(text).ok_or_else(|| format!("expected {GROUPS}"))
}

pub(super) fn run(environment: &Environment, usage: &Usage) -> Result<(), Failure> {
    let settings = Settings::load(environment, &usage.flags).map_err(|error| Failure::usage(&error))?;
    let now = Timestamp(jiff::Timestamp::now().as_millisecond());
    let from = period_start(&usage.since, now, TimeZone::system())
        .ok_or_else(|| Failure::usage(&"--since: expected hour, day, week, month, year or all"))?;
    let reader = Reader::open(settings.database.path()).map_err(|error| Failure::run(&error))?;
    let query = UsageQuery {
        step: step(&usage.group_by, &TimeZone::system(), from, None, now),
        from,
        group_by: usage.group_by.stored(),
        timings: Timings::Wanted,
        ..UsageQuery::default()
    };
    let found = reader.usage(&query).map_err(|error| Failure::run(&error))?;
    let groups = usage.group_by.views(&found, &TimeZone::system());
    if usage.json {
        say(&json!({ "groups": groups }).to_string());
    } else {
        table(&usage.group_by, &groups);
    }
    Ok(())
}

const SUMS: [&str; 7] = [
    "requests",
    "input",
    "cacheRead",
    "cacheWrite",
    "output",
    "total",
    "costNanoUsd",
];

/// Prints groups as aligned columns: keys to the left, numbers to the right.
fn table(grouping: &Grouping, groups: &[UsageGroup]) {
    if groups.is_empty() {
        say("Nothing was used yet.");
        return;
    }
    let groups: Vec<Value> = groups.iter().map(|group| json!(group)).collect();
    let keys = grouping.names().map(|name| (name, Side::Left));
    let sums = SUMS.map(|name| if name == "costNanoUsd" { "cost" } else { name });
    let mut table = Table::new(keys.chain(sums.map(|name| (name, Side::Right))));
    for group in &groups {
        let keys = grouping.names().map(|name| key(group.get(name)));
        table.row(keys.chain(SUMS.map(|name| sum(name, group))).map(Cell::from));
    }
    table.print();
    let sum = |name: &str| groups.iter().map(|group| number(group, name)).sum::<u64>();
    let (tokens, requests) = (sum("unpricedTokens"), sum("unpricedRequests"));
    if requests > 0 {
        say(&format!(
            "Not in the cost: {} tokens of requests without a known price ({}).",
            count(tokens),
            count(requests)
        ));
    }
}

fn number(group: &Value, name: &str) -> u64 {
    group.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn key(key: Option<&Value>) -> String {
    match key {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => UNKNOWN.to_owned(),
    }
}

fn sum(name: &str, group: &Value) -> String {
    match group.get(name) {
        Some(Value::Number(cost)) if name == "costNanoUsd" => {
            // What has no price is left out of the sum, which is therefore the least that it can be.
            let at_least = if number(group, "unpricedRequests") > 0 {
                "≥ "
            } else {
                ""
            };
            format!("{at_least}{}", dollars(NanoUsd(cost.as_i64().unwrap_or(0))))
        }
        Some(Value::Number(_)) => count(number(group, name)),
        _ => UNKNOWN.to_owned(),
    }
}
