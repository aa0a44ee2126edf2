//! What Moonlock is like when its history has grown: how many bytes a call takes, how fast calls are written, how long each
//! question of the dashboard takes, how long a start takes, and what an export and its import take. The analytics are asked in
//! four time zones, and each number of their answers is compared with the calls themselves: a difference ends it in red.
//!
//! `cargo bench --bench growth -- CALLS [DIRECTORY]`; without a directory a temporary one is filled. `retain DIRECTORY DAYS`
//! says what it takes to be rid of all calls but those of so many days; it changes the database. Questions go through
//! the API of a program on a free port, so that all that a dashboard waits for is in the figures. Each part is a process
//! of its own: the peak of its memory is its own, too.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

mod history;
mod program;
mod questions;
mod reference;
mod retain;
mod zones;

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use moonlock::domain::durability::Durability;
use moonlock::domain::record::Record;
use moonlock::store::{Directory, QueueFull, Store, StoreOptions, Ticket};

use program::{Program, peak};

/// So many calls where nobody says how many.
const CALLS: u64 = 10_000;
/// No more calls are exported and imported than this.
const MOST_EXPORTED: u64 = 1_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["fill", directory, calls] => fill(Path::new(directory), number(calls)),
        ["measure", directory, calls] => questions::measure(Path::new(directory), number(calls)),
        ["zones", directory, calls] => zones::compare(Path::new(directory), number(calls)),
        ["export", directory, calls] => export(Path::new(directory), number(calls)),
        ["import", directory, file] => import(Path::new(directory), Path::new(file)),
        ["retain", directory, days] => retain::retain(Path::new(directory), number(days)),
        [calls, directory] => all(Path::new(directory), number(calls)),
        [calls] => all_in_passing(number(calls)),
        _ => all_in_passing(CALLS),
    }
}

fn number(text: &str) -> u64 {
    text.replace('_', "").parse().expect("a number of calls")
}

fn all_in_passing(calls: u64) {
    let directory = tempfile::tempdir().expect("a directory");
    all(directory.path(), calls);
}

fn all(directory: &Path, calls: u64) {
    let (full, other) = (directory.join("full"), directory.join("other"));
    for directory in [&full, &other] {
        std::fs::create_dir_all(directory).expect("a directory");
    }
    let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
    let calls = calls.to_string();
    if !full.join("moonlock.db").exists() {
        itself(&["fill", &text(&full), &calls]);
    }
    itself(&["measure", &text(&full), &calls]);
    itself(&["zones", &text(&full), &calls]);
    itself(&["export", &text(&full), &calls]);
    let file = text(&full.join("calls.jsonl"));
    itself(&["import", &text(&other), &file]);
    itself(&["import", &text(&other), &file]);
}

fn itself(arguments: &[&str]) {
    let program = std::env::current_exe().expect("this program");
    let status = Command::new(program).args(arguments).status().expect("a process");
    assert!(status.success(), "{arguments:?}");
}

fn options(directory: &Path) -> StoreOptions {
    StoreOptions {
        path: directory.join("moonlock.db"),
        directory: Directory::MustExist,
        durability: Durability::Normal,
        batch_size: 1_000,
        batch_interval: Duration::ZERO,
    }
}

fn fill(directory: &Path, calls: u64) {
    let store = Store::open(options(directory)).expect("a store").0;
    let began = Instant::now();
    submit_all(&store, history::records(calls, now()));
    drop(store);
    let seconds = began.elapsed().as_secs_f64();
    let size = std::fs::metadata(directory.join("moonlock.db"))
        .expect("the file")
        .len();
    println!("| what | figure |\n|---|---|");
    println!("| calls | {calls} |");
    println!("| written, calls a second | {:.0} |", calls as f64 / seconds);
    println!("| bytes a call | {:.0} |", size as f64 / calls as f64);
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Submits as fast as the store takes it; returns when all is committed.
fn submit_all(store: &Store, writes: impl Iterator<Item = Record>) {
    let writer = store.writer();
    let mut tickets: VecDeque<Ticket> = VecDeque::new();
    for mut write in writes {
        loop {
            match writer.submit(write) {
                Ok(ticket) => {
                    tickets.push_back(ticket);
                    break;
                }
                Err(QueueFull(back)) => {
                    write = back.0;
                    // Half of what waits at once: one wake-up for each call would be what is measured.
                    let half = tickets.len().div_ceil(2);
                    for ticket in tickets.drain(..half) {
                        ticket.wait().expect("a committed write");
                    }
                }
            }
        }
    }
    for ticket in tickets {
        ticket.wait().expect("a committed write");
    }
}

fn export(directory: &Path, calls: u64) {
    let program = Program::start(directory);
    let file = directory.join("calls.jsonl");
    // The newest, where there are more.
    let share = history::SPAN_MS as f64 * MOST_EXPORTED as f64 / calls as f64;
    let from = match calls {
        ..=MOST_EXPORTED => 0,
        _ => now() - share as i64,
    };
    let began = Instant::now();
    let bytes = program.download(&format!("/api/export?format=jsonl&from={from}"), &file);
    println!(
        "| export: seconds, MB, peak MB of the process | {:.1}, {}, {} |",
        began.elapsed().as_secs_f64(),
        bytes >> 20,
        peak()
    );
    program.stop();
}

fn import(directory: &Path, file: &Path) {
    let program = Program::start(directory);
    let began = Instant::now();
    let said = program.upload("/api/import", "application/jsonl", file);
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "| import: seconds, peak MB of the process | {seconds:.1}, {}: {said} |",
        peak()
    );
    program.stop();
}
