//! JSON texts that may be cut off anywhere, and short ways into them.

use std::borrow::Cow;

use serde_json::Value;

/// The string at a key; empty where there is none.
pub(super) fn string<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The elements at a key; none where there is no array.
pub(super) fn array<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .map_or(&[], |list| list.as_array().map_or(&[], Vec::as_slice))
}

/// The number at a key.
pub(super) fn number(value: &Value, key: &str) -> Option<u64> {
    value.get(key).and_then(Value::as_u64)
}

/// Whether a key holds something: not `null`, nor an empty text, list or object.
pub(super) fn has(value: &Value, key: &str) -> bool {
    match value.get(key) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        Some(_) => true,
    }
}

/// A value as text: strings as they are, anything else as JSON.
pub(super) fn as_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

/// A JSON text without what a model does not see of it: its spaces. As it is, where it is none.
pub(super) fn compact(text: &str) -> Cow<'_, str> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if !value.is_string() => Cow::Owned(value.to_string()),
        _ => Cow::Borrowed(text),
    }
}

/// Reads a JSON text. One that was cut off is read as far as it goes.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        Err(error) if error.is_eof() => serde_json::from_slice(&mended(bytes)?).ok(),
        // A string that ends in half a character is cut off as well.
        Err(_) => serde_json::from_slice(&mended(bytes)?).ok(),
    }
}

/// The containers that can be open where a text is cut off; serde_json reads no deeper ones.
const DEEPEST: usize = 128;

/// Where a cut-off text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// A value, or the end of a container, comes next.
    Value,
    /// A key comes next.
    Key,
    /// Behind a key: its value comes next.
    Colon,
    /// Behind a value.
    Behind,
}

/// Closes what is open in a JSON text that was cut off: the last string, key or number is kept as far as it came.
/// `None` where it is no such text.
fn mended(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut open = Vec::new();
    let mut at = At::Value;
    // Up to here the text can be closed without anything between.
    let mut safe = 0;
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        match byte {
            b'"' => {
                let Some(end) = string_end(bytes, position + 1) else {
                    return close(bytes, position, safe, at, &open);
                };
                position = end;
                at = if at == At::Key { At::Colon } else { At::Behind };
                if at == At::Behind {
                    safe = position + 1;
                }
            }
            b'{' | b'[' => {
                if open.len() == DEEPEST {
                    return None;
                }
                open.push(byte);
                at = if byte == b'{' { At::Key } else { At::Value };
                safe = position + 1;
            }
            b'}' | b']' => {
                open.pop()?;
                at = At::Behind;
                safe = position + 1;
            }
            b',' => {
                at = if open.last() == Some(&b'{') {
                    At::Key
                } else {
                    At::Value
                }
            }
            b':' => at = At::Value,
            byte if byte.is_ascii_whitespace() => {}
            _ => {
                let rest = &bytes[position..];
                let length = rest
                    .iter()
                    .position(|byte| b",]}\n\r\t ".contains(byte))
                    // A number or a word that the text ends in may not be whole.
                    .unwrap_or(0);
                if length == 0 {
                    return finish(&bytes[..safe], b"", &open);
                }
                position += length - 1;
                at = At::Behind;
                safe = position + 1;
            }
        }
        position += 1;
    }
    finish(&bytes[..safe], b"", &open)
}

/// Closes a text that ends inside the string that begins at `begin`.
fn close(bytes: &[u8], begin: usize, safe: usize, at: At, open: &[u8]) -> Option<Vec<u8>> {
    if at != At::Value {
        return finish(&bytes[..safe], b"", open);
    }
    let string = &bytes[begin + 1..];
    // An escape of up to six bytes, or two of them for one character, may be cut off.
    let tail = string.len().saturating_sub(12);
    let mut end = string.len();
    if let Some(backslash) = string[tail..].iter().position(|byte| *byte == b'\\') {
        let escapes = std::str::from_utf8(&string[tail + backslash..]).is_ok();
        let text = [b"\"", &string[tail + backslash..], b"\""].concat();
        if !escapes || serde_json::from_slice::<String>(&text).is_err() {
            end = tail + backslash;
            // A backslash that the one before it escapes begins nothing.
            let before = string[..end]
                .iter()
                .rev()
                .take_while(|byte| **byte == b'\\')
                .count();
            end -= before % 2;
        }
    }
    let end = match std::str::from_utf8(&string[..end]) {
        Ok(_) => end,
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return finish(&bytes[..safe], b"", open),
    };
    finish(&bytes[..=begin + end], b"\"", open)
}

fn finish(kept: &[u8], tail: &[u8], open: &[u8]) -> Option<Vec<u8>> {
    let mut text = kept.to_vec();
    text.extend_from_slice(tail);
    text.extend(
        open.iter()
            .rev()
            .map(|byte| if *byte == b'{' { b'}' } else { b']' }),
    );
    (!text.is_empty()).then_some(text)
}

/// Where the string that begins at `from` ends.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_that_was_cut_off_is_read_as_far_as_it_goes() {
        for (text, expected) in [
            (r#"{"a":"he"#, json!({"a": "he"})),
            (r#"{"a":"he\"#, json!({"a": "he"})),
            (r#"{"a":"he\\"#, json!({"a": "he\\"})),
            (r#"{"a":"he\u00"#, json!({"a": "he"})),
            (r#"{"a":"x\ud83d\ud"#, json!({"a": "x"})),
            (r#"{"a":1,"b":2"#, json!({"a": 1})),
            (r#"{"a":1,"b"#, json!({"a": 1})),
            (r#"{"a":1,"#, json!({"a": 1})),
            (r#"{"a":[1,{"b":"c"#, json!({"a": [1, {"b": "c"}]})),
            (r#"{"a":[1,2"#, json!({"a": [1]})),
            (r#"{"a":tru"#, json!({})),
            (r#"[{"a":"b"},"#, json!([{"a": "b"}])),
            (r"{", json!({})),
        ] {
            assert_eq!(read(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(
            read("{\"a\":\"é".as_bytes().split_last().unwrap().1),
            Some(json!({"a": ""}))
        );
        assert_eq!(read(b""), None);
        assert_eq!(read(b"}{"), None);
        assert_eq!(read("[".repeat(400).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_prefix_of_a_json_text_can_be_read(cut in 1_usize..200) {
            let text = json!({"a": ["x\n\u{1F600}\\", {"é\"": 12.5, "b": null}], "c": {"d": "\u{7}\\\\\""}}).to_string();
            let cut = cut.min(text.len());
            prop_assert!(read(&text.as_bytes()[..cut]).is_some());
        }

        #[test]
        fn garbage_is_survived(text in "[\\[\\]{}\",:\\\\a1u ]{0,60}") {
            read(text.as_bytes());
        }
    }
}
