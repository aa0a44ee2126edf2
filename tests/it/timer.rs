//! The timer of the real program, when it is killed and when the machine's clocks disagree.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::app::new_home;
use crate::support::program::{Program, command};

async fn start_session(program: &Program) -> String {
    let session = program.ask("POST", "/api/sessions", &json!({"name": "s"})).await;
    format!("/api/sessions/{}", session["id"].as_str().unwrap())
}

fn elapsed(session: &Value) -> u64 {
    session["elapsedMs"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_costs_a_running_session_no_more_than_a_heartbeat_and_is_told() {
    let home = new_home();
    let program = Program::start(&mut command(home.path()));
    let path = start_session(&program).await;
    let shown = loop {
        let session = program.ask("GET", &path, &Value::Null).await;
        if elapsed(&session) > 30 {
            break elapsed(&session);
        }
    };
    program.kill();
    let program = Program::start(&mut command(home.path()));
    let session = program.ask("GET", &path, &Value::Null).await;
    assert_eq!(session["status"], "paused", "never resumed silently");
    assert_eq!(
        (&session["told"][0]["kind"], &session["told"][0]["countable"]),
        (&json!("recovered"), &json!(true))
    );
    let (kept, gap) = (elapsed(&session), session["told"][0]["ms"].as_u64().unwrap());
    assert!(
        shown - kept.min(shown) <= 5_000,
        "{shown} ms were shown, {kept} ms are left"
    );
    assert!(kept + gap >= shown, "what is not counted is in the gap");
    let count = json!({"countGap": session["told"][0]["seq"]});
    let counted = program.ask("PATCH", &path, &count).await;
    assert!(elapsed(&counted).abs_diff(kept + gap) <= 1, "{counted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_takes_no_time_back_that_a_later_call_has_shown() {
    let home = new_home();
    let program = Program::start(&mut command(home.path()));
    let path = start_session(&program).await;
    let shown = loop {
        let session = program.ask("GET", &path, &Value::Null).await;
        if elapsed(&session) > 300 {
            break elapsed(&session);
        }
    };
    // Answered when it is committed; the next heartbeat is seconds away.
    let reported = json!({"tokensUsed": 1});
    program.ask("POST", &format!("{path}/tokens"), &reported).await;
    program.kill();
    let program = Program::start(&mut command(home.path()));
    let kept = elapsed(&program.ask("GET", &path, &Value::Null).await);
    assert!(
        kept + 2 >= shown,
        "{shown} ms were shown before the call, {kept} ms are left"
    );
}

/// The program in a time namespace, whose clock that counts through sleep is ahead by so many seconds.
fn ahead(home: &Path, seconds: u32) -> Command {
    let plain = command(home);
    let mut wrapped = Command::new("/usr/bin/unshare");
    wrapped
        .args(["--time", "--boottime", &seconds.to_string(), "--monotonic", "0"])
        .arg(plain.get_program())
        .env_clear()
        .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null());
    wrapped
}

/// Boot and monotonic clocks that disagree by an hour, as after a sleep: the program does not count it, says so, and
/// times what comes then exactly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_between_the_clocks_is_not_counted() {
    let may = Command::new("/usr/bin/unshare")
        .args(["--time", "--boottime", "1", "true"])
        .stderr(Stdio::null())
        .status();
    if !may.is_ok_and(|status| status.success()) {
        println!("skipped: no time namespaces here (they need root and `unshare --time`)");
        return;
    }
    let home = new_home();
    let program = Program::start(&mut command(home.path()));
    let path = start_session(&program).await;
    let before = elapsed(&program.ask("GET", &path, &Value::Null).await);
    program.kill();

    let program = Program::start(&mut ahead(home.path(), 3_600));
    let session = program.ask("GET", &path, &Value::Null).await;
    let told = &session["told"][0];
    assert_eq!(
        (&session["status"], &told["kind"]),
        (&json!("paused"), &json!("recovered"))
    );
    let gap = told["ms"].as_u64().unwrap();
    assert!((3_600_000..3_700_000).contains(&gap), "{gap} ms");
    assert!(elapsed(&session) <= before, "none of it is counted");
    let resumed = program.ask("PATCH", &path, &json!({"status": "active"})).await;
    let mut last = resumed.clone();
    for _ in 0..50 {
        let now = program.ask("GET", &path, &Value::Null).await;
        let wall = now["at"].as_i64().unwrap() - resumed["at"].as_i64().unwrap();
        let shown = elapsed(&now).cast_signed() - elapsed(&resumed).cast_signed();
        assert!((shown - wall).abs() <= 20, "{shown} ms of {wall} ms");
        assert!(elapsed(&now) >= elapsed(&last));
        last = now;
    }
    program.kill();

    // Back outside, the clock stands an hour behind what the same boot has said: not to be compared.
    let program = Program::start(&mut command(home.path()));
    let session = program.ask("GET", &path, &Value::Null).await;
    assert_eq!(
        (
            &session["status"],
            &session["told"][1]["kind"],
            &session["told"][1]["countable"]
        ),
        (&json!("paused"), &json!("rebooted"), &json!(false))
    );
    assert!(elapsed(&session) <= elapsed(&last));
}
