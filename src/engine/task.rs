//! The loop: one input after the other, and what each brings carried out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use super::outbox::Outbox;
use super::stream::{First, Stream, Subscription};
use super::{Message, Parts, SETTLES};
use crate::domain::budget::Gate;
use crate::domain::call::Ended;
use crate::domain::ids::CallId;
use crate::domain::live::{Counting, Effect, Input, Refusal, State, StoreTrouble};
use crate::domain::pricing;
use crate::domain::record::Record;
use crate::domain::usage::once::OnceKey;
use crate::domain::wire::AlertView;
use crate::store::{Reader, Reply};

/// How often a running session's time is written down: the most that a crash of the machine takes from it.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often the clocks and the store's health are looked at: within so long a sleep of the machine is noticed.
const LOOK: Duration = Duration::from_secs(1);
/// How long the disk must have answered in time before it is called well again.
const CALM: Duration = Duration::from_secs(10);

/// More rows than this behind a full queue are told of.
const MANY_WAITING: usize = 1_000;

/// What owns the live state.
pub(super) struct Task {
    clock: Clock,
    state: State,
    outbox: Outbox,
    reader: Reader,
    /// Calls that have ended and wait for the database to say who counts what they fetched.
    asking: JoinSet<Asked>,
    stream: Stream,
    /// Which calls are refused: for the proxy, which does not wait for this task.
    gate: watch::Sender<Arc<Gate>>,
    last_late: Option<Instant>,
    prices_asked: bool,
}

/// A call that has ended, and what the database knows of what it fetched.
struct Asked {
    id: CallId,
    ended: Box<Ended>,
    done: Reply,
    known: Vec<(OnceKey, Counting)>,
    /// How often calls had been moved before the database was asked.
    moves: u64,
}

impl Task {
    pub(super) fn new(
        parts: Parts,
        gate: watch::Sender<Arc<Gate>>,
        alerts: broadcast::Sender<(i64, AlertView)>,
    ) -> Self {
        let mut task = Self {
            clock: parts.clock,
            state: parts.state,
            outbox: Outbox::new(parts.writer),
            reader: parts.reader,
            asking: JoinSet::new(),
            stream: Stream::new(alerts),
            gate,
            last_late: None,
            prices_asked: false,
        };
        task.carry_out(parts.effects, None);
        task.set_gate();
        task
    }

    /// Runs until every handle is gone.
    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
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
                () = self.outbox.starts_due() => self.outbox.hand_over_starts(),
                _ = look.tick() => {
                    self.tick();
                    self.look_at_the_store();
                    self.settle_limits();
                    self.step(Input::LookAhead, None);
                }
            }
        }
        while let Some(asked) = self.asking.join_next().await {
            self.answered(asked);
        }
        self.settle_limits();
        // The clocks stand from here on: the next start says for how long.
        self.beat();
        self.outbox.finish().await;
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
            Message::Estimated(id, estimated) => {
                self.step(Input::Estimated(id, estimated), None);
            }
            Message::Learnt(learnt) => {
                self.step(Input::Learnt(learnt), None);
            }
            Message::Grew(grown) => {
                self.step(Input::Grew(grown), None);
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
            Message::Write(records, done) => self.outbox.put(records, Some(done)),
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
                self.step(Input::Backup(problem), None);
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

    /// Asks the database who counts what a call fetched, while other calls go on. It is asked when all that was to be
    /// written is committed, so that it knows of the calls that were moved before.
    fn ask(&mut self, id: CallId, ended: Box<Ended>, done: Reply, keys: Vec<OnceKey>) {
        let reader = self.reader.clone();
        let moves = self.state.moves();
        let (settled, committed) = oneshot::channel();
        self.carry_out(vec![Effect::Write(Record::Fence)], Some(settled));
        self.asking.spawn(async move {
            // A disk that does not answer must not hold the call up for good.
            drop(tokio::time::timeout(SETTLES, committed).await);
            // Counted twice is a visible error; not counted is none that anybody sees.
            let asking = tokio::task::spawn_blocking(move || known(&reader, id, keys));
            let known = asking.await.unwrap_or_else(|error| {
                tracing::error!(%error, call.id = %id, "whether this was counted before cannot be looked up");
                Vec::new()
            });
            Asked {
                id,
                ended,
                done,
                known,
                moves,
            }
        });
    }

    fn answered(&mut self, asked: Result<Asked, JoinError>) {
        match asked {
            Ok(asked) => self.end_asked(asked),
            // It only waits, and nobody ends it: the runtime is going down.
            Err(error) => tracing::error!(%error, "a call's end is lost"),
        }
    }

    fn end_asked(&mut self, asked: Asked) {
        let Asked {
            id,
            ended,
            done,
            known,
            moves,
        } = asked;
        let mut outdated = Vec::new();
        for (key, counting) in known {
            if self.state.recall(key, counting, moves).is_err() {
                outdated.push(key);
            }
        }
        if outdated.is_empty() {
            self.step(Input::CallEnded(id, ended), Some(done));
        } else {
            self.ask(id, ended, done, outdated);
        }
    }

    fn step(&mut self, input: Input, done: Option<Reply>) -> Option<Refusal> {
        let step = self.state.step(self.clock.now(), input);
        self.set_gate();
        self.carry_out(step.effects, done);
        step.answer.err()
    }

    /// `done` is told when the last thing to write is committed.
    fn carry_out(&mut self, effects: Vec<Effect>, done: Option<Reply>) {
        let mut records = Vec::new();
        for effect in effects {
            match effect {
                Effect::Write(record) => records.push(record),
                Effect::Publish(event) => self.stream.publish(*event),
            }
        }
        self.outbox.put(records, done);
    }

    fn set_gate(&mut self) {
        if let Some(gate) = self.state.new_gate() {
            self.gate.send_replace(Arc::new(gate));
        }
    }

    fn trouble(&mut self, trouble: StoreTrouble) {
        self.step(Input::StoreTrouble(trouble), None);
    }

    fn look_at_the_store(&mut self) {
        self.outbox.hand_over();
        let news = self.outbox.health().take_news();
        if !news.is_empty() {
            self.step(Input::StoreDamaged(news.join(" ").into()), None);
        }
        if self.outbox.health().is_failing() {
            self.trouble(StoreTrouble::Failing);
        } else if self.outbox.waiting() > MANY_WAITING {
            let rows = self.outbox.waiting();
            self.trouble(StoreTrouble::Queue { rows });
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

/// Who counts what a call fetched, as far as the database knows.
fn known(reader: &Reader, id: CallId, keys: Vec<OnceKey>) -> Vec<(OnceKey, Counting)> {
    let known = keys.into_iter().filter_map(|key| {
        let counting = reader.counting(&key).unwrap_or_else(|error| {
            tracing::error!(%error, call.id = %id, "whether this was counted before cannot be read");
            None
        });
        Some((key, counting?))
    });
    known.collect()
}
