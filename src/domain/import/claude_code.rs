//! Claude Code's logs: one file a conversation, one line a message or a piece of one.
//!
//! Each content block of a reply is a line of its own with the message's whole `usage`, of which the earlier ones are
//! placeholders. A resumed or forked conversation begins with copies of the old one's lines. A sub-agent's lines
//! (`isSidechain`) are calls like others.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{BadLine, Calls, LONGEST_USAGE, Logged, began, kept, moment};
use crate::domain::operation::Operation;
use crate::domain::units::Timestamp;
use crate::domain::usage::reply::ReplyReader;

/// What a message's id begins with, and the mount that it came from.
const BY_ID: [(&str, &str); 2] = [("msg_bdrk_", "bedrock"), ("msg_vrtx_", "vertex")];

/// What a model's name begins with, and the mount of who makes it: Claude Code works with servers that speak as
/// Anthropic's does.
const BY_MODEL: [(&str, &str); 4] = [
    ("glm-", "zai"),
    ("kimi-", "moonshot"),
    ("deepseek-", "deepseek"),
    ("grok-", "xai"),
];

/// The model of messages that Claude Code makes up itself.
const MADE_UP: &str = "<synthetic>";

/// Reads a log.
#[derive(Debug, Default)]
pub(super) struct ClaudeCode {
    pub(super) calls: Calls,
    /// When the last line was written that asks for a reply.
    asked: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Kind<'line> {
    #[serde(borrow)]
    r#type: Option<Cow<'line, str>>,
    #[serde(borrow)]
    timestamp: Option<Cow<'line, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'line> {
    #[serde(borrow)]
    uuid: Option<Cow<'line, str>>,
    #[serde(borrow)]
    session_id: Option<Cow<'line, str>>,
    #[serde(borrow)]
    agent_id: Option<Cow<'line, str>>,
    #[serde(borrow)]
    request_id: Option<Cow<'line, str>>,
    #[serde(borrow)]
    message: &'line RawValue,
}

#[derive(Deserialize)]
struct Message<'line> {
    #[serde(borrow)]
    id: Option<Cow<'line, str>>,
    #[serde(borrow)]
    model: Option<Cow<'line, str>>,
    #[serde(borrow)]
    usage: Option<&'line RawValue>,
}

impl ClaudeCode {
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), BadLine> {
        let kind: Kind<'_> = serde_json::from_slice(line)?;
        let at = moment(kind.timestamp.as_deref());
        match kind.r#type.as_deref() {
            Some("assistant") => self.message(line, at),
            Some("user") => {
                self.asked = at.or(self.asked);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn message(&mut self, line: &[u8], at: Option<Timestamp>) -> Result<(), BadLine> {
        let line: Line<'_> = serde_json::from_slice(line)?;
        let message: Message<'_> = serde_json::from_str(line.message.get())?;
        let model = message.model.as_deref();
        let Some(raw) = message.usage.map(RawValue::get) else {
            return Ok(());
        };
        if model == Some(MADE_UP) {
            return Ok(());
        }
        let at = at.ok_or(BadLine::NoMoment)?;
        let id = message.id.as_deref();
        let key = name(id, line.request_id.as_deref(), line.uuid.as_deref()).ok_or(BadLine::NoUsage)?;
        // A message in a log is what the reply would be, had it not been streamed.
        let mut reader = ReplyReader::new(Operation::Messages, Some("application/json"), 200);
        reader.push(line.message.get().as_bytes());
        let reading = reader.finish();
        if reading.parts.total().is_none() {
            return Err(BadLine::NoUsage);
        }
        let call = Logged {
            model: kept(model),
            client: Some("Claude Code".into()),
            conversation: kept(line.session_id.as_deref()),
            agent: kept(line.agent_id.as_deref()),
            request_id: kept(line.request_id.as_deref()),
            raw_usage: Some(raw).filter(|raw| raw.len() <= LONGEST_USAGE).map(Into::into),
            ..Logged::new(
                &key,
                provider(id, model),
                Operation::Messages,
                began(self.asked, at),
                at,
            )
        };
        for (index, share) in reading.others.iter().enumerate() {
            // An advisor or a compaction by another model: a call beside this one.
            self.calls.take(Logged {
                key: format!("{} {index}", call.key).into(),
                model: kept(share.model.as_deref()),
                raw_usage: None,
                ..call.clone().with_parts(&share.parts)
            });
        }
        self.calls.take(call.with_parts(&reading.parts));
        Ok(())
    }
}

/// What a message is called. Anthropic's ids are unique; other servers give all their messages one id.
fn name(id: Option<&str>, request: Option<&str>, line: Option<&str>) -> Option<String> {
    match (id, request) {
        (Some(id), _) if id.starts_with("msg_") => Some(id.to_owned()),
        (Some(id), Some(request)) => Some(format!("{id} {request}")),
        (None, Some(request)) => Some(request.to_owned()),
        (Some(id), None) => Some(line.map_or_else(|| id.to_owned(), |line| format!("{id} {line}"))),
        (None, None) => line.map(ToOwned::to_owned),
    }
    .filter(|name| !name.is_empty() && name.len() < super::LONGEST_TEXT - 8)
}

fn provider(id: Option<&str>, model: Option<&str>) -> &'static str {
    let find = |table: &[(&str, &'static str)], text: &str| {
        let found = table.iter().find(|(start, _)| text.starts_with(start));
        found.map(|(_, mount)| *mount)
    };
    id.and_then(|id| find(&BY_ID, id))
        .or_else(|| find(&BY_MODEL, model?))
        .unwrap_or("anthropic")
}
