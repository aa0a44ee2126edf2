//! What sums are split by, and how a group is shown.

use std::collections::HashMap;

use jiff::Zoned;
use jiff::tz::TimeZone;
use serde_json::{Map, Number, Value};

use crate::domain::call::{Outcome, Source};
use crate::domain::histogram::Histogram;
use crate::domain::operation::Operation;
use crate::domain::units::{Millis, Timestamp};
use crate::domain::wire::Totals;
use crate::store::{GroupBy, UsageGroup, UsageKeys};

/// What can be grouped by, for people.
pub(crate) const GROUPS: &str = "any of session, provider, model, client, conversation, operation, source, outcome, hour, day, weekday, hourOfDay, with commas between";

/// One thing that sums are split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// What the roll-ups hold apart.
    Stored(GroupBy),
    /// What the viewer's clock and calendar say of the moment when a call began.
    Time(Time),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Hour,
    Day,
    Weekday,
    HourOfDay,
}

/// As the API calls them.
const NAMES: [(&str, By); 12] = [
    ("session", By::Stored(GroupBy::Session)),
    ("provider", By::Stored(GroupBy::Provider)),
    ("model", By::Stored(GroupBy::Model)),
    ("client", By::Stored(GroupBy::Client)),
    ("conversation", By::Stored(GroupBy::Conversation)),
    ("operation", By::Stored(GroupBy::Operation)),
    ("source", By::Stored(GroupBy::Source)),
    ("outcome", By::Stored(GroupBy::Outcome)),
    ("hour", By::Time(Time::Hour)),
    ("day", By::Time(Time::Day)),
    ("weekday", By::Time(Time::Weekday)),
    ("hourOfDay", By::Time(Time::HourOfDay)),
];

/// What sums are split by; nothing is one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grouping(Vec<(&'static str, By)>);

impl Grouping {
    /// Reads `provider,model`; a name that is said again says nothing more.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut by = Vec::new();
        for name in text.split(',') {
            let found = NAMES.iter().find(|(known, _)| *known == name.trim())?;
            if !by.contains(found) {
                by.push(*found);
            }
        }
        Some(Self(by))
    }

    /// The names, as they were said.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// What the store splits by: where the clock matters, by quarters of an hour, which fit every zone's hours and days.
    pub(crate) fn stored(&self) -> Vec<GroupBy> {
        let mut stored: Vec<GroupBy> = self
            .0
            .iter()
            .map(|(_, by)| match by {
                By::Stored(by) => *by,
                By::Time(_) => GroupBy::Bucket,
            })
            .collect();
        if let Some(first) = stored.iter().position(|by| *by == GroupBy::Bucket) {
            let mut index = 0;
            stored.retain(|by| {
                index += 1;
                *by != GroupBy::Bucket || index - 1 == first
            });
        }
        stored
    }

    /// The groups as flat objects: each its keys, then its sums. By time, then the largest first.
    pub(crate) fn views(&self, groups: &[UsageGroup], zone: &TimeZone) -> Vec<Map<String, Value>> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut merged: Vec<(Map<String, Value>, Sums)> = Vec::new();
        let mut clock = Clock { zone, last: None };
        for group in groups {
            let keys = self.keys(&group.keys, &mut clock);
            let name = Value::Object(keys.clone()).to_string();
            let place = *places.entry(name).or_insert_with(|| {
                merged.push((keys, Sums::default()));
                merged.len() - 1
            });
            if let Some((_, sums)) = merged.get_mut(place) {
                sums.add(group);
            }
        }
        let times: Vec<&str> = self
            .0
            .iter()
            .filter(|(_, by)| matches!(by, By::Time(_)))
            .map(|(name, _)| *name)
            .collect();
        // The sort is stable: within a moment, and where there is none, the store's order would be by quarters.
        merged.sort_by(|(left, left_sums), (right, right_sums)| {
            let moments = times.iter().map(|name| order(left.get(*name), right.get(*name)));
            moments
                .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
                .then_with(|| right_sums.totals.total.cmp(&left_sums.totals.total))
        });
        merged.into_iter().map(|(keys, sums)| view(keys, &sums)).collect()
    }

    fn keys(&self, keys: &UsageKeys, clock: &mut Clock<'_>) -> Map<String, Value> {
        let value = |by: By, clock: &mut Clock<'_>| match by {
            By::Stored(by) => stored(by, keys),
            By::Time(time) => keys.bucket.map_or(Value::Null, |at| clock.says(time, at)),
        };
        let keys = self
            .0
            .iter()
            .map(|(name, by)| ((*name).to_owned(), value(*by, clock)));
        keys.collect()
    }
}

/// Earlier first: numbers as numbers, dates as text.
fn order(left: Option<&Value>, right: Option<&Value>) -> std::cmp::Ordering {
    let (left, right) = (left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null));
    left.as_i64()
        .cmp(&right.as_i64())
        .then_with(|| left.as_str().cmp(&right.as_str()))
}

/// What the calls of a group have in common.
fn stored(by: GroupBy, keys: &UsageKeys) -> Value {
    match by {
        GroupBy::Session => keys.session.map(|id| id.to_string()).into(),
        GroupBy::Provider => keys.provider.as_deref().into(),
        GroupBy::Model => keys.model.as_deref().into(),
        GroupBy::Client => keys.client.as_deref().into(),
        GroupBy::Conversation => keys.conversation.as_deref().into(),
        GroupBy::Operation => keys.operation.map(Operation::name).into(),
        GroupBy::Source => keys.source.map(Source::name).into(),
        GroupBy::Outcome => keys.outcome.map(Outcome::name).into(),
        GroupBy::Bucket => keys.bucket.map(|bucket| bucket.0).into(),
    }
}

/// What the viewer's clock shows. Groups come by time, so most ask for the same moment again.
struct Clock<'a> {
    zone: &'a TimeZone,
    last: Option<(Timestamp, Zoned)>,
}

impl Clock<'_> {
    fn says(&mut self, time: Time, at: Timestamp) -> Value {
        if self.last.as_ref().is_none_or(|(last, _)| *last != at) {
            self.last = jiff::Timestamp::from_millisecond(at.0)
                .ok()
                .map(|moment| (at, moment.to_zoned(self.zone.clone())));
        }
        let Some((_, local)) = &self.last else {
            return Value::Null;
        };
        match time {
            Time::Hour => {
                let into = i64::from(local.minute()) * 60_000 + i64::from(local.second()) * 1_000;
                (at.0 - into).into()
            }
            Time::Day => local.date().to_string().into(),
            Time::Weekday => local.weekday().to_monday_one_offset().into(),
            Time::HourOfDay => local.hour().into(),
        }
    }
}

/// The sums of what is shown as one group.
#[derive(Default)]
struct Sums {
    totals: Totals,
    duration: Millis,
    durations: Histogram,
    ttfts: Histogram,
}

impl Sums {
    fn add(&mut self, group: &UsageGroup) {
        self.totals.merge(&group.totals);
        self.duration.0 = self.duration.0.saturating_add(group.duration.0);
        self.durations.add(&group.durations);
        self.ttfts.add(&group.ttfts);
    }
}

/// The percentiles that are shown of how long calls took.
const PERCENTILES: [u8; 3] = [50, 90, 99];

/// A group as one flat object: its keys, its sums, and what follows from these.
fn view(mut view: Map<String, Value>, sums: &Sums) -> Map<String, Value> {
    let Sums { totals, duration, .. } = sums;
    if let Ok(Value::Object(totals)) = serde_json::to_value(totals) {
        view.extend(totals);
    }
    let prompt = totals
        .input
        .saturating_add(totals.cache_read)
        .saturating_add(totals.cache_write);
    let priced = totals.total.saturating_sub(totals.unpriced_tokens);
    let seconds = duration.0 as f64 / 1_000.0;
    view.insert("durationMs".to_owned(), duration.0.into());
    view.insert(
        "cacheHitShare".to_owned(),
        ratio(totals.cache_read as f64, prompt as f64),
    );
    view.insert(
        "pricedShare".to_owned(),
        ratio(priced as f64, totals.total as f64),
    );
    view.insert("outputPerSecond".to_owned(), ratio(totals.output as f64, seconds));
    for (name, took) in [("duration", &sums.durations), ("ttft", &sums.ttfts)] {
        for share in PERCENTILES {
            let at_most = took.percentile(share).map(|took| took.0);
            view.insert(format!("{name}P{share}Ms"), at_most.into());
        }
    }
    view
}

/// To four digits behind the point; `null` where there is nothing to compare with.
fn ratio(part: f64, whole: f64) -> Value {
    let ratio = (whole > 0.0).then(|| (part / whole * 10_000.0).round() / 10_000.0);
    ratio
        .and_then(Number::from_f64)
        .map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(at: &str, model: &str, total: u64) -> UsageGroup {
        let at: jiff::Timestamp = at.parse().unwrap();
        UsageGroup {
            keys: UsageKeys {
                model: Some(model.into()),
                bucket: Some(Timestamp(at.as_millisecond())),
                ..UsageKeys::default()
            },
            totals: Totals {
                requests: 1,
                input: total,
                total,
                ..Totals::default()
            },
            durations: Histogram::default(),
            ttfts: Histogram::default(),
            duration: Millis(500),
        }
    }

    fn views(by: &str, zone: &str, groups: &[UsageGroup]) -> Vec<(Vec<Value>, u64)> {
        let grouping = Grouping::parse(by).unwrap();
        let views = grouping.views(groups, &TimeZone::get(zone).unwrap());
        let pick = |view: &Map<String, Value>| {
            let keys = grouping.names().map(|name| view[name].clone());
            (keys.collect(), view["total"].as_u64().unwrap())
        };
        views.iter().map(pick).collect()
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let groups = [
            group("2026-11-21T22:45:00Z", "a", 1),
            group("2026-11-21T23:00:00Z", "a", 2),
            group("2026-11-22T22:45:00Z", "a", 4),
            group("2026-11-22T23:15:00Z", "a", 8),
        ];
        let day = |day: &str| vec![Value::from(day)];
        assert_eq!(
            views("day", "Europe/Berlin", &groups),
            [
                (day("2026-11-21"), 1),
                (day("2026-11-22"), 6),
                (day("2026-11-23"), 8)
            ]
        );
        assert_eq!(
            views("day", "America/New_York", &groups),
            [(day("2026-11-21"), 3), (day("2026-11-22"), 12)]
        );
    }

    #[test]
    fn the_hour_that_comes_twice_is_two_hours_and_one_hour_of_the_day() {
        // Berlin, 2026-10-25: at 3 the clocks go back to 2.
        let groups = [
            group("2026-10-25T00:15:00Z", "a", 1),
            group("2026-10-25T00:45:00Z", "a", 2),
            group("2026-10-25T01:00:00Z", "a", 4),
        ];
        let hours = views("hour", "Europe/Berlin", &groups);
        let hour = |text: &str| {
            vec![Value::from(
                text.parse::<jiff::Timestamp>().unwrap().as_millisecond(),
            )]
        };
        assert_eq!(
            hours,
            [
                (hour("2026-10-25T00:00:00Z"), 3),
                (hour("2026-10-25T01:00:00Z"), 4)
            ]
        );
        let heat = views("weekday,hourOfDay", "Europe/Berlin", &groups);
        assert_eq!(heat, [(vec![Value::from(7), Value::from(2)], 7)]);
        // Kolkata is half an hour beside UTC: its hours begin at half past.
        assert_eq!(
            views("hour", "Asia/Kolkata", &groups[..2]),
            [
                (hour("2026-10-24T23:30:00Z"), 1),
                (hour("2026-10-25T00:30:00Z"), 2)
            ]
        );
    }

    #[test]
    fn time_comes_first_then_the_largest() {
        let groups = [
            group("2026-11-21T10:00:00Z", "small", 1),
            group("2026-11-21T10:15:00Z", "large", 9),
            group("2026-11-22T10:15:00Z", "small", 3),
        ];
        let found = views("model,day", "UTC", &groups);
        let order: Vec<_> = found.iter().map(|(keys, _)| keys[0].as_str().unwrap()).collect();
        assert_eq!(order, ["large", "small", "small"]);
    }

    #[test]
    fn nothing_known_is_no_ratio() {
        assert_eq!(ratio(0.0, 0.0), Value::Null);
        assert_eq!(ratio(1.0, 3.0), Value::from(0.3333));
        assert_eq!(Grouping::parse("model,fortnight"), None);
        assert_eq!(Grouping::parse("day, day").unwrap().stored(), [GroupBy::Bucket]);
    }
}
