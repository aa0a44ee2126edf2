//! The recorded sessions.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use moonlock::domain::forecast::eval::Recording;

/// `None` where the recordings are absent, which is said.
pub(crate) fn folder() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds its data by a variable that no setting is"
    )]
    let variable = |name| std::env::var(name).map(PathBuf::from).ok();
    let beside_corpus = || Some(variable("MOONLOCK_CORPUS")?.with_file_name("traces"));
    let folder = variable("MOONLOCK_TRACES")
        .or_else(beside_corpus)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces"));
    let found = folder.is_dir().then_some(folder);
    if found.is_none() {
        println!(
            "skipped: no recorded sessions in MOONLOCK_TRACES, beside MOONLOCK_CORPUS or in ../shared/traces"
        );
    }
    found
}

/// Every session.
pub(crate) fn all(folder: &Path) -> Vec<Recording> {
    let file = File::open(folder.join("dev-sessions.jsonl.gz")).unwrap();
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    let sessions: Vec<_> = lines
        .map(|line| Recording::of_line(&line.unwrap()).unwrap())
        .collect();
    assert!(sessions.len() >= 300, "the sessions are there");
    sessions
}
