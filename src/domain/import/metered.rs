//! Finds what the proxy metered of a call that a log tells of.

use std::collections::{HashMap, HashSet};

use super::Logged;
use crate::domain::call::{Call, Source};
use crate::domain::ids::CallId;
use crate::domain::units::{Millis, Timestamp};

/// A log's moments and the proxy's are this far apart at most, where only they and the numbers tell that a call is the
/// same.
const SLACK: Millis = Millis(2 * 60 * 1_000);
/// A reply may take so long before its log has a line of it.
const LONGEST: Millis = Millis(60 * 60 * 1_000);

/// The proxy's own calls of the times that a log tells of.
#[derive(Debug, Default)]
pub struct Metered {
    by_request: HashMap<Box<str>, CallId>,
    by_conversation: HashMap<Box<str>, Vec<Call>>,
    /// Calls that are one of the log's already.
    taken: HashSet<CallId>,
}

impl Metered {
    /// The stretches of time in which calls may have begun that these tell of: from, and until before, in order.
    #[must_use]
    pub fn stretches(calls: &[Logged]) -> Vec<(Timestamp, Timestamp)> {
        let mut stretches: Vec<(Timestamp, Timestamp)> = calls
            .iter()
            .map(|call| {
                let from = call.started_at.0.saturating_sub_unsigned(LONGEST.0);
                let to = call.ended_at().0.saturating_add_unsigned(SLACK.0);
                (Timestamp(from), Timestamp(to))
            })
            .collect();
        stretches.sort_unstable();
        stretches.dedup_by(|next, before| {
            let overlaps = next.0 <= before.1;
            if overlaps {
                before.1 = before.1.max(next.1);
            }
            overlaps
        });
        stretches
    }

    /// Takes up calls that have ended. Those that were imported or reported are none of the proxy's.
    pub fn extend(&mut self, calls: impl IntoIterator<Item = Call>) {
        for call in calls {
            let Some(end) = &call.end else { continue };
            if matches!(end.source, Some(Source::Imported | Source::Manual)) || call.counted_by.is_some() {
                continue;
            }
            if let Some(request) = &end.request_id {
                self.by_request.insert(request.clone(), call.start.id);
            }
            if let Some(conversation) = &call.start.conversation {
                self.by_conversation
                    .entry(conversation.clone())
                    .or_default()
                    .push(call);
            }
        }
    }

    /// The call that is the same as a logged one: of the same request, or, where one of both does not name it, of the
    /// same thread, at the same time, with the same numbers. Each is the same as one at most.
    pub fn take(&mut self, logged: &Logged) -> Option<CallId> {
        let by_request = logged.request_id.as_ref().and_then(|id| self.by_request.get(id));
        let found = by_request.copied().or_else(|| {
            let calls = self.by_conversation.get(logged.conversation.as_ref()?)?;
            let same = calls
                .iter()
                .find(|call| !self.taken.contains(&call.start.id) && is_same(call, logged));
            same.map(|call| call.start.id)
        })?;
        self.taken.insert(found);
        Some(found)
    }
}

fn is_same(call: &Call, logged: &Logged) -> bool {
    let Some(end) = &call.end else { return false };
    if logged.request_id.is_some() && end.request_id.is_some() {
        return false;
    }
    let began = call.start.started_at.0.saturating_sub_unsigned(SLACK.0);
    let ended = call
        .start
        .started_at
        .0
        .saturating_add_unsigned(end.duration.0 + SLACK.0);
    let (one, other) = (end.parts, logged.parts());
    // What one of them does not say, it may well have been none of.
    let same = |one: Option<_>, other: Option<_>| one.unwrap_or_default() == other.unwrap_or_default();
    (began..=ended).contains(&logged.ended_at().0)
        && same(one.fresh_input(), other.fresh_input())
        && same(one.cache_read, other.cache_read)
        && same(one.cache_write(), other.cache_write())
        && same(one.generated(), other.generated())
}
