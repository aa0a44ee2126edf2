//! Providers' usage objects, kept byte for byte in a tenth of their size.
//!
//! They repeat: from call to call only the numbers differ. Each run of digits is taken out, what is left is the
//! object's *shape*, and that is a name like any other. The column then holds the shape's id and the numbers. A
//! shape is only made a name when it comes a second time, so an object with something unique in it stays text.

use foldhash::HashSet;
use rusqlite::Connection;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::error::ReadError;
use super::names::{Dictionary, Lookup, find_name};

/// Stands in a shape where a number was. JSON cannot hold it: control characters are escaped there.
const PLACE: char = '\u{1}';

/// The most digits of one number: with the leading 1 that keeps its zeros they fit 64 bits.
const MAX_DIGITS: usize = 18;

/// A longer object is kept as text.
const MAX_LENGTH: usize = 4_096;

/// So many shapes that came once are remembered.
const REMEMBERED: usize = 1_024;

/// The shapes that were seen once.
#[derive(Default)]
pub(super) struct Shapes {
    seen: HashSet<Box<str>>,
}

/// A usage object as its column holds it.
pub(super) enum Stored<'a> {
    /// As it came.
    Text(&'a str),
    /// Its shape's id and its numbers.
    Packed(Vec<u8>),
}

impl ToSql for Stored<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Packed(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Packs a usage object, if its shape is known or comes again.
pub(super) fn store<'a>(
    connection: &Connection,
    dictionary: &mut Dictionary,
    raw: &'a str,
) -> rusqlite::Result<Stored<'a>> {
    let Some((shape, numbers)) = split(raw) else {
        return Ok(Stored::Text(raw));
    };
    let id = match dictionary.known(&shape) {
        Some(id) => id,
        None if find_name(connection, &shape)?.is_some() || !dictionary.shapes.is_first(&shape) => {
            dictionary.name(connection, &shape)?
        }
        None => return Ok(Stored::Text(raw)),
    };
    let mut packed = Vec::with_capacity(numbers.len() * 3 + 2);
    push_number(&mut packed, id.unsigned_abs());
    for number in numbers {
        push_number(&mut packed, number);
    }
    Ok(Stored::Packed(packed))
}

/// Reads a usage object back.
pub(super) fn load(
    connection: &Connection,
    lookup: &mut Lookup,
    value: ValueRef<'_>,
) -> Result<Option<Box<str>>, ReadError> {
    let bad = |what: &'static str| ReadError::bad_row("calls", "raw_usage", what);
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| bad("text that is not UTF-8"))?;
            Ok(Some(text.into()))
        }
        ValueRef::Blob(bytes) => {
            let mut rest = bytes;
            let id = take_number(&mut rest).ok_or_else(|| bad("no shape"))?;
            let id = i64::try_from(id).map_err(|_| bad("no shape"))?;
            let shape = lookup.name(connection, id)?;
            let text = join(&shape, rest).ok_or_else(|| bad("numbers that do not fit the shape"))?;
            Ok(Some(text.into()))
        }
        ValueRef::Integer(_) | ValueRef::Real(_) => Err(bad("a number")),
    }
}

impl Shapes {
    /// Whether a shape comes for the first time, as far as is remembered.
    fn is_first(&mut self, shape: &str) -> bool {
        if self.seen.remove(shape) {
            return false;
        }
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        self.seen.insert(shape.into())
    }
}

/// Takes the numbers out of a text: its shape, and each number with a 1 before its first digit.
fn split(raw: &str) -> Option<(String, Vec<u64>)> {
    if raw.len() > MAX_LENGTH || raw.contains(PLACE) {
        return None;
    }
    let mut shape = String::with_capacity(raw.len());
    let mut numbers = Vec::with_capacity(16);
    let mut digits = 0;
    let mut number = 1_u64;
    for character in raw.chars() {
        if let Some(digit) = character.to_digit(10) {
            if digits == MAX_DIGITS {
                numbers.push(number);
                shape.push(PLACE);
                (digits, number) = (0, 1);
            }
            number = number * 10 + u64::from(digit);
            digits += 1;
            continue;
        }
        if digits > 0 {
            numbers.push(number);
            shape.push(PLACE);
            (digits, number) = (0, 1);
        }
        shape.push(character);
    }
    if digits > 0 {
        numbers.push(number);
        shape.push(PLACE);
    }
    Some((shape, numbers))
}

/// Puts the numbers back; `None` if they are not as many as the shape's places.
fn join(shape: &str, mut packed: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(shape.len() + packed.len() * 2);
    for character in shape.chars() {
        if character == PLACE {
            let number = take_number(&mut packed)?.to_string();
            text.push_str(number.strip_prefix('1')?);
        } else {
            text.push(character);
        }
    }
    packed.is_empty().then_some(text)
}

/// Appends a number in groups of seven bits, lowest first.
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(raw: &str) -> Option<(String, Vec<u8>)> {
        let (shape, numbers) = split(raw)?;
        let mut bytes = Vec::new();
        for number in numbers {
            push_number(&mut bytes, number);
        }
        Some((shape, bytes))
    }

    #[test]
    fn only_the_numbers_differ_between_two_calls() {
        let (first, bytes) = packed(r#"{"input":12,"cost":0.00012,"tier":"v1"}"#).unwrap();
        let (second, _) = packed(r#"{"input":7,"cost":0.5,"tier":"v2"}"#).unwrap();
        assert_eq!(first, second);
        assert_eq!(bytes.len(), 1 + 1 + 3 + 1);
    }

    #[test]
    fn a_shape_with_too_few_or_too_many_numbers_is_refused() {
        let (shape, bytes) = packed(r#"{"input":12,"output":3}"#).unwrap();
        assert_eq!(join(&shape, bytes.split_last().unwrap().1), None);
        let mut more = bytes;
        more.push(11);
        assert_eq!(join(&shape, &more), None);
        assert_eq!(join(&shape, &[0xff; 30]), None);
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back_byte_for_byte(raw in "[0-9]{0,50}|\\PC{0,60}|(\\{\"[a-z]{1,4}\":0{0,3}[0-9]{1,20}(\\.[0-9]{1,6})?\\}){0,4}") {
            let (shape, bytes) = packed(&raw).unwrap();
            prop_assert_eq!(join(&shape, &bytes), Some(raw));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(shape in "[a\u{1}]{0,6}", bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _text = join(&shape, &bytes);
        }
    }
}
