//! Mounts: named upstreams, and how a client's path becomes the provider's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::operation::{Operation, OwnApi};

/// The family of wire formats that a provider speaks; it decides the shape of Moonlock's own errors there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// OpenAI and everything compatible with it.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Google.
    Gemini,
    /// Amazon.
    Aws,
}

/// How requests to a mount are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signer {
    /// AWS Signature Version 4, for the service `bedrock` in the region that the mount's host part names.
    Aws,
}

/// A mount's requests are signed anew, with credentials of this machine's user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// How.
    pub signer: Signer,
    /// The AWS profile whose credentials are used; `None` leaves it to AWS's own variables.
    pub profile: Option<Box<str>>,
}

/// A named upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The first segment of its paths, and the `provider` of its calls.
    pub name: Box<str>,
    /// Where its calls go.
    pub upstream: Upstream,
    /// The shape of Moonlock's own errors.
    pub dialect: Dialect,
    /// What the provider's operations stand behind (`/v1`); empty if nothing.
    pub prefix: Box<str>,
    /// Whether usage is asked for in streams whose client says nothing about it.
    pub asks_stream_usage: bool,
    /// The provider's name in the price list.
    pub prices: Option<Box<str>>,
    /// Whether the segment after the mount is a part of the host.
    pub takes_host_part: bool,
    /// The API of its own that the server has beside its dialect.
    pub own_api: Option<OwnApi>,
    /// Whether its requests are signed anew.
    pub signing: Option<Signing>,
}

/// A base URL: `scheme://authority/base`, where the authority may hold one `{placeholder}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// The scheme: `http` or `https`.
    pub scheme: Scheme,
    authority: Box<str>,
    /// The authorities of parts that the placeholder does not make.
    exceptions: BTreeMap<Box<str>, Box<str>>,
    /// The path that stands before every forwarded path, without a slash at its end.
    base: Box<str>,
}

/// How an upstream is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Upstream {
    /// Reads a base URL.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = match url.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            _ => return Err(format!("`{}` must begin with http:// or https://", shown(url))),
        };
        let (authority, base) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if base.contains(['?', '#']) || authority.contains(['?', '#', '@']) {
            return Err(format!(
                "`{}` may hold a host and a path, but no user, query or fragment",
                shown(url)
            ));
        }
        let upstream = Self {
            scheme,
            authority: authority.into(),
            exceptions: BTreeMap::new(),
            base: base.trim_end_matches('/').into(),
        };
        let sample = upstream.authority_for(Some("x")).unwrap_or_default();
        if sample.is_empty() || sample.parse::<http::uri::Authority>().is_err() {
            return Err(format!("`{url}` names no valid host"));
        }
        if sample.contains(['{', '}']) {
            return Err(format!("`{url}` may hold one {{placeholder}}, in its host"));
        }
        Ok(upstream)
    }

    /// Gives some parts a host that the placeholder does not make: Vertex AI's `global` has no region in its host.
    fn with_hosts(mut self, hosts: &BTreeMap<String, String>) -> Result<Self, String> {
        for (part, host) in hosts {
            if !self.has_placeholder() {
                return Err("it has `hosts`, but no {placeholder} in its `upstream`".to_owned());
            }
            if !is_host_part(part) || host.contains('@') || host.parse::<http::uri::Authority>().is_err() {
                return Err(format!("`hosts` names no valid host: {part} = `{host}`"));
            }
            self.exceptions.insert(part.as_str().into(), host.as_str().into());
        }
        Ok(self)
    }

    /// Whether an authority is this upstream's, and the part that fills its placeholder there, if it has one.
    fn part_in<'text>(&'text self, authority: &'text str) -> Option<Option<&'text str>> {
        if let Some((part, _)) = self.exceptions.iter().find(|(_, host)| ***host == *authority) {
            return Some(Some(part));
        }
        let Some((before, rest)) = self.authority.split_once('{') else {
            return (same_server(&self.authority, authority)).then_some(None);
        };
        let (_, after) = rest.split_once('}')?;
        let part = authority.strip_prefix(before)?.strip_suffix(after)?;
        is_host_part(part).then_some(Some(part))
    }

    fn has_placeholder(&self) -> bool {
        self.authority.contains('{')
    }

    /// The host and port to connect to; `part` fills the placeholder. `None` if a part is needed and missing.
    #[must_use]
    pub fn authority_for(&self, part: Option<&str>) -> Option<String> {
        if let Some(host) = part.and_then(|part| self.exceptions.get(part)) {
            return Some(host.to_string());
        }
        let Some((before, rest)) = self.authority.split_once('{') else {
            return Some(self.authority.to_string());
        };
        let (_, after) = rest.split_once('}')?;
        Some(format!("{before}{}{after}", part?))
    }
}

/// Whether two authorities are one server: `localhost` is the address that it mostly stands for.
fn same_server(one: &str, other: &str) -> bool {
    let plain = |authority: &str| authority.replace("localhost", "127.0.0.1").to_ascii_lowercase();
    plain(one) == plain(other)
}

/// A path's host part must be a single DNS label, so that it cannot name another host.
#[must_use]
pub fn is_host_part(part: &str) -> bool {
    let inside = part
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (1..=63).contains(&part.len()) && inside && !part.starts_with('-') && !part.ends_with('-')
}

impl Mount {
    /// The path to send upstream for what the client wrote behind the mount.
    ///
    /// Byte for byte the client's own, behind the upstream's base; only for a known operation is the provider's
    /// usual prefix put where a client left it out, and taken once where it is doubled.
    #[must_use]
    pub fn upstream_path<'path>(&self, operation: Option<Operation>, path: &'path str) -> Cow<'path, str> {
        let base = &*self.upstream.base;
        let mended = operation.map_or(Cow::Borrowed(path), |operation| self.mend(operation, path));
        if base.is_empty() {
            mended
        } else {
            Cow::Owned(format!("{base}{mended}"))
        }
    }

    fn mend<'path>(&self, operation: Operation, path: &'path str) -> Cow<'path, str> {
        let prefix = &*self.prefix;
        if prefix.is_empty() {
            return Cow::Borrowed(path);
        }
        let base_has_it = self.upstream.base.ends_with(prefix);
        let behind = behind_prefix(path, prefix);
        match behind {
            Some(rest) if base_has_it || behind_prefix(rest, prefix).is_some() => Cow::Borrowed(rest),
            None if !base_has_it && is_bare(operation, path) => Cow::Owned(format!("{prefix}{path}")),
            // Clients write `/v1` where the provider's is `/openai/v1`.
            None if !base_has_it => behind_tail(path, prefix)
                .filter(|rest| is_bare(operation, rest))
                .map_or(Cow::Borrowed(path), |rest| Cow::Owned(format!("{prefix}{rest}"))),
            _ => Cow::Borrowed(path),
        }
    }
}

/// What follows the end of `prefix` in `path`, where only its last segments are there.
fn behind_tail<'path>(path: &'path str, prefix: &str) -> Option<&'path str> {
    let tails = prefix.match_indices('/').skip(1);
    tails
        .filter_map(|(at, _)| prefix.get(at..))
        .find_map(|tail| behind_prefix(path, tail))
}

/// What follows `prefix` in `path`, if it is followed by another segment.
fn behind_prefix<'path>(path: &'path str, prefix: &str) -> Option<&'path str> {
    path.strip_prefix(prefix).filter(|rest| rest.starts_with('/'))
}

/// Whether a path is the operation's own and nothing before it.
fn is_bare(operation: Operation, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    match operation {
        Operation::ChatCompletions => path == "/chat/completions",
        Operation::Completions => path == "/completions",
        Operation::Responses => path == "/responses",
        Operation::CompactResponse => path == "/responses/compact",
        Operation::Embeddings => path == "/embeddings",
        Operation::Images => path.starts_with("/images/"),
        Operation::Transcriptions | Operation::Translations | Operation::Speech => {
            path.starts_with("/audio/")
        }
        Operation::Realtime => path == "/realtime",
        Operation::Moderations => path == "/moderations",
        Operation::Messages => path == "/messages",
        Operation::Interactions => path == "/interactions",
        Operation::RetrieveResponse => path.starts_with("/responses/"),
        Operation::Runs | Operation::RetrieveRun => path.starts_with("/threads/"),
        Operation::RetrieveInteraction => path.starts_with("/interactions/"),
        Operation::BatchResults => path.starts_with("/files/") || path.starts_with("/messages/batches/"),
        Operation::Rerank => path == "/rerank",
        Operation::Conversations => path.starts_with("/conversations"),
        Operation::Ocr => path == "/ocr",
        // Google's, behind any of its versions. All others say which version or which API they are.
        _ => ["/models/", "/tunedModels/", "/projects/", "/publishers/"]
            .iter()
            .any(|start| path.starts_with(start)),
    }
}

/// All mounts, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts(BTreeMap<Box<str>, std::sync::Arc<Mount>>);

impl Mounts {
    /// The mount of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&std::sync::Arc<Mount>> {
        self.0.get(name)
    }

    /// All mounts, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.0.values().map(|mount| &**mount)
    }

    /// The path on the proxy that leads where a base URL of a provider leads: `/openrouter/api/v1` for
    /// `https://openrouter.ai/api/v1`. `None` if no mount does.
    #[must_use]
    pub fn path_for(&self, url: &str) -> Option<String> {
        let url = Upstream::parse(url).ok()?;
        let port = match url.scheme {
            Scheme::Http => ":80",
            Scheme::Https => ":443",
        };
        let authority = url.authority.strip_suffix(port).unwrap_or(&url.authority);
        self.iter().find_map(|mount| {
            let part = mount.upstream.part_in(authority)?;
            let rest = url.base.strip_prefix(&*mount.upstream.base)?;
            let part = part.map(|part| format!("/{part}")).unwrap_or_default();
            Some(format!("/{}{part}{rest}", mount.name))
        })
    }

    pub(super) fn insert(&mut self, mount: Mount) {
        self.0.insert(mount.name.clone(), std::sync::Arc::new(mount));
    }
}

/// An address as it may be shown and logged: without the user, password, query and fragment, which may be secrets.
#[must_use]
pub fn shown(url: &str) -> String {
    let at = url.find(['?', '#']).unwrap_or(url.len());
    let (place, hidden) = url.split_at(at);
    let place = match place.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map(|(scheme, _)| format!("{scheme}://"));
            format!("{}…@{host}", scheme.unwrap_or_default())
        }
        None => place.to_owned(),
    };
    let rest = if hidden.is_empty() { "" } else { "?…" };
    format!("{place}{rest}")
}

impl Mount {
    pub(super) fn build(
        name: &str,
        raw: &super::raw::RawMount,
        replaced: Option<&str>,
    ) -> Result<Self, String> {
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        {
            return Err("a mount's name consists of letters, digits, `-`, `_` and `.`".to_owned());
        }
        if name == "s" {
            return Err("`s` is taken: /s/{session}/… names a session".to_owned());
        }
        let own = raw.upstream.as_deref().map(Upstream::parse).transpose()?;
        let own = match (own, &raw.hosts) {
            (Some(own), Some(hosts)) => Some(own.with_hosts(hosts)?),
            (own, _) => own,
        };
        let replaced = replaced.map(Upstream::parse).transpose()?;
        let takes_host_part = own
            .as_ref()
            .or(replaced.as_ref())
            .is_some_and(Upstream::has_placeholder);
        let upstream = replaced
            .or(own)
            .ok_or("it has no `upstream`, e.g. \"http://127.0.0.1:8000\"")?;
        let dialect = raw
            .dialect
            .ok_or("it has no `dialect`: openai, anthropic, gemini or aws")?;
        let prefix = raw.prefix.as_deref().unwrap_or(match dialect {
            Dialect::OpenAi | Dialect::Anthropic => "/v1",
            Dialect::Gemini => "/v1beta",
            Dialect::Aws => "",
        });
        if !prefix.is_empty() && (!prefix.starts_with('/') || prefix.ends_with('/')) {
            return Err(format!(
                "`prefix` is `{prefix}`, but must look like \"/v1\", or be empty"
            ));
        }
        let profile = raw.aws_profile.as_deref().map(Into::into);
        let signing = raw.sign.map(|signer| Signing { signer, profile });
        if signing.is_some() && !takes_host_part {
            return Err(
                "it has `sign`, but no {region} in its `upstream` that says what to sign for".to_owned(),
            );
        }
        if raw.aws_profile.is_some() && signing.is_none() {
            return Err("it has `aws_profile`, but no `sign = \"aws\"`".to_owned());
        }
        Ok(Self {
            name: name.into(),
            upstream,
            dialect,
            prefix: prefix.into(),
            asks_stream_usage: raw.asks_stream_usage.unwrap_or(false),
            prices: raw.prices.as_deref().map(Into::into),
            takes_host_part,
            own_api: raw.own_api,
            signing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::raw::RawMount;
    use super::*;

    fn mount(upstream: &str) -> Mount {
        let raw = RawMount {
            upstream: Some(upstream.to_owned()),
            dialect: Some(Dialect::OpenAi),
            ..RawMount::default()
        };
        Mount::build("test", &raw, None).unwrap()
    }

    #[test]
    fn the_usual_prefix_is_mended_for_known_operations_only() {
        for (upstream, path, expected) in [
            ("https://h", "/v1/chat/completions", "/v1/chat/completions"),
            ("https://h", "/chat/completions", "/v1/chat/completions"),
            ("https://h", "/v1/v1/chat/completions", "/v1/chat/completions"),
            ("https://h", "//v1/chat/completions", "//v1/chat/completions"),
            (
                "https://h",
                "/openai/deployments/a%2Fb/chat/completions",
                "/openai/deployments/a%2Fb/chat/completions",
            ),
            ("https://h", "/v1/models", "/v1/models"),
            ("https://h", "/models", "/models"),
            ("http://h:1/openai", "/v1/responses", "/openai/v1/responses"),
            ("http://h:1/openai/", "/responses", "/openai/v1/responses"),
            ("http://h:1/v1", "/v1/embeddings", "/v1/embeddings"),
            ("http://h:1/v1", "/embeddings", "/v1/embeddings"),
        ] {
            let operation = Operation::detect("POST", path);
            assert_eq!(
                mount(upstream).upstream_path(operation, path),
                expected,
                "{upstream} {path}"
            );
        }
    }

    #[test]
    fn the_path_of_a_websocket_is_mended_too() {
        for (path, expected) in [
            ("/realtime", "/v1/realtime"),
            ("/v1/v1/realtime", "/v1/realtime"),
            ("/responses", "/v1/responses"),
            (
                "/ws/google.x.BidiGenerateContent",
                "/ws/google.x.BidiGenerateContent",
            ),
        ] {
            let operation = Operation::detect_upgrade("GET", path);
            assert_eq!(
                mount("https://h").upstream_path(operation, path),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn a_host_part_cannot_name_another_host() {
        let upstream = Upstream::parse("https://{resource}.openai.azure.com").unwrap();
        assert_eq!(
            upstream.authority_for(Some("mine")).unwrap(),
            "mine.openai.azure.com"
        );
        assert_eq!(upstream.authority_for(None), None);
        for bad in [
            "",
            "a.b",
            "evil.com#",
            "a@b",
            "a:1",
            "-a",
            "a-",
            "a%2e",
            &"x".repeat(64),
        ] {
            assert!(!is_host_part(bad), "{bad}");
        }
        assert!(is_host_part("us-east-1"));
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (url, expected) in [
            ("https://h/v1", "https://h/v1"),
            ("https://me:hunter2@h:1/v1", "https://…@h:1/v1"),
            ("me:hun/t@er2@h", "…@h"),
            ("https://h/v1?key=hunter2", "https://h/v1?…"),
            ("https://me:hunter2@h/#hunter2", "https://…@h/?…"),
            ("", ""),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn bad_upstreams_are_refused_with_a_reason() {
        for bad in [
            "",
            "api.openai.com",
            "ftp://h",
            "https://",
            "https://u@h",
            "https://h/?q",
            "https://{a}{b}.c",
        ] {
            assert!(Upstream::parse(bad).is_err(), "{bad}");
        }
    }
}
