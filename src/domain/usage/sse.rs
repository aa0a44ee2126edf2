//! Splits server-sent events out of bytes that arrive in arbitrary pieces.
//!
//! Only `data` matters: providers say the kind of an event in its JSON, and not all write `event:` lines, or write
//! them first. Nothing is buffered. A data line that lies in one piece is shown whole, so that the sink can pass
//! over it after a cheap look; any other is handed on part by part.

use memchr::memchr2;

/// The marker that ends a chat stream.
const DONE: &[u8] = b"[DONE]";
const FIELD: &[u8] = b"data:";

/// Takes the events that an [`SseSplitter`] finds.
pub(crate) trait EventSink {
    /// Whether an event with this data has to be read at all.
    fn wants(&self, data: &[u8]) -> bool;
    /// Takes the next part of the current event's data.
    fn part(&mut self, data: &[u8]);
    /// The current event has ended.
    fn event_end(&mut self);
    /// The event that ends the stream (`[DONE]`) has come.
    fn done(&mut self);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// At its beginning, with so many bytes of `data:` seen.
    Field(usize),
    /// Behind `data:`, where one space does not belong to the data.
    Colon,
    /// In its data.
    Data,
    /// In a comment or in a field that does not matter.
    Other,
}

/// The splitter; see the module.
#[derive(Debug)]
pub(crate) struct SseSplitter {
    line: Line,
    /// The last byte was a carriage return: a line feed now ends no further line.
    after_return: bool,
    /// The current event has a data line.
    in_event: bool,
    /// The beginning of the event's data, to recognise [`DONE`].
    head: [u8; DONE.len() + 1],
    head_length: usize,
    saw_data: bool,
}

impl SseSplitter {
    pub(crate) const fn new() -> Self {
        Self {
            line: Line::Field(0),
            after_return: false,
            in_event: false,
            head: [0; DONE.len() + 1],
            head_length: 0,
            saw_data: false,
        }
    }

    /// Whether any data line has come.
    pub(crate) fn saw_data(&self) -> bool {
        self.saw_data
    }

    /// Splits the next piece.
    pub(crate) fn push(&mut self, bytes: &[u8], sink: &mut impl EventSink) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if std::mem::take(&mut self.after_return) && byte == b'\n' {
                at += 1;
                continue;
            }
            match self.line {
                Line::Field(seen) if byte == FIELD[seen] => {
                    self.line = if seen + 1 == FIELD.len() {
                        Line::Colon
                    } else {
                        Line::Field(seen + 1)
                    };
                    at += 1;
                }
                Line::Field(seen) if is_line_end(byte) => {
                    self.end_line(byte);
                    if seen == 0 {
                        self.end_event(sink);
                    }
                    at += 1;
                }
                Line::Field(_) => self.line = Line::Other,
                Line::Colon => {
                    at += usize::from(byte == b' ');
                    self.line = Line::Data;
                    self.saw_data = true;
                    if self.in_event {
                        self.take(b"\n", sink);
                    } else if let Some(data) = whole_event(&bytes[at..]) {
                        if data == DONE || sink.wants(data) {
                            self.take(data, sink);
                        }
                        at += data.len();
                    }
                    self.in_event = true;
                }
                Line::Data => {
                    let length = memchr2(b'\n', b'\r', &bytes[at..]).unwrap_or(bytes.len() - at);
                    self.take(&bytes[at..at + length], sink);
                    at += length;
                    if let Some(&end) = bytes.get(at) {
                        self.look_for_done(sink);
                        self.end_line(end);
                        at += 1;
                    }
                }
                Line::Other => {
                    let Some(length) = memchr2(b'\n', b'\r', &bytes[at..]) else {
                        return;
                    };
                    at += length;
                    self.end_line(bytes[at]);
                    at += 1;
                }
            }
        }
    }

    /// Ends the last event, which may lack its blank line.
    pub(crate) fn finish(&mut self, sink: &mut impl EventSink) {
        if self.line == Line::Data {
            self.look_for_done(sink);
        }
        self.end_event(sink);
    }

    fn take(&mut self, data: &[u8], sink: &mut impl EventSink) {
        if data.is_empty() {
            return;
        }
        let free = &mut self.head[self.head_length..];
        let length = free.len().min(data.len());
        free[..length].copy_from_slice(&data[..length]);
        self.head_length += length;
        sink.part(data);
    }

    /// Clients end at the marker's line and do not wait for the blank one; so do we.
    fn look_for_done(&mut self, sink: &mut impl EventSink) {
        if &self.head[..self.head_length] == DONE {
            sink.done();
        }
    }

    fn end_line(&mut self, byte: u8) {
        self.after_return = byte == b'\r';
        self.line = Line::Field(0);
    }

    fn end_event(&mut self, sink: &mut impl EventSink) {
        if std::mem::take(&mut self.in_event) {
            sink.event_end();
        }
        self.head_length = 0;
    }
}

const fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// The rest of a data line, if it ends here and a blank line follows: then it is the whole event's data.
fn whole_event(bytes: &[u8]) -> Option<&[u8]> {
    let end = memchr2(b'\n', b'\r', bytes)?;
    let ending = if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
    bytes.get(end + ending).filter(|byte| is_line_end(**byte))?;
    Some(&bytes[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Collects events as text; passes over those that hold `skip`, if they are shown whole.
    #[derive(Default)]
    struct Events {
        all: Vec<String>,
        current: Vec<u8>,
        passed_over: usize,
    }

    impl EventSink for Events {
        fn wants(&self, data: &[u8]) -> bool {
            memchr::memmem::find(data, b"skip").is_none()
        }

        fn part(&mut self, data: &[u8]) {
            self.current.extend_from_slice(data);
        }

        fn event_end(&mut self) {
            let data = std::mem::take(&mut self.current);
            if data.is_empty() {
                self.passed_over += 1;
            } else {
                self.all.push(String::from_utf8_lossy(&data).into_owned());
            }
        }

        fn done(&mut self) {
            self.all.push("done".to_owned());
        }
    }

    fn split<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Events {
        let mut splitter = SseSplitter::new();
        let mut events = Events::default();
        pieces
            .into_iter()
            .for_each(|piece| splitter.push(piece, &mut events));
        splitter.finish(&mut events);
        events
    }

    #[test]
    fn events_are_the_same_wherever_the_stream_is_cut() {
        for (stream, expected) in [
            ("data: a\n\ndata:b\n\n", vec!["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["a", "b"]),
            ("data: a\r\rdata: b\r\r", vec!["a", "b"]),
            (": ping\n\nevent: x\ndata: a\nid: 1\n\n", vec!["a"]),
            ("data: a\nevent: x\n\n", vec!["a"]),
            ("data: a\ndata: b\n\n", vec!["a\nb"]),
            ("data: a\r\ndata:  b\r\n\r\n", vec!["a\n b"]),
            ("data: a\n\ndata: b", vec!["a", "b"]),
            ("dat\ndatax: n\nretry: 1\n\ndata: a\n\n", vec!["a"]),
            ("\n\n\ndata: a\n\n\n\n", vec!["a"]),
            ("data: [DONE]\n\n", vec!["done", "[DONE]"]),
            ("data: [DONE]", vec!["done", "[DONE]"]),
            ("data: [DONE] not\n\n", vec!["[DONE] not"]),
        ] {
            assert_eq!(split([stream.as_bytes()]).all, expected, "{stream:?}");
            assert_eq!(
                split(stream.as_bytes().chunks(1)).all,
                expected,
                "{stream:?} byte by byte"
            );
        }
    }

    #[test]
    fn an_event_is_passed_over_only_if_it_is_whole() {
        assert_eq!(split([&b"data: skip\n\ndata: a\n\n"[..]]).all, ["a"]);
        assert_eq!(split([&b"data: skip\ndata: a\n\n"[..]]).all, ["skip\na"]);
        assert_eq!(split([&b"data: sk"[..], &b"ip\n\n"[..]]).all, ["skip"]);
    }

    proptest! {
        #[test]
        fn garbage_is_the_same_in_any_pieces(stream in "[dat:\r\n x\\[DONE\\]]{0,80}", size in 1_usize..9) {
            prop_assert_eq!(split([stream.as_bytes()]).all, split(stream.as_bytes().chunks(size)).all);
        }
    }
}
