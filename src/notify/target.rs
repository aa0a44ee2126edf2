//! One target: its queue, its task, and how it went.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::Now;
use super::attempt::{Failure, Post, attempt};
use crate::domain::notice::{Notice, Target};
use crate::domain::wire::NotificationTarget;

/// So many notices wait for a target.
const WAITING: usize = 64;
/// How often one is tried: for about ten minutes.
const ATTEMPTS: u32 = 10;
/// How long the first wait is; each is twice the one before.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait, also if the other side asks for more.
const LONGEST: Duration = Duration::from_secs(300);

/// A target's queue. Cheap to clone.
#[derive(Clone)]
pub(super) struct Queue(Arc<Shared>);

struct Shared {
    target: Target,
    post: Post,
    now: Now,
    notices: mpsc::Sender<Notice>,
    waiting: AtomicU64,
    view: Mutex<NotificationTarget>,
}

impl Queue {
    /// Makes the queue, and the task that empties it for as long as the queue is held.
    pub(super) fn new(target: Target, post: Post, now: Now) -> (Self, impl Future<Output = ()> + Send) {
        let (notices, mut inbox) = mpsc::channel(WAITING);
        let queue = Self(Arc::new(Shared {
            view: Mutex::new(NotificationTarget::new(&target)),
            target,
            post,
            now,
            notices,
            waiting: AtomicU64::new(0),
        }));
        let held = Arc::downgrade(&queue.0);
        let task = async move {
            while let Some(notice) = inbox.recv().await {
                let Some(shared) = held.upgrade() else { return };
                Self(shared).deliver(&notice).await;
            }
        };
        (queue, task)
    }

    pub(super) fn target(&self) -> &Target {
        &self.0.target
    }

    /// How it went so far.
    pub(super) fn view(&self) -> NotificationTarget {
        NotificationTarget {
            waiting: self.0.waiting.load(Ordering::Relaxed),
            ..self.locked().clone()
        }
    }

    fn locked(&self) -> MutexGuard<'_, NotificationTarget> {
        // A holder that panicked left nothing half done.
        self.0.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a notice at the queue's end; what finds no room is given up.
    pub(super) fn put(&self, notice: Notice) {
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        if self.0.notices.try_send(notice).is_err() {
            self.0.waiting.fetch_sub(1, Ordering::Relaxed);
            self.give_up("too many wait");
        }
    }

    async fn deliver(&self, notice: &Notice) {
        let mut wait = FIRST;
        for nth in 1..=ATTEMPTS {
            let Err(failure) = self.attempt(notice).await else {
                break;
            };
            match failure.again.filter(|_| nth < ATTEMPTS) {
                None => {
                    self.give_up(&failure.to_string());
                    break;
                }
                Some(asked) => {
                    // Between one half and three halves, so that many who failed together do not come back together.
                    let jittered = wait.mul_f64(0.5 + fastrand::f64());
                    tokio::time::sleep(jittered.max(asked).min(LONGEST)).await;
                    wait = (wait * 2).min(LONGEST);
                }
            }
        }
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Tries once, and notes how it went.
    pub(super) async fn attempt(&self, notice: &Notice) -> Result<(), Failure> {
        let Shared {
            target, post, now, ..
        } = &*self.0;
        let done = attempt(target, notice, post, now().div_euclid(1_000)).await;
        let mut view = self.locked();
        match &done {
            Ok(()) => {
                view.delivered += 1;
                view.last_delivery_at = Some(now());
                (view.last_error, view.last_error_at) = (None, None);
            }
            Err(failure) => {
                view.last_error = Some(failure.to_string());
                view.last_error_at = Some(now());
            }
        }
        done
    }

    fn give_up(&self, why: &str) {
        tracing::warn!(target.name = %self.0.target.name, why, "a notification was given up");
        self.locked().given_up += 1;
    }
}
