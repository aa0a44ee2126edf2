//! What stands beside a reply's bytes: a decoder and a reader.

use bytes::Bytes;

use super::decode::Decoder;
use super::keep::Keep;
use super::reply::Head;
use crate::domain::call::{Source, UNDECODABLE};
use crate::domain::operation::Operation;
use crate::domain::usage::reading::Reading;
use crate::domain::usage::reply::ReplyReader;

/// Reads a reply as it passes, compressed or not.
pub(super) struct Tap {
    decoder: Decoder,
    reader: ReplyReader,
    /// What is kept of the reply, decoded.
    keep: Option<Keep>,
    undecodable: bool,
}

impl Tap {
    pub(super) fn new(operation: Operation, head: &Head<'_>, keep: Option<Keep>) -> Self {
        let header = |name: &str| head.headers.get(name)?.to_str().ok().map(Into::into);
        let reader = ReplyReader::new(operation, head.content_type, head.status)
            .with_headers(&header)
            .with_fetched(head.fetched);
        Self {
            decoder: Decoder::new(head.encoding),
            reader,
            // Of a refusal there is nothing to count.
            keep: keep.filter(|_| (200..300).contains(&head.status)),
            undecodable: false,
        }
    }

    /// Looks at the next bytes. A body that cannot be decoded is looked at no further.
    pub(super) fn push(&mut self, bytes: &Bytes) {
        if self.undecodable {
            return;
        }
        let Self { reader, keep, .. } = self;
        let pushed = self
            .decoder
            .push_keeping(bytes, keep.as_mut(), |decoded| reader.push(decoded));
        if let Err(error) = pushed {
            tracing::warn!(%error, "reply cannot be metered any further; its bytes are passed on");
            self.undecodable = true;
        }
    }

    /// Whether the reply's last event has been seen.
    pub(super) fn is_terminal(&self) -> bool {
        self.reader.is_terminal()
    }

    pub(super) fn streamed(&self) -> bool {
        self.reader.streamed()
    }

    /// What was read, and what was kept, when nothing more comes.
    pub(super) fn finish(self) -> (Reading, Option<Keep>) {
        let mut reading = self.reader.finish();
        if self.undecodable && reading.source == Some(Source::Exact) && !reading.terminal {
            reading.source = Some(Source::Partial);
        }
        if self.undecodable && !reading.terminal && reading.error.is_none() {
            reading.error = Some(UNDECODABLE.into());
        }
        if reading.flaws.any() {
            tracing::warn!(flaws = ?reading.flaws, "reply was read with flaws; its bytes are passed on");
        }
        (reading, self.keep)
    }
}
