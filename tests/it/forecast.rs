//! Forecasts over the API: what was foretold is held against what came.

use moonlock::domain::wire::Change;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post;
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

#[tokio::test]
async fn a_session_that_has_ended_is_on_the_track_record_also_after_a_restart() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let mut app = TestApp::start(upstream.address).await;
    let nothing =
        json!({ "bands": 0, "held": 0, "warnings": 0, "cameTrue": 0, "sessions": 0, "promisedPercent": 80 });
    assert_eq!(app.get("/api/forecast/track-record").await, nothing);

    let new = json!({ "name": "short", "duration": 5_000 });
    assert_eq!(app.say("POST", "/api/sessions", &new).await.0, 201);
    // A band counts once a quarter of the plan has passed.
    let quarter = 5_000 / 4;
    loop {
        app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
        let elapsed = app
            .next(|change| match change {
                Change::Forecast(foretold) => Some(foretold.elapsed_ms),
                _ => None,
            })
            .await;
        if elapsed >= quarter {
            break;
        }
    }
    let settled = async {
        loop {
            let record = app.get("/api/forecast/track-record").await;
            if record["sessions"] == 1 {
                return record;
            }
            tokio::task::yield_now().await;
        }
    };
    let record = within("the session's end", settled).await;
    let number = |field: &str| record[field].as_u64().unwrap();
    assert!((1..=3).contains(&number("bands")), "{record}");
    assert!(number("held") <= number("bands"));
    assert_eq!(
        (number("warnings"), number("cameTrue")),
        (0, 0),
        "it has no budget"
    );

    let app = app.restart().await;
    assert_eq!(app.get("/api/forecast/track-record").await, record);
    let reply = app.api("GET", "/api/forecast/track-record?since=1", "", "").await;
    let problem: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.head.status(), &problem["field"]), (422, &"since".into()));
}
