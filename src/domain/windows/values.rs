//! The notations of limits, shares and moments. What makes no sense is `None`.

use jiff::fmt::rfc2822;

use super::Permille;
use crate::domain::units::{Millis, Timestamp};

/// Beyond this a number is no limit.
const MOST: u64 = 1_000_000_000_000_000;
/// No window that lasts longer, or ended longer ago, is worth telling of.
const FARTHEST: i64 = 400 * 24 * 3_600_000;
/// From here on a number of seconds is a moment, not a duration: it would be 31 years.
const EPOCH_SECONDS: u64 = 1_000_000_000;
/// From here on it is in milliseconds: in seconds it would be the year 5138.
const EPOCH_MILLIS: u64 = 100_000_000_000;

/// A decimal number times ten to the power of `places`, without what is smaller then.
fn scaled(text: &str, places: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
    whole.bytes().chain(fraction).try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// A number of requests, tokens and such.
pub(super) fn count(text: &str) -> Option<u64> {
    scaled(text, 0).filter(|count| *count <= MOST)
}

/// From 0 to 100; more where a limit was passed.
pub(super) fn percent(text: &str) -> Option<Permille> {
    u32::try_from(scaled(text, 1)?).ok().map(Permille)
}

/// From 0 to 1; more where a limit was passed.
pub(super) fn fraction(text: &str) -> Option<Permille> {
    u32::try_from(scaled(text, 3)?).ok().map(Permille)
}

/// A period in seconds or in minutes.
pub(super) fn period(text: &str, unit: Millis) -> Option<Millis> {
    let period = count(text)?.checked_mul(unit.0)?;
    (period.cast_signed() <= FARTHEST).then_some(Millis(period))
}

/// When a window begins anew, for a reply that arrived `at`.
///
/// Providers write a moment (RFC 3339, an HTTP date, epoch seconds or milliseconds) or a duration from now (seconds,
/// or Go's notation); which one it is shows in how it looks.
pub(super) fn moment(text: &str, at: Timestamp) -> Option<Timestamp> {
    let moment = match scaled(text, 3) {
        Some(thousandths) => match thousandths / 1000 {
            EPOCH_MILLIS.. => Timestamp((thousandths / 1000).cast_signed()),
            EPOCH_SECONDS.. => Timestamp(thousandths.cast_signed()),
            _ => after(at, Millis(thousandths)),
        },
        None => match go_duration(text) {
            Some(duration) => after(at, duration),
            None => date(text)?,
        },
    };
    (moment.0.abs_diff(at.0) <= FARTHEST.unsigned_abs()).then_some(moment)
}

/// When to come back, in milliseconds from now.
pub(super) fn pause_ms(text: &str, at: Timestamp) -> Option<Timestamp> {
    let pause = count(text)?;
    (pause.cast_signed() <= FARTHEST).then(|| after(at, Millis(pause)))
}

fn after(at: Timestamp, duration: Millis) -> Timestamp {
    Timestamp(at.0.saturating_add_unsigned(duration.0))
}

fn date(text: &str) -> Option<Timestamp> {
    let parsed: Option<jiff::Timestamp> = text.parse().ok();
    let moment = match parsed {
        Some(moment) => moment,
        // RFC 9110 §5.6.7; its usual form is also one of RFC 2822.
        None => rfc2822::parse(text).ok()?.timestamp(),
    };
    Some(Timestamp(moment.as_millisecond()))
}

/// Units of Go's `time.Duration`, in nanoseconds; one that another begins with stands behind it.
const GO_UNITS: [(&str, u128); 8] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("d", 86_400_000_000_000),
];

/// `6m0s`, `2m59.56s`, `20ms`: up to the next whole millisecond, so that nobody comes back too early.
fn go_duration(text: &str) -> Option<Millis> {
    let mut rest = text;
    let mut nanos = 0_u128;
    for _ in 0..GO_UNITS.len() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, behind) = rest.split_at(end);
        let (unit, size) = GO_UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        nanos += u128::from(scaled(number, 9)?) * size / 1_000_000_000;
        rest = behind.get(unit.len()..)?;
        if rest.is_empty() {
            let millis = u64::try_from(nanos.div_ceil(1_000_000)).ok()?;
            return (millis.cast_signed() <= FARTHEST).then_some(Millis(millis));
        }
    }
    None
}
