//! Who makes a call: the program, and its own thread of conversation. From headers only, never from prompt text.

use http::HeaderMap;

use super::headers::text;

/// How a `User-Agent` begins, and the client that it is.
const CLIENTS: [(&str, &str); 18] = [
    ("claude-cli/", "Claude Code"),
    ("claude-code/", "Claude Code"),
    ("codex_", "Codex"),
    ("codex-", "Codex"),
    ("GeminiCLI", "Gemini CLI"),
    ("aider/", "aider"),
    ("opencode/", "opencode"),
    ("Zed/", "Zed"),
    ("OpenAI/Python", "OpenAI Python"),
    ("AsyncOpenAI/Python", "OpenAI Python"),
    ("OpenAI/JS", "OpenAI Node"),
    ("Anthropic/Python", "Anthropic Python"),
    ("AsyncAnthropic/Python", "Anthropic Python"),
    ("Anthropic/JS", "Anthropic Node"),
    ("google-genai-sdk/", "Google GenAI"),
    ("ai-sdk/", "Vercel AI SDK"),
    ("litellm/", "LiteLLM"),
    ("curl/", "curl"),
];

/// Headers that name the client's own thread.
const CONVERSATIONS: [&str; 4] = [
    "x-claude-code-session-id",
    "session_id",
    "session-id",
    "conversation_id",
];

/// The longest name that is kept.
const LONGEST: usize = 128;

/// The program that makes the call: a known one by its usual name, another by the product of its `User-Agent`.
pub(super) fn client(headers: &HeaderMap) -> Option<Box<str>> {
    let agent = text(headers, http::header::USER_AGENT)?.trim();
    let known = CLIENTS.iter().find(|(start, _)| agent.starts_with(start));
    let name = match known {
        Some((_, name)) => name,
        None => agent
            .split(['/', ' ', '('])
            .next()
            .filter(|name| !name.is_empty())?,
    };
    Some(name.chars().take(LONGEST).collect::<String>().into())
}

/// The client's own thread.
pub(super) fn conversation(headers: &HeaderMap) -> Option<Box<str>> {
    let id = CONVERSATIONS
        .into_iter()
        .find_map(|name| text(headers, name))?
        .trim();
    (!id.is_empty() && id.len() <= LONGEST).then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        [(
            http::HeaderName::from_static(name),
            http::HeaderValue::from_static(value),
        )]
        .into_iter()
        .collect()
    }

    #[test]
    fn clients_are_called_by_their_names() {
        for (agent, expected) in [
            ("claude-cli/2.0.1 (external, cli)", Some("Claude Code")),
            ("codex_cli_rs/0.50 (Linux)", Some("Codex")),
            ("OpenAI/Python 2.1.0", Some("OpenAI Python")),
            ("AsyncAnthropic/Python 0.70", Some("Anthropic Python")),
            ("my-agent/1.0 foo", Some("my-agent")),
            ("  ", None),
        ] {
            assert_eq!(
                client(&headers("user-agent", agent)).as_deref(),
                expected,
                "{agent}"
            );
        }
        assert_eq!(client(&HeaderMap::new()), None);
    }

    #[test]
    fn the_clients_own_thread_is_read_from_its_headers() {
        assert_eq!(
            conversation(&headers("session_id", "abc")).as_deref(),
            Some("abc")
        );
        assert_eq!(
            conversation(&headers("x-claude-code-session-id", "u-1")).as_deref(),
            Some("u-1")
        );
        assert_eq!(conversation(&headers("session_id", "")), None);
    }
}
