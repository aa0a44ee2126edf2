//! Alerts are told outside: signed, again where it failed, and nobody learns a secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::app::{TestApp, home_with};
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

/// A provider that nobody asks.
fn nowhere() -> std::net::SocketAddr {
    ([127, 0, 0, 1], 9).into()
}

/// Raises an alert: a session whose budget a report uses up.
async fn raise(app: &TestApp) {
    let (_, session) = app
        .say("POST", "/api/sessions", &json!({"name": "s", "tokenBudget": 100}))
        .await;
    let tokens = format!("/api/sessions/{}/tokens", session["id"].as_str().unwrap());
    let (status, said) = app.say("POST", &tokens, &json!({"tokensUsed": 100})).await;
    assert_eq!(status, 201, "{said}");
}

#[tokio::test]
async fn a_webhook_is_told_signed_and_tried_again() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let mut receiver = Upstream::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Script::new().head("503 Unavailable\ncontent-length: 0"),
        _ => Script::new().head("204 No Content"),
    })
    .await;
    let settings = format!(
        "[[notify]]\nname = \"team\"\nkind = \"webhook\"\nurl = \"http://{}/hook/T0P\"\n\
         secret_variable = \"TEAM_SECRET\"\nseverity = \"critical\"\nrules = [\"budget.tokens\"]\n",
        receiver.address
    );
    let app = TestApp::start_with(home_with(&settings), nowhere(), &[("TEAM_SECRET", "hush")]).await;
    raise(&app).await;
    let first = receiver.seen().await;
    let again = receiver.seen().await;
    assert_eq!(first.body, again.body, "the same message");
    assert_eq!(
        again.head.get("x-moonlock-delivery"),
        first.head.get("x-moonlock-delivery")
    );
    let told: Value = serde_json::from_slice(&again.body).unwrap();
    assert_eq!(
        (&told["type"], &told["alert"]["rule"]),
        (&json!("alert.raised"), &json!("budget.tokens"))
    );
    assert_eq!(told["alert"]["severity"], "critical");
    let signature = again.head.get("x-moonlock-signature").unwrap();
    let (seconds, hex) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"hush").unwrap();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(&again.body);
    let expected: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, expected);

    let arrived = async {
        loop {
            let shown = app.get("/api/notifications").await;
            if shown["targets"][0]["delivered"] == 1 {
                return shown["targets"][0].clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let target = within("the delivery to be noted", arrived).await;
    assert_eq!(
        (&target["name"], &target["signed"]),
        (&json!("team"), &json!(true))
    );
    assert_eq!(
        (&target["lastError"], &target["waiting"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(target["place"], format!("http://{}", receiver.address));
    assert!(target["lastDeliveryAt"].is_i64());
    for path in ["/api/notifications", "/api/settings", "/api/export?format=json"] {
        let shown = app.get(path).await.to_string();
        assert!(
            !shown.contains("hush") && !shown.contains("T0P"),
            "{path}: {shown}"
        );
    }
    let shown = app.get("/api/settings").await.to_string();
    assert!(shown.contains("secret_variable"), "{shown}");
}

#[tokio::test]
async fn a_test_says_whether_it_arrived() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let mut receiver = Upstream::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Script::new().head("200 OK\ncontent-length: 0"),
        1 => Script::new().head("302 Found\nlocation: http://127.0.0.1:9/\ncontent-length: 0"),
        _ => Script::new().head("404 Not Found\ncontent-length: 0"),
    })
    .await;
    let settings = format!(
        "[[notify]]\nkind = \"slack\"\nurl = \"http://{}/T0P\"\n",
        receiver.address
    );
    let app = TestApp::start_with(home_with(&settings), nowhere(), &[]).await;
    let test = "/api/notifications/slack/test";
    let (status, said) = app.say("POST", test, &json!({})).await;
    assert_eq!((status, &said), (200, &json!({"delivered": true, "error": null})));
    let request = receiver.seen().await;
    let told: Value = serde_json::from_slice(&request.body).unwrap();
    assert!(told["text"].as_str().unwrap().contains("a test"), "{told}");
    assert_eq!(request.head.get("x-moonlock-signature"), None);
    for expected in ["HTTP 302", "HTTP 404"] {
        let (status, said) = app.say("POST", test, &json!({})).await;
        assert_eq!((status, &said["delivered"]), (200, &json!(false)));
        assert!(said["error"].as_str().unwrap().starts_with(expected), "{said}");
    }
    let shown = app.get("/api/notifications").await;
    assert_eq!(shown["targets"][0]["lastError"], "HTTP 404");
    assert_eq!(
        app.say("POST", "/api/notifications/nobody/test", &json!({}))
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn who_does_not_answer_holds_nobody_up() {
    let mut receiver = Upstream::start(|_| Script::new().head("200 OK\ncontent-length: 0")).await;
    let settings = format!(
        "[[notify]]\nkind = \"discord\"\nurl = \"http://127.0.0.1:9/gone\"\n\
         [[notify]]\nkind = \"webhook\"\nurl = \"http://{}/\"\n",
        receiver.address
    );
    let app = TestApp::start_with(home_with(&settings), nowhere(), &[]).await;
    raise(&app).await;
    let told: Value = serde_json::from_slice(&receiver.seen().await.body).unwrap();
    assert_eq!(told["type"], "alert.raised");
    let failed = async {
        loop {
            let shown = app.get("/api/notifications").await;
            if shown["targets"][0]["lastError"].is_string() {
                return shown["targets"][0].clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let target = within("the failure to be noted", failed).await;
    assert_eq!(target["waiting"], 1, "it is tried again");
    let why = target["lastError"].as_str().unwrap();
    assert!(
        why.starts_with("cannot be reached") && !why.contains("gone"),
        "{why}"
    );
    let health = app.get("/api/health").await;
    assert_eq!(
        (&health["failingNotifications"], &health["status"]),
        (&json!(["discord"]), &json!("ok"))
    );
    app.stop().await;
}
