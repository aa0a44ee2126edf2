//! Who makes a call: the program, and its own thread of conversation. From headers only, never from prompt text.

use http::HeaderMap;

use super::headers::text;
use crate::domain::call::SubAgent;

/// How a header begins by which a program is known, and the program's name. The first that fits.
///
/// Agents stand before the kits that they are made with: some name themselves only in the title that they give to
/// OpenRouter and its like, beside a kit's `User-Agent`.
const CLIENTS: &[(&str, &str, &str)] = &[
    // `X-Title` is theirs to choose, `User-Agent` often that of the kit.
    (TITLE, "Aider", "aider"),
    (TITLE, "Cline", "Cline"),
    (TITLE, "Roo Code", "Roo Code"),
    (TITLE, "Kilo Code", "Kilo Code"),
    (TITLE, "opencode", "opencode"),
    (AGENT, "claude-cli/", "Claude Code"),
    (AGENT, "claude-code/", "Claude Code"),
    (AGENT, "codex_", "Codex"),
    (AGENT, "codex-", "Codex"),
    (AGENT, "GeminiCLI", "Gemini CLI"),
    (AGENT, "aider/", "aider"),
    (AGENT, "opencode/", "opencode"),
    (AGENT, "Zed/", "Zed"),
    (AGENT, "Cline/", "Cline"),
    (AGENT, "RooCode/", "Roo Code"),
    (AGENT, "Kilo-Code/", "Kilo Code"),
    (AGENT, "QwenCode/", "Qwen Code"),
    (AGENT, "Charm-Crush/", "Crush"),
    (AGENT, "GitHubCopilotChat/", "GitHub Copilot"),
    (AGENT, "OpenAI/Python", "OpenAI Python"),
    (AGENT, "AsyncOpenAI/Python", "OpenAI Python"),
    (AGENT, "AzureOpenAI/Python", "OpenAI Python"),
    (AGENT, "AsyncAzureOpenAI/Python", "OpenAI Python"),
    (AGENT, "OpenAI/JS", "OpenAI Node"),
    (AGENT, "AzureOpenAI/JS", "OpenAI Node"),
    (AGENT, "Anthropic/Python", "Anthropic Python"),
    (AGENT, "AsyncAnthropic/Python", "Anthropic Python"),
    // The same package, for Claude on Bedrock and on Vertex AI.
    (AGENT, "AnthropicBedrock/Python", "Anthropic Python"),
    (AGENT, "AsyncAnthropicBedrock/Python", "Anthropic Python"),
    (AGENT, "AnthropicVertex/Python", "Anthropic Python"),
    (AGENT, "AsyncAnthropicVertex/Python", "Anthropic Python"),
    (AGENT, "Anthropic/JS", "Anthropic Node"),
    (AGENT, "AnthropicBedrock/JS", "Anthropic Node"),
    (AGENT, "AnthropicVertex/JS", "Anthropic Node"),
    (AGENT, "google-genai-sdk/", "Google GenAI"),
    (AGENT, "mistral-client-python/", "Mistral Python"),
    (AGENT, "mistral-client-typescript/", "Mistral Node"),
    (AGENT, "cohere/", "Cohere Python"),
    (AGENT, "cohere-ai/", "Cohere Node"),
    (AGENT, "Groq/Python", "Groq Python"),
    (AGENT, "AsyncGroq/Python", "Groq Python"),
    (AGENT, "Groq/JS", "Groq Node"),
    (AGENT, "ollama-python/", "Ollama Python"),
    (AGENT, "ollama-js/", "Ollama Node"),
    (AGENT, "Boto3/", "Boto3"),
    (AGENT, "ai/", "Vercel AI SDK"),
    (AGENT, "ai-sdk/", "Vercel AI SDK"),
    (AGENT, "litellm/", "LiteLLM"),
    (AGENT, "curl/", "curl"),
];

/// Headers in which a client names its own thread, and the agent in it.
struct Naming {
    /// The thread, in the first of these that is there.
    conversation: &'static [&'static str],
    /// Who speaks in it: an agent of its own, if this is not the thread itself.
    speaker: Option<&'static str>,
    /// The agent that started that one, if this is not the thread itself.
    parent: Option<&'static str>,
}

/// The first of which a conversation's header is there.
const NAMINGS: [Naming; 4] = [
    // Claude Code: a sub-agent keeps its user's session and has an id beside it; the parent is named from the second
    // level on.
    Naming {
        conversation: &["x-claude-code-session-id"],
        speaker: Some("x-claude-code-agent-id"),
        parent: Some("x-claude-code-parent-agent-id"),
    },
    // opencode: a sub-agent has a session of its own and names the one that it works for.
    Naming {
        conversation: &["x-parent-session-id", "x-session-affinity", "x-opencode-session"],
        speaker: Some("x-session-affinity"),
        parent: None,
    },
    // Codex: the session of all, beside the thread of each. Older ones send the first with an underscore.
    Naming {
        conversation: &["session-id", "session_id"],
        speaker: Some("thread-id"),
        parent: Some("x-codex-parent-thread-id"),
    },
    Naming {
        conversation: &["conversation_id", "x-session-id"],
        speaker: None,
        parent: None,
    },
];

const AGENT: &str = "user-agent";
const TITLE: &str = "x-title";

/// The longest name that is kept.
const LONGEST: usize = 128;

/// The program that makes the call: a known one by its usual name, another by the product of its `User-Agent`.
pub(super) fn client(headers: &HeaderMap) -> Option<Box<str>> {
    let value = |name: &str| text(headers, name).map(str::trim);
    // Looked up once: a lookup costs more than to compare all beginnings.
    let (title, agent) = (value(TITLE), value(AGENT));
    let known = CLIENTS.iter().find(|(header, start, _)| {
        let value = if *header == TITLE { title } else { agent };
        value.is_some_and(|value| value.starts_with(start))
    });
    let name = match known {
        Some((_, _, name)) => name,
        None => agent?
            .split(['/', ' ', '('])
            .next()
            .filter(|name| !name.is_empty())?,
    };
    Some(name.chars().take(LONGEST).collect::<String>().into())
}

/// The client's own thread, and who speaks in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Thread {
    /// The thread.
    pub(super) conversation: Option<Box<str>>,
    /// The agent in it, if it is not the thread's own.
    pub(super) agent: Option<SubAgent>,
}

/// What the headers say of the client's own thread.
pub(super) fn thread(headers: &HeaderMap) -> Thread {
    let id = |name: &str| {
        text(headers, name)
            .map(str::trim)
            .filter(|id| !id.is_empty() && id.len() <= LONGEST)
    };
    let found = NAMINGS.iter().find_map(|naming| {
        let conversation = naming.conversation.iter().find_map(|name| id(name))?;
        let other = |name: Option<&str>| name.and_then(id).filter(|id| *id != conversation);
        let agent = other(naming.speaker).map(|agent| SubAgent {
            id: agent.into(),
            parent: other(naming.parent)
                .filter(|parent| *parent != agent)
                .map(Into::into),
        });
        Some(Thread {
            conversation: Some(conversation.into()),
            agent,
        })
    });
    found.unwrap_or_default()
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
    fn a_program_is_known_by_the_title_that_it_gives_before_the_kit_that_it_uses() {
        for (title, agent, expected) in [
            ("Cline", "OpenAI/JS 5.2.0", "Cline"),
            ("Aider", "litellm/1.75", "aider"),
            ("Roo Code", "RooCode/3.53.0", "Roo Code"),
            (
                "Kilo Code",
                "Kilo-Code/7.8.3 ai-sdk/provider-utils/4",
                "Kilo Code",
            ),
            ("opencode", "ai-sdk/openai/3.0.53", "opencode"),
            ("Something Else", "OpenAI/JS 5.2.0", "OpenAI Node"),
            ("", "Charm-Crush/v0.97.1 (https://charm.land/crush)", "Crush"),
            ("", "QwenCode/0.12.3 (linux; x64)", "Qwen Code"),
        ] {
            let mut headers = headers("user-agent", agent);
            headers.insert(TITLE, http::HeaderValue::from_static(title));
            assert_eq!(client(&headers).as_deref(), Some(expected), "{title} {agent}");
        }
    }

    #[test]
    fn the_clients_own_thread_and_the_agent_in_it_are_read_from_its_headers() {
        type Fields<'a> = &'a [(&'static str, &'static str)];
        type Agent<'a> = (&'a str, Option<&'a str>);
        let cases: &[(Fields<'_>, Option<&str>, Option<Agent<'_>>)] = &[
            (&[], None, None),
            (&[("session_id", "")], None, None),
            (&[("session_id", "abc")], Some("abc"), None),
            (&[("conversation_id", "old")], Some("old"), None),
            (&[("x-session-id", "any")], Some("any"), None),
            (&[("x-claude-code-session-id", "s")], Some("s"), None),
            (
                &[
                    ("x-claude-code-session-id", "s"),
                    ("x-claude-code-agent-id", "a1"),
                ],
                Some("s"),
                Some(("a1", None)),
            ),
            (
                &[
                    ("x-claude-code-session-id", "s"),
                    ("x-claude-code-agent-id", "a2"),
                    ("x-claude-code-parent-agent-id", "a1"),
                ],
                Some("s"),
                Some(("a2", Some("a1"))),
            ),
            // A parent alone says nothing.
            (
                &[
                    ("x-claude-code-session-id", "s"),
                    ("x-claude-code-parent-agent-id", "a1"),
                ],
                Some("s"),
                None,
            ),
            (&[("session-id", "s"), ("thread-id", "s")], Some("s"), None),
            (
                &[
                    ("session-id", "s"),
                    ("thread-id", "t1"),
                    ("x-codex-parent-thread-id", "s"),
                ],
                Some("s"),
                Some(("t1", None)),
            ),
            (
                &[
                    ("session-id", "s"),
                    ("thread-id", "t2"),
                    ("x-codex-parent-thread-id", "t1"),
                ],
                Some("s"),
                Some(("t2", Some("t1"))),
            ),
            (&[("x-session-affinity", "s")], Some("s"), None),
            (
                &[("x-session-affinity", "child"), ("x-parent-session-id", "s")],
                Some("s"),
                Some(("child", None)),
            ),
            (&[("x-opencode-session", "z")], Some("z"), None),
        ];
        for (fields, conversation, agent) in cases {
            let headers: HeaderMap = fields
                .iter()
                .map(|(name, value)| {
                    (
                        http::HeaderName::from_static(name),
                        http::HeaderValue::from_static(value),
                    )
                })
                .collect();
            let expected = Thread {
                conversation: conversation.map(Into::into),
                agent: agent.map(|(id, parent)| SubAgent {
                    id: id.into(),
                    parent: parent.map(Into::into),
                }),
            };
            assert_eq!(thread(&headers), expected, "{fields:?}");
        }
    }
}
