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

#[tokio::test]
async fn a_later_list_from_a_file_prices_calls_to_come() {
    let upstream = provider().await;
    let home = new_home();
    let file = home.path().join("data.json");
    let list = json!([{"id": "openai", "name": "OpenAI", "api_pattern": "https://api\\.openai\\.com", "models": [
        {"id": "gpt-99", "match": {"equals": "gpt-99"}, "prices": {"input_mtok": 3, "output_mtok": 10}}
    ]}]);
    std::fs::write(&file, list.to_string()).unwrap();
    let prices = |arguments: &[&str]| run(command(home.path()).arg("prices").args(arguments));
    let refresh = ["refresh", file.to_str().unwrap(), "--date"];
    let (code, _, said) = prices(&[&refresh[..], &["2026-01-01"]].concat());
    assert_eq!(code, Some(1));
    assert!(said.contains("nothing to refresh"), "{said}");
    let (code, out, said) = prices(&[&refresh[..], &["2099-01-02"]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(out.starts_with("1 models as of 2099-01-02"), "{out}");
    let (_, out, _) = prices(&["search", "gpt", "--json"]);
    assert!(
        out.contains(r#""date":"2099-01-02""#) && out.contains("gpt-99"),
        "{out}"
    );

    let app = TestApp::start_in(Arc::clone(&home), upstream.address).await;
    let body = json!({"model": "gpt-99", "messages": []}).to_string();
    app.ask(post("/openai/v1/chat/completions", body)).await;
    let row = app.row().await;
    assert_eq!(
        (&row["costNanoUsd"], &row["priceSource"], &row["priceDate"]),
        (&json!(4_000_000), &json!("catalog"), &json!("2099-01-02"))
    );

    let (code, out, _) = prices(&["refresh", "--built-in"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("when Moonlock is started anew"), "{out}");
    let (_, out, _) = prices(&["search", "gpt-4o-mini", "--json"]);
    assert!(!out.contains("2099"), "{out}");
}
