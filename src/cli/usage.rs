//! `moonlock usage`: sums from the history, with the program running or not.

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{Failure, say};
use crate::api::usage::group::{GROUPS, Grouping};
use crate::api::usage::period::period_start;
use crate::config::{Environment, Flags, Settings};
use crate::domain::units::Timestamp;
use crate::store::{Reader, UsageQuery};

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
        from,
        group_by: usage.group_by.stored(),
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
fn table(grouping: &Grouping, groups: &[Map<String, Value>]) {
    if groups.is_empty() {
        say("Nothing was used yet.");
        return;
    }
    let keys: Vec<&str> = grouping.names().collect();
    let columns: Vec<&str> = keys.iter().copied().chain(SUMS).collect();
    let head = columns.iter().map(|name| {
        if *name == "costNanoUsd" {
            "cost".to_owned()
        } else {
            (*name).to_owned()
        }
    });
    let mut rows = vec![head.collect::<Vec<String>>()];
    rows.extend(
        groups
            .iter()
            .map(|group| columns.iter().map(|name| cell(name, group)).collect()),
    );
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            if at < keys.len() {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        say(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    let sum = |name: &str| groups.iter().map(|group| number(group, name)).sum::<u64>();
    let (tokens, requests) = (sum("unpricedTokens"), sum("unpricedRequests"));
    if requests > 0 {
        say(&format!(
            "Not in the cost: {tokens} tokens of requests without a known price ({requests})."
        ));
    }
}

fn number(group: &Map<String, Value>, name: &str) -> u64 {
    group.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn cell(name: &str, group: &Map<String, Value>) -> String {
    match group.get(name) {
        Some(Value::Number(cost)) if name == "costNanoUsd" => {
            // What has no price is left out of the sum, which is therefore the least that it can be.
            let at_least = if number(group, "unpricedRequests") > 0 {
                "≥ "
            } else {
                ""
            };
            format!("{at_least}{}", dollars(cost.as_i64().unwrap_or(0)))
        }
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        _ => "–".to_owned(),
    }
}

/// Dollars from billionths, without a float: two digits behind the point, or more where it is less.
fn dollars(nanos: i64) -> String {
    let places = match nanos {
        0 | 10_000_000.. => 2,
        1_000_000.. => 3,
        100_000.. => 4,
        10_000.. => 5,
        _ => 6,
    };
    let unit = 10_i64.pow(9 - places);
    let rounded = (nanos + unit / 2) / unit;
    let whole = 10_i64.pow(places);
    format!(
        "${}.{:0width$}",
        rounded / whole,
        rounded % whole,
        width = places as usize
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_printed_without_a_float() {
        for (nanos, expected) in [
            (0, "$0.00"),
            (1_234_567_890, "$1.23"),
            (1_235_000_000, "$1.24"),
            (22_345_678, "$0.02"),
            (7_411_050, "$0.007"),
            (741_105, "$0.0007"),
            (29_250, "$0.00003"),
            (999, "$0.000001"),
        ] {
            assert_eq!(dollars(nanos), expected);
        }
    }
}
