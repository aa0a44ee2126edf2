//! Counts tokens with OpenAI's vocabularies, for estimates.
//!
//! Counting blocks for up to a few seconds where a text is large and odd, and belongs on a thread that may block.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::vocabulary::{Name, Vocabulary};
use crate::domain::estimate::encoding::Encoding;
use crate::domain::estimate::{Count, Counted, How};

/// Texts are counted in pieces of at most so many bytes. The regular expression that cuts words takes stack for every
/// space of a run, and has none left before a run of a megabyte ends.
const PIECE: usize = 32 * 1024;

/// Of a longer text only so many bytes are counted, and the rest is taken to be like them.
const MOST: usize = 4 << 20;

/// Who counts for an encoding.
const fn vocabulary_of(encoding: Encoding) -> Name {
    match encoding {
        // They differ in special tokens, and those are plain text here.
        Encoding::O200kBase | Encoding::O200kHarmony => Name::O200k,
        Encoding::Cl100kBase => Name::Cl100k,
        Encoding::P50kBase | Encoding::P50kEdit => Name::P50k,
        Encoding::R50kBase => Name::R50k,
    }
}

/// The vocabularies that are in use. Shared between threads.
#[derive(Default)]
pub struct Tokenizers {
    slots: [Mutex<Slot>; 4],
}

#[derive(Default)]
struct Slot {
    loaded: Option<Arc<Vocabulary>>,
    used: bool,
}

impl Tokenizers {
    fn slot(&self, name: Name) -> MutexGuard<'_, Slot> {
        self.slots[name as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The vocabulary, loaded if it was not. Who comes while it is loaded waits.
    fn get(&self, name: Name) -> Option<Arc<Vocabulary>> {
        let mut slot = self.slot(name);
        slot.used = true;
        if slot.loaded.is_none() {
            slot.loaded = Vocabulary::new(name).map(Arc::new);
        }
        slot.loaded.clone()
    }

    /// Drops the vocabularies that nobody has used since this was last called. Call it every few minutes.
    pub fn release_idle(&self) {
        for slot in &self.slots {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if !std::mem::take(&mut slot.used) {
                slot.loaded = None;
            }
        }
    }

    /// How many vocabularies are in memory.
    #[must_use]
    pub fn loaded(&self) -> usize {
        let is_loaded = |slot: &&Mutex<Slot>| {
            slot.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .loaded
                .is_some()
        };
        self.slots.iter().filter(is_loaded).count()
    }
}

impl Count for Tokenizers {
    fn count(&self, encoding: Encoding, text: &str) -> Counted {
        let Some(vocabulary) = self.get(vocabulary_of(encoding)) else {
            return by_length(text);
        };
        let (counted, rest) = text.split_at(floor(text, MOST));
        let tokens: Option<u64> = Pieces(counted).map(|piece| vocabulary.count(piece)).sum();
        match tokens {
            None => by_length(text),
            Some(tokens) if rest.is_empty() => Counted {
                tokens,
                how: How::Whole,
            },
            Some(tokens) => {
                let all = u128::from(tokens) * text.len() as u128 / counted.len().max(1) as u128;
                Counted {
                    tokens: u64::try_from(all).unwrap_or(u64::MAX),
                    how: How::Extrapolated,
                }
            }
        }
    }
}

/// Four bytes a token, which is usual for English and code.
fn by_length(text: &str) -> Counted {
    Counted {
        tokens: (text.len() as u64).div_ceil(4),
        how: How::Guess,
    }
}

/// The largest place to cut at that is not beyond `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// Pieces of a text whose tokens add up to the text's: every encoding ends a word before a single space that stands
/// between letters. Where there is none, a piece ends anywhere, at the price of a token or two.
struct Pieces<'text>(&'text str);

impl<'text> Iterator for Pieces<'text> {
    type Item = &'text str;

    fn next(&mut self) -> Option<&'text str> {
        if self.0.is_empty() {
            return None;
        }
        let mut at = floor(self.0, PIECE);
        if at < self.0.len() {
            let window = &self.0.as_bytes()[..=at];
            let between_words = window.windows(3).rposition(|bytes| {
                matches!(bytes, [before, b' ', after] if before.is_ascii_alphabetic() && after.is_ascii_alphabetic())
            });
            at = between_words.map_or(at, |before| before + 1);
        }
        let (piece, rest) = self.0.split_at(at);
        self.0 = rest;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(encoding: Encoding, text: &str) -> u64 {
        let counted = Tokenizers::default().count(encoding, text);
        assert_eq!(counted.how, How::Whole);
        counted.tokens
    }

    #[test]
    fn counts_are_those_of_the_published_vocabularies() {
        for (encoding, expected) in [
            (Encoding::O200kBase, 8),
            (Encoding::O200kHarmony, 8),
            (Encoding::Cl100kBase, 8),
            (Encoding::P50kBase, 7),
            (Encoding::P50kEdit, 7),
            (Encoding::R50kBase, 7),
        ] {
            assert_eq!(
                count(encoding, "antidisestablishmentarianism, twice"),
                expected,
                "{encoding:?}"
            );
            assert_eq!(count(encoding, ""), 0);
        }
    }

    #[test]
    fn special_tokens_are_plain_text() {
        assert!(count(Encoding::O200kBase, "<|endoftext|>") > 1);
        assert!(count(Encoding::Cl100kBase, "<|im_start|>") > 1);
    }

    #[test]
    fn a_text_in_pieces_has_the_tokens_of_the_whole() {
        let words =
            "The quick brown fox's 12345 jumps,  over\n\n\tthe \"lazy\" dog's back — naïve café déjà vu. ";
        let text = words.repeat(3 * PIECE / words.len());
        for (encoding, whole) in [
            (Encoding::O200kBase, tiktoken_rs::o200k_base()),
            (Encoding::Cl100kBase, tiktoken_rs::cl100k_base()),
            (Encoding::P50kBase, tiktoken_rs::p50k_base()),
            (Encoding::R50kBase, tiktoken_rs::r50k_base()),
        ] {
            let whole = whole.unwrap().count_ordinary(&text) as u64;
            assert_eq!(count(encoding, &text), whole, "{encoding:?}");
        }
        assert!(Pieces(&text).count() > 2);
        assert_eq!(Pieces(&text).collect::<String>(), text);
    }

    #[test]
    fn a_run_without_end_is_counted_all_the_same() {
        let tokenizers = Tokenizers::default();
        for unit in [" ", "a", "\n", "中", "\u{301}", "A1\u{200d}"] {
            let text = unit.repeat(8 * PIECE / unit.len());
            for encoding in [Encoding::O200kBase, Encoding::Cl100kBase] {
                let counted = tokenizers.count(encoding, &text);
                assert_eq!(counted.how, How::Whole, "{unit:?}");
                assert!(counted.tokens > 0);
            }
        }
    }

    #[test]
    fn beyond_the_most_a_text_is_taken_to_go_on_as_it_began() {
        let text = "word ".repeat(MOST / 5 * 2);
        let counted = Tokenizers::default().count(Encoding::O200kBase, &text);
        assert_eq!(counted.how, How::Extrapolated);
        let words = (MOST / 5 * 2) as u64;
        assert!(
            counted.tokens.abs_diff(words) < words / 1000,
            "{}",
            counted.tokens
        );
    }

    #[test]
    fn an_unused_vocabulary_is_dropped() {
        let tokenizers = Tokenizers::default();
        assert_eq!(tokenizers.loaded(), 0);
        tokenizers.count(Encoding::R50kBase, "a");
        tokenizers.release_idle();
        assert_eq!(tokenizers.loaded(), 1, "it was used since the last time");
        tokenizers.release_idle();
        assert_eq!(tokenizers.loaded(), 0);
        assert_eq!(tokenizers.count(Encoding::R50kBase, "a").tokens, 1);
    }
}
