//! One task owns the live state. It takes calls, commands and the passing of time one after the other, lets
//! [`State::step`] decide, hands what has to be written to the store and tells whoever listens.
//!
//! [`Engine`] is the handle that the proxy and the API hold; it is cheap to clone.

pub mod clock;
pub mod stream;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::domain::call::{CallStart, Ended};
use crate::domain::ids::{AlertId, CallId, CheckpointId, SessionId};
use crate::domain::live::{Counting, Effect, Input, Move, Refusal, State, StoreTrouble};
use crate::domain::pricing;
use crate::domain::record::Record;
use crate::domain::report::{Kept, Report};
use crate::domain::session::checkpoint::NewCheckpoint;
use crate::domain::session::clock::Reading;
use crate::domain::session::{Marks, NewSession, Patch, Session};
use crate::domain::usage::once::OnceKey;
use crate::domain::windows::Observation;
use crate::domain::wire::{CheckpointView, LimitsView, SessionView, Snapshot, Totals};
use crate::store::{QueueFull, Reader, Reply, WriteFailed, WriterHandle};
use clock::Clock;
use stream::{First, Stream, Subscription, Wanted};

/// How often a running session's time is written down: the most that a crash of the machine takes from it.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often the clocks and the store's health are looked at: within so long a sleep of the machine is noticed.
const LOOK: Duration = Duration::from_secs(1);
/// How long the disk must have answered in time before it is called well again.
const CALM: Duration = Duration::from_secs(10);

/// How long the row of a call's start may wait for its end, or for another row to go with. A call that takes longer has
/// its start written; one that does not is one row and one commit instead of two.
const START_WAITS: Duration = Duration::from_millis(5);
/// How long the rows that wait may take to be handed over when the program stops.
const LAST_ROWS: Duration = Duration::from_secs(5);
/// How many rows wait for a writer whose queue is full, before the oldest are lost.
const MOST_WAITING: usize = 100_000;

/// The engine has stopped: the program is shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Moonlock is shutting down")]
pub struct Stopped;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It does not apply; with the session as it is, where there is one.
    #[error("{0}")]
    Refused(Refusal, Option<Box<SessionView>>),
    /// The database does not take what waits to be written.
    #[error("the database does not answer: nothing was changed; try again")]
    Unsettled,
    /// The engine has stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Resolves when what was written is committed; also when it never will be, because nothing had to be written.
pub type Committed = oneshot::Receiver<Result<(), WriteFailed>>;

type Look = Box<dyn FnOnce(&State, Reading) + Send>;
/// How long it may take until all that waits is committed, for who has to know it.
const SETTLES: Duration = Duration::from_secs(5);

type AfterCommand = Box<dyn FnOnce(Option<Refusal>, &State, Reading) + Send>;

enum Message {
    Started(CallStart),
    Ended(CallId, Box<Ended>, Reply),
    LimitsSeen(Box<Observation>),
    CommitWasLate,
    Backup(Option<Box<str>>),
    Command {
        input: Box<Input>,
        /// Told when what it wrote is committed.
        done: Reply,
        look: AfterCommand,
    },
    Read(Look),
    Settle {
        /// Told when all that was to be written is committed.
        done: Reply,
        rewritten: oneshot::Sender<u64>,
    },
    Adopt(Box<(Session, Totals, Marks)>),
    Subscribe {
        wanted: Wanted,
        since: Option<u64>,
        answer: oneshot::Sender<Subscription>,
    },
}

/// The handle to the engine.
#[derive(Clone)]
pub struct Engine {
    /// Without a bound: a call sends two messages, and its connection waits for the second, so there are never
    /// more than two for each open connection; and none may be lost.
    messages: mpsc::UnboundedSender<Message>,
    clock: Clock,
    commit_bound: Duration,
}

/// What the engine runs on.
pub struct Parts {
    /// The machine's clocks.
    pub clock: Clock,
    /// The live state, taken up from the database.
    pub state: State,
    /// What taking it up has to write.
    pub effects: Vec<Effect>,
    /// Where rows go.
    pub writer: WriterHandle,
    /// Asked who counts what is fetched again.
    pub reader: Reader,
    /// How long an answer waits for the disk at most.
    pub commit_bound: Duration,
}

/// Makes the handle, and the task that has to be run for it. The task ends when every handle is gone.
pub fn build(parts: Parts) -> (Engine, impl Future<Output = ()> + Send) {
    let (messages, inbox) = mpsc::unbounded_channel();
    let engine = Engine {
        messages,
        clock: parts.clock,
        commit_bound: parts.commit_bound,
    };
    let mut task = Task {
        clock: parts.clock,
        state: parts.state,
        writer: parts.writer,
        reader: parts.reader,
        asking: JoinSet::new(),
        stream: Stream::new(),
        last_late: None,
        prices_asked: false,
        backlog: VecDeque::new(),
        starts_wait_until: None,
    };
    task.carry_out(parts.effects, None);
    (engine, task.run(inbox))
}

impl Engine {
    /// The clocks now.
    #[must_use]
    pub fn now(&self) -> Reading {
        self.clock.now()
    }

    /// How long a reply or an answer waits for the disk at most.
    #[must_use]
    pub const fn commit_bound(&self) -> Duration {
        self.commit_bound
    }

    /// A call began.
    pub fn call_started(&self, start: CallStart) {
        self.tell(Message::Started(start));
    }

    /// A call ended, and so far its provider told of its limits. Resolves when its row is certain to survive a crash of this program.
    #[must_use]
    pub fn call_ended(&self, id: CallId, ended: Ended) -> Committed {
        let (done, committed) = oneshot::channel();
        self.tell(Message::Ended(id, Box::new(ended), done));
        committed
    }

    /// A provider told of its limits outside a call: when it agreed to a WebSocket.
    pub fn limits_seen(&self, limits: Box<Observation>) {
        self.tell(Message::LimitsSeen(limits));
    }

    /// A reply was passed on before its row was committed.
    pub fn commit_was_late(&self) {
        self.tell(Message::CommitWasLate);
    }

    /// The daily backup failed, or works.
    pub fn backup_ended(&self, problem: Option<Box<str>>) {
        self.tell(Message::Backup(problem));
    }

    fn tell(&self, message: Message) {
        if self.messages.send(message).is_err() {
            tracing::debug!("engine has stopped; message dropped");
        }
    }

    /// Starts a session; it becomes the current one.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn create_session(&self, new: NewSession) -> Result<SessionView, CommandError> {
        let id = SessionId::from_uuid(Uuid::now_v7());
        self.command(Input::Create { id, new }, id, State::session_view)
            .await
    }

    /// Changes a session. Repeating a change is harmless.
    ///
    /// # Errors
    /// There is no such session, `revision` is not the one it has now, or the change does not apply.
    pub async fn change_session(
        &self,
        id: SessionId,
        patch: Patch,
        revision: Option<u64>,
    ) -> Result<SessionView, CommandError> {
        self.command(Input::Change { id, patch, revision }, id, State::session_view)
            .await
    }

    /// Notes a moment of a session.
    ///
    /// # Errors
    /// There is no such session, it is completed, or it has too many.
    pub async fn checkpoint(
        &self,
        session: SessionId,
        said: NewCheckpoint,
    ) -> Result<CheckpointView, CommandError> {
        let id = CheckpointId::from_uuid(Uuid::now_v7());
        let input = Input::Checkpoint { id, session, said };
        self.command(input, session, |state, session, _| {
            state.last_checkpoint(session).map(CheckpointView::from)
        })
        .await
    }

    /// Counts tokens that the user reports by hand. What is reported again under the same key counts once.
    ///
    /// # Errors
    /// There is no such session, or a key stands for something else.
    pub async fn report(
        &self,
        session: SessionId,
        reports: Vec<Report>,
    ) -> Result<SessionView, CommandError> {
        self.command(Input::Reported(session, reports), session, State::session_view)
            .await
    }

    /// Waits until all that was to be written is committed. Says how often calls had been rewritten then, for
    /// [`Move::rewritten`].
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn settled(&self) -> Result<u64, CommandError> {
        let (done, committed) = oneshot::channel();
        let (rewritten, answered) = oneshot::channel();
        self.tell(Message::Settle { done, rewritten });
        let rewritten = answered.await.map_err(|_| Stopped)?;
        match tokio::time::timeout(SETTLES, committed).await {
            Ok(Ok(Ok(()))) => Ok(rewritten),
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => Err(CommandError::Unsettled),
        }
    }

    /// Moves calls to another session.
    ///
    /// # Errors
    /// There is no such session, or the calls have changed since they were read.
    pub async fn move_calls(&self, order: Move) -> Result<(), CommandError> {
        self.carry_out(Input::Move(Box::new(order)), |refusal, _, _| match refusal {
            Some(refusal) => Err(CommandError::Refused(refusal, None)),
            None => Ok(()),
        })
        .await
    }

    /// Those of these sessions that are held live, and the sums of *Unassigned*, at one moment.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn sessions(&self, ids: Vec<SessionId>) -> Result<(Vec<SessionView>, Totals), Stopped> {
        self.read(move |state, now| {
            let views = ids.iter().filter_map(|id| state.session_view(*id, now));
            (views.collect(), state.unassigned())
        })
        .await
    }

    /// What was reported under keys since the start, and not long ago.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn reported(
        &self,
        session: SessionId,
        keys: Vec<Box<str>>,
    ) -> Result<Vec<Option<Kept>>, Stopped> {
        self.read(move |state, _| {
            let kept = keys.iter().map(|key| state.report(session, key).cloned());
            kept.collect()
        })
        .await
    }

    /// Carries a command out, and answers when what it wrote is committed. `show` says what the answer is, in the state
    /// right after it.
    async fn command<T: Send + 'static>(
        &self,
        input: Input,
        about: SessionId,
        show: fn(&State, SessionId, Reading) -> Option<T>,
    ) -> Result<T, CommandError> {
        self.carry_out(input, move |refusal, state, now| match refusal {
            Some(refusal) => {
                let session = state.session_view(about, now);
                Err(CommandError::Refused(refusal, session.map(Box::new)))
            }
            None => show(state, about, now).ok_or(CommandError::Refused(Refusal::NoSuchSession, None)),
        })
        .await
    }

    async fn carry_out<T: Send + 'static>(
        &self,
        input: Input,
        show: impl FnOnce(Option<Refusal>, &State, Reading) -> Result<T, CommandError> + Send + 'static,
    ) -> Result<T, CommandError> {
        let (done, committed) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        self.tell(Message::Command {
            input: Box::new(input),
            done,
            look: Box::new(move |refusal, state, now| {
                // Whoever asked may have gone; the command is carried out all the same.
                drop(answer.send(show(refusal, state, now)));
            }),
        });
        let answer = answered.await.map_err(|_| Stopped)?;
        if tokio::time::timeout(self.commit_bound, committed).await.is_err() {
            self.commit_was_late();
        }
        answer
    }

    async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&State, Reading) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.tell(Message::Read(Box::new(move |state, now| {
            // Whoever asked may have gone.
            drop(answer.send(look(state, now)));
        })));
        answered.await.map_err(|_| Stopped)
    }

    /// Everything that is live.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn snapshot(&self, wanted: Wanted) -> Result<Snapshot, Stopped> {
        self.read(move |state, now| state.snapshot(now, |session| wanted.includes(session)))
            .await
    }

    /// What the providers last told of their limits.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn limits(&self) -> Result<Vec<LimitsView>, Stopped> {
        self.read(move |state, now| state.limits(now.wall)).await
    }

    /// One session as it is now; `None` if it is not held live.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn session(&self, id: SessionId) -> Result<Option<SessionView>, Stopped> {
        self.read(move |state, now| state.session_view(id, now)).await
    }

    /// Takes up a session that only history knows, so that commands find it. Takes effect before any later command.
    pub fn adopt(&self, session: Session, totals: Totals, marks: Marks) {
        self.tell(Message::Adopt(Box::new((session, totals, marks))));
    }

    /// Listens: first to what was missed since event `since`, where that is still known, else to a snapshot; then
    /// to every event.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn subscribe(&self, wanted: Wanted, since: Option<u64>) -> Result<Subscription, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.tell(Message::Subscribe {
            wanted,
            since,
            answer,
        });
        answered.await.map_err(|_| Stopped)
    }
}

struct Task {
    clock: Clock,
    state: State,
    writer: WriterHandle,
    reader: Reader,
    /// Calls that have ended and wait for the database to say who counts what they fetched.
    asking: JoinSet<Asked>,
    stream: Stream,
    last_late: Option<Instant>,
    prices_asked: bool,
    /// What is not handed to the writer yet: starts that wait a little, and what its queue had no room for.
    backlog: VecDeque<(Record, Option<Reply>)>,
    /// When the rows of calls that have just started are handed over, if they wait.
    starts_wait_until: Option<tokio::time::Instant>,
}

/// A call that has ended, and what the database knows of what it fetched.
struct Asked {
    id: CallId,
    ended: Box<Ended>,
    done: Reply,
    known: Vec<(OnceKey, Counting)>,
}

/// Resolves at a moment; never, where there is none.
async fn at(moment: Option<tokio::time::Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Task {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut look = tokio::time::interval(LOOK);
        // After a pause of the session or a sleep of the machine, one tick is enough.
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Re-armed in every turn. The timer does not count the machine's sleep, but `look` comes within a second of
            // its end, and the next turn sees the clocks as they are then.
            let deadline = self.until_deadline();
            tokio::select! {
                biased;
                Some(asked) = self.asking.join_next() => self.answered(asked),
                message = inbox.recv() => match message {
                    Some(message) => self.take(message),
                    None => break,
                },
                () = tokio::time::sleep(deadline.unwrap_or(HEARTBEAT)), if deadline.is_some() => self.tick(),
                _ = heartbeat.tick(), if self.state.is_running() => self.beat(),
                () = at(self.starts_wait_until) => self.hand_over(),
                _ = look.tick() => {
                    self.tick();
                    self.look_at_the_store();
                    self.settle_limits();
                }
            }
        }
        while let Some(asked) = self.asking.join_next().await {
            self.answered(asked);
        }
        self.settle_limits();
        // The clocks stand from here on: the next start says for how long.
        self.beat();
        self.hand_over_all().await;
    }

    fn until_deadline(&self) -> Option<Duration> {
        let deadline = self.state.next_deadline()?;
        let left = deadline.0.saturating_sub(self.clock.now().boot.0);
        // A millisecond more, so that the timer does not fire just before its time.
        Some(Duration::from_nanos(u64::try_from(left).unwrap_or(0)) + Duration::from_millis(1))
    }

    fn beat(&mut self) {
        self.step(Input::Heartbeat, None);
    }

    fn tick(&mut self) {
        self.step(Input::Tick, None);
    }

    /// Every call changes what is left; that is written and told no more often than this is called.
    fn settle_limits(&mut self) {
        if self.state.has_new_limits() {
            self.step(Input::SettleLimits, None);
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Started(start) => {
                self.load_prices();
                self.step(Input::CallStarted(start), None);
            }
            Message::Ended(id, ended, done) => {
                let keys = self.state.unknown_keys(id, &ended);
                if keys.is_empty() {
                    self.step(Input::CallEnded(id, ended), Some(done));
                } else {
                    self.ask(id, ended, done, keys);
                }
            }
            Message::LimitsSeen(limits) => {
                self.step(Input::LimitsSeen(limits), None);
            }
            Message::CommitWasLate => {
                self.last_late = Some(Instant::now());
                self.trouble(StoreTrouble::Slow);
            }
            Message::Command { input, done, look } => {
                let refusal = self.step(*input, Some(done));
                look(refusal, &self.state, self.clock.now());
            }
            Message::Adopt(history) => {
                let (session, totals, marks) = *history;
                self.state.adopt(session, totals, marks);
            }
            Message::Read(look) => {
                // What is due is due before anybody looks.
                self.tick();
                look(&self.state, self.clock.now());
            }
            Message::Settle { done, rewritten } => {
                // Whoever asked may have gone.
                rewritten.send(self.state.rewritten()).ok();
                self.carry_out(vec![Effect::Write(Record::Fence)], Some(done));
            }
            Message::Backup(problem) => {
                let id = AlertId::from_uuid(Uuid::now_v7());
                self.step(Input::Backup(id, problem), None);
            }
            Message::Subscribe {
                wanted,
                since,
                answer,
            } => {
                self.tick();
                let missed = since.and_then(|since| self.stream.missed(since, self.state.seq()));
                let first = match missed {
                    Some(missed) => First::Missed(missed),
                    None => {
                        let now = self.clock.now();
                        let snapshot = self.state.snapshot(now, |session| wanted.includes(session));
                        First::Snapshot(Box::new(snapshot))
                    }
                };
                drop(answer.send(Subscription {
                    first,
                    events: self.stream.listen(),
                }));
            }
        }
    }

    /// Asks the database who counts what a call fetched, while other calls go on.
    fn ask(&mut self, id: CallId, ended: Box<Ended>, done: Reply, keys: Vec<OnceKey>) {
        let reader = self.reader.clone();
        self.asking.spawn_blocking(move || {
            let known = keys.into_iter().filter_map(|key| {
                let counting = reader.counting(&key).unwrap_or_else(|error| {
                    // Counted twice is a visible error; not counted is none that anybody sees.
                    tracing::error!(%error, call.id = %id, "whether this was counted before cannot be read");
                    None
                });
                Some((key, counting?))
            });
            let known = known.collect();
            Asked {
                id,
                ended,
                done,
                known,
            }
        });
    }

    fn answered(&mut self, asked: Result<Asked, tokio::task::JoinError>) {
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => {
                tracing::error!(%error, "a call's end is lost");
                return;
            }
        };
        for (key, counting) in asked.known {
            self.state.recall(key, counting);
        }
        self.step(Input::CallEnded(asked.id, asked.ended), Some(asked.done));
    }

    fn step(&mut self, input: Input, done: Option<Reply>) -> Option<Refusal> {
        let step = self.state.step(self.clock.now(), input);
        self.carry_out(step.effects, done);
        step.answer.err()
    }

    /// `done` is told when the last thing to write is committed; dropped, it says so too, where there is none.
    fn carry_out(&mut self, effects: Vec<Effect>, mut done: Option<Reply>) {
        let last = effects
            .iter()
            .rposition(|effect| matches!(effect, Effect::Write(_)));
        let mut only_starts = true;
        for (index, effect) in effects.into_iter().enumerate() {
            match effect {
                Effect::Write(record) => {
                    only_starts &= matches!(record, Record::CallStarted(_));
                    let done = if Some(index) == last { done.take() } else { None };
                    self.backlog.push_back((record, done));
                }
                Effect::Publish(event) => self.stream.publish(*event),
            }
        }
        if only_starts && !self.backlog.is_empty() {
            self.starts_wait_until
                .get_or_insert_with(|| tokio::time::Instant::now() + START_WAITS);
        } else {
            self.hand_over();
        }
    }

    /// Hands over what waits when nothing more comes.
    async fn hand_over_all(&mut self) {
        let end = tokio::time::Instant::now() + LAST_ROWS;
        self.hand_over();
        while !self.backlog.is_empty() && tokio::time::Instant::now() < end {
            tokio::time::sleep(START_WAITS).await;
            self.hand_over();
        }
        if !self.backlog.is_empty() {
            tracing::error!(
                lost = self.backlog.len(),
                "the database took no rows to the end; what waited is lost"
            );
        }
    }

    /// Hands what waits to the writer, as far as its queue takes it. What it does not take waits here: while the
    /// disk stands still, replies are passed on after their bound, and their rows are kept until it goes on.
    fn hand_over(&mut self) {
        self.starts_wait_until = None;
        while let Some((record, reply)) = self.backlog.pop_front() {
            if let Err(QueueFull(back)) = self.writer.submit_with(record, reply) {
                self.backlog.push_front(*back);
                break;
            }
        }
        if self.backlog.len() > MOST_WAITING {
            let lost = self.backlog.len() - MOST_WAITING;
            self.backlog.drain(..lost);
            tracing::error!(
                lost,
                "the database has taken no rows for too long; the oldest are lost"
            );
        }
    }

    fn trouble(&mut self, trouble: StoreTrouble) {
        self.step(
            Input::StoreTrouble(AlertId::from_uuid(Uuid::now_v7()), trouble),
            None,
        );
    }

    fn look_at_the_store(&mut self) {
        self.hand_over();
        for news in self.writer.health().take_news() {
            let id = AlertId::from_uuid(Uuid::now_v7());
            self.step(Input::StoreDamaged(id, news.into()), None);
        }
        if self.writer.health().is_failing() {
            self.trouble(StoreTrouble::Failing);
        } else if self.state.has_store_trouble() && self.last_late.is_none_or(|late| late.elapsed() > CALM) {
            self.step(Input::StoreWell, None);
        }
    }

    /// Decodes the price list beside the first call, so that no call waits for it and an idle program does
    /// without it.
    fn load_prices(&mut self) {
        if !std::mem::replace(&mut self.prices_asked, true) {
            drop(tokio::task::spawn_blocking(pricing::load));
        }
    }
}
