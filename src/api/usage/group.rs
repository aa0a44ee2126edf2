//! What sums are split by, and how a group is shown.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::domain::call::{Outcome, Source};
use crate::domain::histogram::Histogram;
use crate::domain::operation::Operation;
use crate::domain::units::{Millis, Timestamp};
use crate::domain::wire::{Totals, UsageGroup, UsageKeys};
use crate::store::{self, GroupBy};

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

    /// Whether it tells the hours of a day apart.
    pub(crate) fn knows_hours(&self) -> bool {
        self.0
            .iter()
            .any(|(_, by)| matches!(by, By::Time(Time::Hour | Time::HourOfDay)))
    }

    /// What the store splits by: where the clock or the calendar matters, by time.
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

    /// The groups as they are shown. By time, then the largest first.
    pub(crate) fn views(&self, groups: &[store::UsageGroup], zone: &TimeZone) -> Vec<UsageGroup> {
        let mut places: HashMap<UsageKeys, usize> = HashMap::new();
        let mut merged: Vec<(UsageKeys, Sums)> = Vec::new();
        let mut clock = Clock { zone, last: None };
        for group in groups {
            let keys = self.keys(&group.keys, &mut clock);
            let place = *places.entry(keys).or_insert_with_key(|keys| {
                merged.push((keys.clone(), Sums::default()));
                merged.len() - 1
            });
            if let Some((_, sums)) = merged.get_mut(place) {
                sums.add(group);
            }
        }
        // The sort is stable: within a moment, and where there is none, the store's order would be by quarters.
        merged.sort_by(|(left, left_sums), (right, right_sums)| {
            let moments = self.0.iter().map(|(_, by)| by.order(left, right));
            moments
                .fold(Ordering::Equal, Ordering::then)
                .then_with(|| right_sums.totals.total.cmp(&left_sums.totals.total))
        });
        merged.into_iter().map(|(keys, sums)| view(keys, &sums)).collect()
    }

    fn keys(&self, keys: &store::UsageKeys, clock: &mut Clock<'_>) -> UsageKeys {
        let mut said = UsageKeys::default();
        for (_, by) in &self.0 {
            match by {
                By::Stored(by) => stored(*by, keys, &mut said),
                By::Time(time) => {
                    if let Some(at) = keys.bucket {
                        clock.says(*time, at, &mut said);
                    }
                }
            }
        }
        said
    }
}

impl By {
    /// Earlier first; what is no time has no order.
    fn order(self, left: &UsageKeys, right: &UsageKeys) -> Ordering {
        match self {
            Self::Stored(_) => Ordering::Equal,
            Self::Time(Time::Hour) => left.hour.cmp(&right.hour),
            Self::Time(Time::Day) => left.day.cmp(&right.day),
            Self::Time(Time::Weekday) => left.weekday.cmp(&right.weekday),
            Self::Time(Time::HourOfDay) => left.hour_of_day.cmp(&right.hour_of_day),
        }
    }
}

/// Says what the calls of a group have in common.
fn stored(by: GroupBy, keys: &store::UsageKeys, said: &mut UsageKeys) {
    let text = |text: Option<&str>| Some(text.map(str::to_owned));
    match by {
        GroupBy::Session => said.session = Some(keys.session.map(|id| id.to_string())),
        GroupBy::Provider => said.provider = text(keys.provider.as_deref()),
        GroupBy::Model => said.model = text(keys.model.as_deref()),
        GroupBy::Client => said.client = text(keys.client.as_deref()),
        GroupBy::Conversation => said.conversation = text(keys.conversation.as_deref()),
        GroupBy::Operation => said.operation = text(keys.operation.map(Operation::name)),
        GroupBy::Source => said.source = text(keys.source.map(Source::name)),
        GroupBy::Outcome => said.outcome = text(keys.outcome.map(Outcome::name)),
        // Only the viewer's clock says what it is.
        GroupBy::Bucket => {}
    }
}

/// What the viewer's clock shows. Groups come by time, so most ask for the same moment again.
struct Clock<'a> {
    zone: &'a TimeZone,
    last: Option<(Timestamp, Zoned)>,
}

impl Clock<'_> {
    fn says(&mut self, time: Time, at: Timestamp, said: &mut UsageKeys) {
        if self.last.as_ref().is_none_or(|(last, _)| *last != at) {
            self.last = jiff::Timestamp::from_millisecond(at.0)
                .ok()
                .map(|moment| (at, moment.to_zoned(self.zone.clone())));
        }
        let Some((_, local)) = &self.last else {
            return;
        };
        match time {
            Time::Hour => {
                let into = i64::from(local.minute()) * 60_000 + i64::from(local.second()) * 1_000;
                said.hour = Some(at.0 - into);
            }
            Time::Day => said.day = Some(local.date().to_string()),
            Time::Weekday => said.weekday = Some(local.weekday().to_monday_one_offset()),
            Time::HourOfDay => said.hour_of_day = Some(local.hour()),
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
    fn add(&mut self, group: &store::UsageGroup) {
        self.totals.merge(&group.totals);
        self.duration.0 = self.duration.0.saturating_add(group.duration.0);
        self.durations.add(&group.durations);
        self.ttfts.add(&group.ttfts);
    }
}

/// A group's keys, its sums, and what follows from these.
fn view(keys: UsageKeys, sums: &Sums) -> UsageGroup {
    let Sums { totals, duration, .. } = sums;
    let prompt = totals
        .input
        .saturating_add(totals.cache_read)
        .saturating_add(totals.cache_write);
    let priced = totals.total.saturating_sub(totals.unpriced_tokens);
    let seconds = duration.0 as f64 / 1_000.0;
    let at_most = |took: &Histogram, share| took.percentile(share).map(|took| took.0);
    UsageGroup {
        keys,
        totals: *totals,
        duration_ms: duration.0,
        cache_hit_share: ratio(totals.cache_read as f64, prompt as f64),
        priced_share: ratio(priced as f64, totals.total as f64),
        output_per_second: ratio(totals.output as f64, seconds),
        duration_p50_ms: at_most(&sums.durations, 50),
        duration_p90_ms: at_most(&sums.durations, 90),
        duration_p99_ms: at_most(&sums.durations, 99),
        ttft_p50_ms: at_most(&sums.ttfts, 50),
        ttft_p90_ms: at_most(&sums.ttfts, 90),
        ttft_p99_ms: at_most(&sums.ttfts, 99),
    }
}

/// To four digits behind the point; `None` where there is nothing to compare with.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole * 10_000.0).round() / 10_000.0)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn group(at: &str, model: &str, total: u64) -> store::UsageGroup {
        let at: jiff::Timestamp = at.parse().unwrap();
        store::UsageGroup {
            keys: store::UsageKeys {
                model: Some(model.into()),
                bucket: Some(Timestamp(at.as_millisecond())),
                ..store::UsageKeys::default()
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

    fn views(by: &str, zone: &str, groups: &[store::UsageGroup]) -> Vec<(Vec<Value>, u64)> {
        let grouping = Grouping::parse(by).unwrap();
        let views = grouping.views(groups, &TimeZone::get(zone).unwrap());
        let pick = |view: &UsageGroup| {
            let view = serde_json::to_value(view).unwrap();
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
        assert_eq!(ratio(0.0, 0.0), None);
        assert_eq!(ratio(1.0, 3.0), Some(0.3333));
        assert_eq!(Grouping::parse("model,fortnight"), None);
        assert_eq!(Grouping::parse("day, day").unwrap().stored(), [GroupBy::Bucket]);
    }
}
