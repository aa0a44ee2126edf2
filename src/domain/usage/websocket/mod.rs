//! The messages of one direction of a WebSocket, out of its bytes as they pass (RFC 6455 §5, RFC 7692).
//!
//! The reader stands beside the bytes and changes none of them. It keeps a frame's head and, where compression was
//! agreed on, the decoder's window; payloads are handed on in pieces. Bytes that are no WebSocket make it stop.

use flate2::{Decompress, FlushDecompress, Status};

/// The most that one message may inflate to before it is taken for a decompression bomb.
const MOST_INFLATED: u64 = 64 << 20;

/// What ends every compressed message and is not sent (RFC 7692 §7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// What the two sides agreed on beyond RFC 6455.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Agreed {
    /// Nothing.
    #[default]
    Plain,
    /// `permessage-deflate`; whether each side keeps its window from one message to the next.
    Deflate {
        /// The client does.
        client_keeps: bool,
        /// The server does.
        server_keeps: bool,
    },
    /// Something that is not known here.
    Unknown,
}

impl Agreed {
    /// Reads the server's `Sec-WebSocket-Extensions` headers (RFC 6455 §9.1, RFC 7692 §7.1).
    ///
    /// Sizes of windows are passed over: a decoder with the largest window reads every smaller one.
    pub fn read<'text>(headers: impl IntoIterator<Item = &'text str>) -> Self {
        let mut agreed = Self::Plain;
        let lists = headers.into_iter().flat_map(|list| list.split(','));
        for extension in lists.map(str::trim).filter(|extension| !extension.is_empty()) {
            let mut words = extension.split(';').map(str::trim);
            let is_deflate = words
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("permessage-deflate"));
            if !is_deflate || agreed != Self::Plain {
                return Self::Unknown;
            }
            let (mut client_keeps, mut server_keeps) = (true, true);
            for word in words {
                client_keeps &= !word.eq_ignore_ascii_case("client_no_context_takeover");
                server_keeps &= !word.eq_ignore_ascii_case("server_no_context_takeover");
            }
            agreed = Self::Deflate {
                client_keeps,
                server_keeps,
            };
        }
        agreed
    }

    /// A reader for what the client sends.
    #[must_use]
    pub fn client(self) -> FrameReader {
        match self {
            Self::Deflate { client_keeps, .. } => FrameReader::new(Some(client_keeps)),
            _ => self.uncompressed(),
        }
    }

    /// A reader for what the server sends.
    #[must_use]
    pub fn server(self) -> FrameReader {
        match self {
            Self::Deflate { server_keeps, .. } => FrameReader::new(Some(server_keeps)),
            _ => self.uncompressed(),
        }
    }

    fn uncompressed(self) -> FrameReader {
        let mut reader = FrameReader::new(None);
        if self == Self::Unknown {
            reader.state = State::Lost;
        }
        reader
    }
}

/// Takes the messages.
pub trait MessageSink {
    /// The next piece of a message, be it text or binary.
    fn part(&mut self, bytes: &[u8]);
    /// The message has ended.
    fn message_end(&mut self);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a frame's head.
    Head,
    /// In a frame's payload.
    Payload,
    /// Behind a close frame: nothing that follows means anything (RFC 6455 §5.5.1).
    Closed,
    /// The bytes are not what they should be.
    Lost,
}

/// The frame whose payload is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    /// Bytes of it that have not come.
    left: u64,
    mask: [u8; 4],
    /// Where in the mask the next byte is.
    turn: usize,
    is_control: bool,
    is_last: bool,
}

/// Reads one direction; see the module.
#[derive(Debug)]
pub struct FrameReader {
    state: State,
    /// The bytes of the head that have come: two, a length of up to eight, and a mask of four.
    head: [u8; 14],
    held: usize,
    frame: Frame,
    /// A message has begun and not ended.
    in_message: bool,
    /// That message is compressed.
    compressed: bool,
    deflate: Option<Deflate>,
}

/// The state of `permessage-deflate`.
#[derive(Debug)]
struct Deflate {
    /// Made with the first message that is compressed.
    decoder: Option<Decompress>,
    keeps_window: bool,
    inflated: u64,
}

impl FrameReader {
    fn new(keeps_window: Option<bool>) -> Self {
        Self {
            state: State::Head,
            head: [0; 14],
            held: 0,
            frame: Frame::default(),
            in_message: false,
            compressed: false,
            deflate: keeps_window.map(|keeps_window| Deflate {
                decoder: None,
                keeps_window,
                inflated: 0,
            }),
        }
    }

    /// Whether what came could not be read. Nothing more is read then.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// Whether its side has said that it closes.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Reads the next bytes, however they are cut.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut impl MessageSink) {
        while !bytes.is_empty() {
            match self.state {
                State::Head => {
                    self.head[self.held] = bytes[0];
                    self.held += 1;
                    bytes = &bytes[1..];
                    if self.held >= 2 && self.held == head_length(&self.head) {
                        self.held = 0;
                        self.begin_frame(sink);
                    }
                }
                State::Payload => {
                    let left = usize::try_from(self.frame.left).unwrap_or(usize::MAX);
                    let (payload, rest) = bytes.split_at(left.min(bytes.len()));
                    self.frame.left -= payload.len() as u64;
                    bytes = rest;
                    self.payload(payload, sink);
                    self.end_frame_if_over(sink);
                }
                State::Closed | State::Lost => return,
            }
        }
    }

    /// Judges a head that is whole (RFC 6455 §5.2).
    fn begin_frame(&mut self, sink: &mut impl MessageSink) {
        let head = &self.head;
        let (is_last, rsv1, reserved) = (head[0] & 0x80 != 0, head[0] & 0x40 != 0, head[0] & 0x30 != 0);
        let opcode = head[0] & 0x0f;
        let is_control = opcode >= 8;
        let (left, behind) = match head[1] & 0x7f {
            126 => (u64::from(u16::from_be_bytes([head[2], head[3]])), 4),
            127 => {
                let length = [
                    head[2], head[3], head[4], head[5], head[6], head[7], head[8], head[9],
                ];
                (u64::from_be_bytes(length), 10)
            }
            short => (u64::from(short), 2),
        };
        let mask = if head[1] & 0x80 == 0 {
            [0; 4]
        } else {
            [head[behind], head[behind + 1], head[behind + 2], head[behind + 3]]
        };
        let is_known = match opcode {
            0 => self.in_message && !rsv1,
            1 | 2 => !self.in_message && (!rsv1 || self.deflate.is_some()),
            8..=10 => is_last && left <= 125 && !rsv1,
            _ => false,
        };
        if !is_known || reserved || left > i64::MAX.unsigned_abs() {
            self.state = State::Lost;
            return;
        }
        if opcode == 8 {
            self.state = State::Closed;
            return;
        }
        if matches!(opcode, 1 | 2) {
            self.in_message = true;
            self.compressed = rsv1;
        }
        self.frame = Frame {
            left,
            mask,
            turn: 0,
            is_control,
            is_last,
        };
        self.state = State::Payload;
        self.end_frame_if_over(sink);
    }

    fn end_frame_if_over(&mut self, sink: &mut impl MessageSink) {
        if self.state != State::Payload || self.frame.left > 0 {
            return;
        }
        self.state = State::Head;
        if self.frame.is_control || !self.frame.is_last {
            return;
        }
        if self.compressed && !self.inflate(&TAIL, sink) {
            return;
        }
        if let Some(deflate) = &mut self.deflate {
            deflate.inflated = 0;
            if let Some(decoder) = deflate.decoder.as_mut().filter(|_| !deflate.keeps_window) {
                decoder.reset(false);
            }
        }
        self.in_message = false;
        sink.message_end();
    }

    fn payload(&mut self, payload: &[u8], sink: &mut impl MessageSink) {
        if self.frame.is_control {
            return;
        }
        if self.frame.mask == [0; 4] {
            self.clear(payload, sink);
            return;
        }
        let mut unmasked = [0; 4096];
        for piece in payload.chunks(unmasked.len()) {
            for (clear, byte) in unmasked.iter_mut().zip(piece) {
                *clear = byte ^ self.frame.mask[self.frame.turn];
                self.frame.turn = (self.frame.turn + 1) % 4;
            }
            self.clear(&unmasked[..piece.len()], sink);
        }
    }

    fn clear(&mut self, payload: &[u8], sink: &mut impl MessageSink) {
        if self.compressed {
            self.inflate(payload, sink);
        } else if !payload.is_empty() {
            sink.part(payload);
        }
    }

    /// Inflates the next bytes of a message; false if they are no deflated data, or too much of it.
    fn inflate(&mut self, mut bytes: &[u8], sink: &mut impl MessageSink) -> bool {
        let (Some(deflate), false) = (&mut self.deflate, self.state == State::Lost) else {
            return false;
        };
        let decoder = deflate.decoder.get_or_insert_with(|| Decompress::new(false));
        let mut clear = [0; 8192];
        loop {
            let (read, written) = (decoder.total_in(), decoder.total_out());
            let result = decoder.decompress(bytes, &mut clear, FlushDecompress::Sync);
            let read = usize::try_from(decoder.total_in() - read).unwrap_or(0);
            let written = usize::try_from(decoder.total_out() - written).unwrap_or(0);
            deflate.inflated += written as u64;
            bytes = bytes.get(read..).unwrap_or_default();
            let Some(status) = result.ok().filter(|_| deflate.inflated <= MOST_INFLATED) else {
                self.state = State::Lost;
                return false;
            };
            if written > 0 {
                sink.part(&clear[..written]);
            }
            match status {
                // A block that calls itself the last (RFC 7692 §7.2.3.4): another stream follows it.
                Status::StreamEnd => decoder.reset(false),
                _ if bytes.is_empty() && written < clear.len() => return true,
                _ if read == 0 && written == 0 => {
                    self.state = State::Lost;
                    return false;
                }
                _ => {}
            }
            if bytes.is_empty() && status == Status::StreamEnd {
                return true;
            }
        }
    }
}

/// How long a head is, once its first two bytes are known.
fn head_length(head: &[u8; 14]) -> usize {
    let length = match head[1] & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if head[1] & 0x80 == 0 { 0 } else { 4 };
    2 + length + mask
}

#[cfg(test)]
mod tests;
