//! Adds up what one side of a call holds.

use super::model::{PerMille, Profile};
use super::{Count, How, Kind, Unseen};

/// The bytes and the texts of a side that are counted by the encoding: beyond them it is counted by its length.
const MOST_BYTES: usize = 8 << 20;
const MOST_TEXTS: u32 = 20_000;

/// What has been counted of a prompt or a reply so far.
pub(super) struct Tally<'call> {
    counter: &'call dyn Count,
    pub(super) profile: &'call Profile,
    /// Tokens of text, by the encoding.
    pub(super) text: u64,
    /// Tokens of tool definitions, by the encoding.
    pub(super) tools: u64,
    /// What stands around them, in the model's own tokens.
    pub(super) framing: i64,
    /// Tokens of images and films.
    pub(super) image: u64,
    /// Tokens of sound.
    pub(super) audio: u64,
    /// Tokens of reasoning that can be seen, by the encoding.
    pub(super) reasoning: u64,
    /// The number, where the call itself says it in another way.
    pub(super) said: Option<u64>,
    pub(super) how: How,
    pub(super) unseen: Vec<Unseen>,
    pub(super) has_tools: bool,
    texts: u32,
    bytes: usize,
}

impl<'call> Tally<'call> {
    pub(super) fn new(counter: &'call dyn Count, profile: &'call Profile) -> Self {
        Self {
            counter,
            profile,
            text: 0,
            tools: 0,
            framing: 0,
            image: 0,
            audio: 0,
            reasoning: 0,
            said: None,
            how: How::Whole,
            unseen: Vec::new(),
            has_tools: false,
            texts: 0,
            bytes: 0,
        }
    }

    /// Tokens of a text by the encoding.
    pub(super) fn tokens(&mut self, text: &str) -> u64 {
        if text.is_empty() {
            return 0;
        }
        self.texts += 1;
        self.bytes = self.bytes.saturating_add(text.len());
        if self.texts > MOST_TEXTS || self.bytes > MOST_BYTES {
            self.how = How::Guess;
            return by_length(text);
        }
        let counted = self.counter.count(self.profile.encoding, text);
        self.how = self.how.max(counted.how);
        counted.tokens
    }

    /// Adds a text.
    pub(super) fn say(&mut self, text: &str) {
        self.text += self.tokens(text);
    }

    /// Adds the definition of tools.
    pub(super) fn define(&mut self, text: &str) {
        self.tools += self.tokens(text);
    }

    /// Adds reasoning that can be seen.
    pub(super) fn think(&mut self, text: &str) {
        self.reasoning += self.tokens(text);
    }

    /// Notes that something cannot be seen from here.
    pub(super) fn miss(&mut self, what: Unseen) {
        if !self.unseen.contains(&what) {
            self.unseen.push(what);
        }
    }

    /// What kind of call this side is, for holding it against others of its kind.
    pub(super) fn kind(&self) -> Kind {
        if self.image + self.audio > 0 {
            Kind::Media
        } else if self.has_tools {
            Kind::Tools
        } else {
            Kind::Text
        }
    }

    /// All of it but the sound, in the model's own tokens. `ratio` is for text, `tools` for tool definitions.
    pub(super) fn sum(&self, ratio: PerMille, tools: PerMille) -> u64 {
        let text = ratio.of(self.text) + ratio.of(tools.of(self.tools));
        text.saturating_add_signed(self.framing) + self.image
    }
}

/// A text's tokens where none can be counted: four bytes each.
pub(super) const fn by_length(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}
