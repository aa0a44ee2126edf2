//! Splits the AWS event stream (`application/vnd.amazon.eventstream`) out of bytes that arrive in arbitrary pieces.
//!
//! A message is a prelude (its length, its headers' length, a CRC-32 of both), headers, a payload, and a CRC-32 of
//! all before it, in network order. Payloads are handed on as they come; of the headers only the few that say what
//! the message is are looked at. A checksum that does not fit ends the reading: no later length can be trusted.

use crc32fast::Hasher;

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
/// The limits of the format: 128 KiB of headers, 24 MiB in all.
const MOST_HEADERS: usize = 128 * 1024;
const LONGEST: usize = 24 << 20;
/// Headers beyond this are passed over, and the message with them: those of Bedrock have a hundred bytes.
const MOST_HELD: usize = 8 * 1024;

/// Takes the messages that an [`AwsSplitter`] finds.
pub(crate) trait MessageSink {
    /// A message begins.
    fn begin(&mut self, kind: MessageKind);
    /// Takes the next part of its payload.
    fn payload(&mut self, bytes: &[u8]);
    /// The message has ended, and its checksum fits.
    fn end(&mut self);
}

/// What a message's headers say that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    /// An event.
    Event,
    /// Bedrock's event `chunk`: its payload holds another JSON text in base64.
    Chunk,
    /// An exception or an error, and its name.
    Exception(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Prelude,
    Headers,
    Payload,
    Checksum,
    /// A checksum or a length was wrong.
    Broken,
}

/// The splitter; see the module.
#[derive(Debug)]
pub(crate) struct AwsSplitter {
    part: Part,
    /// Bytes of the current part that are still to come.
    missing: usize,
    /// What is held of a prelude, of headers, or of a checksum.
    held: Vec<u8>,
    payload: usize,
    hasher: Hasher,
}

impl AwsSplitter {
    pub(crate) fn new() -> Self {
        Self {
            part: Part::Prelude,
            missing: PRELUDE,
            held: Vec::new(),
            payload: 0,
            hasher: Hasher::new(),
        }
    }

    /// Whether the stream was found to be damaged. Nothing more is read then.
    pub(crate) fn is_broken(&self) -> bool {
        self.part == Part::Broken
    }

    /// Splits the next piece.
    pub(crate) fn push(&mut self, mut bytes: &[u8], sink: &mut impl MessageSink) {
        while !bytes.is_empty() && self.part != Part::Broken {
            let (now, rest) = bytes.split_at(self.missing.min(bytes.len()));
            bytes = rest;
            self.missing -= now.len();
            if self.part != Part::Checksum {
                self.hasher.update(now);
            }
            if self.part == Part::Payload {
                sink.payload(now);
            } else if self.held.len() < MOST_HELD {
                self.held.extend_from_slice(now);
            }
            while self.missing == 0 && self.part != Part::Broken {
                self.next_part(sink);
            }
        }
    }

    fn next_part(&mut self, sink: &mut impl MessageSink) {
        let held = std::mem::take(&mut self.held);
        (self.part, self.missing) = match self.part {
            Part::Prelude => self.lengths(&held).unwrap_or((Part::Broken, 0)),
            Part::Headers => {
                sink.begin(kind(&held));
                (Part::Payload, self.payload)
            }
            Part::Payload => (Part::Checksum, CHECKSUM),
            Part::Checksum => {
                let sum = std::mem::replace(&mut self.hasher, Hasher::new()).finalize();
                if held == sum.to_be_bytes() {
                    sink.end();
                    (Part::Prelude, PRELUDE)
                } else {
                    (Part::Broken, 0)
                }
            }
            Part::Broken => (Part::Broken, 0),
        };
    }

    /// The lengths that a prelude gives, if its checksum fits and they are possible.
    fn lengths(&mut self, prelude: &[u8]) -> Option<(Part, usize)> {
        let number = |at: usize| {
            let bytes = prelude.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(bytes))
        };
        let total = usize::try_from(number(0)?).ok()?;
        let headers = usize::try_from(number(4)?).ok()?;
        let fits = crc32fast::hash(prelude.get(..8)?) == number(8)?;
        self.payload = total.checked_sub(PRELUDE + headers + CHECKSUM)?;
        (fits && total <= LONGEST && headers <= MOST_HEADERS).then_some((Part::Headers, headers))
    }
}

/// Reads what a message is. Headers that cannot be read leave it an event.
fn kind(mut headers: &[u8]) -> MessageKind {
    let mut kind = MessageKind::Event;
    while let Some(header) = header(headers) {
        kind = match (header.name, header.text) {
            (b":event-type", Some(b"chunk")) => MessageKind::Chunk,
            (b":exception-type" | b":error-code", Some(name)) => {
                MessageKind::Exception(String::from_utf8_lossy(name).into())
            }
            _ => kind,
        };
        headers = header.rest;
    }
    kind
}

/// A header, and what follows it.
struct Header<'h> {
    name: &'h [u8],
    /// Its value, if that is text.
    text: Option<&'h [u8]>,
    rest: &'h [u8],
}

fn header(bytes: &[u8]) -> Option<Header<'_>> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, rest) = rest.split_first()?;
    // Types of the format: true, false, byte, short, integer, long, bytes, text, time, UUID.
    let length = match kind {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        9 => 16,
        6 | 7 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let text = (*kind == 7).then_some(value);
            return Some(Header { name, text, rest });
        }
        _ => return None,
    };
    Some(Header {
        name,
        text: None,
        rest: rest.split_at_checked(length)?.1,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Default, Debug, PartialEq, Eq)]
    struct Messages {
        ended: Vec<(Option<MessageKind>, Vec<u8>)>,
        current: (Option<MessageKind>, Vec<u8>),
    }

    impl MessageSink for Messages {
        fn begin(&mut self, kind: MessageKind) {
            self.current = (Some(kind), Vec::new());
        }
        fn payload(&mut self, bytes: &[u8]) {
            self.current.1.extend_from_slice(bytes);
        }
        fn end(&mut self) {
            self.ended.push(std::mem::take(&mut self.current));
        }
    }

    fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
        let mut text = vec![3, b'n', b'u', b'm', 4, 0, 0, 0, 7];
        for (name, value) in headers {
            text.push(u8::try_from(name.len()).unwrap());
            text.extend_from_slice(name.as_bytes());
            text.push(7);
            text.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
            text.extend_from_slice(value.as_bytes());
        }
        let total = PRELUDE + text.len() + payload.len() + CHECKSUM;
        let mut bytes = u32::try_from(total).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes.extend_from_slice(&text);
        bytes.extend_from_slice(payload);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    fn split(stream: &[u8], size: usize) -> (Messages, bool) {
        let mut splitter = AwsSplitter::new();
        let mut messages = Messages::default();
        for piece in stream.chunks(size) {
            splitter.push(piece, &mut messages);
        }
        (messages, splitter.is_broken())
    }

    fn stream() -> Vec<u8> {
        [
            message(&[(":event-type", "metadata"), (":message-type", "event")], b"{}"),
            message(&[(":event-type", "chunk")], b""),
            message(
                &[(":exception-type", "throttlingException")],
                b"{\"message\":\"x\"}",
            ),
        ]
        .concat()
    }

    #[test]
    fn messages_are_the_same_wherever_the_stream_is_cut() {
        let stream = stream();
        for size in [1, 2, 3, 7, 64, stream.len()] {
            let (messages, broken) = split(&stream, size);
            assert!(!broken);
            let kinds: Vec<_> = messages
                .ended
                .into_iter()
                .map(|(kind, _)| kind.unwrap())
                .collect();
            let exception = MessageKind::Exception("throttlingException".into());
            assert_eq!(kinds, [MessageKind::Event, MessageKind::Chunk, exception]);
        }
    }

    #[test]
    fn a_bad_checksum_or_length_ends_the_reading() {
        let good = stream();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            let (messages, broken) = split(&bad, 5);
            assert!(broken, "byte {at}");
            assert!(messages.ended.len() < 3);
        }
        assert!(split(&[0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0], 4).1);
    }

    proptest! {
        #[test]
        fn garbage_is_the_same_in_any_pieces(
            length in 0_usize..200,
            noise in prop::collection::vec((0_usize..200, any::<u8>()), 0..3),
            size in 1_usize..40,
        ) {
            let mut bytes = stream();
            bytes.truncate(length);
            for (at, byte) in noise {
                if let Some(old) = bytes.get_mut(at) {
                    *old = byte;
                }
            }
            let whole = split(&bytes, 1000);
            prop_assert_eq!(split(&bytes, size), whole);
        }
    }
}
