//! Calls that are read from another tool's log: each counts once, and what the proxy metered counts before it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::call::{Attribution, Call, CallEnd};
use super::super::import::{Import, Incoming, Verdict};
use super::super::record::{Counted, Record, Standing};
use super::super::session::clock::Reading;
use super::super::wire::Change;
use super::{Effect, Refusal, State};

impl State {
    /// Takes logged calls into the sums. They are history: no rate, and none of the counts since the start.
    pub(super) fn import(
        &mut self,
        import: Import,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Import {
            calls,
            session,
            rewritten,
        } = import;
        if session.is_some_and(|session| !self.sessions.contains_key(&session)) {
            return Err(Refusal::NoSuchSession);
        }
        if rewritten != self.rewritten {
            return Err(Refusal::CallsChanged);
        }
        let (mut changed, mut touched) = (0, BTreeSet::new());
        for incoming in calls {
            let verdict = incoming.verdict();
            let Incoming {
                key,
                start,
                end,
                known,
                metered,
            } = incoming;
            let counted = |call| {
                Effect::Write(Record::Counted(Counted {
                    key,
                    call,
                    standing: Standing::Open,
                }))
            };
            match (verdict, known, metered) {
                (Verdict::New, ..) => {
                    effects.push(counted(start.id));
                    let attribution = session.map_or(Attribution::Unassigned, |_| Attribution::Manual);
                    let call = Call {
                        start,
                        session,
                        attribution,
                        end: None,
                        cost: None,
                        counted_by: None,
                        changed_at: None,
                    };
                    self.put_imported(None, call, end, now, effects);
                    touched.extend(session);
                    changed += 1;
                }
                (Verdict::Grown, Some(known), _) => {
                    self.rewritten += 1;
                    touched.extend(known.session);
                    changed += 1;
                    self.put_imported(Some(&known), Call::clone(&known), end, now, effects);
                }
                (Verdict::Metered, known, Some(metered)) => {
                    effects.push(counted(metered));
                    if let Some(known) = known {
                        self.give_up(&known, metered, now, effects);
                        touched.extend(known.session);
                        changed += 1;
                    }
                }
                (Verdict::Known | Verdict::Grown | Verdict::Metered, ..) => {}
            }
        }
        if changed > 0 {
            let unassigned = self.unassigned;
            let change = Change::CallsImported {
                calls: changed,
                unassigned,
            };
            self.publish(None, change, now, effects);
        }
        for session in touched {
            self.publish_session(session, now, effects);
        }
        self.rearm();
        Ok(())
    }

    /// Puts a call, or what is known of it now, in the place of what was counted of it before.
    fn put_imported(
        &mut self,
        before: Option<&Call>,
        call: Call,
        end: CallEnd,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let mut call = Call {
            end: Some(end),
            changed_at: Some(now.wall),
            ..call
        };
        call.cost = match &call.end {
            Some(end) => self.prices.cost(&call.start, call.model(), end),
            None => None,
        };
        self.account(call.session, before, Some(&call), now);
        effects.push(Effect::Write(Record::CallFinished(Arc::new(call))));
    }
}
