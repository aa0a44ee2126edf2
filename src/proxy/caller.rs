//! Who makes a call: the program, and its own thread of conversation. From headers only, never from prompt text.

use http::HeaderMap;

use super::headers::text;

/// How a `User-Agent` begins, and the client that it is.
const CLIENTS: &[(&str, &str)] = &[
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
    ("AzureOpenAI/Python", "OpenAI Python"),
    ("AsyncAzureOpenAI/Python", "OpenAI Python"),
    ("OpenAI/JS", "OpenAI Node"),
    ("AzureOpenAI/JS", "OpenAI Node"),
    ("Anthropic/Python", "Anthropic Python"),
    ("AsyncAnthropic/Python", "Anthropic Python"),
    // The same package, for Claude on Bedrock and on Vertex AI.
    ("AnthropicBedrock/Python", "Anthropic Python"),
    ("AsyncAnthropicBedrock/Python", "Anthropic Python"),
    ("AnthropicVertex/Python", "Anthropic Python"),
    ("AsyncAnthropicVertex/Python", "Anthropic Python"),
    ("Anthropic/JS", "Anthropic Node"),
    ("AnthropicBedrock/JS", "Anthropic Node"),
    ("AnthropicVertex/JS", "Anthropic Node"),
    ("google-genai-sdk/", "Google GenAI"),
    ("mistral-client-python/", "Mistral Python"),
    ("mistral-client-typescript/", "Mistral Node"),
    ("cohere/", "Cohere Python"),
    ("cohere-ai/", "Cohere Node"),
    ("Groq/Python", "Groq Python"),
    ("AsyncGroq/Python", "Groq Python"),
    ("Groq/JS", "Groq Node"),
    ("ollama-python/", "Ollama Python"),
    ("ollama-js/", "Ollama Node"),
    ("Boto3/", "Boto3"),
    ("ai/", "Vercel AI SDK"),
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
            ("AnthropicBedrock/Python 2.12.0", Some("Anthropic Python")),
            ("AzureOpenAI/JS 6.49.0", Some("OpenAI Node")),
            ("cohere-ai/8.1.0", Some("Cohere Node")),
            ("ai/6.0.326 ai-sdk/provider-utils/4", Some("Vercel AI SDK")),
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
