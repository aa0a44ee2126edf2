//! What the proxy and the API hold of the engine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use uuid::Uuid;

use super::Message;
use super::clock::Clock;
use super::stream::{Subscription, Wanted};
use crate::domain::alert::{self, Rule, Thresholds};
use crate::domain::budget::{Gate, Terms, TermsPatch};
use crate::domain::call::{CallStart, Ended};
use crate::domain::estimate::Estimated;
use crate::domain::estimate::calibration::Learnt;
use crate::domain::forecast::Score;
use crate::domain::ids::{AlertId, BudgetId, CallId, CheckpointId, SessionId};
use crate::domain::import::Import;
use crate::domain::live::{Deletion, Input, Move, Refusal, State, TakeIn};
use crate::domain::metrics::Metrics;
use crate::domain::pricing::Price;
use crate::domain::record::Record;
use crate::domain::report::{Kept, Report};
use crate::domain::session::checkpoint::NewCheckpoint;
use crate::domain::session::clock::Reading;
use crate::domain::session::{CallsFate, Marks, NewSession, Patch, Session};
use crate::domain::units::{Millis, Tokens};
use crate::domain::windows::Observation;
use crate::domain::wire::{
    AlertView, BudgetView, CheckpointView, EstimatesView, LimitsView, SessionView, Snapshot, Totals,
};
use crate::store::WriteFailed;

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

/// The handle to the engine.
#[derive(Clone)]
pub struct Engine {
    /// Without a bound: a call sends two messages, and its connection waits for the second, so there are never
    /// more than two for each open connection; and none may be lost.
    pub(super) messages: mpsc::UnboundedSender<Message>,
    pub(super) clock: Clock,
    pub(super) gate: watch::Receiver<Arc<Gate>>,
    pub(super) alerts: broadcast::Sender<(i64, AlertView)>,
    pub(super) commit_bound: Duration,
    /// When somebody last began to read calls in order to change them.
    pub(super) settled_at: Arc<Mutex<Option<Instant>>>,
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

    /// Every change of an alert from now on, with its moment.
    #[must_use]
    pub fn alerts(&self) -> broadcast::Receiver<(i64, AlertView)> {
        self.alerts.subscribe()
    }

    /// Which calls are refused because a budget is used up. Asks nobody: the engine sets it when it changes.
    #[must_use]
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate.borrow())
    }

    /// A call began.
    pub fn call_started(&self, start: CallStart) {
        self.tell(Message::Started(start));
    }

    /// A call ended, and so far its provider told of its limits. Resolves when its row is certain to survive a crash
    /// of this program.
    #[must_use]
    pub fn call_ended(&self, id: CallId, ended: Ended) -> Committed {
        let (done, committed) = oneshot::channel();
        self.tell(Message::Ended(id, Box::new(ended), done));
        committed
    }

    /// What an ended call's provider did not say has been estimated, as its end promised; `None` if nothing can be
    /// said.
    pub fn call_estimated(&self, id: CallId, estimated: Option<Box<Estimated>>) {
        self.tell(Message::Estimated(id, estimated));
    }

    /// More is known of how far the estimates of a model's calls are off.
    pub fn learnt(&self, learnt: Vec<Learnt>) {
        self.tell(Message::Learnt(learnt));
    }

    /// Streams under way have grown to about so many tokens.
    pub fn calls_grew(&self, grown: Vec<(CallId, Tokens)>) {
        self.tell(Message::Grew(grown));
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

    /// Deletes a session that has ended. Its calls still belong to it: see [`Self::empty`].
    ///
    /// # Errors
    /// There is no such session, or it has not ended.
    pub async fn delete_session(&self, id: SessionId, calls: CallsFate) -> Result<(), CommandError> {
        self.carry_out(
            Input::Delete { id, calls },
            move |refusal, state, now| match refusal {
                Some(refusal) => {
                    let session = state.session_view(id, now);
                    Err(CommandError::Refused(refusal, session.map(Box::new)))
                }
                None => Ok(()),
            },
        )
        .await
    }

    /// Notes that a deleted session has no calls any more, and hands on what is left of its sums.
    pub(super) async fn emptied(&self, session: SessionId, left: Totals) -> Result<(), CommandError> {
        self.carry_out(Input::Emptied(session, Box::new(left)), done)
            .await
    }

    /// Deletes calls of a deleted session.
    ///
    /// # Errors
    /// The calls have changed since they were read.
    pub(super) async fn delete_calls(&self, deletion: Deletion) -> Result<(), CommandError> {
        self.carry_out(Input::DeleteCalls(Box::new(deletion)), done).await
    }

    /// Writes down what the live state need not know. Resolves when it is committed.
    #[must_use]
    pub fn write(&self, records: Vec<Record>) -> Committed {
        let (done, committed) = oneshot::channel();
        self.tell(Message::Write(records, done));
        committed
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
        *self.settled_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let (done, committed) = oneshot::channel();
        let (rewritten, answered) = oneshot::channel();
        self.tell(Message::Settle { done, rewritten });
        let rewritten = answered.await.map_err(|_| Stopped)?;
        match tokio::time::timeout(super::SETTLES, committed).await {
            Ok(Ok(Ok(()))) => Ok(rewritten),
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => Err(CommandError::Unsettled),
        }
    }

    /// How long ago somebody last began to read calls in order to change them.
    pub(super) fn since_settled(&self) -> Duration {
        let last = *self.settled_at.lock().unwrap_or_else(PoisonError::into_inner);
        last.map_or(Duration::MAX, |last| last.elapsed())
    }

    /// Moves calls to another session.
    ///
    /// # Errors
    /// There is no such session, or the calls have changed since they were read.
    pub async fn move_calls(&self, order: Move) -> Result<(), CommandError> {
        self.carry_out(Input::Move(Box::new(order)), done).await
    }

    /// Takes in calls that were read from a log, and waits for as long as it takes until they are committed: that many
    /// rows at once say nothing of the disk.
    ///
    /// # Errors
    /// There is no such session, or what is known of the calls has changed since it was looked up.
    pub async fn import(&self, import: Import) -> Result<(), CommandError> {
        self.carry_out_at_leisure(Input::Import(Box::new(import))).await
    }

    /// Takes in sessions and calls of an export that the database does not know, and waits in the same way.
    ///
    /// # Errors
    /// Calls were changed or taken in since it was asked.
    pub async fn take_in(&self, order: TakeIn) -> Result<(), CommandError> {
        self.carry_out_at_leisure(Input::TakeIn(Box::new(order))).await
    }

    pub(super) async fn carry_out_at_leisure(&self, input: Input) -> Result<(), CommandError> {
        let (carried_out, committed) = self.hand_over(input, done);
        carried_out.await.map_err(|_| Stopped)??;
        match tokio::time::timeout(super::SETTLES, committed).await {
            Ok(Ok(Ok(())) | Err(_)) => Ok(()),
            Ok(Ok(Err(_))) | Err(_) => Err(CommandError::Unsettled),
        }
    }

    /// Makes a budget that begins anew.
    ///
    /// # Errors
    /// There are too many.
    pub async fn create_budget(&self, terms: Terms) -> Result<BudgetView, CommandError> {
        let id = BudgetId::from_uuid(Uuid::now_v7());
        self.budget_command(Input::CreateBudget(id, Box::new(terms)), id)
            .await
    }

    /// Changes a budget that begins anew.
    ///
    /// # Errors
    /// There is no such budget, `revision` is not the one it has now, or nothing would be limited.
    pub async fn change_budget(
        &self,
        id: BudgetId,
        patch: TermsPatch,
        revision: Option<u64>,
    ) -> Result<BudgetView, CommandError> {
        let patch = Box::new(patch);
        self.budget_command(Input::ChangeBudget { id, patch, revision }, id)
            .await
    }

    async fn budget_command(&self, input: Input, id: BudgetId) -> Result<BudgetView, CommandError> {
        self.carry_out(input, move |refusal, state, _| match refusal {
            Some(refusal) => Err(CommandError::Refused(refusal, None)),
            None => state
                .budget(id)
                .ok_or(CommandError::Refused(Refusal::NoSuchBudget, None)),
        })
        .await
    }

    /// Forgets a budget that begins anew.
    ///
    /// # Errors
    /// There is no such budget.
    pub async fn drop_budget(&self, id: BudgetId) -> Result<(), CommandError> {
        self.carry_out(Input::DropBudget(id), done).await
    }

    /// The budgets that begin anew.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn budgets(&self) -> Result<Vec<BudgetView>, Stopped> {
        self.read(|state, _| state.budgets()).await
    }

    /// Acknowledges or snoozes an alert. Saying it again is harmless.
    ///
    /// # Errors
    /// No such alert stands.
    pub async fn change_alert(
        &self,
        id: AlertId,
        patch: alert::Patch,
    ) -> Result<Option<AlertView>, CommandError> {
        self.carry_out(Input::Alert(id, patch), move |refusal, state, _| {
            done(refusal, state, ()).map(|()| state.alert(id))
        })
        .await
    }

    /// Goes by settings that hold at once: after how long a session ends that began by itself (`None`: none begins so),
    /// the user's own prices, and the shares at which the user is told. Calls that have ended keep what they cost.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn use_settings(
        &self,
        auto_idle: Option<Millis>,
        prices: Vec<Price>,
        thresholds: Thresholds,
    ) -> Result<(), CommandError> {
        let settings = Input::Settings {
            auto_idle,
            prices,
            thresholds,
        };
        self.carry_out(settings, done).await
    }

    /// Mutes a rule, or ends that.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn mute(&self, rule: Rule, muted: bool) -> Result<(), CommandError> {
        self.carry_out(Input::Mute { rule, muted }, done).await
    }

    /// The muted rules.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn muted(&self) -> Result<Vec<Rule>, Stopped> {
        let is_muted = |state: &State, rule: &Rule| state.is_muted(*rule);
        self.read(move |state, _| {
            Rule::ALL
                .into_iter()
                .filter(|rule| is_muted(state, rule))
                .collect()
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
        let (answered, committed) = self.hand_over(input, show);
        let answer = answered.await.map_err(|_| Stopped)?;
        if tokio::time::timeout(self.commit_bound, committed).await.is_err() {
            self.commit_was_late();
        }
        answer
    }

    /// Hands a command over; its answer comes when it is carried out, and then that what it wrote is committed.
    fn hand_over<T: Send + 'static>(
        &self,
        input: Input,
        show: impl FnOnce(Option<Refusal>, &State, Reading) -> Result<T, CommandError> + Send + 'static,
    ) -> (oneshot::Receiver<Result<T, CommandError>>, Committed) {
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
        (answered, committed)
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

    /// What the calls since the start add up to, how many run, and how the estimates stand, at one moment.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn metrics(&self) -> Result<(Metrics, usize, EstimatesView), Stopped> {
        self.read(|state, _| (state.metrics().clone(), state.running_calls(), state.estimates()))
            .await
    }

    /// How the estimates of ended calls stand.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn estimates(&self) -> Result<EstimatesView, Stopped> {
        self.read(|state, _| state.estimates()).await
    }

    /// What the providers last told of their limits.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn limits(&self) -> Result<Vec<LimitsView>, Stopped> {
        self.read(move |state, now| state.limits(now.wall)).await
    }

    /// How well forecasts did.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn track_record(&self) -> Result<Score, Stopped> {
        self.read(|state, _| state.track_record()).await
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

/// The answer to a command that has nothing to show.
fn done<T>(refusal: Option<Refusal>, _: &State, _: T) -> Result<(), CommandError> {
    match refusal {
        Some(refusal) => Err(CommandError::Refused(refusal, None)),
        None => Ok(()),
    }
}
