//! What is fetched again is counted once.

use super::*;

#[test]
fn replies_of_a_server_that_gives_all_the_same_id_count_each() {
    use Operation::{Responses, RetrieveResponse};
    let mut state = State::default();
    let session = create(&mut state, 10, "work", None, 0);
    once(&mut state, 1, Responses, "resp_local", Making::Over, Some(100));
    once(&mut state, 2, Responses, "resp_local", Making::Over, Some(200));
    assert_eq!(row(&state, 2).counted_by, None);
    assert_eq!(state.sessions[&session].totals.total, 101 + 201);
    // Sent again, it is the same reply; fetched, it is one that was made.
    once(&mut state, 3, Responses, "resp_local", Making::Over, Some(100));
    once(
        &mut state,
        4,
        RetrieveResponse,
        "resp_local",
        Making::Over,
        Some(200),
    );
    assert_eq!(row(&state, 3).counted_by, Some(call_id(1)));
    assert_eq!(row(&state, 4).counted_by, Some(call_id(1)));
    assert_eq!(state.sessions[&session].totals.total, 101 + 201);
}

#[test]
fn a_background_response_counts_when_its_usage_comes_and_never_again() {
    use Operation::{Responses, RetrieveResponse};
    let mut state = State::default();
    let session = create(&mut state, 10, "asked here", None, 0);
    once(&mut state, 1, Responses, "r1", Making::UnderWay, None);
    let unknown = state.sessions[&session].totals;
    assert_eq!((unknown.requests, unknown.unknown_requests), (1, 1));

    create(&mut state, 11, "polled here", None, 0);
    once(&mut state, 2, RetrieveResponse, "r1", Making::Over, Some(100));
    assert_eq!(row(&state, 1).counted_by, Some(call_id(2)));
    assert_eq!(
        row(&state, 2).session,
        Some(session),
        "it belongs where it was asked for"
    );
    let known = state.sessions[&session].totals;
    assert_eq!((known.requests, known.total, known.unknown_requests), (1, 101, 0));

    once(&mut state, 3, RetrieveResponse, "r1", Making::Over, Some(100));
    once(&mut state, 4, Responses, "r1", Making::Over, Some(100));
    for n in [3, 4] {
        let repeated = row(&state, n);
        assert_eq!(repeated.counted_by, Some(call_id(2)));
        assert_eq!(
            (repeated.cost, repeated.end.as_ref().unwrap().parts.total()),
            (None, None)
        );
    }
    assert_eq!(state.sessions[&session].totals, known);
    assert_eq!(state.sessions[&session_id(11)].totals, Totals::default());

    // Another provider's response of that name is another response.
    let elsewhere = CallStart {
        provider: "azure".into(),
        ..start(5, None)
    };
    state.step(at(3), Input::CallStarted(elsewhere));
    let ended = Ended {
        once: Some(Once {
            id: "r1".into(),
            state: Making::Over,
        }),
        ..end(Outcome::Complete, 7, 1).into()
    };
    state.step(at(3), call_ends(call_id(5), ended));
    assert_eq!(row(&state, 5).counted_by, None);
}

#[test]
fn what_says_more_takes_the_place_of_what_was_not_over() {
    use Operation::{Interactions, RetrieveInteraction};
    let mut state = State::default();
    once(&mut state, 1, Interactions, "i", Making::UnderWay, Some(50));
    once(
        &mut state,
        2,
        RetrieveInteraction,
        "i",
        Making::UnderWay,
        Some(20),
    );
    assert_eq!(
        row(&state, 2).counted_by,
        Some(call_id(1)),
        "less is known than before"
    );
    once(&mut state, 3, RetrieveInteraction, "i", Making::Over, Some(70));
    assert_eq!(row(&state, 1).counted_by, Some(call_id(3)));
    assert_eq!((state.unassigned.requests, state.unassigned.total), (1, 71));
}

#[test]
fn the_database_is_asked_of_fetches_whose_id_is_not_remembered() {
    let mut state = State::default();
    let key = OnceKey::new("openai", "r1");
    let ended = || Ended {
        once: Some(Once {
            id: "r1".into(),
            state: Making::Over,
        }),
        ..end(Outcome::Complete, 100, 1).into()
    };
    let fetch = |n| CallStart {
        operation: Operation::RetrieveResponse,
        ..start(n, None)
    };
    state.step(at(1), Input::CallStarted(start(1, None)));
    assert_eq!(
        state.unknown_keys(call_id(1), &ended()),
        [],
        "a POST makes something new"
    );
    state.step(at(1), Input::CallStarted(fetch(2)));
    assert_eq!(state.unknown_keys(call_id(2), &ended()), [key]);

    let mut before = state.running[&call_id(2)].clone();
    before.start.id = call_id(99);
    before.end = Some(end(Outcome::Complete, 100, 1));
    let counting = Counting {
        id: call_id(99),
        call: Some(Arc::new(before)),
        standing: Standing::Settled,
    };
    let mut later = state.clone();
    state.recall(key, counting, state.moves()).unwrap();
    assert_eq!(state.unknown_keys(call_id(2), &ended()), []);
    state.step(at(2), call_ends(call_id(2), ended()));
    assert_eq!(row(&state, 2).counted_by, Some(call_id(99)));
    assert_eq!(state.unassigned, Totals::default());

    // What is no longer kept counts on, and nothing can be said of it any more.
    let gone = Counting {
        id: call_id(99),
        call: None,
        standing: Standing::Open,
    };
    later.recall(key, gone, later.moves()).unwrap();
    later.step(at(2), call_ends(call_id(2), ended()));
    assert_eq!(row(&later, 2).counted_by, Some(call_id(99)));
    assert_eq!(later.unassigned, Totals::default());
}
