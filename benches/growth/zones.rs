//! What the analytics say in four time zones: how long the answers take, and whether each number in them is what comes out
//! when all calls are counted one by one.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::Value;

use crate::program::Program;
use crate::questions::measure_one;
use crate::reference::{self, By, Place, Sums, Wanted, date_of, days_since};

/// One that changes its clocks as its neighbours do and one on the other side of the ocean, one that is ahead by a quarter of
/// an hour and one that changes its clocks by half an hour.
const ZONES: [&str; 4] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
];

const USAGE: [(&str, &str, By); 12] = [
    ("day", "hour", By::Hour),
    ("day", "day", By::Day),
    ("week", "hour", By::Hour),
    ("week", "day", By::Day),
    ("month", "hour", By::Hour),
    ("month", "day", By::Day),
    ("year", "weekday,hourOfDay", By::WeekdayAndHour),
    ("year", "day", By::Day),
    ("year", "day,model", By::DayAndModel),
    ("all", "weekday,hourOfDay", By::WeekdayAndHour),
    ("all", "day", By::Day),
    ("all", "day,model", By::DayAndModel),
];

const HEATMAPS: [(&str, By, usize); 2] = [("year", By::Day, 365), ("week", By::WeekdayAndHour, 7 * 24)];

/// So many differences are told; one is too many.
const TOLD: usize = 20;

/// An answer, and what it is compared with.
struct Asked {
    name: String,
    answer: Value,
    wanted: usize,
    /// How many cells there must be; `None`: these are groups, of what was used only.
    cells: Option<usize>,
}

pub(crate) fn compare(directory: &Path, calls: u64) {
    let zones = ZONES.map(|name| TimeZone::get(name).expect("a time zone"));
    let program = Program::start(directory);
    println!("\n| question ({calls} calls) | first, ms | p50 | p99 | bytes |\n|---|---|---|---|---|");
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    let mut differences = Differences::default();
    for (index, zone) in zones.iter().enumerate() {
        let name = ZONES[index];
        let today = Timestamp::now().to_zoned(zone.clone());
        let mut ask = |question: String, path: String, from: Option<Zoned>, by: By, cells: Option<usize>| {
            let question = format!("{question}, {name}");
            let answer = measure_one(&program, &question, &path);
            let answer: Value = serde_json::from_slice(&answer).expect("JSON");
            let from = from.map(|from| from.timestamp().as_millisecond());
            differences.check(&question, "from", &answer["from"], from);
            asked.push(Asked {
                name: question,
                answer,
                wanted: wanted.len(),
                cells,
            });
            wanted.push(Wanted {
                zone: index,
                from: from.unwrap_or(i64::MIN),
                by,
                found: HashMap::new(),
            });
        };
        for (period, groups, by) in USAGE {
            let path = format!("/api/analytics/usage?period={period}&groupBy={groups}&timeZone={name}");
            let question = format!("usage, {period} by {groups}");
            ask(question, path, beginning(period, &today), by, None);
        }
        for (kind, by, cells) in HEATMAPS {
            let path = format!("/api/analytics/heatmap?kind={kind}&timeZone={name}");
            // A year with today is what both show.
            let first = today.start_of_day().and_then(|day| day.checked_sub(364.days()));
            let first = first.and_then(|day| day.start_of_day()).expect("a day");
            ask(format!("heat map, {kind}"), path, Some(first), by, Some(cells));
        }
    }
    program.stop();
    let began = Instant::now();
    let models = reference::scan(&directory.join("moonlock.db"), &zones, &mut wanted);
    println!("\n| what | figure |\n|---|---|");
    println!(
        "| every call counted by itself, seconds | {:.1} |",
        began.elapsed().as_secs_f64()
    );
    for asked in &asked {
        let found = std::mem::take(&mut wanted[asked.wanted].found);
        match asked.cells {
            Some(cells) => differences.heatmap(asked, found, cells),
            None => differences.usage(asked, found, &models),
        }
    }
    println!("| numbers compared with that | {} |", differences.compared);
    println!("| differences | {} |", differences.found.len());
    let told = &differences.found[..differences.found.len().min(TOLD)];
    assert!(
        told.is_empty(),
        "the answers are not what the calls add up to:\n{}",
        told.join("\n")
    );
}

/// When a period began on the zone's clock.
fn beginning(period: &str, today: &Zoned) -> Option<Zoned> {
    let back = match period {
        "day" => 0,
        "week" => i64::from(today.weekday().to_monday_zero_offset()),
        "month" => i64::from(today.day()) - 1,
        "year" => i64::from(today.day_of_year()) - 1,
        _ => return None,
    };
    let first = today.date().checked_sub(back.days()).expect("a day");
    Some(
        first
            .to_zoned(today.time_zone().clone())
            .expect("its first moment"),
    )
}

#[derive(Default)]
struct Differences {
    compared: u64,
    found: Vec<String>,
}

impl Differences {
    fn check(&mut self, place: &str, name: &str, said: &Value, expected: Option<i64>) {
        self.compared += 1;
        if *said != expected.map_or(Value::Null, Value::from) {
            self.tell(place, name, said, &format!("{expected:?}"));
        }
    }

    fn tell(&mut self, place: &str, name: &str, said: &Value, expected: &str) {
        self.found
            .push(format!("{place}: {name} is {said}, counted {expected}"));
    }

    fn usage(&mut self, asked: &Asked, mut found: HashMap<Place, Sums>, models: &HashMap<String, i64>) {
        let mut all = Sums::default();
        for sums in found.values() {
            all.merge(sums);
        }
        // How long all calls took together is said of groups alone.
        for (name, number) in all.named().filter(|(name, _)| *name != "durationMs") {
            let place = format!("{}: all", asked.name);
            self.check(&place, name, &asked.answer["totals"][name], number);
        }
        for group in asked.answer["groups"].as_array().expect("groups") {
            let place = place_of(group, models);
            let at = format!("{}: {}", asked.name, shown(group, place));
            let Some(sums) = found.remove(&place) else {
                self.tell(&at, "the group", group, "none");
                continue;
            };
            for (name, number) in sums.named() {
                self.check(&at, name, &group[name], number);
            }
            for (name, share) in sums.shares() {
                self.compared += 1;
                if group[name].as_f64() != share {
                    self.tell(&at, name, &group[name], &format!("{share:?}"));
                }
            }
            for (name, between) in sums.percentiles() {
                self.compared += 1;
                let is_right = match (group[&name].as_f64(), between) {
                    (Some(said), Some((low, high))) => low <= said && said <= high,
                    (said, between) => said.is_none() && between.is_none(),
                };
                if !is_right {
                    self.tell(&at, &name, &group[&name], &format!("between {between:?}"));
                }
            }
        }
        self.missing(asked, &found);
    }

    fn heatmap(&mut self, asked: &Asked, mut found: HashMap<Place, Sums>, count: usize) {
        let cells = asked.answer["cells"].as_array().expect("cells");
        self.check(
            &asked.name,
            "the number of cells",
            &cells.len().into(),
            i64::try_from(count).ok(),
        );
        for cell in cells {
            let place = place_of(cell, &HashMap::new());
            let at = format!("{}: {}", asked.name, shown(cell, place));
            let sums = found.remove(&place).unwrap_or_default();
            for (name, number) in sums.named() {
                if matches!(name, "requests" | "errors" | "total" | "costNanoUsd") {
                    self.check(&at, name, &cell[name], number);
                }
            }
        }
        self.missing(asked, &found);
    }

    fn missing(&mut self, asked: &Asked, left: &HashMap<Place, Sums>) {
        for (place, sums) in left {
            let requests = sums.named().next();
            self.tell(
                &asked.name,
                &format!("{place:?}"),
                &Value::Null,
                &format!("{requests:?}"),
            );
        }
    }
}

/// Where the reference counts the calls of a group or a cell.
fn place_of(group: &Value, models: &HashMap<String, i64>) -> Place {
    let model = group["model"]
        .as_str()
        .map_or(0, |name| models.get(name).copied().unwrap_or(-1));
    if let Some(hour) = group["hour"].as_i64() {
        return (hour, model);
    }
    if let Some(day) = group["day"].as_str() {
        return (days_since(day.parse().expect("a day")), model);
    }
    let weekday = group["weekday"].as_i64().expect("a weekday");
    (
        (weekday - 1) * 24 + group["hourOfDay"].as_i64().expect("an hour"),
        model,
    )
}

fn shown(group: &Value, (place, _): Place) -> String {
    if group["hour"].is_number() {
        return Timestamp::from_millisecond(place).expect("a moment").to_string();
    }
    match group["day"].is_string() {
        true => format!(
            "{} {}",
            date_of(place),
            group["model"].as_str().unwrap_or_default()
        ),
        false => format!("weekday {}, hour {}", place / 24 + 1, place % 24),
    }
}
