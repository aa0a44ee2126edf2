//! Cuts text into the tokens of OpenAI's vocabularies, and says how many there are.
//!
//! A vocabulary is a list of byte strings by rank and a regular expression. The expression cuts a text into words; each
//! word begins as bytes, and of all neighbours that are a token together those of the lowest rank are joined, the leftmost
//! first, until none are left (byte-pair encoding, as OpenAI's tiktoken does it). The lists and expressions are tiktoken's.

mod merge;
mod table;

use fancy_regex::Regex;

use merge::Merge;

/// The vocabularies: those of two encodings serve two others as well.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    O200k,
    Cl100k,
    P50k,
    R50k,
}

impl Name {
    /// The expression that cuts text into words.
    const fn words(self) -> &'static str {
        match self {
            Self::O200k => concat!(
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"|\p{N}{1,3}",
                r"| ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"|\s*[\r\n]+",
                r"|\s+(?!\S)",
                r"|\s+",
            ),
            Self::Cl100k => concat!(
                r"'(?i:[sdmt]|ll|ve|re)",
                r"|[^\r\n\p{L}\p{N}]?+\p{L}++",
                r"|\p{N}{1,3}+",
                r"| ?[^\s\p{L}\p{N}]++[\r\n]*+",
                r"|\s++$",
                r"|\s*[\r\n]",
                r"|\s+(?!\S)",
                r"|\s",
            ),
            Self::P50k | Self::R50k => concat!(
                r"'(?:[sdmt]|ll|ve|re)",
                r"| ?\p{L}++",
                r"| ?\p{N}++",
                r"| ?[^\s\p{L}\p{N}]++",
                r"|\s++$",
                r"|\s+(?!\S)",
                r"|\s",
            ),
        }
    }

    const fn table(self) -> &'static [u8] {
        match self {
            Self::O200k => include_bytes!(concat!(env!("OUT_DIR"), "/o200k")),
            Self::Cl100k => include_bytes!(concat!(env!("OUT_DIR"), "/cl100k")),
            Self::P50k => include_bytes!(concat!(env!("OUT_DIR"), "/p50k")),
            Self::R50k => include_bytes!(concat!(env!("OUT_DIR"), "/r50k")),
        }
    }
}

/// A vocabulary that is ready to count with. The tokens are read where they stand in the program's file; what takes memory
/// is the expression, about a megabyte.
#[derive(Debug)]
pub(super) struct Vocabulary {
    words: Regex,
    tokens: Tokens,
}

impl Vocabulary {
    /// `None` if the expression is refused, which no input brings about.
    pub(super) fn new(name: Name) -> Option<Self> {
        Some(Self {
            words: Regex::new(name.words()).ok()?,
            tokens: Tokens::read(name.table())?,
        })
    }

    /// How many tokens a text has; `None` where the expression gives up (a run of spaces takes it stack for each).
    pub(super) fn count(&self, text: &str) -> Option<u64> {
        let mut merge = Merge::default();
        let mut tokens = 0;
        for word in self.words.find_iter(text) {
            let word = word.ok()?.as_str().as_bytes();
            tokens += match self.tokens.rank(word) {
                Some(_) => 1,
                None => merge.count(word, &self.tokens),
            };
        }
        Some(tokens)
    }
}

/// The tokens of a vocabulary, in the form that `table` describes.
#[derive(Clone, Copy, Debug)]
struct Tokens {
    ends: &'static [[u8; 4]],
    slots: &'static [[u8; 4]],
    bytes: &'static [u8],
}

impl Tokens {
    fn read(table: &'static [u8]) -> Option<Self> {
        let (count, rest) = table.split_first_chunk()?;
        let (slots, rest) = rest.split_first_chunk()?;
        let (ends, rest) = rest.split_at_checked(4 * number(count))?;
        let (slots, bytes) = rest.split_at_checked(4 * number(slots))?;
        Some(Self {
            ends: ends.as_chunks().0,
            slots: slots.as_chunks().0,
            bytes,
        })
    }

    /// The rank of the token that has these bytes; a lower one is joined sooner.
    fn rank(&self, bytes: &[u8]) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = table::hash(bytes) as usize & mask;
        loop {
            let rank = u32::from_le_bytes(*self.slots.get(slot)?).checked_sub(1)?;
            if self.bytes_of(rank as usize) == Some(bytes) {
                return Some(rank);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn bytes_of(&self, rank: usize) -> Option<&'static [u8]> {
        let begin = match rank.checked_sub(1) {
            Some(before) => number(self.ends.get(before)?),
            None => 0,
        };
        self.bytes.get(begin..number(self.ends.get(rank)?))
    }
}

fn number(bytes: &[u8; 4]) -> usize {
    u32::from_le_bytes(*bytes) as usize
}

#[cfg(test)]
mod tests;
