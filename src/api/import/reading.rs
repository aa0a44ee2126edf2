//! Takes an export apart while it comes: one document, or a line for each thing. Of either no more than one thing is
//! held at once.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use axum::body::Bytes;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::domain::exported::NotUsable;

/// The form of an export that is read.
const VERSION: u64 = 1;
/// The largest thing in it, in bytes.
const MAX_THING: u64 = 32 * 1024 * 1024;

/// What an export is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Session,
    Call,
}

/// A thing of an export.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    /// Where it stands: a line, or a place in the document.
    pub(super) place: String,
    /// Its JSON, or why it is none.
    pub(super) text: Result<String, NotUsable>,
}

/// In what form an export comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Document,
    Lines,
}

/// Why no more can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It is no export.
    #[error("{0}")]
    NotExported(String),
    /// Whoever takes the things is gone.
    #[error("nobody takes it")]
    Gone,
}

/// Reads to the end, and hands on each thing; gives how many calls the export says that it has, 0 where it does not.
pub(super) fn read(
    form: Form,
    body: Chunks,
    mut hand_on: impl FnMut(Thing) -> Result<(), Broken>,
) -> Result<u64, Broken> {
    match form {
        Form::Document => document(body, &mut hand_on),
        Form::Lines => lines(body, &mut hand_on),
    }
}

/// A body as it comes, for a thread that may block.
pub(super) struct Chunks {
    coming: mpsc::Receiver<Result<Bytes, String>>,
    current: Bytes,
}

impl Chunks {
    pub(super) const fn new(coming: mpsc::Receiver<Result<Bytes, String>>) -> Self {
        Self {
            coming,
            current: Bytes::new(),
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.coming.blocking_recv() {
                Some(Ok(next)) => self.current = next,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
        let length = into.len().min(self.current.len());
        let piece = self.current.split_to(length);
        into[..length].copy_from_slice(&piece);
        Ok(length)
    }
}

/// Reads no more than [`MAX_THING`] for one thing.
struct Bounded {
    inner: Chunks,
    left: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let left = self.left.get().checked_sub(read as u64);
        self.left.set(
            left.ok_or_else(|| io::Error::other(format!("a thing in it has more than {MAX_THING} bytes")))?,
        );
        Ok(read)
    }
}

fn lines(body: Chunks, hand_on: &mut dyn FnMut(Thing) -> Result<(), Broken>) -> Result<u64, Broken> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Line {
        r#type: String,
        version: Option<u64>,
        call_count: Option<u64>,
    }
    let mut announced = 0;
    let mut reader = BufReader::new(body);
    let mut line = Vec::new();
    let mut number = 0_u64;
    loop {
        line.clear();
        number += 1;
        let mut bounded = reader.by_ref().take(MAX_THING);
        let read = bounded
            .read_until(b'\n', &mut line)
            .map_err(|error| Broken::NotExported(error.to_string()))?;
        if read == 0 {
            return Ok(announced);
        }
        let place = format!("line {number}");
        if read as u64 == MAX_THING && !line.ends_with(b"\n") {
            reader
                .skip_until(b'\n')
                .map_err(|error| Broken::NotExported(error.to_string()))?;
            let text = Err(unusable(None, format_args!("has more than {MAX_THING} bytes")));
            hand_on(Thing {
                kind: Kind::Call,
                place,
                text,
            })?;
            continue;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let said = serde_json::from_slice::<Line>(text);
        let kind = match said.as_ref().map(|line| line.r#type.as_str()) {
            Ok("session") => Kind::Session,
            Ok("export") => {
                let (version, calls) = said.map_or((None, None), |line| (line.version, line.call_count));
                check_version(version.unwrap_or(VERSION))?;
                announced = calls.unwrap_or(0);
                continue;
            }
            // What cannot be read is taken for a call: there are hardly any others.
            _ => Kind::Call,
        };
        let text = match &said {
            Ok(line) if matches!(line.r#type.as_str(), "session" | "call") => {
                String::from_utf8(text.to_vec()).map_err(|error| unusable(None, error))
            }
            Ok(_) => Err(unusable(Some("type"), "is neither session nor call")),
            Err(error) => Err(unusable(None, format_args!("cannot be read: {error}"))),
        };
        hand_on(Thing { kind, place, text })?;
    }
}

fn unusable(field: Option<&str>, why: impl std::fmt::Display) -> NotUsable {
    NotUsable {
        field: field.map(str::to_owned),
        why: why.to_string(),
    }
}

fn check_version(version: u64) -> Result<(), Broken> {
    if version > VERSION {
        return Err(Broken::NotExported(format!(
            "it is an export of version {version}; this Moonlock reads version {VERSION}: update it"
        )));
    }
    Ok(())
}

fn document(body: Chunks, hand_on: &mut dyn FnMut(Thing) -> Result<(), Broken>) -> Result<u64, Broken> {
    let left = Rc::new(Cell::new(MAX_THING));
    let reader = Bounded {
        inner: body,
        left: Rc::clone(&left),
    };
    let mut broken = None;
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(reader));
    let read = Document {
        left,
        hand_on,
        broken: &mut broken,
    }
    .deserialize(&mut json)
    .and_then(|announced| json.end().map(|()| announced));
    broken.map_or_else(
        || read.map_err(|error| Broken::NotExported(error.to_string())),
        Err,
    )
}

/// The whole document: `{…, "sessions": […], "calls": […]}`.
struct Document<'a> {
    left: Rc<Cell<u64>>,
    hand_on: &'a mut dyn FnMut(Thing) -> Result<(), Broken>,
    broken: &'a mut Option<Broken>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an export of Moonlock, a JSON object with `sessions` and `calls`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
        let Self {
            left,
            hand_on,
            broken,
        } = self;
        let (mut is_export, mut announced) = (false, 0);
        while let Some(name) = map.next_key::<String>()? {
            let kind = match name.as_str() {
                "sessions" => Kind::Session,
                "calls" => Kind::Call,
                "version" => {
                    if let Err(other) = check_version(map.next_value()?) {
                        *broken = Some(other);
                        return Err(serde::de::Error::custom("version"));
                    }
                    continue;
                }
                "callCount" => {
                    announced = map.next_value()?;
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            is_export = true;
            map.next_value_seed(Things {
                name: &name,
                kind,
                left: &left,
                hand_on: &mut *hand_on,
                broken: &mut *broken,
            })?;
        }
        if !is_export {
            return Err(serde::de::Error::custom(
                "it is no export of Moonlock: it has neither `sessions` nor `calls`",
            ));
        }
        Ok(announced)
    }
}

/// One of its lists.
struct Things<'a> {
    name: &'a str,
    kind: Kind,
    left: &'a Cell<u64>,
    hand_on: &'a mut dyn FnMut(Thing) -> Result<(), Broken>,
    broken: &'a mut Option<Broken>,
}

impl<'de> DeserializeSeed<'de> for Things<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Things<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self {
            name,
            kind,
            left,
            hand_on,
            broken,
        } = self;
        let mut index = 0_u64;
        let placed =
            |index: u64, error: A::Error| serde::de::Error::custom(format_args!("{name}[{index}]: {error}"));
        while let Some(raw) = list
            .next_element::<Box<RawValue>>()
            .map_err(|error| placed(index, error))?
        {
            left.set(MAX_THING);
            let thing = Thing {
                kind,
                place: format!("{name}[{index}]"),
                text: Ok(Box::<str>::from(raw).into()),
            };
            if let Err(gone) = hand_on(thing) {
                *broken = Some(gone);
                return Err(serde::de::Error::custom("nobody takes it"));
            }
            index += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Taken = (Kind, String, Result<String, ()>);

    fn taken(form: Form, text: &str, piece: usize) -> (Vec<Taken>, Option<String>) {
        let pieces: Vec<_> = text.as_bytes().chunks(piece).collect();
        let (sender, coming) = mpsc::channel(pieces.len() + 1);
        for piece in pieces {
            sender.try_send(Ok(Bytes::copy_from_slice(piece))).unwrap();
        }
        drop(sender);
        let mut things = Vec::new();
        let read = read(form, Chunks::new(coming), |thing| {
            things.push((thing.kind, thing.place, thing.text.map_err(|_| ())));
            Ok(())
        });
        (things, read.err().map(|broken| broken.to_string()))
    }

    #[test]
    fn both_forms_are_taken_apart_however_they_come() {
        let document = r#"{"format":"moonlock.export","version":1,"callCount":7,"more":{"x":[1]},
            "sessions":[ {"a":1}, {"b":[2,"]}"]} ], "calls":[{"c":3},4]}"#;
        let lines = "{\"type\":\"export\",\"version\":1}\n{\"type\":\"session\",\"a\":1}\r\n\n{\"type\":\"call\"}\nnonsense\n{\"type\":\"x\"}";
        for piece in [1, 7, 1_000] {
            let (things, broken) = taken(Form::Document, document, piece);
            assert_eq!(broken, None);
            let thing = |kind, place: &str, text: &str| (kind, place.to_owned(), Ok(text.to_owned()));
            assert_eq!(
                things,
                [
                    thing(Kind::Session, "sessions[0]", r#"{"a":1}"#),
                    thing(Kind::Session, "sessions[1]", r#"{"b":[2,"]}"]}"#),
                    thing(Kind::Call, "calls[0]", r#"{"c":3}"#),
                    thing(Kind::Call, "calls[1]", "4"),
                ]
            );
            let (things, broken) = taken(Form::Lines, lines, piece);
            assert_eq!(broken, None);
            assert_eq!(
                things,
                [
                    thing(Kind::Session, "line 2", r#"{"type":"session","a":1}"#),
                    thing(Kind::Call, "line 4", r#"{"type":"call"}"#),
                    (Kind::Call, "line 5".to_owned(), Err(())),
                    (Kind::Call, "line 6".to_owned(), Err(())),
                ]
            );
        }
    }

    #[test]
    fn what_is_no_export_is_said_to_be_none() {
        for (form, text, part) in [
            (Form::Document, "{}", "neither"),
            (Form::Document, "[]", "an export of Moonlock"),
            (Form::Document, r#"{"calls":[{"a":1},{"#, "EOF"),
            (Form::Document, r#"{"calls":[]} x"#, "trailing"),
            (Form::Document, r#"{"version":9,"calls":[]}"#, "version 9"),
            (Form::Lines, r#"{"type":"export","version":9}"#, "version 9"),
        ] {
            let (_, broken) = taken(form, text, 3);
            assert!(
                broken.as_deref().unwrap_or_default().contains(part),
                "{text}: {broken:?}"
            );
        }
    }

    #[test]
    fn what_is_too_large_is_named_and_ends_a_document_but_only_a_line() {
        let endless = "x".repeat(33 << 20);
        let document = format!("{{\"calls\":[1,\"{endless}\",2]}}");
        let (things, broken) = taken(Form::Document, &document, 1 << 16);
        assert_eq!(things.len(), 1);
        let broken = broken.unwrap();
        assert!(
            broken.contains("calls[1]") && broken.contains("bytes"),
            "{broken}"
        );
        let lines = format!("{{\"type\":\"call\"}}\n{endless}\n{{\"type\":\"call\"}}");
        let (things, broken) = taken(Form::Lines, &lines, 1 << 16);
        assert_eq!(broken, None);
        let places: Vec<_> = things
            .iter()
            .map(|(_, place, text)| (place.as_str(), text.is_ok()))
            .collect();
        assert_eq!(places, [("line 1", true), ("line 2", false), ("line 3", true)]);
    }
}
