//! The JSON documents that a reply's body holds, however it is framed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{StreamDeserializer, Value};

use crate::domain::estimate::json::{read, string};
use crate::domain::usage::aws_events::{AwsSplitter, MessageKind, MessageSink};
use crate::domain::usage::sse::{EventSink, SseSplitter};

/// Hands out the documents of a body in their order. What was cut off is handed out as far as it came.
pub(super) fn each(bytes: &[u8], take: &mut dyn FnMut(&Value)) {
    let begin = bytes
        .iter()
        .position(|byte| !byte.is_ascii_whitespace() && !b"\xEF\xBB\xBF".contains(byte));
    let Some(begin) = begin else { return };
    let bytes = &bytes[begin..];
    match bytes.first() {
        // The length of an AWS message: less than 16 MiB.
        Some(0) => messages(bytes, take),
        Some(b'{' | b'[') => texts(bytes, take),
        _ => events(bytes, take),
    }
}

/// One document, several behind each other, or an array of them.
fn texts(bytes: &[u8], take: &mut dyn FnMut(&Value)) {
    let mut hand_out = |document: &Value| match document {
        Value::Array(list) => list.iter().for_each(&mut *take),
        document => take(document),
    };
    let mut stream: StreamDeserializer<'_, _, Value> =
        serde_json::Deserializer::from_slice(bytes).into_iter();
    loop {
        let from = stream.byte_offset();
        match stream.next() {
            Some(Ok(document)) => hand_out(&document),
            Some(Err(_)) => {
                if let Some(document) = read(bytes.get(from..).unwrap_or_default()) {
                    hand_out(&document);
                }
                return;
            }
            None => return,
        }
    }
}

/// Server-sent events.
fn events(bytes: &[u8], take: &mut dyn FnMut(&Value)) {
    let mut sink = Events {
        data: Vec::new(),
        take,
    };
    let mut splitter = SseSplitter::new();
    splitter.push(bytes, &mut sink);
    splitter.finish(&mut sink);
}

struct Events<'t> {
    data: Vec<u8>,
    take: &'t mut dyn FnMut(&Value),
}

impl EventSink for Events<'_> {
    fn wants(&self, _data: &[u8]) -> bool {
        true
    }

    fn part(&mut self, data: &[u8]) {
        self.data.extend_from_slice(data);
    }

    fn event_end(&mut self) {
        if let Some(document) = read(&self.data) {
            (self.take)(&document);
        }
        self.data.clear();
    }

    fn done(&mut self) {}
}

/// AWS event stream messages. One whose end is missing does not count: its checksum is unknown.
fn messages(bytes: &[u8], take: &mut dyn FnMut(&Value)) {
    let mut sink = Messages {
        kind: MessageKind::Event,
        data: Vec::new(),
        take,
    };
    AwsSplitter::new().push(bytes, &mut sink);
}

struct Messages<'t> {
    kind: MessageKind,
    data: Vec<u8>,
    take: &'t mut dyn FnMut(&Value),
}

impl MessageSink for Messages<'_> {
    fn begin(&mut self, kind: MessageKind) {
        self.kind = kind;
        self.data.clear();
    }

    fn payload(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
    }

    fn end(&mut self) {
        let Some(outer) = read(&self.data) else { return };
        match self.kind {
            MessageKind::Event => (self.take)(&outer),
            MessageKind::Chunk => {
                let inner = STANDARD.decode(string(&outer, "bytes")).ok();
                if let Some(document) = inner.and_then(|inner| read(&inner)) {
                    (self.take)(&document);
                }
            }
            MessageKind::Exception(_) => {}
        }
    }
}
