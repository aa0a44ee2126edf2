//! The live sums, and the one place where they change.

use super::super::call::Call;
use super::super::ids::SessionId;
use super::super::session::clock::Reading;
use super::super::wire::Totals;
use super::State;

impl State {
    /// Takes a call that has ended into the sums of where it belongs, takes it out of them, or both at once where what
    /// is known of it has changed: `before` is what was counted, `after` is what counts now.
    ///
    /// Gives the new sums; `None` for a session that is not held live, whose sums the database keeps.
    pub(super) fn account(
        &mut self,
        session: Option<SessionId>,
        before: Option<&Call>,
        after: Option<&Call>,
        now: Reading,
    ) -> Option<Totals> {
        self.budgets.account(session, before, after);
        let mut live = match session {
            Some(session) => Some(self.sessions.get_mut(&session)?),
            None => None,
        };
        let totals = live
            .as_mut()
            .map_or(&mut self.unassigned, |live| &mut live.totals);
        if let Some(call) = before {
            totals.remove(call);
        }
        if let Some(call) = after {
            totals.add(call);
        }
        let totals = *totals;
        if let Some(live) = live
            && let Some(ahead) = &mut live.ahead
        {
            ahead.account(before, after, &live.session.timer, &totals, now);
        }
        Some(totals)
    }
}
