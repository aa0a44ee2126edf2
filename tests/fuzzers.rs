//! The fuzzers' checks with their first inputs: every fixture, whole and in pieces. `tests/run fuzz` goes on from there.

#![expect(clippy::unwrap_used, reason = "this is a test throughout")]

#[path = "fuzz/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library to the fuzzers")]
mod fuzz;

use std::path::Path;
use std::process::Command;

/// Makes the inputs, and puts those of one fuzzer through its check.
fn hold(name: &str, least: usize, check: fn(&[u8])) {
    let into = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("fuzz-seeds")
        .join(name);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds");
    assert!(
        Command::new(script)
            .arg(&into)
            .arg(name)
            .status()
            .unwrap()
            .success()
    );
    let mut inputs = 0;
    for entry in std::fs::read_dir(into.join(name)).unwrap() {
        let path = entry.unwrap().path();
        let input = std::fs::read(&path).unwrap();
        let held = std::panic::catch_unwind(|| check(&input));
        assert!(held.is_ok(), "the input: {}", path.display());
        inputs += 1;
    }
    assert!(inputs >= least, "{inputs} inputs");
}

#[test]
fn documents_in_each_framing() {
    hold("framings", 100, fuzz::framings::check);
}

#[test]
fn replies() {
    hold("replies", 200, fuzz::replies::check);
}

#[test]
fn requests() {
    hold("requests", 10, fuzz::requests::check);
}

#[test]
fn sockets() {
    hold("sockets", 5, fuzz::sockets::check);
}

#[test]
fn settings() {
    hold("configs", 8, fuzz::configs::check);
}

#[test]
fn logs_and_exports() {
    hold("imports", 4, fuzz::imports::check);
}

#[test]
fn requests_to_the_api() {
    hold("api", 20, fuzz::api::check);
}
