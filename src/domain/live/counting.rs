//! Usage that comes more than once counts once.
//!
//! A background response is made by a `POST` that says nothing of usage, polled until it has ended, and read again at
//! will; a batch's results are downloaded twice. The rows say what happened, and one of them counts:
//!
//! - The first reply with an id *counts* its usage. While that can still change (the `POST` of a background response
//!   knows nothing, a stream was cut off, a poll came before the end) it stands [`Standing::Open`].
//! - One that says more takes an open one's place: the earlier row gives its numbers up and names the later one in
//!   `countedBy`, and the sums follow. So the numbers stand where they were first known whole.
//! - One that says nothing more is a repetition: it names the one that counts, has no numbers, and is in no sum.
//! - Two that were made, and not fetched, and used different amounts are two, whatever their id: some servers give all
//!   their replies the same.
//! - One that counts and is no longer kept counts on: its numbers are in the sums for good.
//! - What is fetched and says nothing of usage is no call: a poll that comes too early leaves no row at all.
//!
//! Who counts is written down in the transaction's order before the rows, so that a crash between them can lose nothing:
//! a key whose call has no row counts as unknown. Of a fetch the engine asks the database first ([`State::unknown_keys`],
//! [`State::recall`]); replies to a `POST` are new, but for a fetch at the same time, which is remembered here. Calls
//! that nobody can fetch again have no id and none of this.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::super::call::{Call, Ended, Source};
use super::super::ids::CallId;
use super::super::record::{Counted, Record, Standing};
use super::super::session::clock::Reading;
use super::super::units::Timestamp;
use super::super::usage::once::{Making, Once, OnceKey};
use super::super::wire::{CallView, Change};
use super::{Effect, Refusal, State};

/// So many are remembered: more than can end while the database is asked.
const REMEMBERED: usize = 1_024;

/// The call that counts the usage behind a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    /// Which it is.
    pub id: CallId,
    /// The call; `None` if it is no longer kept, so that what it counts stands for good.
    pub call: Option<Arc<Call>>,
    /// Whether a later reply can still say more.
    pub standing: Standing,
}

impl Counting {
    /// Whether it counts on, though `later` came with the same usage.
    fn outdoes(&self, later: &Call) -> bool {
        let Some(known) = &self.call else { return true };
        let total = |call: &Call| call.end.as_ref().and_then(|end| end.parts.total());
        let is_exact = |call: &Call| call.end.as_ref().and_then(|end| end.source) == Some(Source::Exact);
        if is_exact(later) && !is_exact(known) {
            // What was estimated gives way to the provider's word, be it more or less.
            return self.standing == Standing::Settled;
        }
        self.standing == Standing::Settled || total(later).is_none() || total(later) < total(known)
    }

    /// Whether `later` has the same id, and is something else all the same.
    fn is_another(&self, later: &Call) -> bool {
        let parts = |call: &Call| call.end.as_ref().map(|end| end.parts);
        let is_made = |call: &Call| !call.start.operation.is_fetch();
        self.standing == Standing::Settled
            && self.call.as_ref().is_some_and(|known| {
                is_made(known)
                    && is_made(later)
                    && parts(later).and_then(|parts| parts.total()).is_some()
                    && parts(later) != parts(known)
            })
    }
}

/// Who counts what, of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    counting: HashMap<OnceKey, Counting>,
    oldest_first: VecDeque<OnceKey>,
}

impl Remembered {
    fn put(&mut self, key: OnceKey, counting: Counting) {
        if self.counting.insert(key, counting).is_none() {
            self.oldest_first.push_back(key);
        }
        if self.oldest_first.len() > REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.counting.remove(&oldest);
        }
    }
}

impl Remembered {
    /// Forgets calls that are no more: what comes again of their usage is new.
    pub(super) fn forget(&mut self, calls: &HashSet<CallId>) {
        self.counting.retain(|_, counting| !calls.contains(&counting.id));
        self.oldest_first.retain(|key| self.counting.contains_key(key));
    }

    /// Forgets calls that began before a moment: the database is asked again whether it has them.
    pub(super) fn forget_before(&mut self, before: Timestamp) {
        let is_kept = |call: &Arc<Call>| call.start.started_at >= before;
        self.counting
            .retain(|_, counting| counting.call.as_ref().is_some_and(is_kept));
        self.oldest_first.retain(|key| self.counting.contains_key(key));
    }

    /// Notes that calls have been changed.
    pub(super) fn update(&mut self, changed: &HashMap<CallId, Arc<Call>>) {
        for counting in self.counting.values_mut() {
            if let Some(call) = changed.get(&counting.id) {
                counting.call = Some(Arc::clone(call));
            }
        }
    }
}

impl State {
    /// The keys of which the database must be asked before a call is ended: it fetched what may have been counted long
    /// ago.
    #[must_use]
    pub fn unknown_keys(&self, id: CallId, ended: &Ended) -> Vec<OnceKey> {
        let Some(call) = self
            .running
            .get(&id)
            .filter(|call| call.start.operation.is_fetch())
        else {
            return Vec::new();
        };
        let others = ended.others.iter().filter_map(|(_, share)| share.once.as_ref());
        let keys = ended.once.iter().chain(others);
        keys.map(|once| OnceKey::new(&call.start.provider, &once.id))
            .filter(|key| !self.remembered.counting.contains_key(key))
            .collect()
    }

    /// Takes up what the database knows of a key. What has become known meanwhile is newer.
    ///
    /// `moves` is what [`State::moves`] was before the database was asked.
    ///
    /// # Errors
    /// Calls were moved since, and this may be one of them: the database has to be asked again.
    pub fn recall(&mut self, key: OnceKey, counting: Counting, moves: u64) -> Result<(), Refusal> {
        if self.remembered.counting.contains_key(&key) {
            return Ok(());
        }
        if moves != self.moves {
            return Err(Refusal::CallsChanged);
        }
        self.remembered.put(key, counting);
        Ok(())
    }

    /// Ends a call whose usage may come, or may have come, more than once.
    pub(super) fn count_once(&mut self, call: Call, once: &Once, now: Reading, effects: &mut Vec<Effect>) {
        let key = OnceKey::new(&call.start.provider, &once.id);
        let id = call.start.id;
        let mut call = call;
        match self.remembered.counting.get(&key).cloned() {
            Some(known) if known.is_another(&call) => {
                self.finish(call, now, effects);
                return;
            }
            Some(known) if known.outdoes(&call) => {
                self.finish(call.counted_with(known.id), now, effects);
                return;
            }
            Some(Counting {
                call: Some(known), ..
            }) => {
                let is_live = |session| self.sessions.contains_key(&session);
                let is_free = call.start.operation.is_fetch() && call.start.asked.is_none();
                if is_free && known.session.is_none_or(is_live) {
                    // What was asked for in the background belongs where it was asked for.
                    call.session = known.session;
                    call.attribution = known.attribution;
                }
                self.count(&call, key, once.state, effects);
                self.give_up(&known, id, now, effects);
            }
            Some(Counting { call: None, .. }) | None => self.count(&call, key, once.state, effects),
        }
        let standing = standing(&call, once.state);
        let call = Some(self.finish(call, now, effects));
        self.remembered.put(key, Counting { id, call, standing });
    }

    fn count(&self, call: &Call, key: OnceKey, state: Making, effects: &mut Vec<Effect>) {
        effects.push(Effect::Write(Record::Counted(Counted {
            key,
            call: call.start.id,
            standing: standing(call, state),
        })));
    }

    /// Takes a call's numbers back, because `other` has better ones of the same usage.
    pub(super) fn give_up(
        &mut self,
        call: &Arc<Call>,
        other: CallId,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        self.rewritten += 1;
        self.estimates.forget(call.start.id);
        let given_up = Arc::new(Call {
            changed_at: Some(now.wall),
            ..Call::clone(call).counted_with(other)
        });
        effects.push(Effect::Write(Record::CallFinished(Arc::clone(&given_up))));
        if let Some(recent) = self
            .recent
            .iter_mut()
            .find(|recent| recent.start.id == call.start.id)
        {
            *recent = Arc::clone(&given_up);
        }
        let Some(totals) = self.account(call.session, Some(call), Some(&given_up), now) else {
            return;
        };
        let view = CallView::from(&*given_up);
        self.publish(
            call.session,
            Change::CallFinished { call: view, totals },
            now,
            effects,
        );
    }
}

fn standing(call: &Call, state: Making) -> Standing {
    let is_exact = call.end.as_ref().and_then(|end| end.source) == Some(Source::Exact);
    if is_exact && state == Making::Over {
        Standing::Settled
    } else {
        Standing::Open
    }
}
