//! Calls that are older than the user keeps them go while the program runs; what they add up to stays, and never counts
//! twice.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::within;

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Calls of another tool's log, each of so many days ago.
fn logged(now: i64, days: &[i64]) -> Value {
    let calls = days.iter().map(|day| {
        json!({
            "key": format!("message-{day}"), "provider": "anthropic", "operation": "messages",
            "model": "claude-sonnet-4-5-20250929", "client": "claude-code", "startedAt": now - day * DAY, "durationMs": 10,
            "input": 100 + day, "output": 7
        })
    });
    calls.collect()
}

/// The sums by all that tells calls apart, and those of nobody as they are live.
async fn sums(app: &TestApp) -> (Value, Value) {
    let by = "session,model,client,conversation,source,outcome,operation,day";
    let usage = app
        .get(&format!("/api/analytics/usage?period=all&groupBy={by}"))
        .await;
    let live = app.get("/api/live").await;
    (usage["groups"].clone(), live["unassigned"].clone())
}

async fn export(app: &TestApp) -> Value {
    app.get("/api/export?format=json").await
}

async fn import(app: &TestApp, document: &Value) -> Value {
    let fields = format!("host: {}\ncontent-type: application/json", app.dashboard());
    let reply = app
        .api("POST", "/api/import", &fields, &document.to_string())
        .await;
    assert_eq!(reply.head.status(), 200);
    serde_json::from_slice(&reply.body).unwrap()
}

async fn until_kept(app: &TestApp, calls: usize) -> Vec<Value> {
    let gone = async {
        loop {
            let rows = app.rows().await;
            if rows.len() <= calls {
                return rows;
            }
            tokio::task::yield_now().await;
        }
    };
    within("old calls to go", gone).await
}

#[tokio::test]
async fn old_calls_go_and_their_sums_stay() {
    let app = TestApp::start(([127, 0, 0, 1], 9).into()).await;
    let now = jiff::Timestamp::now().as_millisecond();
    let all = logged(now, &[0, 3, 40, 41, 90]);
    let (status, said) = app.say("POST", "/api/calls/import", &all).await;
    assert_eq!((status, &said["imported"]), (200, &json!(5)), "{said}");
    let storage = app.get("/api/storage").await;
    assert_eq!(
        [&storage["keepCallsDays"], &storage["callsSince"]],
        [&Value::Null, &Value::Null],
        "{storage}"
    );
    let (before, document) = (sums(&app).await, export(&app).await);
    assert_eq!(document["callsSince"], Value::Null);
    let oldest = app.rows().await.pop().unwrap();

    for (days, status) in [(json!(3_651), 422), (json!(-1), 422), (json!(30), 200)] {
        let said = app
            .say("PATCH", "/api/settings", &json!({"store.keep_calls_days": days}))
            .await;
        assert_eq!(said.0, status, "{}", said.1);
    }
    let kept = until_kept(&app, 2).await;
    assert!(
        kept.iter()
            .all(|call| call["startedAt"].as_i64().unwrap() >= now - 3 * DAY)
    );
    assert_eq!(sums(&app).await, before);
    let storage = app.get("/api/storage").await;
    let since = storage["callsSince"].as_i64().unwrap();
    assert!((now - 31 * DAY..=now - 30 * DAY).contains(&since), "{storage}");
    assert_eq!(
        [&storage["keepCallsDays"], &storage["calls"]],
        [&json!(30), &json!(5)]
    );
    assert_eq!(export(&app).await["callsSince"], since);

    // Who asks for one of them is told why it is not there.
    let id = oldest["id"].as_str().unwrap();
    let reply = app.api("GET", &format!("/api/calls/{id}"), "", "").await;
    assert_eq!(reply.head.status(), 404);
    assert!(String::from_utf8_lossy(&reply.body).contains("older than the calls that are kept"));

    // What knows them still counts them no second time.
    let said = import(&app, &document).await;
    assert_eq!(
        (&said["calls"], &said["tooOld"], &said["missing"]),
        (&json!({"new": 0, "known": 2, "refused": 0}), &json!(3), &json!(0)),
        "{said}"
    );
    let (_, said) = app.say("POST", "/api/calls/import", &all).await;
    assert_eq!(
        [&said["known"], &said["tooOld"], &said["imported"]],
        [2, 3, 0],
        "{said}"
    );
    let session = app.session("late").await;
    let path = format!("/api/sessions/{session}/tokens");
    let report = json!({"tokensUsed": 5, "at": now - 40 * DAY});
    let (status, said) = app.say("POST", &path, &report).await;
    assert_eq!((status, &said["field"]), (422, &json!("at")), "{said}");
    assert_eq!(sums(&app).await, before);

    // Nor does a restart, and kept for ever means from now on.
    let app = app.restart().await;
    assert_eq!(sums(&app).await, before);
    let forever = json!({"store.keep_calls_days": null});
    assert_eq!(app.say("PATCH", "/api/settings", &forever).await.0, 200);
    let storage = app.get("/api/storage").await;
    assert_eq!(
        (&storage["keepCallsDays"], storage["callsSince"].as_i64()),
        (&Value::Null, Some(since))
    );
    assert_eq!(app.rows().await.len(), 2);
    app.stop().await;
}
