//! How the command line writes: tables, numbers, money, time.
//!
//! Colour is taken out again where standard output is no terminal, or `NO_COLOR` is set ([`anstream`] looks).

use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use super::say;
use crate::domain::alert::text::{Grouped, Span};
use crate::domain::units::{Millis, NanoUsd};

/// What is well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What wants attention.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
/// What is wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// What stands back.
pub(super) const FAINT: Style = Style::new().dimmed();
/// What stands out.
pub(super) const STRONG: Style = Style::new().bold();

/// Stands for what is not known.
pub(super) const UNKNOWN: &str = "–";

/// A text in a style.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A text from outside, without what a terminal would take for an order.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The same, cut to so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= most {
        return text.into_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A whole number, its thousands apart: `1,234,567`.
pub(super) fn count(number: u64) -> String {
    Grouped(number).to_string()
}

/// A number in three digits or so: `950`, `1.2k`, `34k`, `1.2M`.
pub(super) fn short(number: u64) -> String {
    let (unit, sign) = match number {
        0..1_000 => return number.to_string(),
        1_000..999_500 => (1_000, 'k'),
        999_500..999_500_000 => (1_000_000, 'M'),
        _ => (1_000_000_000, 'G'),
    };
    let tenths = number.saturating_add(unit / 20) / (unit / 10);
    if tenths < 100 {
        format!("{}.{}{sign}", tenths / 10, tenths % 10)
    } else {
        format!("{}{sign}", number.saturating_add(unit / 2) / unit)
    }
}

/// Dollars, without a float: two digits behind the point, or more where it is less.
pub(super) fn dollars(NanoUsd(nanos): NanoUsd) -> String {
    let places = match nanos.unsigned_abs() {
        0 | 10_000_000.. => 2,
        1_000_000.. => 3,
        100_000.. => 4,
        10_000.. => 5,
        _ => 6,
    };
    let unit = 10_u64.pow(9 - places);
    let rounded = nanos.unsigned_abs().saturating_add(unit / 2) / unit;
    let whole = 10_u64.pow(places);
    let sign = if nanos < 0 { "-" } else { "" };
    let (dollars, part) = (Grouped(rounded / whole), rounded % whole);
    format!("{sign}${dollars}.{part:0width$}", width = places as usize)
}

/// A clock's face: `0:05`, `12:34`, `1:02:03`.
pub(super) fn clock(Millis(millis): Millis) -> String {
    let seconds = millis / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A stretch of time in one or two words: `45 s`, `2 h 5 min`.
pub(super) fn span(millis: Millis) -> String {
    Span(millis).to_string()
}

/// A moment on this machine's wall clock, to the minute.
pub(super) fn moment(epoch_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(epoch_ms).map_or_else(
        |_| UNKNOWN.to_owned(),
        |at| {
            at.to_zoned(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M")
                .to_string()
        },
    )
}

/// A part of a whole, in whole per cent; `None` of nothing.
pub(super) fn percent(part: u64, whole: u64) -> Option<u64> {
    let percent = (u128::from(part) * 100 + u128::from(whole) / 2).checked_div(u128::from(whole))?;
    u64::try_from(percent).ok()
}

/// The side that a column's cells stand at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A cell: its text, and how that looks.
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A text in a style.
    pub(super) fn styled(style: Style, text: impl Into<String>) -> Self {
        Self {
            style,
            ..Self::from(text.into())
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        let text = match plain(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(cleaned) => cleaned,
        };
        Self {
            text,
            style: Style::new(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Rows in aligned columns.
pub(super) struct Table {
    sides: Vec<Side>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these heads.
    pub(super) fn new<'head>(heads: impl IntoIterator<Item = (&'head str, Side)>) -> Self {
        let (head, sides) = heads
            .into_iter()
            .map(|(name, side)| (Cell::styled(FAINT, name), side))
            .unzip();
        Self {
            sides,
            rows: vec![head],
        }
    }

    /// Puts a row at its end.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Its lines, the heads first.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.text.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.sides.len()).map(width).collect();
        self.rows.iter().map(move |row| self.line(row, &widths))
    }

    fn line(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        for (at, ((cell, side), width)) in row.iter().zip(&self.sides).zip(widths).enumerate() {
            let room = " ".repeat(width - cell.text.width());
            let gap = if at == 0 { "" } else { "  " };
            let text = styled(cell.style, &cell.text);
            // A text keeps its lines when it is written to.
            match side {
                Side::Right => write!(line, "{gap}{room}{text}"),
                Side::Left if at + 1 == self.sides.len() => write!(line, "{gap}{text}"),
                Side::Left => write!(line, "{gap}{text}{room}"),
            }
            .unwrap_or_default();
        }
        line
    }

    /// Prints it.
    pub(super) fn print(&self) {
        self.lines().for_each(|line| say(&line));
    }
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
            (1_234_500_000_000, "$1,234.50"),
            (22_345_678, "$0.02"),
            (7_411_050, "$0.007"),
            (741_105, "$0.0007"),
            (29_250, "$0.00003"),
            (999, "$0.000001"),
            (-2_500_000_000, "-$2.50"),
            (i64::MIN, "-$9,223,372,036.85"),
        ] {
            assert_eq!(dollars(NanoUsd(nanos)), expected);
        }
    }

    #[test]
    fn short_numbers_have_about_three_digits() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (1_249, "1.2k"),
            (9_949, "9.9k"),
            (9_950, "10k"),
            (34_567, "35k"),
            (999_499, "999k"),
            (999_500, "1.0M"),
            (12_345_678, "12M"),
            (1_234_567_890, "1.2G"),
            (u64::MAX, "18446744073G"),
        ] {
            assert_eq!(short(number), expected, "{number}");
        }
    }

    #[test]
    fn a_clock_shows_hours_only_where_there_are_some() {
        for (millis, expected) in [
            (0, "0:00"),
            (5_999, "0:05"),
            (754_000, "12:34"),
            (3_723_000, "1:02:03"),
        ] {
            assert_eq!(clock(Millis(millis)), expected);
        }
        assert_eq!(
            (percent(1, 0), percent(1, 3), percent(3, 2)),
            (None, Some(33), Some(150))
        );
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let mut table = Table::new([
            ("name", Side::Left),
            ("tokens", Side::Right),
            ("note", Side::Left),
        ]);
        table.row(["日本".into(), "1,234".into(), "ab".into()]);
        table.row([Cell::styled(BAD, "a"), "5".into(), "a\u{1b}[2Jb".into()]);
        let lines: Vec<String> = table
            .lines()
            .map(|line| anstream::adapter::strip_str(&line).to_string())
            .collect();
        assert_eq!(
            lines,
            [
                "name  tokens  note",
                "日本   1,234  ab",
                "a          5  a\u{fffd}[2Jb"
            ]
        );
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(
            (shortened("abc", 3).as_str(), shortened("abcd", 3).as_str()),
            ("abc", "ab…")
        );
    }
}
