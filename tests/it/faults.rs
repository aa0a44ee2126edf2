//! The faults of networks, disks and systems, one by one, against the program as its user runs it: the client gets what it
//! would get without Moonlock, the user is told, no row is lost, and no descriptor stays open.
//!
//! Others have tests beside what they are about: a provider that refuses, resets, babbles or breaks off, and a client
//! that leaves, in `outcomes` and `bad_input`; a disk that is full or damaged in `damage`, one that is slow or locked in
//! `slow_disk`; TLS in `tls`; SIGKILL in `kill`; a clock that jumps in `timer` and the domain's timer tests.

#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::app::new_home;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON};
use crate::support::client::{Client, post};
use crate::support::program::{Program, command, in_home};
use crate::support::upstream::{Gate, Script, Upstream};
use crate::support::within;

fn settings(command: &mut Command, home: &Path, upstream: SocketAddr) {
    command
        .env("MOONLOCK_CONFIG", home.join("moonlock.toml"))
        .env("MOONLOCK_UPSTREAM_OPENAI", format!("http://{upstream}"));
}

fn start(home: &Path, upstream: SocketAddr) -> Program {
    let mut command = command(home);
    settings(&mut command, home, upstream);
    Program::start(&mut command)
}

/// The same with so many file descriptors at most.
fn start_with_descriptors(home: &Path, upstream: SocketAddr, most: u32) -> Program {
    let mut command = in_home("sh", home);
    let script = format!("ulimit -n {most} && exec \"$0\"");
    command
        .env("PATH", "/usr/bin:/bin")
        .args(["-c", &script, env!("CARGO_BIN_EXE_moonlock")]);
    settings(&mut command, home, upstream);
    Program::start(&mut command)
}

async fn rows(program: &Program) -> Vec<Value> {
    let page = program.ask("GET", "/api/calls?limit=1000", &Value::Null).await;
    page["calls"].as_array().unwrap().clone()
}

/// Waits until so many rows are there that have ended; their outcomes, oldest first.
async fn outcomes(program: &Program, count: usize) -> Vec<String> {
    let all = async {
        loop {
            let mut rows = rows(program).await;
            rows.retain(|row| row["outcome"] != "running");
            if rows.len() >= count {
                return rows;
            }
            tokio::task::yield_now().await;
        }
    };
    let rows = within("rows", all).await;
    let outcomes = rows
        .iter()
        .rev()
        .map(|row| row["outcome"].as_str().unwrap().to_owned());
    outcomes.collect()
}

async fn is_well(program: &Program) {
    let reply = Client::connect(program.proxy)
        .await
        .ask(post(CHAT_PATH, CHAT_REQUEST))
        .await;
    assert_eq!((reply.head.status(), &*reply.body), (200, CHAT.as_bytes()));
}

/// A provider that answers at once, and where `x-held` is asked for when the gate opens.
async fn holding(gate: &Gate) -> Upstream {
    let held = gate.clone();
    Upstream::start(move |request| match request.head.get("x-held") {
        Some(_) => Script::new()
            .wait(&held)
            .head(&format!("{JSON}\ncontent-length: {}", CHAT.len()))
            .send(CHAT),
        None => Script::sized(JSON, CHAT),
    })
    .await
}

/// Waits until the program has no more descriptors open than before.
async fn until_closed(program: &Program, before: usize) {
    let closed = async {
        while program.descriptors() > before {
            tokio::task::yield_now().await;
        }
    };
    within("descriptors to be closed", closed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_connections_are_refused_and_the_rest_goes_on() {
    let (gate, home) = (Gate::new(), new_home());
    let upstream = holding(&gate).await;
    let program = start_with_descriptors(home.path(), upstream.address, 128);
    is_well(&program).await;
    let before = program.descriptors();
    let (to_proxy, _) = moonlock::listen::shares(128);
    let mut calls = Vec::new();
    let request = crate::support::client::post_with(CHAT_PATH, "x-held: 1", CHAT_REQUEST);
    let refused = loop {
        let mut client = Client::connect(program.proxy).await;
        client.send(&request).await;
        if calls.len() < to_proxy {
            calls.push(client);
            continue;
        }
        // A connection of before may have counted until now.
        match client.try_head("POST").await {
            Some(head) => break head,
            None => continue,
        }
    };
    assert_eq!(
        (refused.head.status(), refused.head.get("x-moonlock-error")),
        (503, Some("too_many_connections"))
    );
    // The dashboard has places of its own.
    assert_eq!(
        program.ask("GET", "/api/health", &Value::Null).await["status"],
        "ok"
    );
    calls.iter().for_each(|_| gate.open());
    for client in &mut calls {
        let reply = client.reply("POST").await;
        assert_eq!((reply.whole, &*reply.body), (true, CHAT.as_bytes()));
    }
    let made = calls.len() + 1;
    drop(calls);
    // Connections to the provider are kept for the next call: as many as there were calls at most.
    until_closed(&program, before + to_proxy).await;
    is_well(&program).await;
    assert_eq!(outcomes(&program, made + 1).await, vec!["complete"; made + 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_survives_that_the_system_has_no_descriptor_left() {
    let (gate, home) = (Gate::new(), new_home());
    let upstream = holding(&gate).await;
    // Too few for what it takes on at least.
    let program = start_with_descriptors(home.path(), upstream.address, 48);
    is_well(&program).await;
    let request = crate::support::client::post_with(CHAT_PATH, "x-held: 1", CHAT_REQUEST);
    let mut calls = Vec::new();
    for _ in 0..30 {
        let mut client = Client::connect(program.proxy).await;
        client.send(&request).await;
        calls.push(client);
    }
    calls.iter().for_each(|_| gate.open());
    drop(calls);
    let again = async {
        loop {
            let mut client = Client::connect(program.proxy).await;
            client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
            if client
                .try_head("POST")
                .await
                .is_some_and(|reply| reply.head.status() == 200)
            {
                return;
            }
        }
    };
    within("calls to go on", again).await;
}

#[tokio::test]
async fn a_provider_that_half_closes_has_still_answered() {
    let home = new_home();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let program = start(home.path(), listener.local_addr().unwrap());
    let mut client = Client::connect(program.proxy).await;
    client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
    let (mut provider, _) = within("a connection", listener.accept()).await.unwrap();
    let mut asked = vec![0; 4096];
    within("the request", provider.read(&mut asked)).await.unwrap();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-length: {}\r\n\r\n",
        JSON.replace('\n', "\r\n"),
        CHAT.len()
    );
    provider.write_all(head.as_bytes()).await.unwrap();
    provider.write_all(CHAT.as_bytes()).await.unwrap();
    provider.shutdown().await.unwrap();
    let reply = client.reply("POST").await;
    assert_eq!((reply.whole, &*reply.body), (true, CHAT.as_bytes()));
    assert_eq!(outcomes(&program, 1).await, ["complete"]);
}

#[tokio::test]
async fn a_provider_that_closes_inside_its_head_or_stalls_there_is_answered_for_or_waited_for() {
    let home = new_home();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let program = start(home.path(), listener.local_addr().unwrap());
    let before = program.descriptors();
    let mut client = Client::connect(program.proxy).await;
    client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
    let (mut provider, _) = within("a connection", listener.accept()).await.unwrap();
    let mut asked = vec![0; 4096];
    within("the request", provider.read(&mut asked)).await.unwrap();
    provider
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-ty")
        .await
        .unwrap();
    drop(provider);
    let reply = client.reply("POST").await;
    assert_eq!(
        (reply.head.status(), reply.head.get("x-moonlock-error")),
        (502, Some("upstream_broke_off"))
    );
    // One that stalls is waited for as long as the client waits; when that leaves, the provider sees it.
    client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
    let (mut provider, _) = within("a connection", listener.accept()).await.unwrap();
    within("the request", provider.read(&mut asked)).await.unwrap();
    provider
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-ty")
        .await
        .unwrap();
    drop(client);
    let mut rest = Vec::new();
    within("the end", provider.read_to_end(&mut rest)).await.ok();
    drop(provider);
    assert_eq!(outcomes(&program, 2).await, ["upstream_error", "client_aborted"]);
    until_closed(&program, before).await;
}

/// As with most servers: whether the client only has nothing more to say, or was killed, looks the same.
#[tokio::test]
async fn a_client_that_half_closes_has_left() {
    let home = new_home();
    let cancelled = Gate::new();
    let tells = cancelled.clone();
    let mut upstream = Upstream::start(move |_| Script::new().until_closed(&tells)).await;
    let program = start(home.path(), upstream.address);
    let before = program.descriptors();
    let mut client = TcpStream::connect(program.proxy).await.unwrap();
    client.write_all(&post(CHAT_PATH, CHAT_REQUEST)).await.unwrap();
    upstream.seen().await;
    client.shutdown().await.unwrap();
    cancelled.pass().await;
    let mut answer = Vec::new();
    within("the end", client.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.is_empty());
    assert_eq!(outcomes(&program, 1).await, ["client_aborted"]);
    until_closed(&program, before).await;
}

#[tokio::test]
async fn a_client_that_never_reads_holds_up_its_provider_and_takes_no_memory() {
    const PIECE: usize = 1 << 20;
    let home = new_home();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let program = start(home.path(), listener.local_addr().unwrap());
    let before = program.descriptors();
    let mut client = TcpStream::connect(program.proxy).await.unwrap();
    client.write_all(&post(CHAT_PATH, CHAT_REQUEST)).await.unwrap();
    let (mut provider, _) = within("a connection", listener.accept()).await.unwrap();
    let mut asked = vec![0; 4096];
    within("the request", provider.read(&mut asked)).await.unwrap();
    let head = format!("HTTP/1.1 {}\r\n\r\n", EVENTS.replace('\n', "\r\n"));
    provider.write_all(head.as_bytes()).await.unwrap();
    let memory = program.memory("VmRSS");
    // More than the sockets' buffers hold: at some time the provider can write no more.
    let piece = vec![b'x'; PIECE];
    let mut written = 0;
    while written < 256 * PIECE {
        let writing = tokio::time::timeout(std::time::Duration::from_secs(1), provider.write(&piece));
        let Ok(length) = writing.await else { break };
        written += length.unwrap();
    }
    assert!(written < 256 * PIECE, "it is held up, after {written} bytes");
    assert!(
        program.memory("VmRSS") < memory + 32 * 1024,
        "what waits is not kept in memory"
    );
    drop(client);
    let mut rest = Vec::new();
    drop(within("the end", provider.read_to_end(&mut rest)).await);
    drop(provider);
    assert_eq!(outcomes(&program, 1).await, ["client_aborted"]);
    until_closed(&program, before).await;
}

/// Whoever takes the file away while it is in use, and how many rows were written before.
type Thief = fn(&Path);

const THIEVES: [(&str, Thief); 6] = [
    ("all of it deleted", |data| {
        for name in ["moonlock.db", "moonlock.db-wal", "moonlock.db-shm"] {
            drop(std::fs::remove_file(data.join(name)));
        }
    }),
    ("deleted without its log", |data| {
        std::fs::remove_file(data.join("moonlock.db")).unwrap()
    }),
    ("its directory deleted", |data| {
        std::fs::remove_dir_all(data).unwrap()
    }),
    ("moved away", |data| {
        std::fs::rename(data.join("moonlock.db"), data.join("elsewhere.db")).unwrap()
    }),
    ("something else in its place", |data| {
        let other = data.join("other");
        std::fs::write(&other, "not a database").unwrap();
        std::fs::rename(other, data.join("moonlock.db")).unwrap();
    }),
    ("another database in its place", |data| {
        let other = data.join("other");
        #[expect(clippy::disallowed_methods, reason = "somebody else's")]
        let database = rusqlite::Connection::open(&other).unwrap();
        database
            .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            .unwrap();
        drop(database);
        std::fs::rename(other, data.join("moonlock.db")).unwrap();
    }),
];

/// Waits for the alert that tells what became of the database.
async fn told(program: &Program) -> String {
    let told = async {
        loop {
            let live = program.ask("GET", "/api/live", &Value::Null).await;
            let mut alerts = live["alerts"].as_array().unwrap().iter();
            if let Some(alert) = alerts.find(|alert| alert["rule"] == "store.repaired") {
                return alert["message"].as_str().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    within("an alert", told).await
}

#[tokio::test]
async fn a_database_that_is_taken_away_is_written_anew_and_no_row_is_lost() {
    use std::os::unix::fs::PermissionsExt;
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    for (how, steal) in THIEVES {
        let home = new_home();
        let data = home.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let begin = || {
            let mut command = command(home.path());
            settings(&mut command, home.path(), upstream.address);
            Program::start(command.env("DB_PATH", data.join("moonlock.db")))
        };
        let program = begin();
        for _ in 0..3 {
            is_well(&program).await;
        }
        outcomes(&program, 3).await;
        steal(&data);
        is_well(&program).await;
        let message = told(&program).await;
        println!("{how}: {message}");
        let health = program.ask("GET", "/api/health", &Value::Null).await;
        assert_eq!(
            (&health["status"], &health["store"]["rescues"]),
            (&"ok".into(), &1.into()),
            "{how}"
        );
        assert_eq!(outcomes(&program, 4).await.len(), 4, "{how}");
        let found: Vec<_> = std::fs::read_dir(&data)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains(".found-") && !name.ends_with("-wal") && !name.ends_with("-shm"))
            .collect();
        assert_eq!(
            found.len(),
            usize::from(how.contains("in its place")),
            "{how}: {found:?}"
        );
        assert!(found.iter().all(|name| message.contains(name)), "{message}");
        let mode = std::fs::metadata(data.join("moonlock.db"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{how}");
        is_well(&program).await;
        // From the next call on it is as safe as it was.
        program.kill();
        let program = begin();
        assert_eq!(outcomes(&program, 5).await, vec!["complete"; 5], "{how}");
    }
}

#[tokio::test]
async fn a_database_that_is_taken_away_while_nothing_is_asked_is_there_again_after_the_stop() {
    let home = new_home();
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let mut program = start(home.path(), upstream.address);
    is_well(&program).await;
    outcomes(&program, 1).await;
    THIEVES[0].1(home.path());
    assert_eq!(program.terminate(), Some(0));
    let program = start(home.path(), upstream.address);
    assert_eq!(outcomes(&program, 1).await, ["complete"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_anew_fails_no_call_and_it_is_told() {
    let home = new_home();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let mut command = command(home.path());
    settings(&mut command, home.path(), upstream.address);
    let program = Program::start(command.env("DB_PATH", data.join("moonlock.db")));
    is_well(&program).await;
    std::fs::remove_dir_all(&data).unwrap();
    // A directory cannot be made here, by root neither.
    std::fs::write(&data, "").unwrap();
    is_well(&program).await;
    let message = told(&program).await;
    assert!(message.contains("cannot be written anew"), "{message}");
    // What it has open is still there for it.
    is_well(&program).await;
}

/// Whether or not the dashboard was built in: the page says so, and everything else is there.
#[tokio::test]
async fn a_program_without_its_dashboard_says_how_to_get_it() {
    let home = new_home();
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let program = start(home.path(), upstream.address);
    let ask = async |path: &str| {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\naccept: text/html\r\n\r\n",
            program.dashboard
        );
        let reply = Client::connect(program.dashboard).await.ask(request).await;
        (
            reply.head.status(),
            String::from_utf8_lossy(&reply.body).into_owned(),
        )
    };
    for path in ["/", "/sessions"] {
        let (status, page) = ask(path).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(page.contains("Node.js"), !moonlock::api::assets::BUILT, "{page}");
    }
    assert_eq!(ask("/assets/none.js").await.0, 404);
    is_well(&program).await;
    assert_eq!(outcomes(&program, 1).await, ["complete"]);
}

#[tokio::test]
async fn a_provider_whose_name_is_unknown_is_answered_for_and_the_row_says_so() {
    let home = new_home();
    let mut command = command(home.path());
    command
        .env("MOONLOCK_CONFIG", home.path().join("moonlock.toml"))
        .env("MOONLOCK_UPSTREAM_OPENAI", "http://nowhere.invalid");
    let program = Program::start(&mut command);
    let before = program.descriptors();
    let reply = Client::connect(program.proxy)
        .await
        .ask(post(CHAT_PATH, CHAT_REQUEST))
        .await;
    assert_eq!(
        (reply.head.status(), reply.head.get("x-moonlock-error")),
        (502, Some("upstream_unreachable"))
    );
    let said = String::from_utf8(reply.body).unwrap();
    assert!(
        said.contains("nowhere.invalid") && said.contains("lookup"),
        "{said}"
    );
    assert_eq!(outcomes(&program, 1).await, ["upstream_error"]);
    until_closed(&program, before).await;
}

#[tokio::test]
async fn it_says_why_it_cannot_use_a_place_that_is_read_only() {
    let home = new_home();
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    // A folder that nobody may write to, root neither.
    let mut command = command(home.path());
    settings(&mut command, home.path(), upstream.address);
    command.env("DB_PATH", "/proc/moonlock.db");
    let (code, _, said) = tokio::task::spawn_blocking(move || crate::support::program::run(&mut command))
        .await
        .unwrap();
    assert_eq!(code, Some(1));
    assert!(
        said.contains("/proc/moonlock.db") && said.lines().count() == 1,
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_under_load_it_lets_calls_end_and_keeps_their_rows() {
    const CALLS: usize = 40;
    let (gate, home) = (Gate::new(), new_home());
    let (begun, held) = (Gate::new(), gate.clone());
    let tells = begun.clone();
    let upstream = Upstream::start(move |request| match request.head.get("x-held") {
        Some(_) => {
            tells.open();
            let head = format!("{JSON}\ncontent-length: {}", CHAT.len());
            Script::new().head(&head).wait(&held).send(CHAT)
        }
        None => Script::sized(JSON, CHAT),
    })
    .await;
    let mut program = start(home.path(), upstream.address);
    let request = crate::support::client::post_with(CHAT_PATH, "x-held: 1", CHAT_REQUEST);
    let mut clients = Vec::new();
    for _ in 0..CALLS {
        let mut client = Client::connect(program.proxy).await;
        client.send(&request).await;
        begun.pass().await;
        clients.push(client);
    }
    let proxy = program.proxy;
    let ended = tokio::task::spawn_blocking(move || (program.terminate(), program));
    // It takes no more calls from then on.
    let refused = async { while TcpStream::connect(proxy).await.is_ok() {} };
    within("the port to close", refused).await;
    clients.iter().for_each(|_| gate.open());
    for mut client in clients {
        let reply = client.reply("POST").await;
        assert_eq!((reply.whole, &*reply.body), (true, CHAT.as_bytes()));
    }
    let (code, stopped) = within("the program to stop", ended).await.unwrap();
    drop(stopped);
    assert_eq!(code, Some(0));
    let program = start(home.path(), upstream.address);
    assert_eq!(outcomes(&program, CALLS).await, vec!["complete"; CALLS]);
}
