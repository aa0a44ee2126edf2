//! Joins a word's bytes into tokens.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Tokens;

/// No token begins here, or none that can be joined with the next.
const NONE: u32 = u32::MAX;

/// The pieces of a word, as a list that is linked by where they begin. Kept between words, for its memory.
#[derive(Debug, Default)]
pub(super) struct Merge {
    pieces: Vec<Piece>,
    /// Ranks of two neighbours, and where the left one begins. One whose neighbours have changed since is out of date.
    joins: BinaryHeap<Reverse<(u32, usize)>>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    previous: usize,
    /// Where the next piece begins: where this one ends.
    next: usize,
    /// The rank of this and the next piece together.
    rank: u32,
}

impl Merge {
    /// How many tokens a word has. Takes the time of sorting its bytes, also where the word is a megabyte.
    pub(super) fn count(&mut self, word: &[u8], tokens: &Tokens) -> u64 {
        self.joins.clear();
        self.pieces.clear();
        self.pieces.extend((0..word.len()).map(|at| Piece {
            previous: at.wrapping_sub(1),
            next: at + 1,
            rank: NONE,
        }));
        for at in 0..word.len() {
            self.look(at, word, tokens);
        }
        let mut count = word.len() as u64;
        while let Some(Reverse((rank, at))) = self.joins.pop() {
            let Some(left) = self.pieces.get(at).copied().filter(|left| left.rank == rank) else {
                continue;
            };
            let Some(right) = self.pieces.get_mut(left.next) else {
                continue;
            };
            right.rank = NONE;
            let next = right.next;
            if let Some(behind) = self.pieces.get_mut(next) {
                behind.previous = at;
            }
            if let Some(left) = self.pieces.get_mut(at) {
                left.next = next;
            }
            count -= 1;
            self.look(at, word, tokens);
            self.look(left.previous, word, tokens);
        }
        count
    }

    /// Looks what the piece at a place and the next one are together.
    fn look(&mut self, at: usize, word: &[u8], tokens: &Tokens) {
        let Some(piece) = self.pieces.get(at) else { return };
        let end = self.pieces.get(piece.next).map(|next| next.next);
        let both = end.and_then(|end| word.get(at..end));
        let rank = both.and_then(|both| tokens.rank(both));
        if let Some(piece) = self.pieces.get_mut(at) {
            piece.rank = rank.unwrap_or(NONE);
        }
        if let Some(rank) = rank {
            self.joins.push(Reverse((rank, at)));
        }
    }
}
