//! One task owns the live state. It takes calls, commands and the passing of time one after the other, lets
//! [`State::step`] decide, hands what has to be written to the store and tells whoever listens.
//!
//! [`Engine`] is the handle that the proxy and the API hold; it is cheap to clone.

pub mod clock;
mod emptying;
mod forgetting;
mod handle;
mod outbox;
pub mod stream;
mod task;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::domain::budget::Gate;
use crate::domain::call::{CallStart, Ended};
use crate::domain::estimate::Estimated;
use crate::domain::estimate::calibration::Learnt;
use crate::domain::ids::CallId;
use crate::domain::live::{Effect, Input, Refusal, State};
use crate::domain::record::Record;
use crate::domain::session::clock::Reading;
use crate::domain::session::{Marks, Session};
use crate::domain::units::Tokens;
use crate::domain::windows::Observation;
use crate::domain::wire::Totals;
use crate::store::{Reader, Reply, WriterHandle};
use clock::Clock;
use stream::{Subscription, Wanted};
use task::Task;

pub use emptying::NotEmptied;
pub use forgetting::horizon;
pub use handle::{CommandError, Committed, Engine, Stopped};

/// How long it may take until all that waits is committed, for who has to know it.
const SETTLES: Duration = Duration::from_secs(5);

/// How many changes of alerts wait for who tells of them outside.
const ALERTS: usize = 256;

type Look = Box<dyn FnOnce(&State, Reading) + Send>;
type AfterCommand = Box<dyn FnOnce(Option<Refusal>, &State, Reading) + Send>;

enum Message {
    Started(CallStart),
    Ended(CallId, Box<Ended>, Reply),
    Estimated(CallId, Option<Box<Estimated>>),
    Learnt(Vec<Learnt>),
    Grew(Vec<(CallId, Tokens)>),
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
    /// Told when it is committed.
    Write(Vec<Record>, Reply),
    Subscribe {
        wanted: Wanted,
        since: Option<u64>,
        answer: oneshot::Sender<Subscription>,
    },
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
    let (gate, gate_seen) = watch::channel(Arc::new(Gate::default()));
    let alerts = broadcast::Sender::new(ALERTS);
    let engine = Engine {
        messages,
        gate: gate_seen,
        alerts: alerts.clone(),
        clock: parts.clock,
        commit_bound: parts.commit_bound,
        settled_at: Arc::default(),
    };
    (engine, Task::new(parts, gate, alerts).run(inbox))
}
