//! What may be done to a session, and where that leads: one table.

use super::Status;
use crate::domain::call::named;

named! {
    /// What is done to a session: by its user, or by what happens to the machine.
    Action {
        /// Let its clock go on.
        Resume = "resumed",
        /// Let its clock stand.
        Pause = "paused",
        /// End it.
        Complete = "completed",
        /// The machine slept or was restarted, or Moonlock stood still or was not running.
        Interrupt = "interrupted",
        /// Its planned time is used up.
        Expire = "expired",
        /// Plan another duration: extend it.
        Plan = "extended",
        /// Take a stretch out, put one back, or count a gap.
        Correct = "corrected",
        /// Send it the calls that name no session.
        MakeCurrent = "made current",
        /// Name it, or change its tags, its note, its budget or what sleep does to it.
        Describe = "described",
        /// Note a moment.
        Checkpoint = "given a checkpoint",
        /// Report tokens by hand.
        Report = "given tokens",
        /// Delete it.
        Delete = "deleted",
    }
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The session changes its status.
    To(Status),
    /// It is carried out, and the status stays.
    Stays,
    /// It is so already: nothing happens, and that is no error.
    Already,
    /// It does not apply.
    Refused,
}

use Rule::{Already, Refused, Stays, To};

/// Action by action: what it does to a session that is active, paused, completed.
pub const RULES: [(Action, [Rule; 3]); 12] = [
    //                    active                 paused                 completed
    (Action::Resume, [Already, To(Status::Active), Refused]),
    (Action::Pause, [To(Status::Paused), Already, Refused]),
    (
        Action::Complete,
        [To(Status::Completed), To(Status::Completed), Already],
    ),
    (Action::Interrupt, [To(Status::Paused), Already, Already]),
    (Action::Expire, [To(Status::Completed), Already, Already]),
    (Action::Plan, [Stays, Stays, Refused]),
    (Action::Correct, [Stays, Stays, Stays]),
    (Action::MakeCurrent, [Stays, Stays, Refused]),
    (Action::Describe, [Stays, Stays, Stays]),
    (Action::Checkpoint, [Stays, Stays, Refused]),
    (Action::Report, [Stays, Stays, Stays]),
    (Action::Delete, [Refused, Refused, Stays]),
];

/// What an action does to a session of that status.
#[must_use]
pub fn rule(status: Status, action: Action) -> Rule {
    let row = RULES.iter().find(|(named, _)| *named == action);
    row.map_or(Refused, |(_, [active, paused, completed])| match status {
        Status::Active => *active,
        Status::Paused => *paused,
        Status::Completed => *completed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::clock::{BootId, Nanos, Reading};
    use crate::domain::session::timer::{Change, OnSleep, Timer};
    use crate::domain::units::{Millis, Timestamp};

    const STATUSES: [Status; 3] = [Status::Active, Status::Paused, Status::Completed];

    fn at(ms: i64) -> Reading {
        Reading {
            boot: Nanos::from_millis(ms),
            mono: Nanos::from_millis(ms),
            wall: Timestamp(ms),
            boot_id: BootId(1),
        }
    }

    /// A clock of that status, with ten seconds on it of an hour, a gap (2) and a trimmed second (4).
    fn timer(status: Status) -> Timer {
        let (mut timer, _) = Timer::start(Some(Millis(3_600_000)), at(0));
        let asleep = Reading {
            mono: Nanos::from_millis(5_000),
            ..at(25_000)
        };
        for event in timer.notice(&at(4_900), &asleep, OnSleep::Pause) {
            timer.apply(event);
        }
        let trim = Change::Trim {
            from: Timestamp(1_000),
            to: Timestamp(2_000),
        };
        let end = match status {
            Status::Active => None,
            Status::Paused => Some(Change::Pause),
            Status::Completed => Some(Change::Complete),
        };
        for (ms, change) in [(25_000, Change::Resume), (26_000, trim)]
            .into_iter()
            .chain(end.map(|end| (30_000, end)))
        {
            for event in timer.decide(change, at(ms)).unwrap() {
                timer.apply(event);
            }
        }
        assert_eq!(timer.status(), status);
        timer
    }

    #[test]
    fn every_action_has_one_row() {
        for (row, (action, _)) in RULES.iter().enumerate() {
            let first = RULES.iter().position(|(named, _)| named == action);
            assert_eq!(first, Some(row), "{action:?} has two");
        }
    }

    /// Every action in every status, by the clock itself: what it does is what the table says.
    #[test]
    fn the_clock_does_what_the_table_says() {
        let changes = [
            (Action::Resume, Change::Resume),
            (Action::Pause, Change::Pause),
            (Action::Complete, Change::Complete),
            (Action::Plan, Change::Plan(Some(Millis(7_200_000)))),
            (
                Action::Correct,
                Change::Trim {
                    from: Timestamp(3_000),
                    to: Timestamp(4_000),
                },
            ),
            (Action::Correct, Change::Untrim(4)),
            (Action::Correct, Change::CountGap(2)),
        ];
        for status in STATUSES {
            for (action, change) in changes {
                let mut timer = timer(status);
                let decided = timer.decide(change, at(31_000));
                let rule = rule(status, action);
                match (&decided, rule) {
                    (Ok(events), To(_) | Stays) => assert_eq!(events.len(), 1, "{action:?} in {status:?}"),
                    (Ok(events), Already) => assert!(events.is_empty(), "{action:?} in {status:?}"),
                    (Err(_), Refused) => {}
                    _ => panic!("{action:?} in {status:?} gave {decided:?}"),
                }
                decided
                    .unwrap_or_default()
                    .into_iter()
                    .for_each(|event| timer.apply(event));
                let expected = if let To(next) = rule { next } else { status };
                assert_eq!(timer.status(), expected, "{action:?} in {status:?}");
            }
            let late = at(3_700_000);
            let asleep = Reading {
                mono: Nanos::from_millis(31_000),
                ..at(90_000)
            };
            for (action, events) in [
                (Action::Expire, timer(status).expire(late).into_iter().collect()),
                (
                    Action::Interrupt,
                    timer(status).notice(&at(31_000), &asleep, OnSleep::Pause),
                ),
                (
                    Action::Interrupt,
                    timer(status).notice(&at(31_000), &at(99_000), OnSleep::Count),
                ),
                (
                    Action::Interrupt,
                    timer(status)
                        .recover(at(99_000), Some(at(31_000)))
                        .into_iter()
                        .collect(),
                ),
                (
                    Action::Interrupt,
                    timer(status)
                        .recover(
                            Reading {
                                boot_id: BootId(2),
                                ..at(9)
                            },
                            Some(at(31_000)),
                        )
                        .into_iter()
                        .collect(),
                ),
            ] {
                let mut timer = timer(status);
                events.into_iter().for_each(|event| timer.apply(event));
                let expected = if let To(next) = rule(status, action) {
                    next
                } else {
                    status
                };
                assert_eq!(timer.status(), expected, "{action:?} in {status:?}");
            }
        }
    }
}
