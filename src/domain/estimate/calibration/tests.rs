use proptest::prelude::*;

use super::*;

fn key() -> Key {
    Key::new("claude-sonnet-4-6", Direction::Output, Kind::Text)
}

fn learnt(pairs: impl IntoIterator<Item = (u64, u64)>) -> Calibration {
    let mut calibration = Calibration::default();
    for (estimated, truth) in pairs {
        calibration.learn(key(), Pair::new(Tokens(estimated), Tokens(truth)));
    }
    calibration
}

/// Estimates between 20 and about 2,000, in no order.
fn spread(count: u64) -> impl Iterator<Item = u64> + Clone {
    (0..count).map(|at| 20 + at * 617 % 1983)
}

fn corrected(calibration: &Calibration, estimate: u64) -> u64 {
    let correction = calibration.correction(&key());
    correction.map_or(estimate, |correction| correction.apply(Tokens(estimate)).0)
}

#[test]
fn a_factor_an_offset_and_both_are_learnt() {
    for (truth, name) in [
        ((|x| x * 6 / 5) as fn(u64) -> u64, "factor"),
        (|x| x + 315, "offset"),
        (|x| x * 6 / 5 + 315, "both"),
    ] {
        let calibration = learnt(spread(20).map(|estimate| (estimate, truth(estimate))));
        for estimate in [50, 500, 1500] {
            let (is, should) = (corrected(&calibration, estimate), truth(estimate));
            assert!(
                is.abs_diff(should) <= 2 + should / 200,
                "{name} of {estimate}: {is}, not {should}"
            );
        }
    }
}

#[test]
fn what_is_exact_stays_as_it_is() {
    let exact = spread(30).map(|estimate| (estimate, estimate));
    let calibration = learnt(exact.clone());
    let correction = calibration.correction(&key()).unwrap();
    assert_eq!((correction.factor, correction.offset), (1.0, 0.0));
    assert_eq!(correction.interval(Tokens(500)), (Tokens(500), Tokens(500)));
    // Nor do a few odd calls among them move it.
    let odd = exact
        .enumerate()
        .map(|(at, (estimate, truth))| (estimate, if at % 6 == 0 { truth * 9 } else { truth }));
    let calibration = learnt(odd);
    assert_eq!(corrected(&calibration, 777), 777);
}

#[test]
fn little_is_not_taken_for_much() {
    assert_eq!(learnt([]).correction(&key()), None);
    assert_eq!(learnt([(100, 130), (200, 260)]).correction(&key()), None);
    assert_eq!(learnt([(0, 5), (5, 0), (0, 0)]), Calibration::default());
}

#[test]
fn only_the_last_pairs_count_and_only_so_many_models_are_kept() {
    let calibration = learnt(
        (100..200)
            .map(|at| (at, at / 2))
            .chain((200..232).map(|at| (at, at * 2))),
    );
    assert_eq!(corrected(&calibration, 100), 200);
    let same = learnt((0..50).map(|_| (100, 50)));
    assert_eq!(same.correction(&key()), None, "one call many times is one call");
    let mut calibration = learnt([(10, 10)]);
    for at in 0..300 {
        let key = Key::new(&format!("model {at}"), Direction::Input, Kind::Text);
        calibration.learn(key, Pair::new(Tokens(1), Tokens(1)));
    }
    assert_eq!(calibration.learnt.len(), KEYS);
    assert_eq!(calibration.correction(&key()), None, "the oldest has gone");
}

#[test]
fn it_is_taken_up_where_it_was_left() {
    let mut calibration = learnt(spread(40).map(|estimate| (estimate, estimate * 2)));
    let other = Key::new("other", Direction::Input, Kind::Tools);
    calibration.learn(other, Pair::new(Tokens(1), Tokens(2)));
    assert_eq!(Calibration::restore(calibration.learnt.clone()), calibration);
}

proptest! {
    #[test]
    fn a_fifth_of_outliers_does_not_matter(factor in 0.5_f64..3.0, seed in 0_u64..1000) {
        let calibration = learnt(spread(30).enumerate().map(|(at, estimate)| {
            let noise = 1.0 + ((at as u64 * 31 + seed) % 7) as f64 / 500.0 - 0.006;
            let truth = estimate as f64 * factor * noise;
            let is_odd = (at as u64 + seed).is_multiple_of(5);
            (estimate, if is_odd { truth * 20.0 } else { truth } as u64)
        }));
        for estimate in [200, 1000] {
            let should = estimate as f64 * factor;
            let error = (corrected(&calibration, estimate) as f64 / should - 1.0).abs();
            prop_assert!(error < 0.06, "{estimate} by {factor}: off by {error}");
        }
    }

    #[test]
    fn whatever_was_learnt_a_correction_is_a_number(
        pairs in prop::collection::vec((any::<u64>(), any::<u64>()), 0..50),
        estimate in any::<u64>(),
    ) {
        let calibration = learnt(pairs);
        if let Some(correction) = calibration.correction(&key()) {
            prop_assert_eq!(Some(correction), calibration.correction(&key()));
            prop_assert!(correction.factor.is_finite() && correction.offset.is_finite());
            prop_assert!(correction.low.is_finite() && correction.high.is_finite());
            let tokens = correction.apply(Tokens(estimate));
            prop_assert!(tokens <= Tokens::PLAUSIBLE_MAX);
            prop_assert!(estimate == 0 || tokens.0 > 0);
            let (low, high) = correction.interval(tokens);
            prop_assert!(low <= tokens && tokens <= high);
        }
    }
}
