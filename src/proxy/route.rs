//! Reads a path on the proxy port: `/{mount}/…`, or `/s/{session}/{mount}/…`; before either may stand `/t/{token}`.

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::mount::is_host_part;
use crate::config::{Mount, Mounts};
use crate::domain::operation::Operation;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The mount.
    pub mount: Arc<Mount>,
    /// The session that the path asks for, decoded.
    pub session: Option<Box<str>>,
    /// The operation, if it is metered.
    pub operation: Option<Operation>,
    /// The model that the path names, decoded.
    pub model: Option<Box<str>>,
    /// The part of the host that the path names.
    pub host_part: Option<Box<str>>,
    /// The URL upstream.
    pub uri: http::Uri,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// No mount has that name.
    #[error("there is no mount `{0}`")]
    UnknownMount(String),
    /// The mount needs a part of its host next.
    #[error(
        "the mount `{mount}` takes a part of its host next: /{mount}/{{part}}/…, of letters, digits and `-`"
    )]
    NoHostPart {
        /// The mount.
        mount: Box<str>,
    },
    /// The path cannot be forwarded.
    #[error("the path cannot be forwarded as a URL")]
    Unforwardable,
}

/// Recognises an operation by the request's method and the path behind the mount.
pub type Detect = fn(&str, &str) -> Option<Operation>;

/// Finds the route of a request. The rest of the path and the query are forwarded byte for byte; only a known
/// operation's usual prefix is mended.
///
/// # Errors
/// The path leads nowhere.
pub fn find(
    mounts: &Mounts,
    method: &http::Method,
    uri: &http::Uri,
    detect: Detect,
) -> Result<Route, NoRoute> {
    let path = uri.path();
    let (session, path) = session_prefix(split_token(path).1);
    let (name, rest) = first_segment(path);
    let mount = mounts
        .get(name)
        .ok_or_else(|| NoRoute::UnknownMount(name.to_owned()))?;
    let (part, rest) = if mount.takes_host_part {
        let (part, rest) = first_segment(rest);
        let no_part = || NoRoute::NoHostPart {
            mount: mount.name.clone(),
        };
        (
            Some(Some(part).filter(|part| is_host_part(part)).ok_or_else(no_part)?),
            rest,
        )
    } else {
        (None, rest)
    };
    let operation = detect(method.as_str(), rest).or_else(|| mount.own_api?.detect(method.as_str(), rest));
    let model = operation
        .and_then(|operation| operation.model_in_path(rest))
        .map(|model| decoded(model).into());
    let path = mount.upstream_path(operation, rest);
    let authority = mount.upstream.authority_for(part).ok_or(NoRoute::Unforwardable)?;
    let uri = url(mount.upstream.scheme.as_str(), &authority, &path, uri.query())?;
    Ok(Route {
        mount: Arc::clone(mount),
        session,
        operation,
        model,
        host_part: part.map(Into::into),
        uri,
    })
}

/// Splits `/t/{token}` off, whose token [`super::visitor`] has looked at.
pub(super) fn split_token(path: &str) -> (Option<&str>, &str) {
    match path.strip_prefix("/t/") {
        Some(behind) => {
            let (token, rest) = behind.find('/').map_or((behind, ""), |at| behind.split_at(at));
            (Some(token), rest)
        }
        None => (None, path),
    }
}

/// Splits `/s/{session}` off.
fn session_prefix(path: &str) -> (Option<Box<str>>, &str) {
    match path.strip_prefix("/s/") {
        Some(behind) => {
            let (session, rest) = behind.find('/').map_or((behind, ""), |at| behind.split_at(at));
            (Some(decoded(session).into()), rest)
        }
        None => (None, path),
    }
}

/// The first segment, and what follows it from its slash on.
fn first_segment(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.find('/').map_or((path, ""), |at| path.split_at(at))
}

fn url(scheme: &str, authority: &str, path: &str, query: Option<&str>) -> Result<http::Uri, NoRoute> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let (mark, query) = query.map_or(("", ""), |query| ("?", query));
    let text = format!("{scheme}://{authority}{slash}{path}{mark}{query}");
    http::Uri::from_maybe_shared(bytes::Bytes::from(text)).map_err(|_| NoRoute::Unforwardable)
}

/// Undoes percent-encoding (RFC 3986 §2.1); what is no valid encoding stays as it is.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |offset| {
            bytes
                .get(at + offset)
                .and_then(|digit| char::from(*digit).to_digit(16))
        };
        match (byte, hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(byte));
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, Settings};

    fn mounts() -> Mounts {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[mounts.local]\nupstream = \"http://127.0.0.1:9/base\"\ndialect = \"openai\"";
        std::fs::write(file.path(), text).unwrap();
        let flags = Flags {
            config: Some(file.path().to_owned()),
            ..Flags::default()
        };
        Settings::load(&Environment::from_pairs([("DB_PATH", "x")]), &flags)
            .unwrap()
            .mounts
    }

    fn post(path: &str) -> Result<Route, NoRoute> {
        find(
            &mounts(),
            &http::Method::POST,
            &path.parse().unwrap(),
            Operation::detect,
        )
    }

    #[test]
    fn paths_are_forwarded_byte_for_byte_behind_the_mount() {
        for (path, expected) in [
            (
                "/openai/v1/chat/completions",
                "https://api.openai.com/v1/chat/completions",
            ),
            (
                "/openai/chat/completions?a=%20b&c",
                "https://api.openai.com/v1/chat/completions?a=%20b&c",
            ),
            ("/openai//v1//x%2Fy?", "https://api.openai.com//v1//x%2Fy?"),
            ("/openai", "https://api.openai.com/"),
            ("/openai/", "https://api.openai.com/"),
            (
                "/anthropic/messages?beta=true",
                "https://api.anthropic.com/v1/messages?beta=true",
            ),
            (
                "/azure/mine/openai/deployments/a/chat/completions?api-version=1",
                "https://mine.openai.azure.com/openai/deployments/a/chat/completions?api-version=1",
            ),
            (
                "/azure/mine/chat/completions",
                "https://mine.openai.azure.com/openai/v1/chat/completions",
            ),
            (
                "/foundry/mine/models/chat/completions?api-version=1",
                "https://mine.services.ai.azure.com/models/chat/completions?api-version=1",
            ),
            (
                "/foundry/mine/anthropic/v1/messages",
                "https://mine.services.ai.azure.com/anthropic/v1/messages",
            ),
            (
                "/mantle/us-west-2/responses",
                "https://bedrock-mantle.us-west-2.api.aws/v1/responses",
            ),
            (
                "/bedrock/us-east-1/model/arn%3Aaws%3Abedrock%3A%3Ax%2Fy/converse",
                "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3A%3Ax%2Fy/converse",
            ),
            (
                "/vertex/europe-west1/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
                "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
            ),
            (
                "/vertex/global/projects/p/locations/global/publishers/google/models/g:generateContent",
                "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/g:generateContent",
            ),
            (
                "/groq/chat/completions",
                "https://api.groq.com/openai/v1/chat/completions",
            ),
            (
                "/groq/openai/v1/openai/v1/chat/completions",
                "https://api.groq.com/openai/v1/chat/completions",
            ),
            (
                "/groq/v1/chat/completions",
                "https://api.groq.com/openai/v1/chat/completions",
            ),
            ("/groq/v1/models", "https://api.groq.com/v1/models"),
            ("/openrouter/api/v1/models", "https://openrouter.ai/api/v1/models"),
            (
                "/zai/chat/completions",
                "https://api.z.ai/api/paas/v4/chat/completions",
            ),
            (
                "/perplexity/chat/completions",
                "https://api.perplexity.ai/chat/completions",
            ),
            (
                "/chatgpt/responses",
                "https://chatgpt.com/backend-api/codex/responses",
            ),
            (
                "/codeassist/v1internal:streamGenerateContent?alt=sse",
                "https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent?alt=sse",
            ),
            ("/ollama/api/chat", "http://127.0.0.1:11434/api/chat"),
            ("/local/v1/models", "http://127.0.0.1:9/base/v1/models"),
            (
                "/s/my%20work/openai/v1/models",
                "https://api.openai.com/v1/models",
            ),
        ] {
            assert_eq!(post(path).unwrap().uri.to_string(), expected, "{path}");
        }
    }

    #[test]
    fn what_a_path_means_may_depend_on_its_mount() {
        for (path, expected) in [
            ("/tgi/", Some(Operation::TgiGenerate)),
            ("/tgi", Some(Operation::TgiGenerate)),
            ("/openai/", None),
            ("/mistral/conversations", Some(Operation::Conversations)),
            ("/openai/v1/conversations", None),
        ] {
            assert_eq!(post(path).unwrap().operation, expected, "{path}");
        }
        let uri = post("/mistral/conversations").unwrap().uri;
        assert_eq!(uri.to_string(), "https://api.mistral.ai/v1/conversations");
    }

    #[test]
    fn a_session_prefix_is_taken_off_and_decoded() {
        let route = post("/s/my%20work%2F1/gemini/v1beta/models/gemini%2D2:generateContent").unwrap();
        assert_eq!(route.session.as_deref(), Some("my work/1"));
        assert_eq!(route.model.as_deref(), Some("gemini-2"));
        assert_eq!(route.operation, Some(Operation::GenerateContent));
        assert_eq!(
            post("/s/bad%zz/openai/").unwrap().session.as_deref(),
            Some("bad%zz")
        );
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        assert_eq!(
            post("/opnai/v1").unwrap_err(),
            NoRoute::UnknownMount("opnai".into())
        );
        assert_eq!(post("/").unwrap_err(), NoRoute::UnknownMount(String::new()));
        assert_eq!(post("/s/x").unwrap_err(), NoRoute::UnknownMount(String::new()));
        for path in ["/azure", "/azure/evil.com/x", "/azure/a@b/x", "/azure//x"] {
            assert_eq!(
                post(path).unwrap_err(),
                NoRoute::NoHostPart {
                    mount: "azure".into()
                },
                "{path}"
            );
        }
    }
}
