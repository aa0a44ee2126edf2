//! Codex's logs: one file a thread, one line an item or an event.
//!
//! A `token_count` event has the sums of the thread so far and the last call's own numbers. It comes again, with the
//! same sums, whenever the provider's limits move; after a compaction its last numbers are no call's. A fork begins
//! with its parent's lines, their moments written anew: what stays the same in them are the turn and the sums.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{BadLine, Calls, LONGEST_USAGE, Logged, began, kept, moment};
use crate::domain::operation::Operation;
use crate::domain::units::{Timestamp, Tokens};
use crate::domain::usage::parts::Parts;

/// Reads a log.
#[derive(Debug, Default)]
pub(super) struct Codex {
    pub(super) calls: Calls,
    /// When the last line was written that asks for a reply.
    asked: Option<Timestamp>,
    /// The session of this thread and of all that it started.
    session: Option<Box<str>>,
    thread: Option<Box<str>>,
    /// The oldest of the threads that this one's history comes from. (Their ids are UUIDv7: they sort by time.)
    root: Option<Box<str>>,
    provider: Option<Box<str>>,
    model: Option<Box<str>>,
    turn: Option<Box<str>>,
    sums: Option<Counts>,
}

#[derive(Deserialize)]
struct Line<'line> {
    #[serde(borrow)]
    r#type: Option<Cow<'line, str>>,
    #[serde(borrow)]
    timestamp: Option<Cow<'line, str>>,
    #[serde(borrow)]
    payload: Option<&'line RawValue>,
}

#[derive(Deserialize)]
struct Meta<'line> {
    #[serde(borrow)]
    id: Option<Cow<'line, str>>,
    #[serde(borrow)]
    session_id: Option<Cow<'line, str>>,
    #[serde(borrow)]
    forked_from_id: Option<Cow<'line, str>>,
    #[serde(borrow)]
    parent_thread_id: Option<Cow<'line, str>>,
    #[serde(borrow)]
    model_provider: Option<Cow<'line, str>>,
}

#[derive(Deserialize)]
struct Turn<'line> {
    #[serde(borrow)]
    model: Option<Cow<'line, str>>,
    #[serde(borrow)]
    turn_id: Option<Cow<'line, str>>,
}

#[derive(Deserialize)]
struct Item<'line> {
    #[serde(borrow)]
    r#type: Option<Cow<'line, str>>,
    #[serde(borrow)]
    role: Option<Cow<'line, str>>,
}

#[derive(Deserialize)]
struct Event<'line> {
    #[serde(borrow)]
    info: Option<Info<'line>>,
}

#[derive(Deserialize)]
struct Info<'line> {
    total_token_usage: Option<Counts>,
    #[serde(borrow)]
    last_token_usage: Option<&'line RawValue>,
}

/// Numbers as Codex writes them: the input holds the cached tokens, the output those of reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Counts {
    input_tokens: u64,
    cached_input_tokens: u64,
    cache_write_input_tokens: u64,
    output_tokens: u64,
    reasoning_output_tokens: u64,
}

impl Counts {
    fn since(self, before: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_sub(before.input_tokens),
            cached_input_tokens: self
                .cached_input_tokens
                .saturating_sub(before.cached_input_tokens),
            cache_write_input_tokens: self
                .cache_write_input_tokens
                .saturating_sub(before.cache_write_input_tokens),
            output_tokens: self.output_tokens.saturating_sub(before.output_tokens),
            reasoning_output_tokens: self
                .reasoning_output_tokens
                .saturating_sub(before.reasoning_output_tokens),
        }
    }

    const fn is_nothing(self) -> bool {
        self.input_tokens == 0 && self.output_tokens == 0
    }

    fn is_plausible(self) -> bool {
        self.input_tokens.max(self.output_tokens) <= Tokens::PLAUSIBLE_MAX.0
    }

    fn parts(self) -> Parts {
        let cached = self.cached_input_tokens.min(self.input_tokens);
        let written = self.cache_write_input_tokens.min(self.input_tokens - cached);
        let reasoning = self.reasoning_output_tokens.min(self.output_tokens);
        Parts {
            input: Some(Tokens(self.input_tokens - cached - written)),
            cache_read: Some(Tokens(cached)),
            cache_write_5m: Some(Tokens(written)).filter(|written| written.0 > 0),
            output: Some(Tokens(self.output_tokens - reasoning)),
            reasoning: Some(Tokens(reasoning)),
            ..Parts::default()
        }
    }

    fn name(self) -> String {
        let Self {
            input_tokens,
            cached_input_tokens,
            cache_write_input_tokens,
            output_tokens,
            reasoning_output_tokens,
        } = self;
        format!(
            "{input_tokens},{cached_input_tokens},{cache_write_input_tokens},{output_tokens},{reasoning_output_tokens}"
        )
    }
}

impl Codex {
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), BadLine> {
        let line: Line<'_> = serde_json::from_slice(line)?;
        let Some(payload) = line.payload.map(RawValue::get) else {
            return Ok(());
        };
        let at = moment(line.timestamp.as_deref());
        match line.r#type.as_deref() {
            Some("session_meta") => self.meta(&serde_json::from_str(payload)?),
            Some("turn_context") => {
                let turn: Turn<'_> = serde_json::from_str(payload)?;
                self.model = kept(turn.model.as_deref()).or(self.model.take());
                self.turn = kept(turn.turn_id.as_deref());
                self.asked = at.or(self.asked);
            }
            Some("response_item") => {
                let item: Item<'_> = serde_json::from_str(payload)?;
                let is_tool = item.r#type.is_some_and(|kind| kind.ends_with("_output"));
                if is_tool || item.role.as_deref() == Some("user") {
                    self.asked = at.or(self.asked);
                }
            }
            Some("event_msg") => {
                let item: Item<'_> = serde_json::from_str(payload)?;
                if item.r#type.as_deref() == Some("token_count") {
                    return self.token_count(serde_json::from_str(payload)?, at);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The first is the thread's own; behind it stand those of its ancestors, where it is a fork.
    fn meta(&mut self, meta: &Meta<'_>) {
        let session = meta.session_id.as_deref().or(meta.id.as_deref());
        let ids = [
            &meta.id,
            &meta.session_id,
            &meta.forked_from_id,
            &meta.parent_thread_id,
        ];
        let oldest = ids.into_iter().filter_map(|id| kept(id.as_deref())).min();
        self.root = [self.root.take(), oldest].into_iter().flatten().min();
        if self.session.is_none() {
            self.session = kept(session);
            self.thread = kept(meta.id.as_deref()).filter(|thread| Some(thread) != self.session.as_ref());
            self.provider = kept(meta.model_provider.as_deref());
        }
    }

    fn token_count(&mut self, event: Event<'_>, at: Option<Timestamp>) -> Result<(), BadLine> {
        let Some(info) = event.info else { return Ok(()) };
        let before = self.sums;
        if info.total_token_usage.is_some() && info.total_token_usage == before {
            return Ok(());
        }
        self.sums = info.total_token_usage.or(before);
        let raw = info.last_token_usage.map(RawValue::get);
        let last: Counts = match (raw, info.total_token_usage) {
            (Some(raw), _) => serde_json::from_str(raw)?,
            (None, Some(sums)) => sums.since(before.unwrap_or_default()),
            (None, None) => return Ok(()),
        };
        if last.is_nothing() {
            return Ok(());
        }
        if !last.is_plausible() {
            return Err(BadLine::NoUsage);
        }
        let at = at.ok_or(BadLine::NoMoment)?;
        let whose = self.turn.as_deref().or(self.root.as_deref()).unwrap_or("codex");
        // An id is a UUID; what is longer is none, and must not make the name too long.
        let whose: String = whose.chars().take(64).collect();
        let sums = self.sums.unwrap_or_default();
        let key = format!("{whose} {} {}", sums.name(), last.name());
        let provider = self.provider.as_deref().unwrap_or("openai");
        let call = Logged {
            model: self.model.clone(),
            client: Some("Codex".into()),
            conversation: self.session.clone(),
            agent: self.thread.clone(),
            raw_usage: raw.filter(|raw| raw.len() <= LONGEST_USAGE).map(Into::into),
            ..Logged::new(&key, provider, Operation::Responses, began(self.asked, at), at)
        };
        self.calls.take(call.with_parts(&last.parts()));
        Ok(())
    }
}
