use std::collections::BTreeMap;

use super::alerts::told;
use super::shares::{set, settings};
use super::*;
use crate::domain::alert::{AlertStatus, Rule as AlertRule, Scope, Severity, Thresholds};
use crate::domain::budget::{
    Allowance, AllowancePatch, Asks, AtLimit, Counts, Days, Filter, Gate, Period, Terms, TermsPatch,
};
use crate::domain::units::NanoUsd;
use crate::domain::wire::AlertView;

pub(super) fn with_budget(allowance: Allowance) -> (State, SessionId) {
    let mut state = State::default();
    let id = session_id(1);
    let new = NewSession {
        allowance,
        ..NewSession::named("work")
    };
    state.step(at(0), Input::Create { id, new });
    (state, id)
}

/// A call of so many tokens; the alerts that it brings.
pub(super) fn call(state: &mut State, n: u128, tokens: u64, ms: i64) -> Vec<AlertView> {
    let begun = CallStart {
        started_at: at(ms).wall,
        ..start(n, None)
    };
    state.step(at(ms), Input::CallStarted(begun));
    let ended = end(Outcome::Complete, tokens, 0);
    told(&state.step(at(ms), call_ends(call_id(n), ended)).effects)
}

fn said(views: &[AlertView]) -> Vec<(AlertRule, u8, AlertStatus)> {
    views
        .iter()
        .map(|view| (view.rule, view.level.unwrap_or(0), view.status))
        .collect()
}

fn patch(state: &mut State, id: SessionId, allowance: AllowancePatch, ms: i64) -> Vec<AlertView> {
    let patch = Patch {
        allowance,
        ..Patch::default()
    };
    let change = Input::Change {
        id,
        patch,
        revision: None,
    };
    told(&state.step(at(ms), change).effects)
}

const fn tokens(tokens: u64) -> AllowancePatch {
    AllowancePatch {
        tokens: Some(Some(Tokens(tokens))),
        counts: None,
        cost: None,
        at_limit: None,
    }
}

#[test]
fn a_sessions_budget_is_told_of_at_80_95_and_100_percent_once_each() {
    let (mut state, id) = with_budget(Allowance::tokens(Some(Tokens(1_000))));
    let expected = [
        (700, None),
        (100, Some((80, "warning"))),
        (100, None),
        (49, None),
        (1, Some((95, "critical"))),
        (40, None),
        (10, Some((100, "critical"))),
        (500, None),
    ];
    let mut ids = Vec::new();
    for (n, (tokens, expected)) in (1..).zip(expected) {
        let views = call(&mut state, n, tokens, n as i64);
        let levels: Vec<_> = views
            .iter()
            .map(|view| (view.level.unwrap(), view.severity.name()))
            .collect();
        assert_eq!(levels, Vec::from_iter(expected), "call {n}");
        ids.extend(views.iter().map(|view| view.id));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one episode");
    // A pause changes nothing, nor does what goes on after it.
    for (ms, what) in [(20, TimerChange::Pause), (21, TimerChange::Resume)] {
        change(&mut state, id, what, ms).unwrap();
    }
    assert_eq!(call(&mut state, 20, 10, 22), []);
    let message = &state.alerts.standing().next().unwrap().message;
    assert!(
        message.starts_with("The session's budget is used up: 1,000 of 1,000 tokens in 0 s."),
        "{message}"
    );
}

#[test]
fn a_raised_budget_is_told_of_anew() {
    let (mut state, id) = with_budget(Allowance::tokens(Some(Tokens(1_000))));
    call(&mut state, 1, 960, 1);
    assert_eq!(
        said(&patch(&mut state, id, tokens(1_000), 2)),
        [],
        "the same again"
    );
    assert_eq!(
        said(&patch(&mut state, id, tokens(2_000), 3)),
        [(AlertRule::BudgetTokens, 95, AlertStatus::Cleared)]
    );
    assert_eq!(
        said(&call(&mut state, 2, 700, 4)),
        [(AlertRule::BudgetTokens, 80, AlertStatus::Active)]
    );
    assert_eq!(
        said(&patch(&mut state, id, tokens(1_700), 5)),
        [
            (AlertRule::BudgetTokens, 80, AlertStatus::Cleared),
            (AlertRule::BudgetTokens, 95, AlertStatus::Active)
        ]
    );
    let none = AllowancePatch {
        tokens: Some(None),
        ..AllowancePatch::default()
    };
    assert_eq!(
        said(&patch(&mut state, id, none, 6)),
        [(AlertRule::BudgetTokens, 95, AlertStatus::Cleared)]
    );
}

#[test]
fn money_is_a_budget_of_its_own_and_says_what_it_misses() {
    let (mut state, _) = with_budget(Allowance {
        cost: Some(NanoUsd(150_000_000)),
        ..Allowance::default()
    });
    // 0.15 $ a million.
    assert_eq!(
        said(&call(&mut state, 1, 800_000, 1)),
        [(AlertRule::BudgetCost, 80, AlertStatus::Active)]
    );
    let mut begun = start(2, None);
    begun.request_model = Some("made up".into());
    begun.price_provider = None;
    state.step(at(2), Input::CallStarted(begun));
    let mut ended = end(Outcome::Complete, 5_000, 0);
    ended.model = Some("made up".into());
    let step = state.step(at(3), call_ends(call_id(2), ended));
    let views = told(&step.effects);
    assert_eq!(
        said(&views),
        [(AlertRule::BudgetUnpriced, 0, AlertStatus::Active)]
    );
    assert!(
        views[0]
            .message
            .starts_with("The session's budget has used more than it shows: 5,000 tokens")
    );
}

fn terms(period: Period, of: Filter, allowance: Allowance) -> Box<Terms> {
    Box::new(Terms {
        name: "team".into(),
        period,
        of,
        allowance,
    })
}

fn budget_id(n: u128) -> BudgetId {
    BudgetId::from_uuid(Uuid::from_u128(n))
}

#[test]
fn a_standing_budget_counts_what_was_used_before_it_was_made_and_begins_anew() {
    const DAY: i64 = 86_400_000;
    let mut state = State::default();
    call(&mut state, 1, 600, 0);
    let id = budget_id(1);
    let of_openai = Filter {
        provider: Some("openai".into()),
        ..Filter::default()
    };
    let allowance = Allowance::tokens(Some(Tokens(1_000)));
    state.step(
        at(1),
        Input::CreateBudget(id, terms(Period::Day, of_openai, allowance)),
    );
    assert_eq!(state.budget(id).unwrap().usage.total, 600);
    let views = call(&mut state, 2, 200, 2);
    assert_eq!(said(&views), [(AlertRule::BudgetTokens, 80, AlertStatus::Active)]);
    assert_eq!(views[0].scope, Scope::Budget { budget_id: id });
    assert_eq!(
        views[0].message,
        "The budget “team” is used to 80 %: 800 of 1,000 tokens since midnight. Raise it, or slow down."
    );
    let next = state.step(at(DAY), Input::Tick);
    assert_eq!(
        said(&told(&next.effects)),
        [(AlertRule::BudgetTokens, 80, AlertStatus::Cleared)]
    );
    assert_eq!(state.budget(id).unwrap().usage.total, 0);
    assert_eq!(
        said(&call(&mut state, 3, 2_000, DAY + 1)),
        [(AlertRule::BudgetTokens, 100, AlertStatus::Active)]
    );
    let patch = TermsPatch {
        name: Some("all of us".into()),
        ..TermsPatch::default()
    };
    let rename = |revision| Input::ChangeBudget {
        id,
        patch: Box::new(patch.clone()),
        revision,
    };
    let renamed = state.step(at(DAY + 2), rename(Some(0)));
    assert_eq!(told(&renamed.effects), [], "another name is no other amount");
    assert_eq!(
        state.step(at(DAY + 3), rename(Some(0))).answer,
        Err(Refusal::Stale)
    );
    let nothing = TermsPatch {
        allowance: AllowancePatch {
            tokens: Some(None),
            ..AllowancePatch::default()
        },
        ..TermsPatch::default()
    };
    let empty = Input::ChangeBudget {
        id,
        patch: Box::new(nothing),
        revision: None,
    };
    assert_eq!(
        state.step(at(DAY + 4), empty).answer,
        Err(Refusal::BudgetWithoutAmount)
    );
    let dropped = state.step(at(DAY + 5), Input::DropBudget(id));
    assert_eq!(told(&dropped.effects)[0].status, AlertStatus::Cleared);
    assert_eq!(
        state.step(at(DAY + 6), Input::DropBudget(id)).answer,
        Err(Refusal::NoSuchBudget)
    );
}

#[test]
fn usage_that_is_counted_elsewhere_leaves_a_standing_budget_too() {
    let mut state = State::default();
    let id = budget_id(1);
    let allowance = Allowance::tokens(Some(Tokens(1_000)));
    state.step(
        at(0),
        Input::CreateBudget(id, terms(Period::Week, Filter::default(), allowance)),
    );
    once(
        &mut state,
        1,
        Operation::Responses,
        "r",
        Making::UnderWay,
        Some(100),
    );
    once(
        &mut state,
        2,
        Operation::RetrieveResponse,
        "r",
        Making::Over,
        Some(300),
    );
    assert_eq!(state.budget(id).unwrap().usage.total, 301);
}

/// What the proxy would say.
fn asks(label: Option<&'static str>) -> Asks<'static> {
    Asks {
        session: label,
        conversation: None,
        provider: "openai",
        model: None,
        client: None,
    }
}

fn is_refused(gate: &Gate, label: Option<&'static str>) -> bool {
    gate.refuses(asks(label)).is_some()
}

#[test]
fn a_used_up_budget_that_blocks_closes_the_gate_until_it_is_raised() {
    let (mut state, id) = with_budget(Allowance {
        at_limit: AtLimit::Block,
        ..Allowance::tokens(Some(Tokens(1_000)))
    });
    call(&mut state, 1, 999, 1);
    assert_eq!(state.new_gate().filter(|gate| !gate.is_open()), None);
    call(&mut state, 2, 1, 2);
    let gate = state.new_gate().unwrap();
    assert!(is_refused(&gate, None) && is_refused(&gate, Some("work")));
    assert!(!is_refused(&gate, Some("nowhere")));
    assert_eq!(state.new_gate(), None, "nothing is different");

    // A call elsewhere goes through, and so does every call when the user works elsewhere.
    create(&mut state, 2, "other", None, 3);
    let gate = state.new_gate().unwrap();
    assert!(!is_refused(&gate, None) && !is_refused(&gate, Some("other")));
    assert!(is_refused(&gate, Some("work")));

    patch(&mut state, id, tokens(2_000), 4);
    assert!(state.new_gate().unwrap().is_open());
}

#[test]
fn after_a_start_the_gate_is_as_it_was() {
    let (mut state, id) = with_budget(Allowance {
        at_limit: AtLimit::Block,
        ..Allowance::tokens(Some(Tokens(1_000)))
    });
    call(&mut state, 1, 1_000, 1);
    let (mut again, effects) = restarted(&state, state.thresholds.clone(), at(2));
    assert_eq!(told(&effects), [], "nothing is told again");
    assert!(is_refused(&again.new_gate().unwrap(), None));
    assert_eq!(again.current, Some(id));
}

/// The state as the next run of the program finds it, with these shares set.
pub(super) fn restarted(state: &State, thresholds: Thresholds, now: Reading) -> (State, Vec<Effect>) {
    let mut spent: Vec<(Timestamp, crate::domain::budget::Share)> = Vec::new();
    for call in &state.recent {
        let mut totals = Totals::default();
        totals.add(call);
        spent.push((
            call.start.started_at,
            crate::domain::budget::Share {
                provider: call.start.provider.clone(),
                model: call.model().map(Into::into),
                client: call.start.client.clone(),
                totals,
            },
        ));
    }
    let sessions = state.sessions.values().map(|live| RestoredSession {
        session: live.session.clone(),
        totals: live.totals,
        marks: live.marks.clone(),
        heartbeat: Some(now),
        past: Vec::new(),
        shown: crate::domain::forecast::Shown::default(),
    });
    let restored = Restored {
        sessions: sessions.collect(),
        current: state.current,
        recent: state.recent.iter().map(|call| Call::clone(call)).collect(),
        alerts: state.alerts.standing().cloned().collect(),
        thresholds,
        days: Days::default(),
        budgets: state.budgets.kept(),
        spent,
        ..Restored::default()
    };
    State::restore(restored, now, state.seq)
}

#[derive(Clone, Debug)]
enum Happens {
    Call(u64),
    TakenBack,
    Raised(u64),
    Counting(bool),
    /// Other shares are set: in the file before a start, by request otherwise.
    Shares(&'static [i64]),
    Pause,
    Resume,
    Later(i64),
}

const SHARES: [&[i64]; 6] = [
    &[80, 95],
    &[50],
    &[80],
    &[20, 40, 60, 80, 99],
    &[78, 80, 95],
    &[3, 90],
];

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        5 => (0..400_u64).prop_map(Happens::Call),
        1 => Just(Happens::TakenBack),
        1 => (500..3_000_u64).prop_map(Happens::Raised),
        1 => any::<bool>().prop_map(Happens::Counting),
        1 => prop::sample::select(&SHARES).prop_map(Happens::Shares),
        1 => Just(Happens::Pause),
        1 => Just(Happens::Resume),
        1 => (0..40_000_000_i64).prop_map(Happens::Later),
    ]
}

/// Each alert about a budget is of a share that is set and has been passed, and matters as much as that.
fn alerts_are_well_formed(state: &State) {
    let shares = state.thresholds.percents();
    let of_budgets =
        |episode: &&Episode| [AlertRule::BudgetTokens, AlertRule::BudgetCost].contains(&episode.rule);
    for episode in state.alerts.standing().filter(of_budgets) {
        let passed = episode.passed();
        assert!(
            passed.percent == 100 || shares.contains(&passed.percent),
            "{episode:?}"
        );
        let is_highest = shares.len() > 1 && shares.last() <= Some(&passed.percent);
        let is_critical = is_highest || passed.percent == 100;
        assert_eq!(passed.severity == Severity::Critical, is_critical, "{episode:?}");
    }
}

/// An alert says aloud that it is worse only when it stood at a lower share before.
fn nothing_is_said_twice(views: &[AlertView]) {
    let mut last: BTreeMap<AlertId, &AlertView> = BTreeMap::new();
    for view in views {
        if let Some(before) = last.insert(view.id, view) {
            let is_aloud = view.worsened_at != before.worsened_at;
            assert_eq!(is_aloud, view.level > before.level, "{before:?} {view:?}");
        }
    }
}

fn run(steps: &[(Happens, bool)], restarts: bool) -> Vec<AlertView> {
    let (mut state, id) = with_budget(Allowance::tokens(Some(Tokens(1_000))));
    let allowance = Allowance::tokens(Some(Tokens(1_500)));
    let daily = terms(Period::Day, Filter::default(), allowance);
    state.step(at(0), Input::CreateBudget(budget_id(1), daily));
    let mut views = Vec::new();
    let mut ms = 0;
    for (n, (happens, restart)) in (10..).zip(steps) {
        ms += 1;
        if restarts && *restart {
            let thresholds = match happens {
                Happens::Shares(shares) => set(shares),
                _ => state.thresholds.clone(),
            };
            let (again, effects) = restarted(&state, thresholds, at(ms));
            views.extend(told(&effects));
            state = again;
        } else {
            // What time brings is told when it is looked at, and a start looks at it.
            views.extend(told(&state.step(at(ms), Input::Tick).effects));
        }
        match happens {
            Happens::Call(tokens) => views.extend(call(&mut state, n, *tokens, ms)),
            Happens::TakenBack => {
                let Some(newest) = state.recent.front().map(|call| Call::clone(call)) else {
                    continue;
                };
                let order = Move {
                    calls: vec![Movable {
                        call: newest,
                        paused: None,
                    }],
                    to: None,
                    rewritten: state.rewritten(),
                    conversation: None,
                };
                views.extend(told(&state.step(at(ms), Input::Move(Box::new(order))).effects));
            }
            Happens::Raised(limit) => views.extend(patch(&mut state, id, tokens(*limit), ms)),
            Happens::Counting(all) => {
                let counts = if *all { Counts::All } else { Counts::Fresh };
                let allowance = AllowancePatch {
                    counts: Some(counts),
                    ..AllowancePatch::default()
                };
                views.extend(patch(&mut state, id, allowance, ms));
            }
            Happens::Shares(shares) => views.extend(told(&state.step(at(ms), settings(shares)).effects)),
            Happens::Pause => drop(change(&mut state, id, TimerChange::Pause, ms)),
            Happens::Resume => drop(change(&mut state, id, TimerChange::Resume, ms)),
            Happens::Later(by) => ms += by,
        }
        alerts_are_well_formed(&state);
    }
    views
}

proptest! {
    /// Restarts at random: the same is told of each budget, at the same moments, as without them.
    #[test]
    fn restarts_at_random_tell_nothing_twice_and_miss_nothing(
        steps in prop::collection::vec((happens(), any::<bool>()), 1..50)
    ) {
        let plain = |mut views: Vec<AlertView>| -> Vec<_> {
            views.sort_by_key(|view| view.scope.to_string());
            let plain = |view: AlertView| {
                (view.rule, view.scope, view.level, view.severity, view.status, view.raised_at, view.cleared_at)
            };
            views.into_iter().map(plain).collect()
        };
        let (straight, restarted) = (run(&steps, false), run(&steps, true));
        nothing_is_said_twice(&straight);
        nothing_is_said_twice(&restarted);
        prop_assert_eq!(plain(straight), plain(restarted));
    }
}

/// What changes where calls go, or whether they may.
#[derive(Clone, Debug)]
enum Turn {
    Begin(u128),
    Use(u128, u64),
    Bind(u128, usize),
    Change(u128, usize),
    Raise(u128, u64),
}

const CONVERSATIONS: [&str; 2] = ["one", "two"];
/// Names are fewer than sessions, so that some share one.
const NAMES: [&str; 2] = ["work", "play"];

fn turn() -> impl Strategy<Value = Turn> {
    let session = 1..4_u128;
    prop_oneof![
        session.clone().prop_map(Turn::Begin),
        (session.clone(), 0..30_u64).prop_map(|(n, tokens)| Turn::Use(n, tokens)),
        (session.clone(), 0..2_usize).prop_map(|(n, thread)| Turn::Bind(n, thread)),
        (session.clone(), 0..3_usize).prop_map(|(n, change)| Turn::Change(n, change)),
        (session, 1..60_u64).prop_map(|(n, limit)| Turn::Raise(n, limit)),
    ]
}

proptest! {
    /// The proxy's table and the engine agree: a call is refused if it would belong to a session that takes no more.
    #[test]
    fn the_gate_is_closed_where_calls_would_go(turns in prop::collection::vec(turn(), 1..30)) {
        let mut state = State::default();
        let mut gate = Gate::default();
        for (n, turn) in (100..).zip(turns) {
            let ms = n as i64;
            match turn {
                Turn::Begin(n) if state.sessions.contains_key(&session_id(n)) => {}
                Turn::Begin(n) => {
                    let new = NewSession {
                        allowance: Allowance {
                            at_limit: AtLimit::Block,
                            ..Allowance::tokens(Some(Tokens(30)))
                        },
                        ..NewSession::named(NAMES[n as usize % NAMES.len()])
                    };
                    state.step(at(ms), Input::Create { id: session_id(n), new });
                }
                Turn::Use(of, tokens) => {
                    let mut begun = start(n, None);
                    begun.asked = Some(AskedSession {
                        label: session_id(of).to_string().into(),
                        by: Attribution::Header,
                    });
                    state.step(at(ms), Input::CallStarted(begun));
                    state.step(at(ms), call_ends(call_id(n), end(Outcome::Complete, tokens, 0)));
                }
                Turn::Bind(to, thread) => {
                    let order = Move {
                        calls: vec![],
                        to: Some(session_id(to)),
                        rewritten: state.rewritten(),
                        conversation: Some(CONVERSATIONS[thread].into()),
                    };
                    state.step(at(ms), Input::Move(Box::new(order)));
                }
                Turn::Change(n, what) => {
                    let what = [TimerChange::Pause, TimerChange::Resume, TimerChange::Complete][what];
                    drop(change(&mut state, session_id(n), what, ms));
                }
                Turn::Raise(n, limit) => {
                    patch(&mut state, session_id(n), tokens(limit), ms);
                }
            }
            gate = state.new_gate().unwrap_or(gate);
            let ids = [1, 2, 3].map(|n| session_id(n).to_string());
            let labels = ids.iter().map(String::as_str).chain(NAMES).chain(["nowhere"]);
            for label in labels.map(Some).chain([None]) {
                for conversation in [None, Some("one"), Some("two"), Some("three")] {
                    let mut would = state.clone();
                    let mut begun = start(9_999, label.map(|label| (label, Attribution::Header)));
                    begun.conversation = conversation.map(Into::into);
                    would.step(at(ms), Input::CallStarted(begun));
                    let session = would.running[&call_id(9_999)].session;
                    let is_used_up = session.is_some_and(|id| {
                        let live = &state.sessions[&id];
                        live.session.allowance.refuses(&live.totals).is_some()
                    });
                    let asks = Asks { session: label, conversation, ..asks(None) };
                    prop_assert_eq!(gate.refuses(asks).is_some(), is_used_up, "{:?}", asks);
                }
            }
        }
    }
}
