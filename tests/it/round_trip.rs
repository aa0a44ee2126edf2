//! What one Moonlock exports another takes in: the same rows, sums, sessions and clocks, and nothing twice.

use moonlock::domain::wire::Change;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post_with;
use crate::support::program::{command, run};
use crate::support::upstream::{Script, Upstream};

const BOTH: [&str; 2] = ["json", "jsonl"];

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

async fn ask(app: &mut TestApp, fields: &str) -> Value {
    app.ask(post_with(CHAT_PATH, fields, CHAT_REQUEST)).await;
    app.ended().await
}

/// A completed session with everything that one can have, one that still runs, and calls of both and of none: six.
async fn with_history(app: &mut TestApp) -> [String; 2] {
    ask(app, "").await;
    let one = app.session("one").await;
    let path = format!("/api/sessions/{one}");
    ask(app, "user-agent: curl/8\nsession_id: thread").await;
    app.say("PATCH", &path, &json!({"status": "paused"})).await;
    ask(app, "x-moonlock-session: one").await;
    let change = json!({"status": "active", "tags": ["a", "b"], "note": "n", "tokenBudget": 1_000, "duration": 3_600_000});
    assert_eq!(app.say("PATCH", &path, &change).await.0, 200);
    for phase in ["design", "code"] {
        let note = json!({"phase": phase, "promptCount": 3, "metadata": {"k": [1]}});
        assert_eq!(
            app.say("POST", &format!("{path}/checkpoints"), &note).await.0,
            201
        );
    }
    app.say("PATCH", &path, &json!({"status": "completed"})).await;
    let other = app.session("other").await;
    for _ in 0..3 {
        ask(app, "x-moonlock-session: other").await;
    }
    [one, other]
}

async fn export(app: &TestApp, query: &str) -> String {
    let reply = app.api("GET", &format!("/api/export?{query}"), "", "").await;
    assert_eq!(reply.head.status(), 200);
    String::from_utf8(reply.body).unwrap()
}

async fn import(app: &TestApp, format: &str, text: &str) -> (u16, Value) {
    import_at(app, "/api/import", format, text).await
}

async fn import_at(app: &TestApp, path: &str, format: &str, text: &str) -> (u16, Value) {
    let kind = match format {
        "json" => "application/json",
        _ => "application/jsonl",
    };
    let fields = format!("host: {}\ncontent-type: {kind}", app.dashboard());
    let reply = app.api("POST", path, &fields, text).await;
    (reply.head.status(), serde_json::from_slice(&reply.body).unwrap())
}

/// New, known, refused.
type Counts = [u64; 3];

const fn counts(new: u64, known: u64, refused: u64) -> Counts {
    [new, known, refused]
}

#[track_caller]
fn counted(things: &Value) -> Counts {
    ["new", "known", "refused"].map(|name| things[name].as_u64().unwrap())
}

#[track_caller]
fn assert_taken((status, report): (u16, Value), sessions: Counts, calls: Counts) {
    assert_eq!(status, 200, "{report}");
    assert_eq!(
        (counted(&report["sessions"]), counted(&report["calls"])),
        (sessions, calls),
        "{report}"
    );
    assert_eq!(report["missing"], 0, "{report}");
}

/// A document without what changes while nobody does anything.
fn at_rest(document: &str) -> Value {
    let mut document: Value = serde_json::from_str(document).unwrap();
    document.as_object_mut().unwrap().remove("exportedAt");
    for session in document["sessions"].as_array_mut().unwrap() {
        session.as_object_mut().unwrap().remove("at");
    }
    document
}

/// The sums by all that tells calls apart, in an order of their own.
async fn groups(app: &TestApp) -> Vec<String> {
    let by = "session,model,client,conversation,source,outcome,operation,hour";
    let usage = app
        .get(&format!("/api/analytics/usage?period=all&groupBy={by}"))
        .await;
    let groups = usage["groups"].as_array().unwrap().iter();
    let mut groups: Vec<String> = groups.map(Value::to_string).collect();
    assert!(!groups.is_empty());
    groups.sort_unstable();
    groups
}

#[tokio::test]
async fn an_export_of_an_import_is_the_same_export() {
    let (_upstream, mut from) = started().await;
    let [_, other] = with_history(&mut from).await;
    let path = format!("/api/sessions/{other}");
    from.say("PATCH", &path, &json!({"status": "completed"})).await;
    let document = export(&from, "format=json").await;
    for format in BOTH {
        let text = export(&from, &format!("format={format}")).await;
        let (_upstream, to) = started().await;
        assert_taken(import(&to, format, &text).await, counts(2, 0, 0), counts(6, 0, 0));
        for _ in 0..2 {
            assert_eq!(
                at_rest(&export(&to, "format=json").await),
                at_rest(&document),
                "{format}"
            );
            assert_taken(import(&to, format, &text).await, counts(0, 2, 0), counts(0, 6, 0));
        }
        assert_eq!(groups(&to).await, groups(&from).await);
        // What lives says what the database does, also after a start.
        let before = to.get("/api/live").await["unassigned"].clone();
        assert_eq!(before, from.get("/api/live").await["unassigned"]);
        let to = to.restart().await;
        assert_eq!(to.get("/api/live").await["unassigned"], before);
        assert_eq!(
            at_rest(&export(&to, "format=json").await),
            at_rest(&document),
            "{format}"
        );
    }
}

#[tokio::test]
async fn a_live_one_keeps_what_it_has_and_is_told_of_what_comes() {
    let (_upstream, mut from) = started().await;
    let (_other_upstream, mut to) = started().await;
    let [one, other] = with_history(&mut from).await;
    let own = to.session("own").await;
    ask(&mut to, "").await;

    // A part of it first: one session, then a range, then all.
    let path = format!("/api/sessions/{one}/export?format=jsonl");
    let part = String::from_utf8(from.api("GET", &path, "", "").await.body).unwrap();
    let dry = import_at(&to, "/api/import?dryRun=true", "jsonl", &part).await;
    assert_taken(dry, counts(1, 0, 0), counts(2, 0, 0));
    assert_eq!(to.rows().await.len(), 1, "only looked at");
    assert_taken(
        import(&to, "jsonl", &part).await,
        counts(1, 0, 0),
        counts(2, 0, 0),
    );
    let told = to
        .next(|change| match change {
            Change::CallsImported { calls, .. } => Some(*calls),
            _ => None,
        })
        .await;
    assert_eq!(told, 2);
    let view = to
        .next(|change| match change {
            Change::Session(view) if view.name == "one" => Some(view.usage.requests),
            _ => None,
        })
        .await;
    assert_eq!(view, 2);
    // What is done to it here stays.
    let change = json!({"name": "mine"});
    assert_eq!(
        to.say("PATCH", &format!("/api/sessions/{one}"), &change).await.0,
        200
    );
    let all = export(&from, "format=json").await;
    assert_taken(import(&to, "json", &all).await, counts(1, 1, 0), counts(4, 2, 0));
    assert_eq!(
        to.get(&format!("/api/sessions/{one}")).await["name"],
        json!("mine")
    );

    // Its own session runs on; the one that ran elsewhere has ended with what its clock showed.
    let live = to.get(&format!("/api/sessions/{own}")).await;
    assert_eq!(
        (&live["status"], &live["current"], &live["usage"]["requests"]),
        (&json!("active"), &json!(true), &json!(1))
    );
    let arrived = to.get(&format!("/api/sessions/{other}")).await;
    let document: Value = serde_json::from_str(&all).unwrap();
    let was = document["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["id"] == json!(other))
        .unwrap();
    assert_eq!(
        (&arrived["status"], &arrived["elapsedMs"]),
        (&json!("completed"), &was["elapsedMs"])
    );
    assert_eq!(arrived["usage"], was["usage"]);
    assert_eq!(to.get("/api/live").await["unassigned"]["requests"], 1);

    // A session that was deleted with its calls comes back with them.
    let path = format!("/api/sessions/{one}?calls=delete");
    assert_eq!(to.api("DELETE", &path, "", "").await.head.status(), 204);
    assert_taken(import(&to, "json", &all).await, counts(1, 1, 0), counts(2, 4, 0));
    assert_eq!(
        to.get(&format!("/api/sessions/{one}")).await["usage"]["requests"],
        2
    );
    // Back where it comes from, it changes nothing.
    assert_taken(
        import(&from, "json", &all).await,
        counts(0, 2, 0),
        counts(0, 6, 0),
    );
    let running = from.get(&format!("/api/sessions/{other}")).await;
    assert_eq!(running["status"], "active");
}

#[tokio::test]
async fn calls_without_their_session_go_to_none() {
    let (_upstream, mut from) = started().await;
    let (_other_upstream, to) = started().await;
    with_history(&mut from).await;
    let filtered = export(&from, "format=jsonl&source=exact").await;
    assert!(!filtered.contains("\"type\":\"session\""));
    assert_taken(
        import(&to, "jsonl", &filtered).await,
        counts(0, 0, 0),
        counts(6, 0, 0),
    );
    assert_eq!(to.get("/api/live").await["unassigned"]["requests"], 6);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_place_and_the_rest_is_taken_in() {
    let (_upstream, mut from) = started().await;
    let (_other_upstream, to) = started().await;
    with_history(&mut from).await;
    let text = export(&from, "format=jsonl").await;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let calls = lines.len() - 6;
    lines[calls] = lines[calls].replace("\"outcome\":\"complete\"", "\"outcome\":\"running\"");
    lines[calls + 1] = "nonsense".to_owned();
    lines[calls + 2] = lines[calls + 2].replace("\"startedAt\":1", "\"startedAt\":2");
    lines[calls + 3] = lines[calls + 3].replace("\"costNanoUsd\":", "\"costNanoUsd\":0.5,\"x\":");
    let (status, report) = import(&to, "jsonl", &lines.join("\n")).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(counted(&report["calls"]), counts(2, 0, 4), "{report}");
    let refused: Vec<(&str, Option<&str>)> = report["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| (refused["place"].as_str().unwrap(), refused["field"].as_str()))
        .collect();
    let place = |line| format!("line {}", calls + line);
    assert_eq!(
        refused,
        [
            (&*place(1), Some("outcome")),
            (&*place(2), None),
            (&*place(3), Some("startedAt")),
            (&*place(4), Some("costNanoUsd")),
        ]
    );

    // Cut off at a line's end, and in the midst.
    let (_third_upstream, third) = started().await;
    let cut = text.lines().take(calls + 4).collect::<Vec<_>>().join("\n");
    let (status, report) = import(&third, "jsonl", &cut).await;
    assert_eq!((status, &report["missing"]), (200, &json!(2)), "{report}");
    let document = export(&from, "format=json").await;
    let (status, problem) = import(&third, "json", document.get(..document.len() - 200).unwrap()).await;
    assert_eq!(status, 400, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("1 new calls") && detail.contains("nothing is doubled"),
        "{detail}"
    );
    assert_taken(
        import(&third, "json", &document).await,
        counts(0, 2, 0),
        counts(1, 5, 0),
    );

    let deep = format!("{{\"calls\":[{}{}]}}", "[".repeat(100_000), "]".repeat(100_000));
    let (status, report) = import(&to, "json", &deep).await;
    assert_eq!(
        (status, counted(&report["calls"])),
        (200, counts(0, 0, 1)),
        "deep, but not for long"
    );
    for (format, text) in [
        ("json", "{}"),
        ("json", "[1]"),
        ("json", "{\"version\": 2, \"calls\": []}"),
        ("jsonl", "{\"type\": \"export\", \"version\": 2}"),
        ("json", &format!("{{\"calls\":[\"{}\"]}}", "x".repeat(33 << 20))),
    ] {
        let (status, problem) = import(&to, format, text).await;
        assert_eq!(status, 400, "{problem}");
    }
    let (status, problem) = import_at(&to, "/api/import?dry=1", "json", "{\"calls\": []}").await;
    assert_eq!((status, &problem["field"]), (422, &json!("dry")));
    let fields = format!("host: {}\ncontent-type: text/csv", to.dashboard());
    assert_eq!(
        to.api("POST", "/api/import", &fields, "id").await.head.status(),
        415
    );
    assert_eq!(to.rows().await.len(), 2);
}

#[tokio::test]
async fn the_command_takes_a_file() {
    let (_upstream, mut from) = started().await;
    with_history(&mut from).await;
    for format in BOTH {
        let (_other_upstream, to) = started().await;
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(format!("calls.{format}"));
        std::fs::write(&file, export(&from, &format!("format={format}")).await).unwrap();
        let port = to.dashboard().port();
        for (arguments, new) in [
            (&["--json", "--dry-run"][..], 6),
            (&["--json"], 6),
            (&["--json"], 0),
        ] {
            let mut command = command(home.path());
            command
                .env("PORT", port.to_string())
                .arg("import")
                .args(arguments)
                .arg(&file);
            let (code, out, said) = tokio::task::spawn_blocking(move || run(&mut command))
                .await
                .unwrap();
            assert_eq!(code, Some(0), "{out}{said}");
            let said: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(
                (&said["calls"]["new"], &said["missing"]),
                (&json!(new), &json!(0)),
                "{said}"
            );
        }
        assert_eq!(to.rows().await.len(), 6);
    }
}
