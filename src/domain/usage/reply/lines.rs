//! JSON texts that follow each other, a line each (NDJSON), or one alone that is spread over several lines.

use memchr::memchr;

use super::Documents;
use crate::domain::usage::dialect::Dialect;
use crate::domain::usage::json_scan::is_whitespace;
use crate::domain::usage::sse::EventSink;

/// Tells where a text ends: at the first line end behind its root value, or behind what cannot be JSON.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// A text has begun.
    open: bool,
    /// So many have ended whole.
    whole: u64,
    broken: bool,
}

impl Lines {
    /// Reads the next piece.
    pub(super) fn push<D: Dialect>(&mut self, mut bytes: &[u8], documents: &mut Documents<D>) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end + 1);
            self.take(line, documents);
            if documents.scanner.is_done() || documents.scanner.is_malformed() {
                self.end(documents);
            }
            bytes = rest;
        }
        self.take(bytes, documents);
    }

    /// Ends the last text, which may lack its line end. Whether it was the only one, and whole.
    pub(super) fn finish<D: Dialect>(&mut self, documents: &mut Documents<D>) -> bool {
        self.end(documents);
        self.whole == 1 && !self.broken
    }

    /// Whether more than one text has come.
    pub(super) const fn is_stream(&self) -> bool {
        self.whole > 1
    }

    fn take<D: Dialect>(&mut self, bytes: &[u8], documents: &mut Documents<D>) {
        self.open |= !bytes.iter().all(|byte| is_whitespace(*byte));
        if self.open {
            documents.part(bytes);
        }
    }

    fn end<D: Dialect>(&mut self, documents: &mut Documents<D>) {
        if std::mem::take(&mut self.open) {
            let is_whole = documents.scanner.is_done();
            self.whole += u64::from(is_whole);
            self.broken |= !is_whole;
            documents.mattered |= !is_whole;
            documents.event_end();
        }
    }
}
