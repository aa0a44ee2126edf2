//! Calls that are moved: the live sums stay those of the rows.

use super::*;

/// What the database would hold.
#[derive(Default)]
struct Rows {
    calls: BTreeMap<CallId, Call>,
    paused: BTreeMap<CallId, (SessionId, Tokens)>,
}

impl Rows {
    fn write(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Write(Record::CallStarted(call) | Record::CallFinished(call)) => {
                    self.calls.insert(call.start.id, (**call).clone());
                }
                Effect::Write(Record::WhilePaused {
                    call,
                    session,
                    tokens,
                }) => {
                    self.paused.insert(*call, (*session, *tokens));
                }
                Effect::Write(Record::NotWhilePaused(call)) => {
                    self.paused.remove(call);
                }
                _ => {}
            }
        }
    }

    fn movable(&self, id: CallId) -> Option<Movable> {
        let call = self.calls.get(&id)?.clone();
        let paused = self.paused.get(&id).map(|(_, tokens)| *tokens);
        Some(Movable { call, paused })
    }

    fn sums(&self, session: Option<SessionId>) -> Totals {
        let mut sums = Totals::default();
        let calls = self.calls.values().filter(|call| call.session == session);
        calls.for_each(|call| sums.add(call));
        sums
    }
}

/// A live state and its database, for steps that come in any order.
struct World {
    state: State,
    rows: Rows,
    ms: i64,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            state: State::default(),
            rows: Rows::default(),
            ms: 0,
        };
        for n in 1..=3 {
            let new = NewSession::named("s");
            world
                .step(Input::Create {
                    id: session_id(n),
                    new,
                })
                .unwrap();
        }
        world
    }

    fn step(&mut self, input: Input) -> Result<(), Refusal> {
        self.ms += 1;
        let step = self.state.step(at(self.ms), input);
        self.rows.write(&step.effects);
        step.answer
    }

    fn move_calls(&mut self, ids: &[u128], to: Option<SessionId>) -> Result<(), Refusal> {
        let rewritten = self.state.rewritten();
        let calls = ids
            .iter()
            .filter_map(|n| self.rows.movable(call_id(*n)))
            .collect();
        let order = Move {
            calls,
            to,
            rewritten,
            conversation: None,
        };
        self.step(Input::Move(Box::new(order)))
    }

    fn check(&self) {
        assert_eq!(self.state.unassigned, self.rows.sums(None));
        for (id, live) in &self.state.sessions {
            assert_eq!(live.totals, self.rows.sums(Some(*id)));
            let paused = self.rows.paused.values().filter(|(session, _)| session == id);
            let paused: u64 = paused.map(|(_, tokens)| tokens.0).sum();
            assert_eq!(live.marks.paused_tokens.0, paused);
            let running = self
                .rows
                .calls
                .values()
                .filter(|call| call.end.is_none() && call.session == Some(*id));
            assert_eq!(live.running, running.count());
        }
        for recent in &self.state.recent {
            assert_eq!(**recent, self.rows.calls[&recent.start.id]);
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Start(u128, Option<u128>),
    End(u128, u64),
    Move(Vec<u128>, Option<u128>),
    Pause(u128),
    Resume(u128),
}

fn any_act() -> impl Strategy<Value = Act> {
    let call = || 1_u128..20;
    let session = || 1_u128..=3;
    prop_oneof![
        4 => (call(), prop::option::of(session())).prop_map(|(n, session)| Act::Start(n, session)),
        4 => (call(), 0_u64..50).prop_map(|(n, tokens)| Act::End(n, tokens)),
        3 => (prop::collection::vec(call(), 1..8), prop::option::of(session()))
            .prop_map(|(calls, to)| Act::Move(calls, to)),
        1 => session().prop_map(Act::Pause),
        1 => session().prop_map(Act::Resume),
    ]
}

proptest! {
    /// Whatever is moved, running or ended, back and forth: the sums are those of the rows.
    #[test]
    fn the_sums_follow_the_calls(acts in prop::collection::vec(any_act(), 1..60)) {
        let mut world = World::new();
        for act in acts {
            match act {
                Act::Start(n, session) => {
                    if !world.rows.calls.contains_key(&call_id(n)) {
                        let label = session.map(|n| session_id(n).to_string());
                        let asked = label.as_deref().map(|label| (label, Attribution::Header));
                        world.step(Input::CallStarted(start(n, asked))).unwrap();
                    }
                }
                Act::End(n, tokens) => {
                    let mut end = end(Outcome::Complete, tokens, 1);
                    if tokens % 3 == 0 {
                        // One without a price.
                        end.model = Some("of no price list".into());
                    }
                    world.step(call_ends(call_id(n), end)).unwrap();
                }
                Act::Move(calls, to) => world.move_calls(&calls, to.map(session_id)).unwrap(),
                Act::Pause(n) | Act::Resume(n) => {
                    let status = match act {
                        Act::Pause(_) => TimerChange::Pause,
                        _ => TimerChange::Resume,
                    };
                    let input = Input::Change { id: session_id(n), patch: status.into(), revision: None };
                    world.step(input).unwrap();
                }
            }
            world.check();
        }
    }
}

#[test]
fn a_moved_call_says_so_and_is_told_to_both_sessions() {
    let mut world = World::new();
    let by = Some(("s", Attribution::Header));
    world.step(Input::CallStarted(start(1, by))).unwrap();
    world
        .step(call_ends(call_id(1), end(Outcome::Complete, 10, 1)))
        .unwrap();
    let from = row(&world.state, 1).session;
    let to = Some(session_id(1));
    let movable = world.rows.movable(call_id(1)).unwrap();
    let order = |rewritten| {
        let calls = vec![movable.clone(), movable.clone()];
        Input::Move(Box::new(Move {
            calls,
            to,
            rewritten,
            conversation: None,
        }))
    };
    let step = world.state.step(at(9), order(world.state.rewritten()));
    world.rows.write(&step.effects);
    let moved = row(&world.state, 1);
    assert_eq!((moved.session, moved.attribution), (to, Attribution::Moved));
    let told: Vec<_> = step
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Publish(event) => Some((
                event.session_id,
                matches!(event.change, Change::CallsMoved { .. }),
            )),
            Effect::Write(_) => None,
        })
        .collect();
    assert_eq!(told, [(from, true), (to, true), (from, false), (to, false)]);
    assert_eq!(
        world.state.step(at(10), order(0)).answer,
        Err(Refusal::CallsChanged),
        "it was read before it was moved"
    );
    let seen = world.state.seq();
    assert_eq!(world.move_calls(&[1], to), Ok(()));
    assert_eq!(world.state.seq(), seen, "it is there: nothing happens");
}

#[test]
fn a_call_that_ended_after_it_was_read_has_to_be_read_again() {
    let mut world = World::new();
    world.step(Input::CallStarted(start(1, None))).unwrap();
    let movable = world.rows.movable(call_id(1)).unwrap();
    world
        .step(call_ends(call_id(1), end(Outcome::Complete, 10, 1)))
        .unwrap();
    let order = Move {
        calls: vec![movable],
        to: None,
        rewritten: world.state.rewritten(),
        conversation: None,
    };
    assert_eq!(
        world.step(Input::Move(Box::new(order))),
        Err(Refusal::CallsChanged)
    );
    assert_eq!(world.move_calls(&[1], None), Ok(()));
    assert_eq!(
        world.move_calls(&[1], Some(session_id(9))),
        Err(Refusal::NoSuchSession)
    );
    world.check();
}

#[test]
fn what_counts_behind_a_key_is_given_up_where_it_was_moved_to() {
    let mut world = World::new();
    once(
        &mut world.state,
        1,
        Operation::Responses,
        "r",
        Making::UnderWay,
        Some(5),
    );
    let counting = row(&world.state, 1).clone();
    let calls = vec![Movable {
        call: counting,
        paused: None,
    }];
    let order = Move {
        calls,
        to: None,
        rewritten: 0,
        conversation: None,
    };
    world.step(Input::Move(Box::new(order))).unwrap();
    once(
        &mut world.state,
        2,
        Operation::RetrieveResponse,
        "r",
        Making::Over,
        Some(50),
    );
    assert_eq!(
        (row(&world.state, 1).session, row(&world.state, 2).session),
        (None, None)
    );
    assert_eq!(world.state.unassigned.total, 51);
    assert_eq!(world.state.sessions[&session_id(3)].totals, Totals::default());
}

#[test]
fn what_the_database_said_before_a_move_is_not_believed_after_it() {
    let mut world = World::new();
    let (asked, polled) = (Operation::Responses, Operation::RetrieveResponse);
    once(&mut world.state, 1, asked, "r", Making::UnderWay, Some(5));
    let counting = |state: &State| Counting {
        id: call_id(1),
        call: Some(Arc::new(row(state, 1).clone())),
        standing: Standing::Open,
    };
    let (key, before, moves) = (
        OnceKey::new("openai", "r"),
        counting(&world.state),
        world.state.moves(),
    );
    // So long ago that only the database knows.
    world.state.remembered = Remembered::default();
    let order = Move {
        calls: vec![Movable {
            call: row(&world.state, 1).clone(),
            paused: None,
        }],
        to: Some(session_id(1)),
        rewritten: world.state.rewritten(),
        conversation: None,
    };
    world.step(Input::Move(Box::new(order))).unwrap();
    assert_eq!(world.state.recall(key, before, moves), Err(Refusal::CallsChanged));
    let (now, moves) = (counting(&world.state), world.state.moves());
    assert_eq!(world.state.recall(key, now, moves), Ok(()));
    once(&mut world.state, 2, polled, "r", Making::Over, Some(50));
    for n in [1, 2] {
        assert_eq!(row(&world.state, n).session, Some(session_id(1)));
    }
    assert_eq!(world.state.sessions[&session_id(1)].totals.total, 51);
    assert_eq!(world.state.sessions[&session_id(3)].totals, Totals::default());
}

#[test]
fn a_conversation_belongs_where_it_said_last_until_that_ends() {
    let mut world = World::new();
    let mut asks = |n: u128, conversation: &str, asked: Option<u128>| {
        let label = asked.map(|n| session_id(n).to_string());
        let start = CallStart {
            conversation: Some(conversation.into()),
            ..start(n, label.as_deref().map(|label| (label, Attribution::Path)))
        };
        if n == 6 {
            change(&mut world.state, session_id(2), TimerChange::Complete, 1_000).unwrap();
        }
        let step = world.state.step(at(1_000), Input::CallStarted(start));
        let bound = step.effects.into_iter().filter_map(|effect| match effect {
            Effect::Write(Record::Bound {
                conversation,
                session,
                ..
            }) => Some((conversation.to_string(), session)),
            _ => None,
        });
        let bound: Vec<_> = bound.collect();
        let call = &world.state.running[&call_id(n)];
        (call.session, call.attribution, bound)
    };
    let [one, two, current] = [1, 2, 3].map(|n| Some(session_id(n)));
    let none = Vec::new;
    let bound = |session| vec![("t".to_owned(), session)];
    assert_eq!(asks(1, "t", None), (current, Attribution::Active, none()));
    assert_eq!(asks(2, "t", Some(1)), (one, Attribution::Path, bound(one)));
    assert_eq!(asks(3, "t", None), (one, Attribution::Conversation, none()));
    assert_eq!(asks(4, "t", Some(2)), (two, Attribution::Path, bound(two)));
    assert_eq!(asks(5, "t", Some(2)), (two, Attribution::Path, none()));
    assert_eq!(asks(6, "t", None), (current, Attribution::Active, none()));
    assert_eq!(asks(7, "u", None), (current, Attribution::Active, none()));
    // Never more than so many; the oldest gives its place up, and is forgotten in the database as well.
    let most = super::super::bound::MOST_BOUND as u128;
    for n in 0..most - 1 {
        asks(100 + n, &format!("c{n}"), Some(1));
    }
    let expected = vec![("last".to_owned(), one), ("t".to_owned(), None)];
    assert_eq!(asks(10, "last", Some(1)), (one, Attribution::Path, expected));
}
