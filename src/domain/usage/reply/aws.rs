//! Messages of an AWS event stream as documents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Documents;
use crate::domain::usage::aws_events::{AwsSplitter, MessageKind, MessageSink};
use crate::domain::usage::dialect::{Dialect, string};
use crate::domain::usage::json_scan::{Found, JsonScanner, Want, text};
use crate::domain::usage::sse::EventSink;

/// Where a chunk's own JSON stands. What stands beside it is padding.
const BYTES: &[Want<()>] = &[text((), &["bytes"])];

/// A splitter, and the message that it is in.
#[derive(Debug)]
pub(super) struct Aws {
    splitter: AwsSplitter,
    message: Message,
}

#[derive(Debug)]
struct Message {
    kind: MessageKind,
    /// The JSON around a chunk's own.
    around: JsonScanner<()>,
}

impl Default for Aws {
    fn default() -> Self {
        Self {
            splitter: AwsSplitter::new(),
            message: Message {
                kind: MessageKind::Event,
                around: JsonScanner::new(BYTES),
            },
        }
    }
}

impl Aws {
    /// Reads the next piece.
    pub(super) fn push<D: Dialect>(&mut self, bytes: &[u8], documents: &mut Documents<D>) {
        let message = &mut self.message;
        self.splitter.push(bytes, &mut Sink { message, documents });
    }

    /// Ends the stream. A message that has not ended does not count: its checksum is unknown.
    pub(super) fn finish<D: Dialect>(&self, documents: &mut Documents<D>) {
        documents.flaws.malformed_json |= self.splitter.is_broken();
    }
}

struct Sink<'body, D: Dialect> {
    message: &'body mut Message,
    documents: &'body mut Documents<D>,
}

impl<D: Dialect> MessageSink for Sink<'_, D> {
    fn begin(&mut self, kind: MessageKind) {
        self.message.kind = kind;
        self.message.around.reset();
    }

    fn payload(&mut self, bytes: &[u8]) {
        let documents = &mut *self.documents;
        match self.message.kind {
            MessageKind::Event => documents.part(bytes),
            MessageKind::Exception(_) => {}
            MessageKind::Chunk => self.message.around.push(bytes, |(), value| {
                let inner = string(value).and_then(|text| STANDARD.decode(text.as_bytes()).ok());
                match inner {
                    Some(inner) => documents.part(&inner),
                    None if value == Found::TooLarge => documents.flaws.too_large = true,
                    None => documents.flaws.malformed_json = true,
                }
            }),
        }
    }

    fn end(&mut self) {
        if let MessageKind::Exception(name) = &self.message.kind {
            self.documents.dialect.exception(name);
        }
        self.documents.event_end();
    }
}
