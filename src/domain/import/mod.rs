//! Calls that were made before Moonlock looked, or past it: read from the logs that tools keep of themselves.
//!
//! A log is a worse witness than the proxy. It says a message several times while it grows, copies the history of a
//! conversation that is resumed or forked, and repeats its last numbers when something else changes. So each call has a
//! name that all its copies share ([`Logged::key`]), the fullest of them counts, and what the proxy metered itself
//! ([`Metered`]) counts before all of them. What becomes of a call is decided by [`Incoming::verdict`].

mod claude_code;
mod codex;
mod metered;

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::call::{Call, CallEnd, CallStart, Outcome, Source, SubAgent, named};
use super::estimate::Intervals;
use super::ids::{CallId, SessionId};
use super::operation::Operation;
use super::units::{Millis, Timestamp, Tokens};
use super::usage::once::OnceKey;
use super::usage::parts::Parts;
use claude_code::ClaudeCode;
use codex::Codex;
pub use metered::Metered;

named! {
    /// Whose logs can be read.
    Tool {
        /// Claude Code: `~/.claude/projects/**/*.jsonl`.
        ClaudeCode = "claude-code",
        /// Codex: `~/.codex/sessions/**/rollout-*.jsonl`.
        Codex = "codex",
    }
}

/// The longest text of a logged call, in bytes; but for its usage object.
pub const LONGEST_TEXT: usize = 256;
/// The longest usage object that is kept, in bytes.
pub const LONGEST_USAGE: usize = 4_096;
/// A request that seems to have taken longer than this was not made when the log's line before was written.
const LONGEST_CALL: Millis = Millis(60 * 60 * 1_000);

/// A call as a log tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ImportedCall)]
pub struct Logged {
    /// Its name: the same in every copy of it, and no other's.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    pub key: Box<str>,
    /// The mount that it would have been sent to.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    pub provider: Box<str>,
    /// The operation.
    pub operation: Operation,
    /// The model that answered.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 256)]
    pub model: Option<Box<str>>,
    /// The program that made it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 256)]
    pub client: Option<Box<str>>,
    /// The program's own thread.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 256)]
    pub conversation: Option<Box<str>>,
    /// The agent inside that thread; `null` is the thread's own, or not told.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 256)]
    pub agent: Option<Box<str>>,
    /// The provider's id of the request.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 256)]
    pub request_id: Option<Box<str>>,
    /// UTC epoch milliseconds.
    #[schema(value_type = i64)]
    pub started_at: Timestamp,
    /// From the request to the reply's end, as far as the log tells.
    #[serde(default)]
    #[schema(value_type = u64)]
    pub duration_ms: Millis,
    /// Prompt tokens, without cached ones.
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    pub input: Option<Tokens>,
    /// Prompt tokens read from the provider's cache.
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    pub cache_read: Option<Tokens>,
    /// Prompt tokens written to a cache that lives five minutes, or whose life is not named.
    #[serde(default, rename = "cacheWrite5m")]
    #[schema(value_type = Option<u64>)]
    pub cache_write_5m: Option<Tokens>,
    /// Prompt tokens written to a cache that lives an hour.
    #[serde(default, rename = "cacheWrite1h")]
    #[schema(value_type = Option<u64>)]
    pub cache_write_1h: Option<Tokens>,
    /// Generated tokens that are visible.
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    pub output: Option<Tokens>,
    /// Generated tokens that are reasoning.
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    pub reasoning: Option<Tokens>,
    /// Web searches that the provider charges by the request.
    #[serde(default)]
    pub web_searches: Option<u64>,
    /// The usage object as the log has it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4096)]
    pub raw_usage: Option<Box<str>>,
}

impl Logged {
    /// A call of which no more is known yet than its name, where it went, what it was and when.
    fn new(
        key: &str,
        provider: &str,
        operation: Operation,
        started_at: Timestamp,
        ended_at: Timestamp,
    ) -> Self {
        Self {
            key: key.into(),
            provider: provider.into(),
            operation,
            model: None,
            client: None,
            conversation: None,
            agent: None,
            request_id: None,
            started_at,
            duration_ms: ended_at.since(started_at),
            input: None,
            cache_read: None,
            cache_write_5m: None,
            cache_write_1h: None,
            output: None,
            reasoning: None,
            web_searches: None,
            raw_usage: None,
        }
    }

    /// What it used.
    #[must_use]
    pub fn parts(&self) -> Parts {
        Parts {
            input: self.input,
            cache_read: self.cache_read,
            cache_write_5m: self.cache_write_5m,
            cache_write_1h: self.cache_write_1h,
            output: self.output,
            reasoning: self.reasoning,
            web_searches: self.web_searches,
            ..Parts::default()
        }
    }

    /// The same call with what was used of these parts that a log can tell of.
    fn with_parts(self, parts: &Parts) -> Self {
        Self {
            input: parts.input,
            cache_read: parts.cache_read,
            cache_write_5m: parts.cache_write_5m,
            cache_write_1h: parts.cache_write_1h,
            output: parts.output,
            reasoning: parts.reasoning,
            web_searches: parts.web_searches,
            ..self
        }
    }

    /// Takes another copy of the call: the one that says more has the right numbers, of equals the later.
    fn merge(&mut self, copy: Self) {
        let first = self.started_at.min(copy.started_at);
        let end = self.ended_at().max(copy.ended_at());
        if copy.parts().total() >= self.parts().total() {
            *self = copy;
        }
        self.started_at = first;
        self.duration_ms = end.since(first).min(LONGEST_CALL);
    }

    /// When the reply had ended, as far as the log tells.
    #[must_use]
    pub fn ended_at(&self) -> Timestamp {
        Timestamp(self.started_at.0.saturating_add_unsigned(self.duration_ms.0))
    }

    /// What is wrong with it: the field and why; `None` if it can be taken.
    #[must_use]
    pub fn problem(&self, now: Timestamp) -> Option<(&'static str, &'static str)> {
        const TOO_LONG: &str = "has more than 256 bytes";
        const EMPTY: &str = "is empty";
        const DAY: u64 = 86_400_000;
        let texts = [
            ("key", Some(&self.key)),
            ("provider", Some(&self.provider)),
            ("model", self.model.as_ref()),
            ("client", self.client.as_ref()),
            ("conversation", self.conversation.as_ref()),
            ("agent", self.agent.as_ref()),
            ("requestId", self.request_id.as_ref()),
        ];
        for (field, text) in texts {
            match text {
                Some(text) if text.is_empty() => return Some((field, EMPTY)),
                Some(text) if text.len() > LONGEST_TEXT => return Some((field, TOO_LONG)),
                _ => {}
            }
        }
        let tokens = [
            ("input", self.input),
            ("cacheRead", self.cache_read),
            ("cacheWrite5m", self.cache_write_5m),
            ("cacheWrite1h", self.cache_write_1h),
            ("output", self.output),
            ("reasoning", self.reasoning),
            ("webSearches", self.web_searches.map(Tokens)),
        ];
        let is_absurd = |(_, tokens): &&(&str, Option<Tokens>)| {
            tokens.is_some_and(|tokens| tokens > Tokens::PLAUSIBLE_MAX)
        };
        if let Some((field, _)) = tokens.iter().find(is_absurd) {
            return Some((field, "is more than a call can use"));
        }
        if self.parts().total().is_none() {
            return Some(("", "says no tokens"));
        }
        if self.started_at.0 < 0 || self.started_at.since(now) > Millis(DAY) {
            return Some(("startedAt", "is no moment of the past, in UTC epoch milliseconds"));
        }
        if self.duration_ms > Millis(DAY) {
            return Some(("durationMs", "is more than a day"));
        }
        if self
            .raw_usage
            .as_ref()
            .is_some_and(|raw| raw.len() > LONGEST_USAGE)
        {
            return Some(("rawUsage", "has more than 4096 bytes"));
        }
        None
    }

    /// What it is recognised by.
    #[must_use]
    pub fn once(&self) -> OnceKey {
        OnceKey::new("import", &self.key)
    }

    /// It as a call. `id` has to carry the moment of its start, `price_provider` is the price list's name for its
    /// provider.
    #[must_use]
    pub fn call(self, id: CallId, price_provider: Option<Box<str>>) -> (CallStart, CallEnd) {
        let parts = self.parts();
        let start = CallStart {
            id,
            started_at: self.started_at,
            provider: self.provider,
            price_provider,
            operation: self.operation,
            request_model: None,
            conversation: self.conversation,
            agent: self.agent.map(|id| SubAgent { id, parent: None }),
            client: self.client,
            asked: None,
        };
        let end = CallEnd {
            outcome: Outcome::Complete,
            status: None,
            model: self.model,
            parts,
            source: Some(Source::Imported),
            estimate: Intervals::default(),
            raw_usage: self.raw_usage,
            request_id: self.request_id,
            error: None,
            streamed: true,
            ttft: None,
            duration: self.duration_ms,
        };
        (start, end)
    }
}

/// Why a line of a log could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It is no JSON, or not of the shape that it should have.
    #[error("is not what the tool writes: {0}")]
    Shape(String),
    /// A call without a moment.
    #[error("tells of a call, but not when it was made")]
    NoMoment,
    /// A call whose numbers cannot be read.
    #[error("tells of a call, but its usage cannot be read")]
    NoUsage,
}

impl From<serde_json::Error> for BadLine {
    fn from(error: serde_json::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

/// Reads one log, line by line.
#[derive(Debug)]
pub struct LogReader(Reader);

#[derive(Debug)]
enum Reader {
    ClaudeCode(Box<ClaudeCode>),
    Codex(Box<Codex>),
}

impl LogReader {
    /// A reader for a log of this tool.
    #[must_use]
    pub fn new(tool: Tool) -> Self {
        Self(match tool {
            Tool::ClaudeCode => Reader::ClaudeCode(Box::default()),
            Tool::Codex => Reader::Codex(Box::default()),
        })
    }

    /// Reads a line, without its end.
    ///
    /// # Errors
    /// The line tells of a call that cannot be read, or cannot be read itself. The lines behind it can.
    pub fn line(&mut self, line: &[u8]) -> Result<(), BadLine> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        match &mut self.0 {
            Reader::ClaudeCode(reader) => reader.line(line),
            Reader::Codex(reader) => reader.line(line),
        }
    }

    /// The calls that the log tells of, the earliest first.
    #[must_use]
    pub fn finish(self) -> Vec<Logged> {
        let mut calls = match self.0 {
            Reader::ClaudeCode(reader) => reader.calls.0,
            Reader::Codex(reader) => reader.calls.0,
        }
        .into_values()
        .collect::<Vec<_>>();
        calls.sort_unstable_by(|one, other| (one.started_at, &one.key).cmp(&(other.started_at, &other.key)));
        calls
    }
}

/// Which tool's log it is, by its first lines.
#[must_use]
pub fn recognise<'line>(lines: impl IntoIterator<Item = &'line [u8]>) -> Option<Tool> {
    /// What is in the lines of the one or the other.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        session_id: Option<serde::de::IgnoredAny>,
        leaf_uuid: Option<serde::de::IgnoredAny>,
        snapshot: Option<serde::de::IgnoredAny>,
        payload: Option<serde::de::IgnoredAny>,
    }
    lines.into_iter().find_map(|line| {
        let head: Head = serde_json::from_slice(line).ok()?;
        if head.payload.is_some() {
            Some(Tool::Codex)
        } else {
            (head.session_id.is_some() || head.leaf_uuid.is_some() || head.snapshot.is_some())
                .then_some(Tool::ClaudeCode)
        }
    })
}

/// Calls by their names.
#[derive(Debug, Default)]
struct Calls(HashMap<Box<str>, Logged>);

impl Calls {
    fn take(&mut self, call: Logged) {
        match self.0.get_mut(&call.key) {
            Some(known) => known.merge(call),
            None => drop(self.0.insert(call.key.clone(), call)),
        }
    }
}

/// Puts the copies of each call together. The calls stay in their order.
#[must_use]
pub fn without_copies(calls: Vec<Logged>) -> Vec<Logged> {
    let mut places: HashMap<Box<str>, usize> = HashMap::new();
    let mut single: Vec<Logged> = Vec::with_capacity(calls.len());
    for call in calls {
        match places.get(&call.key) {
            Some(at) => single[*at].merge(call),
            None => {
                places.insert(call.key.clone(), single.len());
                single.push(call);
            }
        }
    }
    single
}

/// The moment of a text such as `2026-11-22T18:30:05.123Z`.
fn moment(text: Option<&str>) -> Option<Timestamp> {
    let at: jiff::Timestamp = text?.parse().ok()?;
    Some(Timestamp(at.as_millisecond()))
}

/// When a request was made whose reply the log has at `at`: when the line before it was written that asked for it.
fn began(asked: Option<Timestamp>, at: Timestamp) -> Timestamp {
    asked
        .filter(|asked| *asked <= at && at.since(*asked) <= LONGEST_CALL)
        .unwrap_or(at)
}

/// A text that is kept, if it can be.
fn kept(text: Option<&str>) -> Option<Box<str>> {
    text.filter(|text| !text.is_empty() && text.len() <= LONGEST_TEXT)
        .map(Into::into)
}

/// A logged call beside what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What it is recognised by.
    pub key: OnceKey,
    /// The call.
    pub start: CallStart,
    /// Its end.
    pub end: CallEnd,
    /// The call that counts for this key.
    pub known: Option<Arc<Call>>,
    /// The call that the proxy metered of the same.
    pub metered: Option<CallId>,
}

/// What becomes of a logged call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is new.
    New,
    /// It was imported before, when the log said less of it.
    Grown,
    /// It was imported before.
    Known,
    /// The proxy metered it, and that counts; what was imported of it gives its numbers up.
    Metered,
}

impl Incoming {
    /// What becomes of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let total = |end: Option<&CallEnd>| end.and_then(|end| end.parts.total());
        let Some(known) = &self.known else {
            return self.metered.map_or(Verdict::New, |_| Verdict::Metered);
        };
        let end = known.end.as_ref();
        if end.and_then(|end| end.source) != Some(Source::Imported) {
            // It counts as the proxy metered it.
            Verdict::Known
        } else if self.metered.is_some() {
            Verdict::Metered
        } else if total(Some(&self.end)) > total(end) {
            Verdict::Grown
        } else {
            Verdict::Known
        }
    }
}

/// Logged calls to take in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The calls, each once.
    pub calls: Vec<Incoming>,
    /// Where the new ones go; `None` is *Unassigned*.
    pub session: Option<SessionId>,
    /// What [`State::rewritten`](super::live::State::rewritten) was before it was looked up what is known of them.
    pub rewritten: u64,
}

#[cfg(test)]
mod tests;
