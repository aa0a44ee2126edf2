//! The recorded sessions.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use moonlock::domain::forecast::CallUse;
use moonlock::domain::units::{Millis, NanoUsd, Tokens};
use moonlock::domain::usage::parts::Parts;
use serde_json::Value;

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

/// A session, or a part or a mixture of some.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) source: String,
    /// In order of time.
    pub(crate) calls: Vec<(Millis, CallUse)>,
    pub(crate) end: Millis,
}

impl Session {
    fn read(line: &Value) -> Self {
        let calls: Vec<_> = line["events"].as_array().unwrap().iter().map(call).collect();
        Self {
            id: line["id"].as_str().unwrap().to_owned(),
            source: line["source"].as_str().unwrap().to_owned(),
            end: calls.last().unwrap().0,
            calls,
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.calls.iter().map(|(_, call)| call.total.0).sum()
    }

    pub(crate) fn hours(&self) -> f64 {
        self.end.0 as f64 / 3_600_000.0
    }

    /// Its first minutes.
    fn cut(&self, end: Millis) -> Self {
        Self {
            calls: self.calls.iter().filter(|(at, _)| *at <= end).copied().collect(),
            end,
            ..self.clone()
        }
    }
}

fn call(event: &Value) -> (Millis, CallUse) {
    let tokens = |at: usize| Some(Tokens(event[at].as_u64().unwrap()));
    let parts = Parts {
        input: tokens(2),
        output: tokens(3),
        cache_read: tokens(4),
        cache_write_5m: tokens(5),
        ..Parts::default()
    };
    let call = CallUse::of(&parts, None).unwrap();
    let cost = Some(NanoUsd(i64::try_from(call.worth.0 * 5_000).unwrap()));
    (Millis(event[0].as_u64().unwrap()), CallUse { cost, ..call })
}

/// Every session.
pub(crate) fn all(folder: &Path) -> Vec<Session> {
    let file = File::open(folder.join("dev-sessions.jsonl.gz")).unwrap();
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    let sessions: Vec<_> = lines
        .map(|line| Session::read(&serde_json::from_str(&line.unwrap()).unwrap()))
        .collect();
    assert!(sessions.len() >= 300, "the sessions are there");
    sessions
}

pub(crate) fn minutes(minutes: u64) -> Millis {
    Millis(minutes * 60_000)
}

/// Sessions of ten minutes or more, each to its natural end.
pub(crate) fn natural(sessions: &[Session]) -> Vec<Session> {
    let long = sessions.iter().filter(|session| session.end >= minutes(10));
    long.cloned().collect()
}

/// The first 30, 60 and 90 minutes of sessions that went on.
pub(crate) fn fixed(sessions: &[Session]) -> Vec<Session> {
    let cut = |end: Millis| {
        let longer = sessions.iter().filter(move |session| session.end > end);
        longer.map(move |session| session.cut(end))
    };
    [30, 60, 90]
        .into_iter()
        .flat_map(|end| cut(minutes(end)))
        .collect()
}

/// Three sessions of one source at once, for an hour: 120 draws.
pub(crate) fn three_agents(sessions: &[Session]) -> Vec<Session> {
    let hour = minutes(60);
    let long: Vec<_> = sessions.iter().filter(|session| session.end >= hour).collect();
    let mut random = fastrand::Rng::with_seed(1);
    let mut drawn = Vec::new();
    while drawn.len() < 120 {
        let first = long[random.usize(..long.len())];
        let mut same: Vec<_> = long.iter().filter(|other| other.source == first.source).collect();
        random.shuffle(&mut same);
        if let [one, two, three, ..] = same[..] {
            let mut calls = [one, two, three].map(|session| session.cut(hour).calls).concat();
            calls.sort_by_key(|(at, _)| *at);
            drawn.push(Session {
                id: format!("{} + {} + {}", one.id, two.id, three.id),
                source: one.source.clone(),
                calls,
                end: hour,
            });
        }
    }
    drawn
}

/// The middle of some numbers; nothing of none.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

pub(crate) fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len().max(1) as f64
}
