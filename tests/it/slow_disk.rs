//! A disk that does not answer holds no reply back for long, and takes no row.

use std::sync::Arc;

use moonlock::domain::alert::Rule;
use moonlock::domain::wire::Change;

use crate::support::app::{TestApp, new_home};
use crate::support::bodies::{CHAT, CHAT_EVENTS, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, chat_stream};
use crate::support::client::post;
use crate::support::upstream::{Script, Upstream};

/// Takes the database from the program, as a disk does that stands still.
#[expect(clippy::disallowed_methods, reason = "another program, for a moment")]
fn seize(app: &TestApp) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(app.home.path().join("moonlock.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test]
async fn replies_pass_after_the_bound_the_user_is_told_and_the_rows_follow() {
    let home = new_home();
    std::fs::write(
        home.path().join("moonlock.toml"),
        "[store]\ncommit_bound_ms = 50\n",
    )
    .unwrap();
    let upstream = Upstream::start(|request| {
        if request.body.windows(8).any(|word| word == b"\"stream\"") {
            Script::chunked(EVENTS, [chat_stream()])
        } else {
            Script::sized(JSON, CHAT)
        }
    })
    .await;
    let mut app = TestApp::start_in(Arc::clone(&home), upstream.address).await;
    let other = seize(&app);
    let reply = app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    assert_eq!((reply.whole, &*reply.body), (true, CHAT.as_bytes()));
    let streamed =
        r#"{"model":"gpt-4o","messages":[],"stream":true,"stream_options":{"include_usage":false}}"#;
    let reply = app.ask(post(CHAT_PATH, streamed)).await;
    assert!(reply.whole && reply.body.starts_with(CHAT_EVENTS.as_bytes()));

    let rule = app.next(|change| match change {
        Change::Alert(alert) if alert.cleared_at.is_none() => Some(alert.rule),
        _ => None,
    });
    assert_eq!(rule.await, Rule::StoreSlow);

    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    let rows = app.until_rows(2).await;
    assert!(
        rows.iter()
            .all(|row| row["outcome"] == "complete" && row["source"] == "exact")
    );
}
