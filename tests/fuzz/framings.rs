//! Documents in each framing, cut anywhere: what is read does not depend on the cuts.
//!
//! The line is: operation, framing (`sse`, `crlf`, `lines`, `array`, `aws`), seed of the cuts. The documents behind it
//! are separated by a byte that stands in no UTF-8 text.

use super::{Input, crumbs, pieces};
use moonlock::domain::usage::reading::Reading;
use moonlock::domain::usage::reply::ReplyReader;

const BETWEEN: u8 = 0xff;

fn framed(framing: &str, documents: &[&[u8]]) -> Vec<u8> {
    match framing {
        "lines" => documents.join(&b'\n'),
        "array" => [b"[", &*documents.join(&b",\r\n"[..]), b"]"].concat(),
        "aws" => documents.iter().flat_map(|document| message(document)).collect(),
        _ => {
            let line_end = if framing == "crlf" { "\r\n" } else { "\n" };
            let mut out = Vec::new();
            for document in documents {
                // A document of several lines is an event of several.
                for line in document.split(|byte| matches!(byte, b'\n' | b'\r')) {
                    out.extend_from_slice(b"data: ");
                    out.extend_from_slice(line);
                    out.extend_from_slice(line_end.as_bytes());
                }
                out.extend_from_slice(line_end.as_bytes());
            }
            out
        }
    }
}

/// A message of an AWS event stream. A document that begins with `!` is an exception.
fn message(document: &[u8]) -> Vec<u8> {
    let (kind, name, payload) = match document {
        [b'!', payload @ ..] => ("exception", ":exception-type", payload),
        _ => ("event", ":event-type", document),
    };
    let event = if document.starts_with(b"{\"bytes\"") {
        "chunk"
    } else {
        "metadata"
    };
    let mut headers = Vec::new();
    for (name, value) in [(":message-type", kind), (name, event)] {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let length = 12 + headers.len() + payload.len() + 4;
    let mut out = (length as u32).to_be_bytes().to_vec();
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn read(input: &Input<'_>, pieces: &[&[u8]]) -> Reading {
    let mut reader = ReplyReader::new(input.operation(0), None, 200);
    for piece in pieces {
        reader.push(piece);
    }
    let reading = reader.finish();
    assert!(
        reading.source.is_none() || reading.parts.total().is_some(),
        "a source has numbers"
    );
    reading
}

/// Holds what is promised against an input.
pub fn check(data: &[u8]) {
    let Some(input) = Input::parse(data) else { return };
    let documents: Vec<_> = input.body.split(|byte| *byte == BETWEEN).collect();
    let body = framed(input.word(1), &documents);
    let bytes: Vec<_> = body.chunks(1).collect();
    assert_eq!(
        read(&input, &crumbs(&body, input.number(2))),
        read(&input, &bytes)
    );
    read(&input, &pieces(&body, input.number(2)));
    read(&input, &[&body]);
}
