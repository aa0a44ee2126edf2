//! The shares at which budgets alert are the user's, and hold at once.

use serde_json::{Value, json};

use crate::support::app::{TestApp, home_with};
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post;
use crate::support::upstream::{Script, Upstream};

/// What stands: of which share, how much it matters, and whether it got worse since it was raised.
async fn standing(app: &TestApp) -> Vec<(Value, Value, bool)> {
    let live = app.get("/api/live").await;
    let alerts = live["alerts"].as_array().unwrap().iter();
    alerts
        .map(|alert| {
            let is_worse = !alert["worsenedAt"].is_null();
            (alert["level"].clone(), alert["severity"].clone(), is_worse)
        })
        .collect()
}

async fn set(app: &TestApp, shares: &Value) -> (u16, Value) {
    let change = json!({ "alerts.at_percent": shares });
    app.say("PATCH", "/api/settings", &change).await
}

async fn about_budgets(app: &TestApp) -> Value {
    let rules = app.get("/api/alert-rules").await;
    rules["rules"][0]["about"].clone()
}

#[tokio::test]
async fn a_budget_alerts_at_the_shares_that_are_set_and_says_nothing_twice() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let home = home_with("[alerts]\nat_percent = [50] # half\n\n[estimates]\nenabled = false\n");
    let app = TestApp::start_in(home, upstream.address).await;
    // A call uses 18 tokens.
    let body = json!({"name": "work", "tokenBudget": 36});
    app.say("POST", "/api/sessions", &body).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let half = vec![(json!(50), json!("warning"), false)];
    assert_eq!(standing(&app).await, half);
    assert_eq!(
        about_budgets(&app).await,
        "A budget in tokens is used to 50 or 100 %."
    );
    let app = app.restart().await;
    assert_eq!(standing(&app).await, half, "after a start");

    for wrong in [
        json!([]),
        json!([90, 80]),
        json!([50, 100]),
        json!("50"),
        json!([0.5]),
    ] {
        let (status, refused) = set(&app, &wrong).await;
        assert_eq!(
            (status, &refused["field"]),
            (422, &json!("alerts.at_percent")),
            "{refused}"
        );
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("from 1 to 99"), "{detail}");
    }
    let (status, shown) = set(&app, &json!([20, 40])).await;
    assert_eq!(app.get("/api/live").await["alertAtPercent"], json!([20, 40]));
    assert_eq!((status, &shown["restartNeeded"]), (200, &json!(false)), "{shown}");
    let forty = vec![(json!(40), json!("critical"), false)];
    assert_eq!(standing(&app).await, forty, "no news");
    let text = std::fs::read_to_string(app.home.path().join("moonlock.toml")).unwrap();
    assert!(text.contains("at_percent = [20, 40] # half"), "{text}");

    set(&app, &json!([60])).await;
    assert_eq!(standing(&app).await, [], "half is less than that");
    set(&app, &Value::Null).await;
    assert_eq!(standing(&app).await, [], "and than what it comes with");
    assert_eq!(
        about_budgets(&app).await,
        "A budget in tokens is used to 80, 95 or 100 %."
    );
    set(&app, &json!([10, 50])).await;
    let again = vec![(json!(50), json!("critical"), false)];
    assert_eq!(standing(&app).await, again, "asked for anew");
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let up = vec![(json!(100), json!("critical"), true)];
    assert_eq!(standing(&app).await, up);
    let app = app.restart().await;
    assert_eq!(standing(&app).await, up);
    let all = app.get("/api/alerts").await;
    assert_eq!(all["alerts"].as_array().unwrap().len(), 2, "{all}");
    app.stop().await;
}
