//! Numbers in SQLite's file format. What lies outside the bytes is 0: everything here may be damaged.

use rusqlite::types::Value;

/// Two bytes as a number.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().map_or(0, u16::from_be_bytes)
}

/// Four bytes as a number.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().map_or(0, u32::from_be_bytes)
}

/// Takes a number of one to nine bytes from the front.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for index in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if index == 8 {
            return Some(number << 8 | u64::from(*byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

/// The values of a record (<https://sqlite.org/fileformat2.html>, "Record Format"); `None` if it is not a whole one.
pub(super) fn record(payload: &[u8]) -> Option<Vec<Value>> {
    let mut rest = payload;
    let header = usize::try_from(take_varint(&mut rest)?).ok()?;
    let mut kinds = payload.get(payload.len() - rest.len()..header)?;
    let mut body = payload.get(header..)?;
    let mut values = Vec::new();
    while !kinds.is_empty() {
        let kind = take_varint(&mut kinds)?;
        values.push(value(kind, &mut body)?);
    }
    body.is_empty().then_some(values)
}

fn value(kind: u64, body: &mut &[u8]) -> Option<Value> {
    let length = match kind {
        0 | 8 | 9 => 0,
        1..=4 => kind,
        5 => 6,
        6 | 7 => 8,
        10 | 11 => return None,
        _ => (kind - 12) / 2,
    };
    let (bytes, rest) = body.split_at_checked(usize::try_from(length).ok()?)?;
    *body = rest;
    Some(match kind {
        0 => Value::Null,
        1..=6 => Value::Integer(integer(bytes)),
        7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        8 | 9 => Value::Integer(i64::from(kind == 9)),
        _ if kind.is_multiple_of(2) => Value::Blob(bytes.to_vec()),
        _ => Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
    })
}

/// A signed number of up to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(start, |number, byte| number << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        for (bytes, number, left) in [
            (&[0x00][..], 0, 0),
            (&[0x7f, 9], 127, 1),
            (&[0x81, 0x00], 128, 0),
            (&[0xff; 9], u64::MAX, 0),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 1, 0),
        ] {
            let mut rest = bytes;
            assert_eq!(take_varint(&mut rest), Some(number));
            assert_eq!(rest.len(), left);
        }
        assert_eq!(take_varint(&mut &[0x80][..]), None);
    }

    #[test]
    fn a_record_is_read_whole_or_not_at_all() {
        let whole = [6, 0, 9, 2, 14, 15, 0xff, 0xfe, 7, b'a'];
        let expected = [
            Value::Null,
            Value::Integer(1),
            Value::Integer(-2),
            Value::Blob(vec![7]),
            Value::Text("a".to_owned()),
        ];
        assert_eq!(record(&whole).unwrap(), expected);
        for length in 0..whole.len() {
            assert_eq!(record(&whole[..length]), None, "cut off at {length}");
        }
        assert_eq!(record(&[2, 10]), None, "a kind that is not in use");
        assert_eq!(record(&[2, 15, 0xff]), None, "text that is not UTF-8");
    }
}
