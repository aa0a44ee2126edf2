//! One call under way: announced when it is known what it asks, ended exactly once.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::estimator::Estimator;
use super::keep::{Keep, Text};
use super::progress::Growing;
use crate::domain::call::{CallEnd, CallStart, Ended, Outcome, Promise};
use crate::domain::estimate::{Intervals, can_be_counted};
use crate::domain::ids::CallId;
use crate::domain::units::Millis;
use crate::domain::usage::reading::Reading;
use crate::domain::usage::request::RequestFacts;
use crate::domain::windows::Observation;

/// Resolves when a call's row is certain to survive a crash of this program.
pub type Committed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes what the meter finds out.
pub trait Sink: Send + Sync + 'static {
    /// A call began.
    fn started(&self, start: CallStart);
    /// A call ended, and this is its text, if it was kept. `None` where replies do not wait for the disk.
    fn ended(&self, id: CallId, ended: Ended, text: Option<Text>) -> Option<Committed>;
    /// Who takes over the text of calls; `None` where nothing is estimated.
    fn estimator(&self) -> Option<&Estimator>;
    /// A reply was passed on before its row was committed: the bound was over.
    fn commit_was_late(&self);
    /// How long a reply's last bytes wait for the disk at most.
    fn commit_bound(&self) -> Duration;
}

/// A metered call between its request and its end. Cheap to clone; ends once, whoever ends it first.
#[derive(Clone)]
pub struct Flight(Arc<Shared>);

struct Shared {
    sink: Arc<dyn Sink>,
    began: Instant,
    stage: Mutex<Stage>,
    /// `None` if the text of this call is not kept.
    text: Option<Mutex<Text>>,
}

enum Stage {
    /// Its request has not been read to its end.
    Unannounced(Box<CallStart>),
    /// With what the reply's head told of the provider's limits: that goes with the call's end.
    Running(CallId, Option<Box<Observation>>),
    Ended,
}

impl Stage {
    /// It is not told of yet, and is a call only if its reply says what the making used.
    fn only_fetches(&self) -> bool {
        matches!(self, Self::Unannounced(start) if start.operation.is_fetch())
    }
}

/// How a call ended, and what the provider said.
#[derive(Debug, Default)]
pub struct Ending {
    /// The provider's HTTP status.
    pub status: Option<u16>,
    /// The provider's id of the request.
    pub request_id: Option<Box<str>>,
    /// What its reply said of usage.
    pub reading: Option<Reading>,
    /// The kind of error of the transport, where there was one.
    pub error: Option<Box<str>>,
    /// Whether the reply was streamed.
    pub streamed: bool,
    /// Time to the first byte of a streamed reply.
    pub ttft: Option<Millis>,
    /// The reply's body, if it was kept.
    pub text: Option<Keep>,
}

impl Flight {
    /// A call that has just arrived.
    #[must_use]
    pub fn new(sink: Arc<dyn Sink>, start: CallStart) -> Self {
        let is_kept = sink.estimator().is_some() && can_be_counted(start.operation);
        let text = is_kept.then(|| Mutex::new(Text::of(start.operation)));
        let stage = Mutex::new(Stage::Unannounced(Box::new(start)));
        Self(Arc::new(Shared {
            sink,
            began: Instant::now(),
            stage,
            text,
        }))
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a body of this call is to be kept; `None` if it is not.
    #[must_use]
    pub fn keep(&self) -> Option<Keep> {
        self.0.text.as_ref()?;
        let estimator = self.0.sink.estimator()?;
        Some(Keep::new(Arc::clone(estimator.memory())))
    }

    /// Takes the request's body, which has come to its end.
    pub fn keep_request(&self, request: Keep) {
        if let Some(mut text) = self.text() {
            text.request = Some(request);
        }
    }

    /// Tells of the reply as of a stream that grows; `None` where nobody is told, or the call does not run.
    pub(super) fn grows(&self) -> Option<Growing> {
        let id = match &*self.stage() {
            Stage::Running(id, _) => *id,
            Stage::Unannounced(_) | Stage::Ended => return None,
        };
        let model = self
            .text()
            .map(|text| (text.operation, text.request_model.clone()))?;
        Some(self.0.sink.estimator()?.progress().begin(id, model))
    }

    fn text(&self) -> Option<MutexGuard<'_, Text>> {
        let text = self.0.text.as_ref()?;
        Some(text.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what the reply's head tells of the provider's limits.
    pub fn saw_limits(&self, observation: Box<Observation>) {
        if let Stage::Running(_, limits) = &mut *self.stage() {
            *limits = Some(observation);
        }
    }

    /// Takes what the request body says, if the call is not announced yet.
    pub fn learn(&self, facts: &RequestFacts) {
        if let Stage::Unannounced(start) = &mut *self.stage() {
            if facts.model.is_some() {
                start.request_model.clone_from(&facts.model);
            }
            if start.conversation.is_none() {
                start.conversation.clone_from(&facts.conversation);
            }
        }
    }

    /// Tells that the call runs: when its request has been read, or its reply begins.
    ///
    /// What only fetches is not told of before it ends: it is a call if its reply says what the making used.
    pub fn announce(&self) {
        let mut stage = self.stage();
        if !stage.only_fetches() {
            self.tell_of_start(&mut stage);
        }
    }

    fn tell_of_start(&self, stage: &mut Stage) {
        if let Stage::Unannounced(start) = stage {
            let id = start.id;
            if let Some(mut text) = self.text() {
                text.request_model.clone_from(&start.request_model);
            }
            if let Stage::Unannounced(start) = std::mem::replace(stage, Stage::Running(id, None)) {
                self.0.sink.started(*start);
            }
        }
    }

    /// Forgets a call that is not announced yet and never will be: it was refused before it began.
    pub fn forget(&self) {
        let mut stage = self.stage();
        if matches!(*stage, Stage::Unannounced(_)) {
            *stage = Stage::Ended;
        }
    }

    /// Ends the call, if nobody has. `None` where there is no commit to wait for.
    pub fn end(&self, outcome: Outcome, ending: Ending) -> Option<Committed> {
        let says_nothing = || {
            ending
                .reading
                .as_ref()
                .is_none_or(|reading| reading.source.is_none())
        };
        let (id, limits) = {
            let mut stage = self.stage();
            if !(stage.only_fetches() && says_nothing()) {
                self.tell_of_start(&mut stage);
            }
            match std::mem::replace(&mut *stage, Stage::Ended) {
                Stage::Running(id, limits) => (id, limits),
                Stage::Unannounced(_) | Stage::Ended => return None,
            }
        };
        let duration = self.elapsed();
        let reading = ending.reading.unwrap_or_default();
        let end = CallEnd {
            outcome,
            status: ending.status,
            model: reading.model,
            parts: reading.parts,
            source: reading.source,
            estimate: Intervals::default(),
            raw_usage: reading.raw_usage,
            request_id: ending.request_id,
            error: ending.error.or(reading.error),
            streamed: ending.streamed,
            ttft: ending.ttft,
            duration,
        };
        let others = reading.others.into_iter();
        let ended = Ended {
            end,
            once: reading.once,
            others: others
                .map(|share| (CallId::from_uuid(Uuid::now_v7()), share))
                .collect(),
            limits,
            estimate: Promise::None,
        };
        let text = self.text().map(|mut text| Text {
            reply: ending.text,
            ..text.take()
        });
        self.0.sink.ended(id, ended, text)
    }

    /// The time since the request arrived.
    #[must_use]
    pub fn elapsed(&self) -> Millis {
        Millis(u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Waits until the row is committed, or the bound is over.
    pub async fn settle(&self, committed: Option<Committed>) {
        let Some(committed) = committed else { return };
        if tokio::time::timeout(self.0.sink.commit_bound(), committed)
            .await
            .is_err()
        {
            self.0.sink.commit_was_late();
        }
    }
}

/// Ends a call as aborted by its client when it is dropped: what held it was.
pub struct AbortOnDrop(Option<Flight>);

impl AbortOnDrop {
    /// Guards a call.
    #[must_use]
    pub const fn new(flight: Flight) -> Self {
        Self(Some(flight))
    }

    /// Leaves the call's end to somebody else.
    pub fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(flight) = self.0.take() {
            drop(flight.end(Outcome::ClientAborted, Ending::default()));
        }
    }
}
