//! Finds a few values in a JSON text that arrives in pieces.
//!
//! A reply of 50 MB holds perhaps five numbers that matter. The scanner walks the text once, byte ranges at a
//! time, knows only where it is among the wanted paths, and keeps nothing else: strings are jumped over with
//! `memchr`, subtrees without a wanted path are only counted in and out. It is not a validator. It notices the
//! mistakes that would make it lose its way, says so, and stops.

#[cfg(test)]
mod tests;

use memchr::{memchr, memchr2};

/// The largest value that is handed out. Usage objects have a few hundred bytes.
pub(crate) const LARGEST_VALUE: usize = 64 * 1024;

/// Keys longer than this are not wanted ones.
const LONGEST_KEY: usize = 64;

/// Containers that can be open along a wanted path: the longest path, the root, and a root array around it.
const DEEPEST: usize = 8;

/// What to hand out of a wanted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// Its text, when it has ended. Wanted paths inside of it are not looked for.
    Text,
    /// Its first byte, when it begins. That tells what it is, and paths inside of it are still looked for.
    Start,
}

/// A wanted value: its name for the caller, and the way to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want<K> {
    /// What the caller calls it.
    pub key: K,
    /// Object keys from the root; `*` is every element of an array.
    pub path: &'static [&'static str],
    /// What to hand out.
    pub take: Take,
}

/// Wants the text of the value at `path`.
pub(crate) const fn text<K>(key: K, path: &'static [&'static str]) -> Want<K> {
    Want {
        key,
        path,
        take: Take::Text,
    }
}

/// Wants the first byte of the value at `path`.
pub(crate) const fn start<K>(key: K, path: &'static [&'static str]) -> Want<K> {
    Want {
        key,
        path,
        take: Take::Start,
    }
}

/// What was found at a wanted path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'text> {
    /// The value's raw JSON text.
    Text(&'text [u8]),
    /// The value's first byte.
    Start(u8),
    /// The value was larger than [`LARGEST_VALUE`] and is gone.
    TooLarge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a value.
    Value,
    /// Behind `[`.
    FirstElement,
    /// Behind `{`.
    FirstKey,
    /// Behind a comma in an object.
    NextKey,
    /// Inside a key.
    Key,
    /// Behind a key.
    Colon,
    /// Behind a value.
    AfterValue,
    /// Inside a number or a literal.
    Scalar,
    /// Inside a string.
    Text,
    /// Inside a container that is only counted.
    Nested,
    /// Inside a string in such a container.
    NestedText,
    /// Behind the root value.
    Done,
    /// Lost.
    Broken,
}

/// An open container along a wanted path.
#[derive(Clone, Copy, Debug)]
struct Frame {
    is_object: bool,
    /// The wanted paths that lead into this container, a bit each.
    alive: u32,
    /// How many steps of those paths have been taken.
    step: usize,
    /// The root array: its elements are scanned as if each were a root.
    transparent: bool,
}

const CLOSED: Frame = Frame {
    is_object: false,
    alive: 0,
    step: 0,
    transparent: false,
};

/// The scanner; see the module.
///
/// A root array is looked through: paths start at each of its elements. That is how Gemini streams without SSE.
#[derive(Debug)]
pub(crate) struct JsonScanner<K: 'static> {
    wants: &'static [Want<K>],
    state: State,
    frames: [Frame; DEEPEST],
    depth: usize,
    /// Open brackets of a container that is only counted.
    nested: u64,
    /// The next byte of a string is escaped.
    escaped: bool,
    /// The wanted paths that the current key leads to.
    matched: u32,
    /// The wanted value whose text is being taken.
    taking: Option<usize>,
    /// The part of a key or a wanted value that came in earlier pieces.
    held: Vec<u8>,
    overfull: bool,
    /// A key may be a wanted one without being written like it.
    doubtful_key: bool,
    /// Bytes in all earlier pieces.
    offset: u64,
    root: u8,
    end: Option<u64>,
}

impl<K: Copy + 'static> JsonScanner<K> {
    /// Makes a scanner for a table of at most 32 paths.
    pub(crate) const fn new(wants: &'static [Want<K>]) -> Self {
        assert!(wants.len() <= 32, "the sets of paths are 32 bits wide");
        Self {
            wants,
            state: State::Value,
            frames: [CLOSED; DEEPEST],
            depth: 0,
            nested: 0,
            escaped: false,
            matched: 0,
            taking: None,
            held: Vec::new(),
            overfull: false,
            doubtful_key: false,
            offset: 0,
            root: 0,
            end: None,
        }
    }

    /// Forgets the text so far, to scan another one.
    pub(crate) fn reset(&mut self) {
        let held = std::mem::take(&mut self.held);
        *self = Self::new(self.wants);
        self.held = held;
        self.held.clear();
    }

    /// Whether the text was found not to be JSON. Nothing more is found then.
    pub(crate) fn is_malformed(&self) -> bool {
        self.state == State::Broken
    }

    /// Whether the root value, an object or an array, has ended and nothing but whitespace came after it.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the root value has ended, whatever came after it.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_done() || self.end.is_some()
    }

    /// Whether a key may be a wanted one without being written like it: it has escapes, or is too long to be held.
    pub(crate) fn has_doubtful_key(&self) -> bool {
        self.doubtful_key
    }

    /// The offset of the byte that closes the root value.
    pub(crate) fn end(&self) -> Option<u64> {
        self.end
    }

    /// Whether the root value is an object.
    pub(crate) fn root_is_object(&self) -> bool {
        self.root == b'{'
    }

    /// Whether the root value is an array.
    pub(crate) fn root_is_array(&self) -> bool {
        self.root == b'['
    }

    /// Scans the next piece and calls `found` for each wanted value, in the order of the text.
    pub(crate) fn push(&mut self, bytes: &[u8], mut found: impl FnMut(K, Found<'_>)) {
        let mut at = 0;
        // Where this piece's part of the key or the wanted value begins.
        let mut from = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Key => {
                    let Some(quote) = self.string_end(bytes, at) else {
                        break;
                    };
                    self.end_key(&bytes[from..quote]);
                    at = quote + 1;
                }
                State::Text => {
                    let Some(quote) = self.string_end(bytes, at) else {
                        break;
                    };
                    at = quote + 1;
                    self.end_value(&bytes[from..at], &mut found);
                }
                State::NestedText => {
                    let Some(quote) = self.string_end(bytes, at) else {
                        break;
                    };
                    at = quote + 1;
                    self.state = State::Nested;
                }
                State::Nested => {
                    at = self.skip_nested(bytes, at);
                    if self.nested == 0 {
                        self.end_value(&bytes[from..at], &mut found);
                    }
                }
                State::Scalar => {
                    let rest = &bytes[at..];
                    let Some(length) = rest.iter().position(|byte| !is_scalar(*byte)) else {
                        break;
                    };
                    at += length;
                    self.end_value(&bytes[from..at], &mut found);
                }
                State::Broken => return,
                _ if is_whitespace(byte) => at += 1,
                State::Value | State::FirstElement if byte != b']' || self.state == State::Value => {
                    from = at;
                    self.begin_value(byte, &mut found);
                    at += 1;
                }
                State::FirstKey | State::NextKey if byte == b'"' => {
                    at += 1;
                    from = at;
                    self.held.clear();
                    self.overfull = false;
                    self.state = State::Key;
                }
                State::Colon if byte == b':' => {
                    self.state = State::Value;
                    at += 1;
                }
                State::AfterValue if byte == b',' => {
                    let in_object = self.frames[self.depth - 1].is_object;
                    self.state = if in_object { State::NextKey } else { State::Value };
                    at += 1;
                }
                State::FirstKey | State::FirstElement | State::AfterValue
                    if self.depth > 0 && byte == self.closer() =>
                {
                    self.depth -= 1;
                    self.end = (self.depth == 0).then_some(self.offset + at as u64);
                    self.state = if self.depth == 0 {
                        State::Done
                    } else {
                        State::AfterValue
                    };
                    at += 1;
                }
                _ => self.state = State::Broken,
            }
        }
        if self.state == State::Key || self.taking.is_some() {
            let limit = if self.state == State::Key {
                LONGEST_KEY
            } else {
                LARGEST_VALUE
            };
            self.hold(&bytes[from..], limit);
        }
        self.offset += bytes.len() as u64;
    }

    /// The closing bracket of the innermost open container.
    fn closer(&self) -> u8 {
        if self.frames[self.depth - 1].is_object {
            b'}'
        } else {
            b']'
        }
    }

    /// Finds the quote that ends a string, from `at` on.
    fn string_end(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        if self.escaped {
            self.escaped = false;
            at += 1;
        }
        loop {
            at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                return Some(at);
            }
            self.escaped = at + 1 == bytes.len();
            at += 2;
        }
    }

    /// Goes on to the end of the counted container, to a string in it, or to the end of the piece.
    fn skip_nested(&mut self, bytes: &[u8], mut at: usize) -> usize {
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'"' => {
                    self.state = State::NestedText;
                    return at;
                }
                b'{' | b'[' => self.nested += 1,
                b'}' | b']' => {
                    self.nested -= 1;
                    if self.nested == 0 {
                        return at;
                    }
                }
                _ => {}
            }
        }
        at
    }

    fn end_key(&mut self, last_part: &[u8]) {
        let frame = self.frames[self.depth - 1];
        let key = if self.held.is_empty() && !self.overfull {
            last_part
        } else {
            self.hold(last_part, LONGEST_KEY);
            &self.held
        };
        self.doubtful_key |= self.overfull || key.len() > LONGEST_KEY || memchr(b'\\', key).is_some();
        self.matched = matching(self.wants, frame.alive, frame.step, key);
        self.held.clear();
        self.state = State::Colon;
    }

    fn begin_value(&mut self, byte: u8, found: &mut impl FnMut(K, Found<'_>)) {
        let (matched, step) = match self.depth.checked_sub(1).map(|top| self.frames[top]) {
            None => (every(self.wants), 0),
            Some(frame) if frame.transparent => (frame.alive, 0),
            Some(frame) if frame.is_object => (self.matched, frame.step + 1),
            Some(frame) => (
                matching(self.wants, frame.alive, frame.step, b"*"),
                frame.step + 1,
            ),
        };
        let mut deeper = 0;
        self.taking = None;
        for index in bits(matched) {
            let want = &self.wants[index];
            match want.take {
                _ if want.path.len() > step => deeper |= 1 << index,
                Take::Start => found(want.key, Found::Start(byte)),
                Take::Text => self.taking = Some(index),
            }
        }
        self.held.clear();
        self.overfull = false;
        if self.depth == 0 {
            self.root = byte;
        }
        self.state = match byte {
            b'"' => State::Text,
            b'{' | b'[' => {
                let is_object = byte == b'{';
                let on_the_way = deeper != 0 && self.taking.is_none() && self.depth < DEEPEST;
                if on_the_way || self.depth == 0 {
                    let transparent = self.depth == 0 && !is_object;
                    self.frames[self.depth] = Frame {
                        is_object,
                        alive: deeper,
                        step,
                        transparent,
                    };
                    self.depth += 1;
                    if is_object {
                        State::FirstKey
                    } else {
                        State::FirstElement
                    }
                } else {
                    self.nested = 1;
                    State::Nested
                }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => State::Scalar,
            _ => {
                self.taking = None;
                State::Broken
            }
        };
    }

    fn end_value(&mut self, last_part: &[u8], found: &mut impl FnMut(K, Found<'_>)) {
        self.state = if self.depth == 0 {
            State::Done
        } else {
            State::AfterValue
        };
        let Some(index) = self.taking.take() else { return };
        let value = if self.held.is_empty() && !self.overfull {
            self.overfull = last_part.len() > LARGEST_VALUE;
            last_part
        } else {
            self.hold(last_part, LARGEST_VALUE);
            &self.held
        };
        let value = if self.overfull {
            Found::TooLarge
        } else {
            Found::Text(value)
        };
        found(self.wants[index].key, value);
        self.held.clear();
    }

    fn hold(&mut self, part: &[u8], limit: usize) {
        self.overfull |= self.held.len() + part.len() > limit;
        if self.overfull {
            self.held.clear();
        } else {
            self.held.extend_from_slice(part);
        }
    }
}

/// Whether a byte may stand between JSON's tokens (RFC 8259 §2). A form feed may not.
pub(crate) const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a byte can be in a number, `true`, `false` or `null`.
const fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// The set of all paths in a table.
fn every<K>(wants: &[Want<K>]) -> u32 {
    u32::try_from((1_u64 << wants.len()) - 1).unwrap_or(u32::MAX)
}

/// The paths among `alive` whose next step is `key`.
fn matching<K>(wants: &[Want<K>], alive: u32, step: usize, key: &[u8]) -> u32 {
    bits(alive)
        .filter(|&index| {
            wants[index]
                .path
                .get(step)
                .is_some_and(|wanted| wanted.as_bytes() == key)
        })
        .fold(0, |set, index| set | 1 << index)
}

/// The positions of the ones in a set.
fn bits(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (lowest < 32).then_some(lowest)
    })
}
