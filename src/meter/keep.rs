//! A call's text, kept while the call runs, so that it can be counted where the provider does not say what was used.
//!
//! It is never written anywhere and never logged, and it is dropped with the call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};

use crate::domain::operation::Operation;

/// The most that is kept of one body.
const MOST: usize = 8 << 20;

/// A piece of at least so many bytes is kept as it is. A smaller one is copied: as a slice it would keep the whole
/// buffer alive that it was read into, which can be a hundred times as large.
const LARGE: usize = 8 * 1024;

/// Small pieces are gathered in blocks; the first is small too, for most bodies are.
const SMALLEST_BLOCK: usize = 1024;
const LARGEST_BLOCK: usize = 16 * 1024;

/// The memory that the text of all calls may take together.
#[derive(Debug)]
pub struct Memory {
    left: AtomicUsize,
}

impl Memory {
    /// So many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicUsize::new(bytes),
        })
    }

    fn take(&self, bytes: usize) -> bool {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            });
        taken.is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What is kept of one body: all of it, or its beginning.
pub struct Keep {
    memory: Arc<Memory>,
    taken: usize,
    pieces: Vec<Bytes>,
    /// The last pieces, as long as they are small.
    block: BytesMut,
    kept: usize,
    /// How long the body is so far.
    length: u64,
    is_full: bool,
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text itself is nobody's business.
        f.debug_struct("Keep")
            .field("kept", &self.kept)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Keep {
    /// Nothing so far. What is kept is taken from `memory`.
    #[must_use]
    pub fn new(memory: Arc<Memory>) -> Self {
        Self {
            memory,
            taken: 0,
            pieces: Vec::new(),
            block: BytesMut::new(),
            kept: 0,
            length: 0,
            is_full: false,
        }
    }

    /// Keeps the next piece, without a copy where it is large.
    pub(super) fn push(&mut self, piece: &Bytes) {
        if piece.len() < LARGE {
            self.copy(piece);
        } else if self.has_room(piece.len()) && self.take(piece.len()) {
            self.close_block();
            self.pieces.push(piece.clone());
            self.kept += piece.len();
        }
    }

    /// Keeps a copy of the next piece.
    pub(super) fn copy(&mut self, piece: &[u8]) {
        if !self.has_room(piece.len()) {
            return;
        }
        if self.block.capacity() - self.block.len() < piece.len() {
            let size = self.kept.clamp(SMALLEST_BLOCK, LARGEST_BLOCK).max(piece.len());
            if !self.take(size) {
                return;
            }
            self.close_block();
            self.block = BytesMut::with_capacity(size);
        }
        self.block.extend_from_slice(piece);
        self.kept += piece.len();
    }

    /// Keeps all of another body behind this one.
    pub(super) fn append(&mut self, other: &Self) {
        for piece in &other.pieces {
            self.push(piece);
        }
        self.copy(&other.block);
        // What the other could not keep is missing here too.
        let missing = other.length.saturating_sub(other.kept as u64);
        self.length += missing;
        self.is_full |= missing > 0;
    }

    /// Counts a piece in, and says whether it may be kept: nothing is behind a piece that was not.
    const fn has_room(&mut self, length: usize) -> bool {
        self.length += length as u64;
        self.is_full = self.is_full || self.kept + length > MOST;
        !self.is_full
    }

    fn take(&mut self, bytes: usize) -> bool {
        self.is_full = !self.memory.take(bytes);
        if !self.is_full {
            self.taken += bytes;
        }
        !self.is_full
    }

    fn close_block(&mut self) {
        if !self.block.is_empty() {
            self.pieces.push(std::mem::take(&mut self.block).freeze());
        }
    }

    /// How long the whole body is.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// What was kept, in one piece.
    pub(super) fn gathered(&self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.kept);
        for piece in &self.pieces {
            whole.extend_from_slice(piece);
        }
        whole.extend_from_slice(&self.block);
        whole
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        self.memory.give_back(self.taken);
    }
}

/// The text of a call that has ended.
#[derive(Debug)]
pub struct Text {
    /// What was asked.
    pub operation: Operation,
    /// The model that was asked for, where more than the body names it.
    pub request_model: Option<Box<str>>,
    /// The request's body; `None` if it did not come to its end.
    pub request: Option<Keep>,
    /// The reply's body; `None` if there was none.
    pub reply: Option<Keep>,
}

impl Text {
    /// Nothing so far.
    #[must_use]
    pub const fn of(operation: Operation) -> Self {
        Self {
            operation,
            request_model: None,
            request: None,
            reply: None,
        }
    }

    /// All of it; nothing is left.
    pub(super) const fn take(&mut self) -> Self {
        std::mem::replace(self, Self::of(self.operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(memory: &Arc<Memory>, sizes: &[usize]) -> (Keep, Vec<u8>) {
        let mut keep = Keep::new(Arc::clone(memory));
        let mut whole = Vec::new();
        for (at, size) in sizes.iter().enumerate() {
            let piece = Bytes::from(vec![u8::try_from(at % 251).unwrap(); *size]);
            keep.push(&piece);
            whole.extend_from_slice(&piece);
        }
        (keep, whole)
    }

    #[test]
    fn what_is_kept_is_what_came_however_it_was_cut() {
        let memory = Memory::new(1 << 20);
        for sizes in [
            &[][..],
            &[1],
            &[0, 5, 0],
            &[LARGE],
            &[3, LARGE + 1, 7, LARGE, LARGE, 1],
            &[700; 300],
            &[LARGE - 1; 9],
        ] {
            let (keep, whole) = kept(&memory, sizes);
            assert_eq!(keep.gathered(), whole, "{sizes:?}");
            assert_eq!(keep.length(), whole.len() as u64);
            drop(keep);
            assert_eq!(memory.left.load(Ordering::Relaxed), 1 << 20, "{sizes:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_with_all_behind_it() {
        let memory = Memory::new(3 * LARGE);
        let (keep, whole) = kept(&memory, &[LARGE, LARGE, LARGE + 1, 1, 1]);
        assert_eq!(keep.gathered(), whole[..2 * LARGE]);
        assert_eq!(keep.length(), whole.len() as u64);
        let (other, _) = kept(&memory, &[LARGE + 1, 1]);
        assert!(other.gathered().is_empty(), "the first has taken the memory");
        drop((keep, other));
        let (keep, whole) = kept(&memory, &[LARGE; 3]);
        assert_eq!(keep.gathered(), whole, "and given it back");
    }

    #[test]
    fn bodies_behind_each_other_are_one() {
        let memory = Memory::new(1 << 20);
        let (mut whole, mut bytes) = kept(&memory, &[10, LARGE]);
        for sizes in [&[3][..], &[], &[700; 20], &[LARGE, 5]] {
            let (next, more) = kept(&memory, sizes);
            whole.append(&next);
            bytes.extend(more);
        }
        assert_eq!(whole.gathered(), bytes);
        assert_eq!(whole.length(), bytes.len() as u64);
        let (cut, _) = kept(&Memory::new(LARGE), &[10, LARGE]);
        let (next, _) = kept(&memory, &[1]);
        whole.append(&cut);
        whole.append(&next);
        assert_eq!(
            whole.gathered().len(),
            bytes.len() + 10,
            "nothing is behind what is missing"
        );
        assert_eq!(whole.length(), (bytes.len() + 10 + LARGE + 1) as u64);
    }

    #[test]
    fn one_body_does_not_take_all() {
        let memory = Memory::new(10 * MOST);
        let (keep, _) = kept(&memory, &[MOST, 1]);
        assert_eq!((keep.gathered().len(), keep.length()), (MOST, MOST as u64 + 1));
    }

    #[test]
    fn its_text_is_not_shown() {
        let mut keep = Keep::new(Memory::new(1 << 20));
        keep.push(&Bytes::from_static(b"secret"));
        assert!(!format!("{keep:?}").contains("secret"));
    }
}
