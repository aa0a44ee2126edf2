//! What the scripted provider says, and how many tokens it claims that took.

use axum::http::StatusCode;
use serde_json::Value;

/// Replies, as an assistant writes them.
const REPLIES: [&str; 6] = [
    "The parser fails because the lookahead is consumed twice: once when the operator is matched, and once more in the \
     loop that collects arguments. Keeping the peeked token in a field and clearing it in `advance` mends both. I have \
     changed `parse_call` accordingly and added a test with nested calls.",
    "Here is the plan. First, move the retry policy out of the client, so that it can be tested without a socket. \
     Second, give it the clock as an argument. Third, replace the three call sites. None of the steps changes what \
     a caller sees, so each can be its own commit.",
    "The query is slow because the filter on `created_at` cannot use the index: the column is wrapped in a function. \
     Comparing against a computed bound instead lets SQLite seek. On the sample data the time falls from 840 ms to 3 ms.",
    "Done. All 214 tests pass. I also noticed that `Config::load` swallows the error when the file is not readable; \
     you may want to look at that separately.",
    "There are two ways to go. A channel per subscriber is simpler and isolates slow readers; a shared ring buffer \
     needs less memory with many of them. With fewer than a thousand subscribers I would take the channels.",
    "```rust\nfn merge(mut left: Vec<Span>, right: Vec<Span>) -> Vec<Span> {\n    left.extend(right);\n    \
     left.sort_unstable_by_key(|span| span.start);\n    left\n}\n```\n\nThe sort is unstable on purpose: equal spans \
     are interchangeable here.",
];

/// What one call says and uses.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Its text, in the pieces of a stream.
    pub(super) pieces: Vec<&'static str>,
    /// The whole prompt.
    pub(super) prompt: u64,
    /// The part of the prompt that came from the cache.
    pub(super) cached: u64,
    /// The part of the prompt that was written to the cache.
    pub(super) cache_write: u64,
    /// All that was generated.
    pub(super) generated: u64,
    /// The part of it that was reasoning.
    pub(super) reasoning: u64,
}

impl Answer {
    /// The same request gets the same answer: its length stands for its content.
    pub(super) fn to(request: &[u8]) -> Self {
        let length = request.len() as u64;
        let text = REPLIES[usize::try_from(length % REPLIES.len() as u64).unwrap_or(0)];
        let pieces: Vec<&str> = text.split_inclusive(' ').collect();
        let prompt = length / 4 + 9;
        // Long prompts repeat what came before: most of that is cached, the new end is written.
        let cached = if prompt > 1024 { prompt / 10 * 9 } else { 0 };
        let cache_write = if prompt > 1024 { prompt / 20 } else { 0 };
        let reasoning = length % 97;
        let generated = pieces.len() as u64 + reasoning;
        Self {
            pieces,
            prompt,
            cached,
            cache_write,
            generated,
            reasoning,
        }
    }

    pub(super) fn text(&self) -> String {
        self.pieces.concat()
    }
}

/// What goes wrong with a call, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    Fine,
    RateLimited,
    Overloaded,
}

/// A reply before it is put into HTTP.
pub(super) enum Reply {
    Json(StatusCode, Value),
    /// Server-sent events, or the pieces of a JSON array.
    Pieces(&'static str, Vec<String>),
}

/// What a call asks.
pub(super) struct Asked {
    pub(super) body: Value,
    pub(super) answer: Answer,
    pub(super) scenario: Scenario,
}

impl Asked {
    pub(super) fn model(&self, otherwise: &str) -> String {
        self.body["model"].as_str().unwrap_or(otherwise).to_owned()
    }

    pub(super) fn streams(&self) -> bool {
        self.body["stream"].as_bool().unwrap_or(false)
    }
}

/// One server-sent event.
pub(super) fn event(name: Option<&str>, data: &Value) -> String {
    match name {
        Some(name) => format!("event: {name}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    }
}
