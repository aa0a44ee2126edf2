//! A damaged file, a full disk, and copies: against the program as its user runs it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::app::new_home;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::{Client, post};
use crate::support::program::{Program, command, run};
use crate::support::upstream::{Script, Upstream};
use crate::support::within;

async fn upstream() -> Upstream {
    Upstream::start(|_| Script::sized(JSON, CHAT)).await
}

fn start(home: &Path, upstream: &Upstream) -> Program {
    let mut command = command(home);
    command.env("MOONLOCK_CONFIG", home.join("moonlock.toml"));
    command.env("MOONLOCK_UPSTREAM_OPENAI", format!("http://{}", upstream.address));
    Program::start(&mut command)
}

async fn get(program: &Program, path: &str) -> Value {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", program.dashboard);
    let reply = Client::connect(program.dashboard).await.ask(&request).await;
    serde_json::from_slice(&reply.body).unwrap()
}

async fn call(program: &Program, count: usize) {
    let mut client = Client::connect(program.proxy).await;
    for _ in 0..count {
        let reply = client.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
        assert_eq!((reply.whole, &*reply.body), (true, CHAT.as_bytes()));
    }
}

async fn requests(program: &Program) -> u64 {
    let usage = get(program, "/api/analytics/usage").await;
    usage["totals"]["requests"].as_u64().unwrap()
}

/// Waits until an alert of a rule lasts, or does no longer; its message.
async fn until_alert(program: &Program, rule: &str, lasts: bool) -> String {
    within("an alert", async {
        loop {
            let live = get(program, "/api/live").await;
            let alerts = live["alerts"].as_array().unwrap();
            let found = alerts.iter().find(|alert| alert["rule"] == rule);
            if found.is_some() == lasts {
                return found.map_or(String::new(), |alert| {
                    alert["message"].as_str().unwrap().to_owned()
                });
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn a_damaged_database_is_rebuilt_and_everyone_is_told() {
    let home = new_home();
    let upstream = upstream().await;
    let mut program = start(home.path(), &upstream);
    call(&program, 200).await;
    assert_eq!(program.terminate(), Some(0));
    let path = home.path().join("moonlock.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0);
    bytes[..16].fill(b'?');
    std::fs::write(&path, &bytes).unwrap();

    let program = start(home.path(), &upstream);
    let message = until_alert(&program, "store.repaired", true).await;
    println!("alert: {message}");
    let kept = requests(&program).await;
    assert!(kept >= 100, "{kept} of 200 calls");
    assert!(message.contains(&format!("{kept} calls")), "{message}");
    let health = get(&program, "/api/health").await;
    println!("health: {health}");
    let repair = &health["store"]["repair"];
    assert_eq!(repair["tables"]["calls"]["kept"], kept);
    let damaged = Path::new(repair["damaged"].as_str().unwrap());
    assert_eq!(std::fs::read(damaged).unwrap(), bytes, "it is kept as it was");
    call(&program, 1).await;
    assert_eq!(requests(&program).await, kept + 1);
}

#[tokio::test]
async fn a_backup_is_made_while_calls_go_on_and_can_be_put_in_place() {
    let home = new_home();
    let upstream = upstream().await;
    let mut program = start(home.path(), &upstream);
    call(&program, 20).await;
    let target = home.path().join("copy.db");
    let (code, out, said) = run(command(home.path()).arg("backup").arg(&target));
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let length = std::fs::metadata(&target).unwrap().len();
    assert_eq!(
        out,
        format!(
            "{}\n{length} bytes, 20 calls, 0 sessions; checked\n",
            target.display()
        )
    );
    let (code, out, said) = run(command(home.path()).arg("backup").arg(&target));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(said.contains("copy.db exists already"), "{said}");
    call(&program, 5).await;
    assert_eq!(program.terminate(), Some(0));
    let (code, out, _) = run(command(home.path()).arg("backup"));
    assert_eq!(code, Some(0));
    assert!(
        out.contains("/backups/moonlock-") && out.contains("25 calls"),
        "{out}"
    );
    std::fs::rename(&target, home.path().join("moonlock.db")).unwrap();
    let program = start(home.path(), &upstream);
    assert_eq!(requests(&program).await, 20);
}

#[test]
fn a_backup_needs_a_database() {
    let home = new_home();
    let (code, out, said) = run(command(home.path()).arg("backup"));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(said.contains("there is no database at"), "{said}");
}

/// A small disk of its own; `None` where this user may not make one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(directory.path())
            .output();
        mounted
            .is_ok_and(|mounted| mounted.status.success())
            .then(|| Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).output());
    }
}

#[tokio::test]
async fn a_full_disk_fails_no_call_and_the_rows_follow_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        println!("not tried: only a superuser may mount a small disk");
        return;
    };
    let home = disk.0.path();
    std::fs::write(home.join("moonlock.toml"), "[store]\ncommit_bound_ms = 50\n").unwrap();
    let upstream = upstream().await;
    let program = start(home, &upstream);
    call(&program, 5).await;
    fill(home);
    call(&program, 60).await;
    let message = until_alert(&program, "store.failing", true).await;
    println!("alert: {message}");
    let health = get(&program, "/api/health").await;
    println!("health: {health}");
    assert_eq!(health["status"], "degraded");
    std::fs::remove_file(home.join("filler")).unwrap();
    until_alert(&program, "store.failing", false).await;
    assert_eq!(requests(&program).await, 65);

    // A stop while it is full says what is lost.
    fill(home);
    call(&program, 60).await;
    until_alert(&program, "store.failing", true).await;
    let said = program.stop_and_say();
    println!("log: {said}");
    assert!(said.contains("store.lost="), "{said}");
    std::fs::remove_file(home.join("filler")).unwrap();
    let program = start(home, &upstream);
    let kept = requests(&program).await;
    assert!((65..125).contains(&kept), "{kept}");
    drop(program);
}

/// Takes all the room that is left.
fn fill(home: &Path) {
    use std::io::Write;
    let mut filler = std::fs::File::create(home.join("filler")).unwrap();
    for size in [65_536, 4_096, 512] {
        while filler.write_all(&vec![0; size]).is_ok() {}
    }
}
