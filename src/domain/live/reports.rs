//! Tokens that the user reports by hand.

use super::super::call::{Attribution, Call};
use super::super::ids::SessionId;
use super::super::record::Record;
use super::super::report::{Kept, Report, ReportKey};
use super::super::session::clock::Reading;
use super::{Effect, Refusal, State};

/// So many keys are remembered here. That is enough for those that the database does not have yet; it has the rest.
const REMEMBERED: usize = 1_000;

impl State {
    pub(super) fn reported(
        &mut self,
        session: SessionId,
        reports: Vec<Report>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !self.sessions.contains_key(&session) {
            return Err(Refusal::NoSuchSession);
        }
        // All or nothing: first it is certain that every one of them can be taken.
        let mut new = Vec::new();
        for (index, report) in reports.into_iter().enumerate() {
            match report
                .key
                .as_ref()
                .map(|key| (key, self.report(session, &key.key)))
            {
                Some((key, Some(kept))) if kept.key == *key => {}
                Some((_, Some(_))) => return Err(Refusal::KeyReused(index)),
                Some((_, None)) | None => new.push(report),
            }
        }
        for Report { key, calls } in new {
            let ids = calls.iter().map(|(start, _)| start.id).collect();
            for (start, end) in calls {
                // Who looks for what is new must find what is said of the past, too.
                let changed_at = (start.started_at < now.wall).then_some(now.wall);
                let call = Call {
                    start,
                    session: Some(session),
                    attribution: Attribution::Manual,
                    end: Some(end),
                    cost: None,
                    counted_by: None,
                    changed_at,
                };
                self.finish(call, now, effects);
            }
            if let Some(key) = key {
                self.keep(session, key, ids, now, effects);
            }
        }
        Ok(())
    }

    fn keep(
        &mut self,
        session: SessionId,
        key: ReportKey,
        calls: Vec<super::super::ids::CallId>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let kept = Kept {
            session,
            key,
            calls,
            at: now.wall,
        };
        if self.reported.len() == REMEMBERED {
            self.reported.pop_front();
        }
        effects.push(Effect::Write(Record::Reported(Box::new(kept.clone()))));
        self.reported.push_back(kept);
    }

    /// What was reported under a key not long ago.
    #[must_use]
    pub fn report(&self, session: SessionId, key: &str) -> Option<&Kept> {
        let mut newest = self.reported.iter().rev();
        newest.find(|kept| kept.session == session && &*kept.key.key == key)
    }
}
