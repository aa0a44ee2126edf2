//! A conversation that asks the same again and again.

use std::collections::VecDeque;

use super::super::CallUse;
use super::{Episode, Signal};
use crate::domain::units::Millis;

/// So many calls …
const CALLS: usize = Loops::CALLS;
/// … within this time …
const WITHIN: Millis = Millis(300_000);
/// … that differ by no more than this share in the middle, sent and received, are a loop.
const SPREAD: f64 = 0.1;
/// Conversations that are watched; the one that was silent for the longest goes first.
const CONVERSATIONS: usize = 64;
/// A conversation's name beyond this is cut: it tells apart all the same.
const LONGEST_NAME: usize = 128;

/// A conversation that repeats itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// The conversation, as its client names it; empty if it does not.
    pub conversation: Box<str>,
    /// How many calls were alike.
    pub calls: usize,
    /// In how much time.
    pub within: Millis,
}

/// Watches the conversations of one session for loops.
///
/// A loop is 25 calls of one conversation in five minutes whose fresh tokens, and whose generated ones, have a median
/// deviation from their median of at most a tenth of it. Both are needed, and fresh tokens rather than all: a
/// conversation's prompt grows slowly, so that by all tokens most recorded sessions would look like loops; by fresh and
/// generated ones none does. Where no cache serves anything, all tokens are fresh and only the generated ones tell: about
/// one session of eleven would then be taken for a loop. Calls of many conversations at once are no loop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loops {
    /// The one that spoke last stands last.
    conversations: Vec<Conversation>,
}

#[derive(Clone, Debug, PartialEq)]
struct Conversation {
    name: Box<str>,
    /// Moment, fresh tokens and generated tokens of the last calls, the newest last.
    calls: VecDeque<(Millis, u64, u64)>,
    episode: Episode,
}

impl Loops {
    /// So many calls that are alike are a loop.
    pub const CALLS: usize = 25;

    /// The name by which a conversation is known here.
    #[must_use]
    pub fn name(conversation: &str) -> Box<str> {
        conversation.chars().take(LONGEST_NAME).collect()
    }

    /// Takes up the loop of a conversation that was raised before the program's start.
    pub fn resume(&mut self, conversation: &str, at: Millis) {
        let mut known = self.take_out(conversation);
        known.episode = Episode::resumed(at);
        self.put_last(known);
    }

    /// Takes a finished call of a conversation.
    ///
    /// What clears is the loop of this conversation.
    pub fn observe(&mut self, conversation: Option<&str>, call: CallUse, at: Millis) -> Option<Signal<Loop>> {
        let mut spoke = self.take_out(conversation.unwrap_or_default());
        let signal = spoke.observe(call, at);
        self.put_last(spoke);
        signal
    }

    fn take_out(&mut self, conversation: &str) -> Conversation {
        let is_it = |known: &Conversation| known.name.chars().eq(conversation.chars().take(LONGEST_NAME));
        match self.conversations.iter().rposition(is_it) {
            Some(at) => self.conversations.remove(at),
            None => Conversation {
                name: Self::name(conversation),
                calls: VecDeque::with_capacity(CALLS),
                episode: Episode::default(),
            },
        }
    }

    fn put_last(&mut self, spoke: Conversation) {
        if self.conversations.len() >= CONVERSATIONS {
            // One whose loop stands has still to tell that it is over.
            let quiet = self
                .conversations
                .iter()
                .position(|known| !known.episode.stands());
            self.conversations.remove(quiet.unwrap_or(0));
        }
        self.conversations.push(spoke);
    }

    /// Takes the time: the conversations whose loops are over.
    pub fn advance(&mut self, at: Millis) -> Vec<Box<str>> {
        let conversations = self.conversations.iter_mut();
        conversations
            .filter_map(|known| {
                let signal: Option<Signal<Loop>> = known.episode.see(None, at);
                signal.map(|_| known.name.clone())
            })
            .collect()
    }
}

impl Conversation {
    fn observe(&mut self, call: CallUse, at: Millis) -> Option<Signal<Loop>> {
        if self.calls.len() >= CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back((at, call.fresh.0, call.generated.0));
        let seen = self.looks_alike(at);
        self.episode.see(seen, at)
    }

    /// One number of each of the calls; 0 where there are too few.
    fn sizes(&self, of: impl Fn(&(Millis, u64, u64)) -> u64) -> [u64; CALLS] {
        std::array::from_fn(|index| self.calls.get(index).map_or(0, &of))
    }

    fn looks_alike(&self, at: Millis) -> Option<Loop> {
        let first = self.calls.front()?.0;
        let within = Millis(at.0.saturating_sub(first.0));
        let is_loop = self.calls.len() == CALLS
            && within <= WITHIN
            && is_alike(self.sizes(|(_, fresh, _)| *fresh))
            && is_alike(self.sizes(|(_, _, generated)| *generated));
        is_loop.then(|| Loop {
            conversation: self.name.clone(),
            calls: CALLS,
            within,
        })
    }
}

/// Whether the median deviation from the median is small beside it.
fn is_alike(sizes: [u64; CALLS]) -> bool {
    let middle = median(sizes);
    let deviation = median(sizes.map(|size| size.abs_diff(middle)));
    deviation as f64 <= SPREAD * middle as f64
}

fn median(mut sizes: [u64; CALLS]) -> u64 {
    *sizes.select_nth_unstable(CALLS / 2).1
}
