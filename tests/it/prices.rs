//! What calls cost: by whose word, as of when, and how much of a sum has no price.

use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::app::{TestApp, new_home};
use crate::support::bodies::JSON;
use crate::support::client::post;
use crate::support::program::{command, run};
use crate::support::upstream::{Script, Upstream};

const PRICES: &str = r#"
[[prices]]
provider = "openai"
model = "mine-*"
from = 2026-01-02
input = "3.00"
output = 10

[[prices]]
model = "gpt-4o-mini*"
input = 1
output = 1
request = "0.25"
"#;

/// Answers with the model that was asked for: 1,000 tokens in, 100 out. One of them says its cost itself.
async fn provider() -> Upstream {
    Upstream::start(|request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let mut usage = json!({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100});
        if asked["model"] == "routed" {
            usage["cost"] = json!(0.125);
        }
        let reply = json!({"model": asked["model"], "choices": [], "usage": usage});
        Script::sized(JSON, reply.to_string())
    })
    .await
}

#[tokio::test]
async fn each_row_says_by_whose_word_it_cost_what_and_each_sum_what_is_missing() {
    let upstream = provider().await;
    let home = new_home();
    let mut config = std::fs::File::options()
        .append(true)
        .open(home.path().join("moonlock.toml"))
        .unwrap();
    config.write_all(PRICES.as_bytes()).unwrap();
    let app = TestApp::start_in(Arc::clone(&home), upstream.address).await;
    let catalog = moonlock::domain::pricing::CATALOG_DATE.to_string();
    for (model, cost, source, date) in [
        (
            "mine-7b",
            json!(4_000_000),
            json!("override"),
            json!("2026-01-02"),
        ),
        ("gpt-4o", json!(3_500_000), json!("catalog"), json!(catalog)),
        (
            "gpt-4o-mini-2024-07-18",
            json!(251_100_000),
            json!("override"),
            json!(null),
        ),
        ("routed", json!(125_000_000), json!("provider"), json!(null)),
        ("nobodys", json!(null), json!(null), json!(null)),
    ] {
        let request = json!({"model": model, "messages": []}).to_string();
        app.ask(post("/openai/v1/chat/completions", request)).await;
        let row = &app.rows().await[0];
        let found = (&row["costNanoUsd"], &row["priceSource"], &row["priceDate"]);
        assert_eq!(found, (&cost, &source, &date), "{model}");
        let live = app.get("/api/live").await;
        assert_eq!(&live["calls"][0], row, "told and stored are the same");
    }
    let usage = app.get("/api/analytics/usage?period=all&groupBy=model").await;
    let live = app.get("/api/live").await;
    for totals in [&usage["totals"], &live["unassigned"]] {
        assert_eq!(totals["costNanoUsd"], 383_600_000);
        assert_eq!(
            (&totals["unpricedTokens"], &totals["unpricedRequests"]),
            (&json!(1100), &json!(1))
        );
    }
    for group in usage["groups"].as_array().unwrap() {
        let missing = u64::from(group["model"] == "nobodys");
        assert_eq!(group["unpricedRequests"], missing, "{group}");
    }

    let app = app.restart().await;
    assert_eq!(app.get("/api/live").await["unassigned"], live["unassigned"]);
    app.stop().await;

    let print = |arguments: &[&str]| run(command(home.path()).arg("usage").args(arguments)).1;
    let text = print(&["--group-by", "provider"]);
    assert!(text.contains("≥ $0.38"), "{text}");
    let note = "Not in the cost: 1,100 tokens of requests without a known price (1).";
    assert_eq!(text.lines().last(), Some(note), "{text}");
    assert!(!print(&["--group-by", "provider", "--since", "hour", "--json"]).contains(note));
    let groups: Value = serde_json::from_str(&print(&["--json"])).unwrap();
    let of_nobody = groups["groups"].as_array().unwrap().iter();
    let missing: Vec<_> = of_nobody
        .filter(|group| group["unpricedRequests"] == 1)
        .map(|group| (group["model"].as_str().unwrap(), &group["costNanoUsd"]))
        .collect();
    assert_eq!(missing, [("nobodys", &Value::Null)]);
}
