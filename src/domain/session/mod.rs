//! The user's own stretch of work: a state machine over timer events.
//!
//! [`rules`] says what may be done to it when, [`event`] what can happen to its clock, [`timer`] what follows from that;
//! [`curve`] is how its use grew, [`track`] what is kept of that, [`usual`] how that of others did, and [`efficiency`] how well
//! it was used.

pub mod checkpoint;
pub mod clock;
pub mod curve;
pub mod efficiency;
pub mod event;
pub mod rules;
pub mod timer;
pub mod track;
pub mod usual;

use super::budget::{Allowance, AllowancePatch};
use super::call::named;
use super::ids::SessionId;
use super::units::{Millis, Timestamp, Tokens};
use checkpoint::Checkpoint;
use timer::{OnSleep, Timer};

/// The longest countdown that a session can have: five hours.
pub const MAX_DURATION: Millis = Millis(18_000_000);

/// The longest name that a session can have, in characters.
pub const MAX_NAME: usize = 200;

/// The longest note that a session can have, in characters.
pub const MAX_NOTE: usize = 4_000;

/// The most tags that a session can have, and the most characters of one.
pub const MAX_TAGS: (usize, usize) = (20, 50);

named! {
    /// Where a session stands.
    Status {
        /// Its clock runs.
        Active = "active",
        /// Its clock stands still and can go on.
        Paused = "paused",
        /// It has ended.
        Completed = "completed",
    }
}

named! {
    /// How a session came about.
    Origin {
        /// The user started it.
        Manual = "manual",
        /// The first call that had no session began it; it ends by itself when no more come.
        Auto = "auto",
    }
}

named! {
    /// What becomes of the calls of a session that is deleted.
    CallsFate {
        /// They belong to no session.
        Unassign = "unassign",
        /// They are deleted with it.
        Delete = "delete",
    }
}

/// A session: what the user set, and the timer that its events gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The user's name for it.
    pub name: Box<str>,
    /// How it came about.
    pub origin: Origin,
    /// The user's own words to find it by.
    pub tags: Vec<Box<str>>,
    /// What the user noted about it; empty is nothing.
    pub note: Box<str>,
    /// What the machine's sleep does to it.
    pub on_sleep: OnSleep,
    /// When it was created.
    pub created_at: Timestamp,
    /// How much it may use.
    pub allowance: Allowance,
    /// Its clock, which knows how long it may run.
    pub timer: Timer,
    /// Rises with every change, so that a stale change is recognised.
    pub revision: u64,
}

/// What a session starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Its name.
    pub name: Box<str>,
    /// How long it may run; `None` is open-ended.
    pub duration: Option<Millis>,
    /// How much it may use.
    pub allowance: Allowance,
    /// Its tags.
    pub tags: Vec<Box<str>>,
    /// Its note; empty is nothing.
    pub note: Box<str>,
    /// What the machine's sleep does to it.
    pub on_sleep: OnSleep,
    /// Whether calls that name no session go here.
    pub current: bool,
}

impl NewSession {
    /// One with a name, and nothing else said.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            duration: None,
            allowance: Allowance::default(),
            tags: Vec::new(),
            note: "".into(),
            on_sleep: OnSleep::Pause,
            current: true,
        }
    }
}

/// What changes of a session, all at once or not at all. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// What is done to its clock, in this order.
    pub clock: Vec<timer::Change>,
    /// Whether calls that name no session go here.
    pub current: Option<bool>,
    /// Its name.
    pub name: Option<Box<str>>,
    /// Its tags.
    pub tags: Option<Vec<Box<str>>>,
    /// Its note.
    pub note: Option<Box<str>>,
    /// How much it may use.
    pub allowance: AllowancePatch,
    /// What the machine's sleep does to it.
    pub on_sleep: Option<OnSleep>,
}

impl From<timer::Change> for Patch {
    fn from(change: timer::Change) -> Self {
        Self {
            clock: vec![change],
            ..Self::default()
        }
    }
}

impl Patch {
    /// Changes what describes the session; gives whether anything is different now.
    pub fn describe(&self, session: &mut Session) -> bool {
        fn put<T: Clone + PartialEq>(place: &mut T, new: Option<&T>) -> bool {
            let Some(new) = new.filter(|new| **new != *place) else {
                return false;
            };
            place.clone_from(new);
            true
        }
        put(&mut session.name, self.name.as_ref())
            | put(&mut session.tags, self.tags.as_ref())
            | put(&mut session.note, self.note.as_ref())
            | self.allowance.apply(&mut session.allowance)
            | put(&mut session.on_sleep, self.on_sleep.as_ref())
    }
}

/// What is kept of a session beside its clock and its sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Tokens of the calls that began while it was paused. They are in its sums too.
    pub paused_tokens: Tokens,
    /// How many checkpoints it has.
    pub checkpoints: u64,
    /// The last of them.
    pub last_checkpoint: Option<Checkpoint>,
}
