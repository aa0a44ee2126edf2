//! Sessions over their own time, and side by side.

use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post_with;
use crate::support::upstream::{Script, Upstream};

/// Two sessions: the first with two calls, the second with one.
async fn started() -> (Upstream, TestApp, [String; 2]) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let mut app = TestApp::start(upstream.address).await;
    let sessions = [app.session("one").await, app.session("two").await];
    for session in ["one", "one", "two"] {
        let fields = format!("x-moonlock-session: {session}");
        app.ask(post_with(CHAT_PATH, &fields, CHAT_REQUEST)).await;
        app.ended().await;
    }
    (upstream, app, sessions)
}

async fn refused(app: &TestApp, path: &str) -> (u16, String) {
    let reply = app.api("GET", path, "", "").await;
    let problem: Value = serde_json::from_slice(&reply.body).unwrap();
    (
        reply.head.status(),
        problem["detail"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn a_curve_ends_where_the_sessions_sums_stand() {
    let (_upstream, app, [one, _]) = started().await;
    let session = app.get(&format!("/api/sessions/{one}")).await;
    let curve = app.get(&format!("/api/sessions/{one}/curve")).await;
    let points = curve["points"].as_array().unwrap();
    assert_eq!(points[0]["atMs"], 0);
    let last = points.last().unwrap();
    assert_eq!(last["atMs"], curve["elapsedMs"]);
    for (here, there) in [
        ("calls", "requests"),
        ("total", "total"),
        ("costNanoUsd", "costNanoUsd"),
    ] {
        assert_eq!(last[here], session["usage"][there], "{here}");
    }
    let unknown = "/api/sessions/00000000-0000-7000-8000-000000000000/curve";
    assert_eq!(refused(&app, unknown).await.0, 404);
}

#[tokio::test]
async fn sessions_stand_side_by_side_with_their_differences() {
    let (_upstream, app, [one, two]) = started().await;
    let compared = app
        .get(&format!("/api/sessions/compare?ids={two},{one},median"))
        .await;
    let sessions = compared["sessions"].as_array().unwrap();
    let ids: Vec<_> = sessions
        .iter()
        .map(|session| session["sessionId"].as_str())
        .collect();
    assert_eq!(ids, [Some(two.as_str()), Some(one.as_str()), None]);
    let [second, first, median] = sessions.as_slice() else {
        panic!("three were asked for: {compared:#}")
    };
    assert_eq!(
        (&second["name"], &second["difference"]),
        (&"two".into(), &Value::Null)
    );
    let total = second["figures"]["total"].as_i64().unwrap();
    assert!(total > 0);
    assert_eq!(first["figures"]["total"], 2 * total);
    assert_eq!(
        (&first["difference"]["total"], &first["difference"]["requests"]),
        (&total.into(), &1.into())
    );
    assert_eq!(
        first["points"].as_array().unwrap().last().unwrap()["total"],
        2 * total
    );
    // Neither has ended: there is nothing yet that the median could be of.
    assert_eq!(
        (&median["pastSessions"], &median["figures"]),
        (&0.into(), &Value::Null)
    );
}

#[tokio::test]
async fn what_cannot_be_compared_is_said() {
    let (_upstream, app, [one, two]) = started().await;
    let unknown = "00000000-0000-7000-8000-000000000000";
    for (ids, status, part) in [
        (String::new(), 422, "expected two to four"),
        (one.clone(), 422, "has 1 sessions"),
        ("median".to_owned(), 422, "has 1 sessions"),
        (format!("{one},{one}"), 422, "twice"),
        (format!("{one},mean"), 422, "`mean`"),
        (format!("{one},{unknown}"), 404, unknown),
        (
            format!("{one},{two},median,{unknown},00000000-0000-7000-8000-000000000001"),
            422,
            "has 5 sessions",
        ),
    ] {
        let (found, detail) = refused(&app, &format!("/api/sessions/compare?ids={ids}")).await;
        assert_eq!(found, status, "{ids}: {detail}");
        assert!(detail.contains(part), "{ids}: {detail}");
    }
}

#[tokio::test]
async fn an_efficiency_shows_what_it_is_made_of() {
    let (_upstream, mut app, [one, two]) = started().await;
    for _ in 0..3 {
        app.ask(post_with(CHAT_PATH, "x-moonlock-session: one", CHAT_REQUEST))
            .await;
        app.ended().await;
    }
    let few = app.get(&format!("/api/sessions/{two}/efficiency")).await;
    assert_eq!(few["score"], Value::Null, "one call says nothing");
    let found = app.get(&format!("/api/sessions/{one}/efficiency")).await;
    assert_eq!(
        (&found["usualScore"], &found["pastSessions"]),
        (&Value::Null, &0.into())
    );
    let parts = found["parts"].as_array().unwrap();
    let sum = |field: &str| {
        parts
            .iter()
            .map(|part| part[field].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(sum("weightPercent"), 100);
    assert!(sum("countsPercent").abs_diff(100) <= 1, "{found:#}");
    let counted = parts.iter().filter(|part| part["leftOut"].is_null());
    let weighed = counted.map(|part| {
        let number = |field: &str| part[field].as_u64().unwrap();
        (
            number("weightPercent"),
            number("weightPercent") * number("points"),
        )
    });
    let (weights, points) = weighed.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    assert_eq!(found["score"], (points + weights / 2) / weights);
    let left_out: Vec<_> = parts.iter().filter_map(|part| part["leftOut"].as_str()).collect();
    assert_eq!(left_out, ["noUsual", "noCheckpoints"], "{found:#}");
    assert!(
        parts
            .iter()
            .all(|part| part["leftOut"].is_null() == part["leftOutBecause"].is_null())
    );
}

#[tokio::test]
async fn without_finished_sessions_there_is_no_past() {
    let (_upstream, app, [one, _]) = started().await;
    let past = app.get(&format!("/api/sessions/{one}/past")).await;
    assert_eq!((&past["pastSessions"], &past["now"]), (&0.into(), &Value::Null));
    assert_eq!(past["bands"], Value::Array(Vec::new()));
    for resource in ["past", "efficiency"] {
        let unknown = format!("/api/sessions/00000000-0000-7000-8000-000000000000/{resource}");
        assert_eq!(refused(&app, &unknown).await.0, 404);
    }
}
