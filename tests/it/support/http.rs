//! HTTP/1.1 as it stands on the wire: heads and bodies, kept byte for byte.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// A head: its first line and its fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// The request or the status line.
    pub(crate) line: String,
    /// Names as they were written, values without the space around them.
    pub(crate) fields: Vec<(String, String)>,
}

impl Head {
    fn parse(text: &str) -> Self {
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let fields = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        Self { line, fields }
    }

    /// The status of a reply.
    pub(crate) fn status(&self) -> u16 {
        self.line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap()
    }

    /// A field's first value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The fields in an order that can be compared: the order of different names has no meaning, that of one
    /// name's values has; names have no case.
    pub(crate) fn sorted(&self) -> Vec<(String, String)> {
        let mut fields: Vec<_> = self
            .fields
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        fields.sort_by(|one, other| one.0.cmp(&other.0));
        fields
    }

    /// How the body behind this head is framed. `to` is the method that a reply answers; `None` for a request.
    fn framing(&self, to: Option<&str>) -> Framing {
        let bodiless = to.is_some() && (to == Some("HEAD") || matches!(self.status(), 204 | 304 | 100..200));
        if bodiless {
            return Framing::Length(0);
        }
        if self
            .get("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            return Framing::ChunkSize;
        }
        match self.get("content-length") {
            Some(length) => Framing::Length(length.parse().unwrap()),
            None if to.is_some() => Framing::UntilClosed,
            None => Framing::Length(0),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    ChunkSize,
    ChunkData(usize),
    ChunkEnd,
    Trailers,
    UntilClosed,
    Done,
}

/// A request or a reply, read as it comes.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its head.
    pub(crate) head: Head,
    /// The body without its framing.
    pub(crate) body: Vec<u8>,
    /// The body as it stood on the wire.
    pub(crate) raw: Vec<u8>,
    /// Trailer fields.
    pub(crate) trailers: Head,
    /// Whether its end was marked as such.
    pub(crate) whole: bool,
    framing: Framing,
}

/// A connection's read side.
pub(crate) struct Reader<R> {
    pub(crate) inner: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: BytesMut::with_capacity(1 << 16),
        }
    }

    /// Reads more; false at the end or an error.
    pub(crate) async fn more(&mut self) -> bool {
        self.inner
            .read_buf(&mut self.buffer)
            .await
            .is_ok_and(|count| count > 0)
    }

    /// The next head; `None` where the connection ended first.
    pub(crate) async fn head(&mut self, to: Option<&str>) -> Option<Message> {
        loop {
            let end = self.buffer.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                let text = self.buffer.split_to(end + 4);
                let head = Head::parse(&String::from_utf8_lossy(&text[..end]));
                return Some(Message {
                    framing: head.framing(to),
                    head,
                    body: Vec::new(),
                    raw: Vec::new(),
                    trailers: Head::default(),
                    whole: false,
                });
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Reads on until the body holds `length` bytes, is whole, or its connection ended.
    pub(crate) async fn body_to(&mut self, message: &mut Message, length: usize) {
        loop {
            message.take(&mut self.buffer);
            if message.whole || message.body.len() >= length {
                return;
            }
            if !self.more().await {
                // Its end is the end of the connection, if that was an orderly one.
                message.whole = message.framing == Framing::UntilClosed && self.ended_orderly().await;
                return;
            }
        }
    }

    /// Whether nothing but the end comes: a connection that was reset fails once more, or says so at once.
    async fn ended_orderly(&mut self) -> bool {
        let mut more = [0];
        matches!(self.inner.read(&mut more).await, Ok(0))
    }
}

impl Message {
    fn take(&mut self, buffer: &mut BytesMut) {
        loop {
            match self.framing {
                Framing::Length(0) | Framing::Done => {
                    self.framing = Framing::Done;
                    self.whole = true;
                    return;
                }
                Framing::Length(left) | Framing::ChunkData(left) => {
                    let count = left.min(buffer.len());
                    if count == 0 {
                        return;
                    }
                    self.raw.extend_from_slice(&buffer[..count]);
                    self.body.extend_from_slice(&buffer[..count]);
                    buffer.advance(count);
                    self.framing = match self.framing {
                        Framing::Length(_) => Framing::Length(left - count),
                        _ if left == count => Framing::ChunkEnd,
                        _ => Framing::ChunkData(left - count),
                    };
                }
                Framing::UntilClosed => {
                    self.raw.extend_from_slice(buffer);
                    self.body.extend_from_slice(buffer);
                    buffer.clear();
                    return;
                }
                Framing::ChunkSize | Framing::ChunkEnd | Framing::Trailers => {
                    let Some(end) = buffer.windows(2).position(|window| window == b"\r\n") else {
                        return;
                    };
                    let line = buffer.split_to(end + 2);
                    self.raw.extend_from_slice(&line);
                    let text = String::from_utf8_lossy(&line[..end]).into_owned();
                    self.framing = match self.framing {
                        Framing::ChunkEnd => {
                            assert!(text.is_empty(), "a chunk ends with a line's end, not {text:?}");
                            Framing::ChunkSize
                        }
                        Framing::ChunkSize => {
                            match usize::from_str_radix(text.split(';').next().unwrap().trim(), 16).unwrap() {
                                0 => Framing::Trailers,
                                size => Framing::ChunkData(size),
                            }
                        }
                        _ if text.is_empty() => Framing::Done,
                        _ => {
                            let (name, value) = text.split_once(':').unwrap();
                            self.trailers
                                .fields
                                .push((name.to_owned(), value.trim().to_owned()));
                            Framing::Trailers
                        }
                    };
                }
            }
        }
    }
}

/// One piece as a chunk.
pub(crate) fn chunk(piece: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()
}
