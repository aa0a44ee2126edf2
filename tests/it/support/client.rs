//! A raw HTTP/1.1 client, which keeps what it received byte for byte.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::http::{Message, Reader};
use super::within;

/// One connection.
pub(crate) struct Client(Reader<TcpStream>);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(Reader::new(stream))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within("the request to be taken", self.0.inner.write_all(bytes.as_ref()))
            .await
            .unwrap();
    }

    /// The next reply's head; `to` is the method that it answers.
    pub(crate) async fn try_head(&mut self, to: &str) -> Option<Message> {
        within("a reply's head", self.0.head(Some(to))).await
    }

    pub(crate) async fn head(&mut self, to: &str) -> Message {
        self.try_head(to).await.expect("a reply")
    }

    /// Reads on until the body has this many bytes or ended.
    pub(crate) async fn body_to(&mut self, message: &mut Message, length: usize) {
        within("a reply's body", self.0.body_to(message, length)).await;
    }

    /// Sends one request, whose method is its first word, and reads the reply to its end.
    pub(crate) async fn ask(&mut self, request: impl AsRef<[u8]>) -> Message {
        let request = request.as_ref();
        let method = request.split(|byte| *byte == b' ').next().unwrap();
        let method = std::str::from_utf8(method).unwrap().to_owned();
        self.send(request).await;
        self.reply(&method).await
    }

    /// Reads a reply to its end.
    pub(crate) async fn reply(&mut self, to: &str) -> Message {
        let mut message = self.head(to).await;
        self.body_to(&mut message, usize::MAX).await;
        message
    }
}

/// A `POST` of JSON.
pub(crate) fn post(path: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    post_with(path, "", body)
}

/// A `POST` of JSON with more fields, separated by `\n`.
pub(crate) fn post_with(path: &str, fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let fields = match fields.trim() {
        "" => String::new(),
        fields => format!("{}\r\n", fields.replace('\n', "\r\n")),
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{fields}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
