//! A scripted provider on a raw socket: keeps every byte it was sent, and answers exactly what the script says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::http::{Message, Reader, chunk};
use super::within;

/// Something that a script waits for, or tells.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets one pass.
    pub(crate) fn open(&self) {
        self.0.add_permits(1);
    }

    /// Waits to be let through.
    pub(crate) async fn pass(&self) {
        within("a gate", self.0.acquire()).await.unwrap().forget();
    }
}

enum Step {
    Send(Vec<u8>),
    Wait(Gate),
    /// Takes its time, as a model does that thinks.
    Pause(Duration),
    /// Waits for the other side to close, and tells.
    UntilClosed(Gate),
    Reset,
    Close,
}

/// What to answer, step by step. Without an end of the connection the next request is waited for.
#[derive(Default)]
pub(crate) struct Script(Vec<Step>);

impl Script {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// Sends these bytes as they are.
    pub(crate) fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Send(bytes.as_ref().to_vec()))
    }

    /// Sends a head: the status line's end and the fields, separated by `\n`.
    pub(crate) fn head(self, text: &str) -> Self {
        self.send(format!("HTTP/1.1 {}\r\n\r\n", text.trim().replace('\n', "\r\n")))
    }

    /// Sends one chunk.
    pub(crate) fn chunk(self, piece: impl AsRef<[u8]>) -> Self {
        self.send(chunk(piece.as_ref()))
    }

    /// Sends the last chunk.
    pub(crate) fn end(self) -> Self {
        self.send("0\r\n\r\n")
    }

    pub(crate) fn wait(self, gate: &Gate) -> Self {
        self.then(Step::Wait(gate.clone()))
    }

    pub(crate) fn pause(self, pause: Duration) -> Self {
        self.then(Step::Pause(pause))
    }

    pub(crate) fn until_closed(self, gate: &Gate) -> Self {
        self.then(Step::UntilClosed(gate.clone()))
    }

    pub(crate) fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    pub(crate) fn close(self) -> Self {
        self.then(Step::Close)
    }

    /// A whole reply of known length.
    pub(crate) fn sized(head: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        Self::new()
            .head(&format!("{}\ncontent-length: {}", head.trim(), body.len()))
            .send(body)
    }

    /// A whole reply in these chunks. Each reaches the proxy as a frame of its own, however TCP groups them.
    pub(crate) fn chunked<P: AsRef<[u8]>>(head: &str, pieces: impl IntoIterator<Item = P>) -> Self {
        let begun = Self::new().head(&format!("{}\ntransfer-encoding: chunked", head.trim()));
        pieces.into_iter().fold(begun, Self::chunk).end()
    }
}

type Answer = Arc<dyn Fn(&Message) -> Script + Send + Sync>;

/// Whether a request is read to its end before it is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    WholeRequests,
    Heads,
}

/// The provider.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Message>,
    _tasks: JoinSet<()>,
}

impl Upstream {
    /// Answers every request by this function.
    pub(crate) async fn start(answer: impl Fn(&Message) -> Script + Send + Sync + 'static) -> Self {
        Self::serve(Arc::new(answer), Answers::WholeRequests).await
    }

    /// Answers as soon as the request's head is there, and reads its body afterwards.
    pub(crate) async fn at_once(answer: impl Fn(&Message) -> Script + Send + Sync + 'static) -> Self {
        Self::serve(Arc::new(answer), Answers::Heads).await
    }

    async fn serve(answer: Answer, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, seen) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                connections.spawn(connection(stream, Arc::clone(&answer), answers, tell.clone()));
            }
        });
        Self {
            address,
            seen,
            _tasks: tasks,
        }
    }

    /// All requests that were received and not asked for yet.
    pub(crate) fn all_seen(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }

    /// The next request, as it was received.
    pub(crate) async fn seen(&mut self) -> Message {
        within("a request upstream", self.seen.recv()).await.unwrap()
    }
}

async fn connection(
    stream: TcpStream,
    answer: Answer,
    answers: Answers,
    tell: mpsc::UnboundedSender<Message>,
) {
    let mut reader = Reader::new(stream);
    while let Some(mut request) = reader.head(None).await {
        if answers == Answers::WholeRequests {
            reader.body_to(&mut request, usize::MAX).await;
            drop(tell.send(request.clone()));
            if !request.whole {
                return;
            }
        }
        for step in answer(&request).0 {
            match step {
                Step::Send(bytes) => {
                    if reader.inner.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Wait(gate) => gate.pass().await,
                Step::Pause(pause) => tokio::time::sleep(pause).await,
                Step::UntilClosed(gate) => {
                    while reader.more().await {}
                    gate.open();
                    return;
                }
                Step::Reset => {
                    reader.inner.set_zero_linger().unwrap();
                    return;
                }
                Step::Close => return,
            }
        }
        if answers == Answers::Heads {
            reader.body_to(&mut request, usize::MAX).await;
            drop(tell.send(request));
        }
    }
}
