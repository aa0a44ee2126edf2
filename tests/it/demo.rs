//! `moonlock demo`: a first look without a key.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::program::{Program, command};
use crate::support::within;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_shows_calls_of_each_provider_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = command(home.path());
    // What it writes for a while.
    demo.arg("demo").env("TMPDIR", home.path());
    let mut program = Program::start(&mut demo);
    let shown = async {
        loop {
            let page = program.ask("GET", "/api/calls?limit=1000", &Value::Null).await;
            let calls = page["calls"].as_array().unwrap();
            let counted = calls
                .iter()
                .filter(|call| call["outcome"] == "complete" && call["source"] == "exact");
            let providers: BTreeSet<&str> = counted.filter_map(|call| call["provider"].as_str()).collect();
            if providers == BTreeSet::from(["anthropic", "gemini", "openai"]) {
                return calls.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let calls = within("a call of each provider", shown).await;
    let sessions = program.ask("GET", "/api/sessions", &Value::Null).await;
    let session = &sessions["sessions"][0];
    assert_eq!(session["status"], "active");
    assert!(calls.iter().all(|call| call["sessionId"] == session["id"]));
    let named = |call: &&Value| call["model"].is_string();
    assert!(
        calls
            .iter()
            .filter(named)
            .all(|call| call["outcome"] != "complete" || call["costNanoUsd"].is_u64()),
        "each model has a price: {calls:?}"
    );
    assert_eq!(program.terminate(), Some(0));
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_demo_makes_no_calls_and_no_session_where_none_are_wanted() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = command(home.path());
    demo.args(["demo", "--no-calls", "--no-session"])
        .env("TMPDIR", home.path());
    let mut program = Program::start(&mut demo);
    let live = program.ask("GET", "/api/live", &Value::Null).await;
    assert_eq!(
        (live["sessions"].as_array(), live["calls"].as_array()),
        (Some(&Vec::new()), Some(&Vec::new()))
    );
    assert_eq!(program.terminate(), Some(0));
}
