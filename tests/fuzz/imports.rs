//! Any bytes as a log of a tool, or as a line of an export: what is taken in is what could have been, and once.
//!
//! The line is: `claude-code`, `codex`, `call` or `session`.

use std::hint::black_box;

use super::Input;
use moonlock::domain::exported::{ArrivedCall, ArrivedSession};
use moonlock::domain::ids::CallId;
use moonlock::domain::import::{LogReader, Logged, Tool, recognise, without_copies};
use moonlock::domain::units::Timestamp;

/// A moment in 2026.
const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// Holds what is promised against an input.
pub fn check(data: &[u8]) {
    let Some(input) = Input::parse(data) else { return };
    match input.word(0) {
        "call" | "session" => {
            let Ok(text) = std::str::from_utf8(input.body) else {
                return;
            };
            exported(input.word(0), text);
        }
        tool => logged(Tool::from_name(tool).unwrap_or(Tool::ClaudeCode), input.body),
    }
}

fn exported(what: &str, text: &str) {
    let refused = if what == "call" {
        match ArrivedCall::read(text, NOW) {
            Ok(arrived) => {
                let end = arrived.call.end.expect("only what has ended is taken in");
                assert!(arrived.call.start.started_at.0 >= 0);
                // Sums of it cannot overflow.
                black_box(end.parts.total());
                return;
            }
            Err(refused) => refused,
        }
    } else {
        match ArrivedSession::read(text, NOW) {
            Ok(arrived) => return drop(arrived.marks()),
            Err(refused) => refused,
        }
    };
    assert!(!refused.why.is_empty(), "it says why");
}

fn read(tool: Tool, log: &[u8]) -> Vec<Logged> {
    let mut reader = LogReader::new(tool);
    for line in log.split(|byte| *byte == b'\n') {
        // A line that cannot be read spoils no other.
        drop(reader.line(line));
    }
    reader.finish()
}

fn logged(tool: Tool, log: &[u8]) {
    black_box(recognise(log.split(|byte| *byte == b'\n')));
    let calls = read(tool, log);
    assert!(
        calls.is_sorted_by_key(|call| call.started_at),
        "the earliest first"
    );
    let twice = without_copies([calls.clone(), calls.clone()].concat());
    let once = without_copies(calls);
    assert_eq!(twice, once, "a log that is read twice tells nothing more");
    for call in once {
        if call.problem(NOW).is_none() {
            black_box((call.once(), call.parts(), call.ended_at()));
            let (start, end) = call.call(CallId::from_uuid(uuid::Uuid::nil()), None);
            assert!(start.started_at.0 >= 0 && end.duration.0 < u64::MAX / 2);
        }
    }
}
