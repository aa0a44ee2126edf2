use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use serde_json::{Value, json};

use super::draw::{Look, draw};
use super::model::{Chosen, Key, Link, Model, ModelUse, News, Order, Window};
use crate::domain::ids::SessionId;
use crate::domain::session::Status;
use crate::domain::units::Millis;
use crate::domain::wire::{Event, Snapshot};

const AT: i64 = 1_795_341_600_000;

fn id(n: u8) -> SessionId {
    format!("019ab000-0000-7000-8000-0000000000{n:02}")
        .parse()
        .unwrap()
}

fn totals(requests: u64, total: u64, cost: &Value) -> Value {
    json!({
        "requests": requests, "errors": 0, "input": total / 4, "cacheRead": total / 2, "cacheWrite": 0,
        "output": total / 4, "reasoning": 0, "total": total, "costNanoUsd": cost, "unpricedTokens": 0,
        "unpricedRequests": 0, "inexactTokens": 0, "unknownRequests": 0
    })
}

fn session(n: u8, name: &str, status: &str, current: bool) -> Value {
    json!({
        "id": id(n), "name": name, "origin": "manual", "tags": [], "note": null, "status": status, "current": current,
        "revision": 1, "duration": 7_200_000, "onSleep": "pause", "tokenBudget": 500_000, "budgetCounts": "all",
        "costBudgetNanoUsd": 5_000_000_000_u64, "atLimit": "alert", "createdAt": AT, "startedAt": AT + i64::from(n),
        "endedAt": null, "elapsedMs": 723_000, "trimmedMs": 0, "told": [], "at": AT, "tokensUsed": 420_000,
        "pausedTokens": 0, "checkpoints": 0, "lastCheckpoint": null,
        "usage": totals(12, 420_000, &json!(3_410_000_000_u64)),
        "burnRate": {"tokensPerMinute": 34_567, "nanoUsdPerMinute": 21_000_000, "callsPerHour": 60, "halfLifeMs": 1},
        "forecast": null
    })
}

fn call(n: u8, of: Option<SessionId>, ended: Option<(u64, u64)>) -> Value {
    json!({
        "id": format!("019ab001-0000-7000-8000-0000000000{n:02}"), "sessionId": of, "askedSession": null,
        "attribution": "active", "conversation": null, "agent": null, "parentAgent": null, "client": "Claude Code",
        "provider": "anthropic", "model": "claude-sonnet-4-5", "requestModel": "claude-sonnet-4-5",
        "operation": "messages", "streamed": true, "status": 200,
        "outcome": if ended.is_some() { "complete" } else { "running" },
        "source": ended.map(|_| "exact"), "input": 1, "cacheRead": null, "cacheWrite": null, "output": null,
        "reasoning": null, "total": ended.map(|(_, total)| total), "outputSoFar": null, "estimate": null,
        "costNanoUsd": ended.map(|_| 12_000_000), "priceSource": null, "priceDate": null,
        "startedAt": AT - 60_000 + i64::from(n), "ttftMs": null, "durationMs": ended.map(|(lasted, _)| lasted),
        "requestId": null, "error": null, "countedBy": null
    })
}

fn alert(n: u8, severity: &str, message: &str) -> Value {
    json!({
        "id": format!("019ab002-0000-7000-8000-0000000000{n:02}"), "rule": "store.slow", "scope": {"kind": "moonlock"},
        "severity": severity, "level": null, "status": "active", "message": message, "raisedAt": AT, "worsenedAt": null,
        "clearedAt": null, "acknowledgedAt": null, "snoozedUntil": null
    })
}

fn snapshot() -> Snapshot {
    let snapshot = json!({
        "seq": 7, "at": AT, "version": "0.1.0", "proxyUrl": "http://127.0.0.1:3002",
        "sessions": [session(1, "refactor the parser", "active", true), session(2, "older", "completed", false)],
        "unassigned": totals(1, 100, &Value::Null),
        "calls": [
            call(1, Some(id(1)), None),
            call(2, Some(id(1)), Some((2_500, 40_000))),
            call(3, None, Some((1_000, 100))),
        ],
        "alerts": [alert(1, "warning", "The disk is slow: \u{1b}[2Jcommits take 900 ms.")],
        "limits": [], "alertAtPercent": [80, 95]
    });
    serde_json::from_value(snapshot).unwrap()
}

fn event(kind: &str, of: Option<SessionId>, data: &Value) -> News {
    let event = json!({ "seq": 8, "at": AT, "sessionId": of, "kind": kind, "data": data });
    News::Event(Box::new(serde_json::from_value::<Event>(event).unwrap()))
}

fn model() -> Model {
    let mut model = Model::default();
    model.take(News::Snapshot(Box::new(snapshot())), Millis(0));
    model.models = vec![ModelUse {
        model: Some("claude-sonnet-4-5".to_owned()),
        requests: 12,
        total: 420_000,
        cost_nano_usd: Some(3_410_000_000),
        unpriced_requests: 0,
    }];
    model
}

fn screen(model: &Model, now: Millis, (width, height): (u16, u16), look: Look) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model, now, look)).unwrap();
    terminal
}

fn text(terminal: &Terminal<TestBackend>) -> String {
    terminal.backend().to_string()
}

#[test]
fn everything_is_seen_on_a_small_and_on_a_large_terminal() {
    let model = model();
    for size in [(80, 24), (200, 50), (120, 30)] {
        let shown = text(&screen(&model, Millis(5_000), size, Look::Colour));
        for expected in [
            "● refactor the parser  active  12:08 of 2:00:00",
            "live",
            "420,000",
            "$3.41",
            "35k tok/min",
            "84 %  420,000 of 500,000 tokens",
            "68 %  $3.41 of $5.00",
            "calls: 1 running",
            "▸",
            "Claude Code",
            "40k",
            "12 calls",
            "alerts: 1",
            "The disk is slow: \u{fffd}[2Jcommits",
            "quit",
        ] {
            assert!(shown.contains(expected), "{size:?}: {expected:?} is in\n{shown}");
        }
    }
}

#[test]
fn no_size_breaks_it() {
    let model = model();
    for width in (1..100).step_by(7) {
        for height in 1..40 {
            screen(&model, Millis(0), (width, height), Look::Colour);
        }
    }
    let mut model = model;
    for window in [
        Window::Help,
        Window::Checkpoint("x".repeat(60)),
        Window::Complete,
        Window::Sessions(2),
    ] {
        model.window = window;
        for size in [(40, 10), (80, 24)] {
            screen(&model, Millis(0), size, Look::Plain);
        }
    }
}

#[test]
fn there_is_colour_only_where_it_is_wanted() {
    let model = model();
    let has_colour = |look| {
        let terminal = screen(&model, Millis(0), (80, 24), look);
        let cells = terminal.backend().buffer().content();
        cells
            .iter()
            .any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(has_colour(Look::Colour));
    assert!(!has_colour(Look::Plain));
}

#[test]
fn a_budgets_bar_has_the_colour_of_the_shares_that_are_set() {
    let mut model = model();
    let has = |model: &Model, colour: Color| {
        let terminal = screen(model, Millis(0), (80, 24), Look::Colour);
        // The bar is below the tokens, the cost and the forecast.
        let row = 4;
        (0..80).any(|column| terminal.backend().buffer()[(column, row)].fg == colour)
    };
    let used = model
        .session(Millis(0))
        .map(|session| (session.usage.total, session.token_budget));
    assert_eq!(used, Some((420_000, Some(500_000))), "84 %");
    for (shares, colour) in [
        (json!([80, 95]), Color::Yellow),
        (json!([90]), Color::Green),
        (json!([50, 70]), Color::Red),
    ] {
        model.take(event("alerts.at", None, &json!({"percent": shares})), Millis(0));
        assert!(has(&model, colour), "{shares}: {colour}");
    }
}

#[test]
fn events_change_what_is_shown() {
    let mut model = model();
    let now = Millis(1_000);
    model.take(
        event("call.started", Some(id(1)), &call(5, Some(id(1)), None)),
        now,
    );
    let grown = json!({"calls": [{"id": call(5, None, None)["id"], "outputSoFar": 300}]});
    model.take(event("calls.grew", Some(id(1)), &grown), now);
    let shown = text(&screen(&model, now, (80, 24), Look::Plain));
    assert!(
        shown.contains("calls: 2 running") && shown.contains("~300"),
        "{shown}"
    );

    let before: u64 = model.rates().iter().sum();
    let finished = json!({
        "call": call(5, Some(id(1)), Some((900, 1_000))), "totals": totals(13, 421_000, &json!(3_500_000_000_u64))
    });
    model.models_are_old = false;
    model.take(event("call.finished", Some(id(1)), &finished), now);
    assert!(model.models_are_old);
    let rates: u64 = model.rates().iter().sum();
    assert_eq!(rates - before, 700, "what it had grown by was counted as it grew");
    let shown = text(&screen(&model, now, (80, 24), Look::Plain));
    assert!(
        shown.contains("421,000") && shown.contains("calls: 1 running"),
        "{shown}"
    );
    // Told again, it is not used again.
    model.take(event("call.finished", Some(id(1)), &finished), now);
    assert_eq!(model.rates().iter().sum::<u64>(), rates);

    let mut cleared = alert(1, "warning", "x");
    cleared["clearedAt"] = json!(AT);
    model.take(event("alert", None, &cleared), now);
    assert_eq!(model.alerts().count(), 0);

    model.take(News::Lost("it was stopped".to_owned()), now);
    let shown = text(&screen(&model, now, (80, 24), Look::Plain));
    assert!(shown.contains("not connected: it was stopped"), "{shown}");
    model.take(News::Back, now);
    assert_eq!(model.link, Link::Live);
}

#[test]
fn the_clock_goes_on_by_itself_while_it_runs() {
    let mut model = model();
    let elapsed = |model: &Model, now| model.session(Millis(now)).unwrap().elapsed_ms;
    assert_eq!((elapsed(&model, 0), elapsed(&model, 9_000)), (723_000, 732_000));
    assert_eq!(elapsed(&model, 99_000_000), 7_200_000, "not beyond its end");
    let finished =
        json!({ "call": call(2, Some(id(1)), Some((1, 1))), "totals": totals(13, 1, &Value::Null) });
    model.take(event("call.finished", Some(id(1)), &finished), Millis(4_000));
    assert_eq!(elapsed(&model, 9_000), 732_000);
    model.take(
        event("session", Some(id(1)), &session(1, "refactor", "paused", true)),
        Millis(9_000),
    );
    assert_eq!(elapsed(&model, 60_000), 723_000);
}

#[test]
fn bars_begin_with_time_and_hold_what_was_used_in_it() {
    let mut model = model();
    // The call ended 57.5 s before the snapshot.
    let bars: Vec<u64> = model.rates().iter().copied().collect();
    assert_eq!((bars.len(), bars[0], bars[11]), (12, 40_100, 0));
    model.advance(Millis(12_000));
    assert_eq!(model.rates().len(), 14);
    model.advance(Millis(100 * 3_600_000));
    assert_eq!(model.rates().iter().sum::<u64>(), 0);
    assert!(model.rates().len() <= 240);
}

#[test]
fn keys_do_what_they_say() {
    let press = |model: &mut Model, keys: &str| {
        let mut order = None;
        for key in keys.chars() {
            let key = match key {
                '\n' => Key::Enter,
                '\u{1b}' => Key::Escape,
                '\u{8}' => Key::Backspace,
                'v' => Key::Down,
                '^' => Key::Up,
                '\u{3}' => Key::Break,
                other => Key::Character(other),
            };
            order = model.press(key, Millis(0));
        }
        order
    };
    let first = id(1);
    for (keys, expected) in [
        ("q", Some(Order::Quit)),
        ("\u{3}", Some(Order::Quit)),
        ("?q", None),
        ("p", Some(Order::Set(first, Status::Paused))),
        ("r", Some(Order::Set(first, Status::Active))),
        (" ", Some(Order::Set(first, Status::Paused))),
        ("cab\u{8}q\n", Some(Order::Checkpoint(first, "aq".to_owned()))),
        ("c \n", None),
        ("cx\u{1b}", None),
        ("e", None),
        ("ey", Some(Order::Set(first, Status::Completed))),
        ("en", None),
        ("c\u{3}", Some(Order::Quit)),
    ] {
        assert_eq!(press(&mut model(), keys), expected, "{keys:?}");
    }
    let mut model = model();
    press(&mut model, "sv\n");
    assert_eq!((model.subject(), model.models.len()), (Chosen::Session(id(2)), 0));
    assert_eq!(press(&mut model, "p"), None);
    assert!(model.said().unwrap().contains("has ended"));
    press(&mut model, "svvvv\n");
    assert_eq!(model.subject(), Chosen::Unassigned);
    assert_eq!(model.calls().len(), 1);
    assert_eq!(press(&mut model, "c"), None);
    assert!(model.said().unwrap().contains("no session"));
    model.advance(Millis(10_000));
    assert_eq!(model.said(), None);
    press(&mut model, "s^^\n");
    assert_eq!(model.subject(), Chosen::Session(first));
}
