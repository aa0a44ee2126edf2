//! A message as it comes in pieces: what of it matters is noted, and judged when it has ended.

use super::super::json_scan::{Found, JsonScanner, Want};

/// What a reader notes of one message.
pub(super) trait Note: Default {
    /// What the reader calls the values it wants.
    type Key: Copy + 'static;

    /// Takes a wanted value.
    fn take(&mut self, key: Self::Key, value: Found<'_>);
}

/// Reads one side's messages, one after the other.
#[derive(Debug)]
pub(super) struct Messages<N: Note> {
    scanner: JsonScanner<N::Key>,
    note: N,
}

impl<N: Note> Messages<N> {
    pub(super) fn new(wants: &'static [Want<N::Key>]) -> Self {
        Self {
            scanner: JsonScanner::new(wants),
            note: N::default(),
        }
    }

    /// Reads a piece of the message.
    pub(super) fn part(&mut self, bytes: &[u8]) {
        let note = &mut self.note;
        self.scanner.push(bytes, |key, value| note.take(key, value));
    }

    /// Ends the message; what is no JSON object is no event, and gives nothing.
    pub(super) fn end(&mut self) -> Option<N> {
        let note = std::mem::take(&mut self.note);
        let is_event = self.scanner.is_done() && self.scanner.root_is_object();
        self.scanner.reset();
        is_event.then_some(note)
    }
}
