//! Tokens that are reported by hand.

use super::*;

#[test]
fn a_report_under_a_key_counts_once_and_a_batch_counts_whole_or_not_at_all() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    let mut say = |reports| state.step(at(1), Input::Reported(session_id(1), reports)).answer;
    assert_eq!(say(vec![report(1, Some(("a", 1)), 5)]), Ok(()));
    assert_eq!(say(vec![report(2, Some(("a", 1)), 5)]), Ok(()), "said again");
    let reused = vec![report(3, None, 7), report(4, Some(("a", 2)), 9)];
    assert_eq!(say(reused), Err(Refusal::KeyReused(1)));
    assert_eq!(
        say(vec![report(5, None, 7), report(6, Some(("b", 2)), 9)]),
        Ok(())
    );
    assert_eq!(view(&state, id, 1).tokens_used, 5 + 7 + 9);
    assert_eq!(state.report(id, "a").unwrap().calls, [call_id(1)]);
    assert_eq!(state.report(session_id(2), "a"), None, "another session's key");
}
