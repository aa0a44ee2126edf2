//! `moonlock eval`: how well the forecast and the alarms do on recorded sessions.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use flate2::read::GzDecoder;
use serde::Serialize;

use super::{Failure, say};
use crate::config::{Environment, Flags, Settings};
use crate::domain::forecast::alarm::Level;
use crate::domain::forecast::eval::{
    AnomalyScore, Average, Budgets, OwnTokens, Recording, Scores, Weighted, anomalies, fixed, natural,
    scores, three_agents, warnings,
};
use crate::domain::session::Status;
use crate::store::{Reader, SessionQuery};

/// The longest line of a file: a session of some hundred thousand calls.
const LONGEST_LINE: u64 = 64 << 20;
/// The most sessions that are scored.
const MOST_SESSIONS: usize = 10_000;
/// The most calls of a session of the database that are taken, the newest.
const MOST_CALLS: usize = 100_000;

/// Score the forecast and the alarms on recorded sessions
#[derive(Debug, Args)]
#[command(
    after_help = "Each session is replayed, call by call, through the code that runs beside your sessions. Without FILE: the \
                  sessions of the database that are completed.\n\n\
                  FILE has a JSON object a line, compressed with gzip or not:\n  \
                  {\"id\": \"…\", \"source\": \"…\", \"events\": [[ms, model, input, output, cacheRead, cacheWrite], …]}\n\
                  with ms since the session's start, and input without cached tokens.\n\n\
                  natural: sessions of ten minutes or more, to their last call. fixed: the first 30, 60 and 90 minutes of \
                  longer ones.\nthreeAgents: three of one source at once, for an hour. What cannot be scored is null.\n\n\
                  Exit codes: 0 scored, 1 nothing to score or it cannot be read, 2 wrong arguments.\n\n\
                  Examples:\n  moonlock eval\n  moonlock eval --json sessions.jsonl.gz"
)]
pub(super) struct Eval {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Score the sessions of this file
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

/// What is printed as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    natural: Scores,
    fixed: Scores,
    three_agents: Scores,
    anomaly: AnomalyScore,
}

pub(super) fn run(environment: &Environment, arguments: &Eval) -> Result<(), Failure> {
    let sessions = match &arguments.file {
        Some(file) => of_file(file)?,
        None => of_database(environment, &arguments.flags)?,
    };
    let kinds = [
        ("natural", natural(&sessions)),
        ("fixed", fixed(&sessions)),
        ("threeAgents", three_agents(&sessions)),
    ];
    if kinds.iter().all(|(_, sessions)| sessions.is_empty()) {
        return Err(Failure::run(&format!(
            "nothing to score: none of the {} sessions has calls over ten minutes or more",
            sessions.len()
        )));
    }
    let anomaly = anomalies(&sessions);
    if arguments.json {
        let [natural, fixed, three_agents] = kinds.map(|(_, sessions)| scores(&sessions, OwnTokens::default));
        let report = Report {
            natural,
            fixed,
            three_agents,
            anomaly,
        };
        say(&serde_json::to_string(&report).map_err(|error| Failure::run(&error))?);
        return Ok(());
    }
    say(&format!(
        "{:<36}  mape   male    lpin   c80  c95   brier  f1     lead   limit",
        ""
    ));
    for (name, sessions) in &kinds {
        print(
            &format!("{name} ({} sessions)", sessions.len()),
            &scores(sessions, OwnTokens::default),
        );
        print(
            "  the average so far, held on",
            &scores(sessions, Average::default),
        );
        print(
            "  EWMA of ten minutes, held on",
            &scores(sessions, Weighted::default),
        );
    }
    let likely = warnings(&kinds[0].1, Level::Likely, Budgets::Tied, OwnTokens::default);
    say("");
    say("natural, when so much was said, so much came true (and how often it was said):");
    for (count, said, was) in likely.reliability() {
        say(&format!(
            "  {:>3.0} %  {:>3.0} %  ({count})",
            said * 100.0,
            was * 100.0
        ));
    }
    say("");
    print_anomalies(&anomaly);
    say("");
    say(
        "mape: mean error of the total; male: mean |ln(forecast/truth)|; lpin: pinball loss of the logarithm; c80, c95: share \
         inside the bands; brier: squared error of the probability of overrun; f1, lead: the alert about a likely overrun, \
         and its minutes before it; limit: median error of the time to a limit, in minutes.",
    );
    Ok(())
}

fn number(number: Option<f64>, width: usize, places: usize) -> String {
    number.map_or_else(
        || format!("{:>width$}", "–"),
        |number| format!("{number:>width$.places$}"),
    )
}

fn print(name: &str, scores: &Scores) {
    say(&format!(
        "{name:<36} {} {} {}  {} {}  {}  {} {} {}",
        number(scores.mape, 5, 3),
        number(scores.male, 6, 3),
        number(scores.log_pinball, 7, 4),
        number(scores.coverage80, 4, 2),
        number(scores.coverage95, 4, 2),
        number(scores.brier, 6, 3),
        number(scores.overrun_f1, 5, 3),
        number(scores.lead_median_min, 6, 1),
        number(scores.time_to_limit_median_err_min, 6, 1),
    ));
}

fn print_anomalies(score: &AnomalyScore) {
    say(&format!(
        "anomalies, sessions of 20 minutes or more, {} hours",
        number(score.hours, 1, 0)
    ));
    let found = [
        (
            "five times the calls",
            score.calls_x5_found,
            score.calls_x5_delay_min,
        ),
        (
            "ten times the calls",
            score.calls_x10_found,
            score.calls_x10_delay_min,
        ),
        (
            "five times the size",
            score.size_x5_found,
            score.size_x5_delay_min,
        ),
    ];
    for (what, share, delay) in found {
        say(&format!(
            "  {what:<22} found {}  after {} min",
            number(share, 4, 2),
            number(delay, 4, 2)
        ));
    }
    say(&format!(
        "  false alarms an hour   {}",
        number(score.false_alarms_per_hour, 10, 2)
    ));
    say(&format!(
        "  of a fleet of twenty   {}",
        number(score.fleet_alarms_per_hour, 10, 2)
    ));
    say(&format!(
        "  idle notices an hour   {}",
        number(score.idle_notices_per_hour, 10, 2)
    ));
}

fn of_file(path: &Path) -> Result<Vec<Recording>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::run(&format!("{}: {error}", path.display()));
    let mut file = BufReader::new(File::open(path).map_err(|error| failed(&error))?);
    let is_compressed = file
        .fill_buf()
        .map_err(|error| failed(&error))?
        .starts_with(&[0x1f, 0x8b]);
    let mut lines: Box<dyn BufRead> = match is_compressed {
        true => Box::new(BufReader::new(GzDecoder::new(file))),
        false => Box::new(file),
    };
    let mut sessions = Vec::new();
    for number in 1.. {
        let mut line = String::new();
        let read = lines.by_ref().take(LONGEST_LINE).read_line(&mut line);
        if read.map_err(|error| failed(&format!("line {number}: {error}")))? == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        let session = Recording::of_line(&line);
        sessions.push(session.map_err(|error| failed(&format!("line {number}: {error}")))?);
        if sessions.len() > MOST_SESSIONS {
            return Err(failed(&format!(
                "more than {MOST_SESSIONS} sessions: split the file"
            )));
        }
    }
    Ok(sessions)
}

/// The completed sessions of the database. What counts as their time is what their clocks counted.
fn of_database(environment: &Environment, flags: &Flags) -> Result<Vec<Recording>, Failure> {
    let settings = Settings::load(environment, flags).map_err(|error| Failure::usage(&error))?;
    let reader = Reader::open(settings.database.path()).map_err(|error| Failure::run(&error))?;
    let stored = reader
        .sessions(&SessionQuery {
            limit: MOST_SESSIONS,
            ..SessionQuery::default()
        })
        .map_err(|error| Failure::run(&error))?;
    let mut sessions = Vec::new();
    // The oldest first, as they came.
    for (stored, _) in stored.into_iter().rev() {
        let session = stored.session;
        if session.timer.status() != Status::Completed {
            continue;
        }
        let calls = reader
            .past_calls(session.id, MOST_CALLS)
            .map_err(|error| Failure::run(&error))?;
        let at = session.timer.last().at;
        let calls = calls
            .iter()
            .map(|call| (session.timer.elapsed_at(call.ended_at, at), call.used));
        sessions.extend(Recording::new(
            session.id.to_string(),
            "own".to_owned(),
            calls.collect(),
        ));
    }
    Ok(sessions)
}
