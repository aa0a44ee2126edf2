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

/// While all calls together keep less than this, blocks stay as they are. Beyond it they are packed when they are full, and
/// smaller: a stream says a few letters in an event of two hundred bytes, which packs well. Few users ever have so many
/// streams at a time, and only they pay for it.
const ROOMY: usize = 4 << 20;
const LARGEST_PACKED_BLOCK: usize = 4 * 1024;

/// The memory that the text of all calls may take together.
#[derive(Debug)]
pub struct Memory {
    all: usize,
    left: AtomicUsize,
}

impl Memory {
    /// So many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            all: bytes,
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

    fn is_scarce(&self) -> bool {
        self.all.saturating_sub(self.left.load(Ordering::Relaxed)) > ROOMY
    }
}

/// A part of a body.
enum Piece {
    Plain(Bytes),
    /// A block, by LZ4.
    Packed {
        bytes: Box<[u8]>,
        length: usize,
    },
}

/// What is kept of one body: all of it, or its beginning.
pub struct Keep {
    memory: Arc<Memory>,
    taken: usize,
    pieces: Vec<Piece>,
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
            self.pieces.push(Piece::Plain(piece.clone()));
            self.kept += piece.len();
        }
    }

    /// Keeps a copy of the next piece.
    pub(super) fn copy(&mut self, piece: &[u8]) {
        if !self.has_room(piece.len()) {
            return;
        }
        if self.block.capacity() - self.block.len() < piece.len() {
            self.close_block();
            let largest = if self.memory.is_scarce() {
                LARGEST_PACKED_BLOCK
            } else {
                LARGEST_BLOCK
            };
            let size = self.kept.clamp(SMALLEST_BLOCK, largest).max(piece.len());
            if !self.take(size) {
                return;
            }
            self.block = BytesMut::with_capacity(size);
        }
        self.block.extend_from_slice(piece);
        self.kept += piece.len();
    }

    /// Keeps all of another body behind this one.
    pub(super) fn append(&mut self, other: &Self) {
        for piece in &other.pieces {
            match piece {
                Piece::Plain(bytes) => self.push(bytes),
                Piece::Packed { bytes, length } => self.push_packed(bytes, *length),
            }
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

    fn push_packed(&mut self, bytes: &[u8], length: usize) {
        if self.has_room(length) && self.take(bytes.len()) {
            self.close_block();
            self.pieces.push(Piece::Packed {
                bytes: bytes.into(),
                length,
            });
            self.kept += length;
        }
    }

    fn close_block(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let block = std::mem::take(&mut self.block);
        if self.memory.is_scarce() {
            let bytes = lz4_flex::block::compress(&block).into_boxed_slice();
            // What hardly shrinks is text of another kind, and is left.
            if bytes.len() <= block.len() / 2 {
                let saved = block.capacity() - bytes.len();
                self.memory.give_back(saved);
                self.taken -= saved;
                self.pieces.push(Piece::Packed {
                    bytes,
                    length: block.len(),
                });
                return;
            }
        }
        self.pieces.push(Piece::Plain(block.freeze()));
    }

    /// How long the whole body is.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// What was kept, in one piece.
    pub(super) fn gathered(&self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.kept);
        for piece in &self.pieces {
            match piece {
                Piece::Plain(bytes) => whole.extend_from_slice(bytes),
                Piece::Packed { bytes, length } => match lz4_flex::block::decompress(bytes, *length) {
                    Ok(block) => whole.extend_from_slice(&block),
                    // Never, for it was packed above; and if ever, nothing is behind what is missing.
                    Err(_) => return whole,
                },
            }
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

    /// What a provider streams: a few letters in each event.
    fn events(count: usize) -> Vec<Bytes> {
        let event = |number: usize| {
            let delta =
                format!(r#"{{"index":0,"delta":{{"content":" word{number}"}},"finish_reason":null}}"#);
            Bytes::from(format!(
                "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{delta}]}}\n\n"
            ))
        };
        (0..count).map(event).collect()
    }

    #[test]
    fn streams_are_packed_where_memory_is_scarce() {
        let memory = Memory::new(64 << 20);
        let taken = |keep: &Keep| keep.taken;
        let stream = |events: &[Bytes]| {
            let mut keep = Keep::new(Arc::clone(&memory));
            events.iter().for_each(|event| keep.push(event));
            keep
        };
        let events = events(500);
        let whole = events.concat();
        let roomy = stream(&events);
        assert_eq!(roomy.gathered(), whole);
        assert!(taken(&roomy) >= whole.len());
        let (others, _) = kept(&memory, &[ROOMY, 1]);
        let packed = stream(&events);
        assert_eq!(packed.gathered(), whole);
        assert!(
            taken(&packed) < whole.len() / 4,
            "{} of {}",
            taken(&packed),
            whole.len()
        );
        let mut both = stream(&events[..1]);
        both.append(&packed);
        assert_eq!(both.gathered(), [&events[0], &*whole].concat());
        assert_eq!(both.length(), (events[0].len() + whole.len()) as u64);
        let (noise, bytes) = kept(&memory, &[1, LARGE - 1, 3, LARGE - 1]);
        assert_eq!(noise.gathered(), bytes);
        drop((roomy, others, packed, both, noise));
        assert_eq!(memory.left.load(Ordering::Relaxed), 64 << 20);
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
