//! The stream of events: numbered, kept for a while, and sent to whoever listens.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::domain::ids::SessionId;
use crate::domain::wire::{AlertView, Change, Event, ServerMessage, Snapshot};

/// How many events are kept for clients that come back, and how far a slow one may fall behind. They are kept in memory
/// alone: who comes back later, or after a restart, gets a snapshot, which says the same, and each call would have to write
/// two events beside its row.
const KEPT: usize = 4096;
/// An event that lists calls weighs one more for so many of them.
const LISTED: usize = 16;

/// An event, and its text once somebody needed it: it is written once for all listeners, and not at all for none.
#[derive(Debug)]
pub struct Published {
    /// The event.
    pub event: Event,
    text: OnceLock<Bytes>,
}

impl Published {
    /// The event as the WebSocket says it: JSON text.
    #[must_use]
    pub fn text(&self) -> Bytes {
        let write = || {
            let message = ServerMessage::Event(Box::new(self.event.clone()));
            serde_json::to_vec(&message).map(Bytes::from).unwrap_or_default()
        };
        self.text.get_or_init(write).clone()
    }

    /// About how much memory it takes: 1 is usual.
    fn weight(&self) -> usize {
        let listed = match &self.event.change {
            Change::CallsGrew { calls } => calls.len(),
            Change::CallsMoved { calls, .. } => calls.len(),
            _ => 0,
        };
        1 + listed / LISTED
    }
}

/// Which sessions a listener wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Everything.
    All,
    /// These sessions, and what is about none.
    Sessions(Vec<SessionId>),
}

impl Wanted {
    /// Whether it includes what is about that session.
    #[must_use]
    pub fn includes(&self, session: Option<SessionId>) -> bool {
        match (self, session) {
            (Self::All, _) => true,
            (Self::Sessions(sessions), Some(session)) => sessions.contains(&session),
            (Self::Sessions(_), None) => false,
        }
    }

    /// Whether it includes an event. An alert that is about no session concerns everyone, and so
    /// do a provider's limits and the shares at which budgets and limits alert.
    #[must_use]
    pub fn includes_event(&self, event: &Event) -> bool {
        let is_for_all = event.session_id.is_none();
        self.includes(event.session_id)
            || (is_for_all
                && matches!(
                    event.change,
                    Change::Alert(_) | Change::Limits(_) | Change::AlertsAt { .. }
                ))
    }
}

/// What a listener gets first.
#[derive(Debug)]
pub enum First {
    /// The whole live state.
    Snapshot(Box<Snapshot>),
    /// The events since the one it knows; they may be none.
    Missed(Vec<Arc<Published>>),
}

/// A listener's place in the stream: nothing is lost between what it gets first and what comes then.
#[derive(Debug)]
pub struct Subscription {
    /// What it gets first.
    pub first: First,
    /// What comes then.
    pub events: broadcast::Receiver<Arc<Published>>,
}

/// Keeps and sends events.
#[derive(Debug)]
pub(super) struct Stream {
    kept: VecDeque<Arc<Published>>,
    /// What the kept events weigh together: no more than [`KEPT`].
    weight: usize,
    sender: broadcast::Sender<Arc<Published>>,
    /// Alerts by themselves, each with the moment at which it changed: who follows them is not woken by every call.
    alerts: broadcast::Sender<(i64, AlertView)>,
}

impl Stream {
    pub(super) fn new(alerts: broadcast::Sender<(i64, AlertView)>) -> Self {
        Self {
            kept: VecDeque::with_capacity(KEPT),
            weight: 0,
            sender: broadcast::Sender::new(KEPT),
            alerts,
        }
    }

    pub(super) fn publish(&mut self, event: Event) {
        if let Change::Alert(alert) = &event.change {
            drop(self.alerts.send((event.at, alert.clone())));
        }
        let published = Arc::new(Published {
            event,
            text: OnceLock::new(),
        });
        self.weight += published.weight();
        while self.weight > KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            self.weight -= oldest.weight();
        }
        self.kept.push_back(Arc::clone(&published));
        // No listener is no failure.
        drop(self.sender.send(published));
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<Published>> {
        self.sender.subscribe()
    }

    /// The events after `since`, if every one of them is still kept. `now` is the number of the last event.
    pub(super) fn missed(&self, since: u64, now: u64) -> Option<Vec<Arc<Published>>> {
        let oldest = self.kept.front().map_or(now + 1, |published| published.event.seq);
        if since > now || since + 1 < oldest {
            return None;
        }
        Some(
            self.kept
                .iter()
                .filter(|published| published.event.seq > since)
                .cloned()
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CallId;
    use crate::domain::wire::{CallProgress, Totals};
    use uuid::Uuid;

    fn event(seq: u64) -> Event {
        let change = Change::CallsMoved {
            calls: vec![CallId::from_uuid(Uuid::nil())],
            from: None,
            to: None,
            unassigned: Totals::default(),
        };
        Event {
            seq,
            at: 0,
            session_id: None,
            change,
        }
    }

    #[test]
    fn what_was_missed_is_given_or_refused_whole() {
        let mut stream = Stream::new(broadcast::Sender::new(1));
        let numbers = |missed: Option<Vec<Arc<Published>>>| {
            missed.map(|events| {
                events
                    .iter()
                    .map(|published| published.event.seq)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            numbers(stream.missed(100, 100)),
            Some(vec![]),
            "nothing happened yet"
        );
        assert_eq!(numbers(stream.missed(99, 100)), None, "an earlier run");
        assert_eq!(numbers(stream.missed(101, 100)), None, "not yet given out");
        (101..=103).for_each(|seq| stream.publish(event(seq)));
        assert_eq!(numbers(stream.missed(100, 103)), Some(vec![101, 102, 103]));
        assert_eq!(numbers(stream.missed(102, 103)), Some(vec![103]));
        assert_eq!(numbers(stream.missed(99, 103)), None);
        let last = 103 + KEPT as u64;
        (104..=last).for_each(|seq| stream.publish(event(seq)));
        assert_eq!(numbers(stream.missed(102, last)), None, "no longer kept");
        assert_eq!(stream.missed(103, last).unwrap().len(), KEPT);
    }

    #[test]
    fn long_lists_take_the_place_of_several() {
        let mut stream = Stream::new(broadcast::Sender::new(1));
        for seq in 1..=2 * KEPT as u64 {
            let call = CallProgress {
                id: CallId::from_uuid(Uuid::nil()),
                output_so_far: seq,
            };
            let calls = vec![call; 128];
            stream.publish(Event {
                change: Change::CallsGrew { calls },
                ..event(seq)
            });
        }
        assert_eq!(stream.kept.len(), KEPT / 9);
        let last = 2 * KEPT as u64;
        let kept = stream.kept.len() as u64;
        assert_eq!(stream.missed(last - kept, last).unwrap().len(), KEPT / 9);
        assert!(stream.missed(last - kept - 1, last).is_none());
    }
}
