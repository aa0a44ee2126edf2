//! Every question that the dashboard asks, and how long its answer takes.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::history::{RARE_MODEL, SPAN_MS};
use crate::program::Program;
use crate::{history, now};

/// So often each question is asked, unless that takes longer than [`LONGEST`].
const TIMES: usize = 100;
const LONGEST: Duration = Duration::from_secs(4);

pub(crate) fn measure(directory: &Path, calls: u64) {
    let mut starts = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let program = Program::start(directory);
        starts.push(began.elapsed());
        program.stop();
    }
    starts.sort_unstable();
    println!(
        "| start, median and worst of five, ms | {:.1}, {:.1} |",
        millis(starts[2]),
        millis(starts[4])
    );
    let program = Program::start(directory);
    println!("\n| question ({calls} calls) | first, ms | p50 | p99 | bytes |\n|---|---|---|---|---|");
    for (name, path) in questions(&program) {
        measure_one(&program, &name, &path);
    }
    println!("\n| what | figure |\n|---|---|");
    program.stop();
}

/// Asks a question often, and prints how long its answer took; gives the first answer.
pub(crate) fn measure_one(program: &Program, name: &str, path: &str) -> Vec<u8> {
    let began = Instant::now();
    let answer = program.bytes(path);
    let first = began.elapsed();
    let mut took = Vec::new();
    let all = Instant::now();
    while took.len() < TIMES && all.elapsed() < LONGEST {
        let began = Instant::now();
        program.bytes(path);
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
    println!(
        "| {name} | {:.1} | {:.1} | {:.1} | {} |",
        millis(first),
        millis(at(50)),
        millis(at(99)),
        answer.len()
    );
    answer
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn questions(program: &Program) -> Vec<(String, String)> {
    let sessions = program.get("/api/sessions?limit=5");
    let id = |at: usize| {
        sessions["sessions"][at]["id"]
            .as_str()
            .expect("a session")
            .to_owned()
    };
    let (one, other) = (id(1), id(2));
    let calls = program.get("/api/calls?limit=100");
    let call = &calls["calls"][50];
    let conversation = call["conversation"].as_str().expect("a conversation");
    let request = call["requestId"].as_str().expect("a request's id");
    let middle = now() - history::SPAN_MS / 2;
    let mut questions: Vec<(String, String)> = Vec::new();
    let mut ask = |name: &str, path: String| questions.push((name.to_owned(), path));
    ask("live", "/api/live".to_owned());
    for (name, query) in [
        ("newest", String::new()),
        ("by cost", "&sort=cost".to_owned()),
        ("by tokens", "&sort=tokens".to_owned()),
        ("found by name", "&search=work 19".replace(' ', "%20")),
        ("by tag", "&tag=docs".to_owned()),
    ] {
        ask(
            &format!("sessions, {name}"),
            format!("/api/sessions?limit=50{query}"),
        );
    }
    for (name, query) in [
        ("newest", String::new()),
        ("of a session", format!("&session={one}")),
        ("unassigned", "&session=unassigned".to_owned()),
        ("of a provider", "&provider=gemini".to_owned()),
        ("of a model", "&model=gemini-3-pro".to_owned()),
        ("of a rare model", format!("&model={RARE_MODEL}")),
        ("of no model", "&model=nothing".to_owned()),
        ("of a client", "&client=aider".to_owned()),
        ("of an outcome", "&outcome=upstream_error".to_owned()),
        ("of a rare outcome", "&outcome=stream_error".to_owned()),
        ("of a source", "&source=exact".to_owned()),
        ("of a rare source", "&source=estimated".to_owned()),
        ("of an operation", "&operation=chat.completions".to_owned()),
        ("of a rare operation", "&operation=embeddings".to_owned()),
        ("of a conversation", format!("&conversation={conversation}")),
        ("of a status", "&status=429".to_owned()),
        ("of a rare status", "&status=5xx".to_owned()),
        ("dear", "&minCostNanoUsd=499000000".to_owned()),
        ("dearer than any", "&minCostNanoUsd=900000000000".to_owned()),
        ("large", "&minTokens=100000".to_owned()),
        ("found", format!("&search={request}")),
        ("found nowhere", "&search=nowhere-at-all".to_owned()),
        ("of half a year ago", format!("&to={middle}")),
    ] {
        ask(&format!("calls, {name}"), format!("/api/calls?limit=50{query}"));
    }
    for period in ["day", "week", "month", "year", "all"] {
        for by in [
            "provider,model",
            "session",
            "client",
            "conversation",
            "operation",
            "source",
            "outcome",
            "hour",
            "day",
            "day,model",
            "weekday,hourOfDay",
        ] {
            // More hours than anybody looks at.
            if by == "hour" && matches!(period, "year" | "all") {
                continue;
            }
            let zone = "Europe/Berlin";
            ask(
                &format!("usage, {period} by {by}"),
                format!("/api/analytics/usage?period={period}&groupBy={by}&timeZone={zone}"),
            );
        }
    }
    ask(
        "usage, year by day, Kathmandu",
        "/api/analytics/usage?period=year&groupBy=day&timeZone=Asia/Kathmandu".to_owned(),
    );
    ask(
        "usage, a session by model",
        format!("/api/analytics/usage?period=all&session={one}&groupBy=model"),
    );
    let from = now() - SPAN_MS;
    ask(
        "usage, all days by model",
        format!("/api/analytics/usage?from={from}&groupBy=model&timeZone=Europe/Berlin"),
    );
    for kind in ["year", "week"] {
        ask(
            &format!("heat map, {kind}"),
            format!("/api/analytics/heatmap?kind={kind}&timeZone=Europe/Berlin"),
        );
    }
    ask("session", format!("/api/sessions/{one}"));
    ask("session's curve", format!("/api/sessions/{one}/curve"));
    ask("session's efficiency", format!("/api/sessions/{one}/efficiency"));
    ask("session beside the usual", format!("/api/sessions/{one}/past"));
    ask("compare two", format!("/api/sessions/compare?ids={one},{other}"));
    questions
}
