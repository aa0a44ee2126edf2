//! How providers name their windows, as tables.

use super::Kind;
use crate::domain::units::Millis;

/// Where a header's name says which field of a window it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// `x-ratelimit-remaining-tokens`.
    FieldFirst,
    /// `anthropic-ratelimit-tokens-remaining`.
    FieldLast,
}

/// Headers that begin alike, and what their windows are.
pub(super) struct Family {
    pub(super) prefix: &'static str,
    pub(super) order: Order,
    /// What windows' names begin with, so that two families of one reply are told apart.
    pub(super) named: &'static str,
    /// The window that the header names without a name.
    pub(super) unnamed: &'static str,
    /// What a window counts whose name does not tell.
    pub(super) kind: Kind,
}

const fn first(prefix: &'static str, unnamed: &'static str, kind: Kind) -> Family {
    Family {
        prefix,
        order: Order::FieldFirst,
        named: "",
        unnamed,
        kind,
    }
}

const fn last(prefix: &'static str, named: &'static str, unnamed: &'static str, kind: Kind) -> Family {
    Family {
        prefix,
        order: Order::FieldLast,
        named,
        unnamed,
        kind,
    }
}

/// Who sends what. Of two that fit, the earlier one holds.
///
/// - `anthropic-ratelimit-unified-`: subscriptions (Claude Code); `anthropic-ratelimit-`: API keys; `-priority-` and
///   `-fast-`: the service tiers;
/// - `x-codex-`: Codex with a ChatGPT plan, `primary` and `secondary`, also behind the name of a limit of its own;
/// - `x-ratelimit-`: OpenAI, Azure, Groq, xAI, Cerebras, Fireworks, GitHub Models and Mistral with names behind it,
///   OpenRouter, Together and GitHub without;
/// - `x-ratelimitbysize-`, `ratelimitbysize-`: Mistral, where a request's size is its tokens;
/// - `x-tokenlimit-`: Together; `x-trial-endpoint-call-`, `x-endpoint-monthly-call-`: Cohere;
/// - `ratelimit-`: Kong, and drafts 3 to 6 of the IETF's RateLimit fields (the later ones are `ratelimit` itself,
///   see `read.rs`: Hugging Face).
pub(super) const FAMILIES: [Family; 12] = [
    last("anthropic-ratelimit-unified-", "", "unified", Kind::Plan),
    last("anthropic-ratelimit-", "", "requests", Kind::Other),
    last("anthropic-priority-", "priority-", "requests", Kind::Other),
    last("anthropic-fast-", "fast-", "requests", Kind::Other),
    last("x-codex-", "", "unified", Kind::Plan),
    first("x-ratelimit-", "requests", Kind::Requests),
    first("x-ratelimitbysize-", "tokens", Kind::Tokens),
    first("ratelimitbysize-", "tokens", Kind::Tokens),
    first("x-tokenlimit-", "tokens", Kind::Tokens),
    first("x-trial-endpoint-call-", "trial", Kind::Requests),
    first("x-endpoint-monthly-call-", "month", Kind::Requests),
    first("ratelimit-", "requests", Kind::Requests),
];

/// What a header says of a window, and in which notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Limit,
    Remaining,
    /// A moment or a duration: see `values::moment`.
    Reset,
    /// From 0 to 100.
    UsedPercent,
    /// From 0 to 1.
    Utilization,
    PeriodSeconds,
    PeriodMinutes,
    Standing,
}

/// The fields' names; one that another begins or ends with stands behind it.
pub(super) const FIELDS: [(&str, Field); 9] = [
    ("limit", Field::Limit),
    ("remaining", Field::Remaining),
    ("reset-after-seconds", Field::Reset),
    ("reset-at", Field::Reset),
    ("reset", Field::Reset),
    ("used-percent", Field::UsedPercent),
    ("utilization", Field::Utilization),
    ("window-minutes", Field::PeriodMinutes),
    ("renewalperiod", Field::PeriodSeconds),
];

/// The field that says whether calls pass. Only subscriptions have it.
pub(super) const STATUS: &str = "status";

/// What a provider calls the window that decides, and that window's own name.
pub(super) const CLAIMS: [(&str, &str); 5] = [
    ("five_hour", "5h"),
    ("seven_day", "7d"),
    ("seven_day_opus", "7d_opus"),
    ("seven_day_sonnet", "7d_sonnet"),
    ("overage", "overage"),
];

/// Words of windows' names, and what is counted then. The first that occurs holds.
const KINDS: [(&str, Kind); 9] = [
    ("images", Kind::Images),
    ("tokens-prompt", Kind::InputTokens),
    ("tokens-cached-prompt", Kind::InputTokens),
    ("tokens-uncached-prompt", Kind::InputTokens),
    ("input-tokens", Kind::InputTokens),
    ("tokens-generated", Kind::OutputTokens),
    ("output-tokens", Kind::OutputTokens),
    ("tokens", Kind::Tokens),
    ("req", Kind::Requests),
];

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;

/// How windows' names end that say how long they last.
const PERIODS: [(&str, u64); 11] = [
    ("second", SECOND),
    ("minute", 60 * SECOND),
    ("hour", HOUR),
    ("day", 24 * HOUR),
    ("week", 7 * 24 * HOUR),
    ("month", 30 * 24 * HOUR),
    ("5h", 5 * HOUR),
    ("7d", 7 * 24 * HOUR),
    ("7d_opus", 7 * 24 * HOUR),
    ("7d_sonnet", 7 * 24 * HOUR),
    ("7d_oi", 7 * 24 * HOUR),
];

/// How headers begin that tell of windows or of when to come back.
const TELLING: [&str; 10] = [
    "anthropic-ratelimit-",
    "anthropic-priority-",
    "anthropic-fast-",
    "x-codex-",
    "x-ratelimit",
    "x-tokenlimit-",
    "x-trial-endpoint-call-",
    "x-endpoint-monthly-call-",
    "ratelimit",
    "retry-after",
];

/// Also tells when to come back.
pub(super) const AZURE_PAUSE: &str = "x-ms-retry-after-ms";

/// Whether a header, by its name in lower case, may say something of a window. Cheap: most headers say nothing.
#[must_use]
pub fn may_tell(name: &str) -> bool {
    matches!(name.as_bytes().first(), Some(b'a' | b'x' | b'r'))
        && (TELLING.iter().any(|start| name.starts_with(start)) || name == AZURE_PAUSE)
}

/// What a window of this name counts.
pub(super) fn kind_of(name: &str, family: Kind) -> Kind {
    let named = KINDS.iter().find(|(word, _)| name.contains(word));
    named.map_or(family, |(_, kind)| *kind)
}

/// How long a window of this name lasts.
pub(super) fn period_of(name: &str) -> Option<Millis> {
    let is_its_end = |end: &str| {
        let before = name.strip_suffix(end);
        before.is_some_and(|before| before.is_empty() || before.ends_with('-'))
    };
    let (_, period) = PERIODS.iter().find(|(end, _)| is_its_end(end))?;
    Some(Millis(*period))
}
