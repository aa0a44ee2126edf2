//! What a reply's head tells of the provider's limits, and whose they are.
//!
//! Of a credential only a fingerprint is made, and only when there is something to keep under it: HMAC-SHA-256 with a
//! secret of this installation, cut to 64 bits. Whoever sees fingerprints can tell credentials apart and nothing more.

use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use ring::hmac;

use super::headers::text;
use crate::domain::units::Timestamp;
use crate::domain::windows::{Fingerprint, FingerprintKey, Observation, may_tell, read};

/// Names the account that a login is for. It stays when the token is renewed.
const ACCOUNT: HeaderName = HeaderName::from_static("chatgpt-account-id");
/// Where keys stand, apart from `Authorization`.
const KEYS: [HeaderName; 3] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];
/// How a token of an Anthropic login begins. It is renewed within hours.
const LOGIN_TOKEN: &[u8] = b"sk-ant-oat";
/// Whose account a reply of Anthropic is for.
const ORGANIZATION: HeaderName = HeaderName::from_static("anthropic-organization-id");
/// How a key stands among a WebSocket's protocols.
const PROTOCOL_KEY: &str = "openai-insecure-api-key.";

/// What a request is authorized with. Cheap to take: headers and URLs share their bytes.
///
/// Never shown, logged or kept.
pub(super) enum Credential {
    None,
    Account(HeaderValue),
    Key(HeaderValue),
    Authorization(HeaderValue),
    Query(Uri),
    Protocols(HeaderValue),
}

impl Credential {
    /// The credential of a request.
    pub(super) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        let get = |name: HeaderName| headers.get(name).cloned();
        if let Some(account) = get(ACCOUNT) {
            return Self::Account(account);
        }
        if let Some(key) = KEYS.into_iter().find_map(get) {
            return Self::Key(key);
        }
        if let Some(authorization) = get(AUTHORIZATION) {
            return Self::Authorization(authorization);
        }
        if key_of_query(uri).is_some() {
            return Self::Query(uri.clone());
        }
        get(SEC_WEBSOCKET_PROTOCOL).map_or(Self::None, Self::Protocols)
    }

    /// What tells it from another: for a login the account, as far as it is named.
    fn identity<'a>(&'a self, reply: &'a HeaderMap) -> Option<(Sort, &'a [u8])> {
        let key = match self {
            Self::None => return None,
            Self::Account(account) => return Some((Sort::Account, account.as_bytes())),
            Self::Key(key) => key.as_bytes(),
            Self::Authorization(value) => token(value.as_bytes())?,
            Self::Query(uri) => key_of_query(uri)?.as_bytes(),
            Self::Protocols(list) => {
                let mut protocols = list.to_str().ok()?.split(',').map(str::trim);
                protocols
                    .find_map(|protocol| protocol.strip_prefix(PROTOCOL_KEY))?
                    .as_bytes()
            }
        };
        match text(reply, ORGANIZATION) {
            Some(organization) if key.starts_with(LOGIN_TOKEN) => {
                Some((Sort::Account, organization.as_bytes()))
            }
            _ => Some((Sort::Key, key)),
        }
    }
}

/// What a fingerprint is made of.
#[derive(Clone, Copy)]
enum Sort {
    Key = 0,
    Account = 1,
}

/// The token of `Bearer TOKEN`. A signature has more words, and is another one with each request.
fn token(authorization: &[u8]) -> Option<&[u8]> {
    let mut words = authorization
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let (first, second, third) = (words.next()?, words.next(), words.next());
    match (second, third) {
        (_, Some(_)) => None,
        (Some(token), None) => Some(token),
        (None, None) => Some(first),
    }
}

/// Google takes its key in the URL as well.
fn key_of_query(uri: &Uri) -> Option<&str> {
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == "key").map(|(_, key)| key)
}

/// Reads limits, and makes fingerprints.
pub(super) struct LimitReader(hmac::Key);

impl LimitReader {
    pub(super) fn new(key: &FingerprintKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.bytes()))
    }

    /// What a reply's head tells of the provider's limits; nothing is allocated where that is nothing.
    pub(super) fn observe(
        &self,
        provider: &str,
        credential: &Credential,
        status: u16,
        reply: &HeaderMap,
        now: impl FnOnce() -> Timestamp,
    ) -> Option<Box<Observation>> {
        if !reply.keys().any(|name| may_tell(name.as_str())) {
            return None;
        }
        let at = now();
        let headers = reply
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let windows = read(headers, status, at);
        (!windows.is_empty()).then(|| {
            Box::new(Observation {
                provider: provider.into(),
                credential: credential
                    .identity(reply)
                    .map(|identity| self.fingerprint(identity)),
                at,
                windows,
            })
        })
    }

    fn fingerprint(&self, (sort, bytes): (Sort, &[u8])) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[sort as u8]);
        context.update(bytes);
        let tag = context.sign();
        let first = tag.as_ref().iter().take(8);
        Fingerprint(first.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn fingerprint(
        secret: u8,
        request: &[(&'static str, &'static str)],
        url: &str,
        organization: &'static str,
    ) -> Option<Fingerprint> {
        let reader = LimitReader::new(&FingerprintKey::new([secret; 32]));
        let credential = Credential::of(&map(request), &url.parse().unwrap());
        let reply = map(&[
            ("x-ratelimit-remaining-tokens", "5"),
            ("anthropic-organization-id", organization),
        ]);
        let seen = reader.observe("p", &credential, 200, &reply, || Timestamp(0));
        seen.unwrap().credential
    }

    #[test]
    fn one_key_is_one_fingerprint_wherever_it_stands() {
        let by_header = fingerprint(1, &[("x-api-key", "k-1")], "/v1", "org");
        assert!(by_header.is_some());
        for request in [
            [("authorization", "Bearer k-1")],
            [("authorization", "bearer  k-1")],
            [("authorization", "k-1")],
            [("x-goog-api-key", "k-1")],
            [("api-key", "k-1")],
            [("sec-websocket-protocol", "realtime, openai-insecure-api-key.k-1")],
        ] {
            assert_eq!(fingerprint(1, &request, "/v1", "org"), by_header, "{request:?}");
        }
        assert_eq!(fingerprint(1, &[], "/v1beta?alt=sse&key=k-1", "org"), by_header);
    }

    #[test]
    fn another_key_or_another_secret_is_another_fingerprint() {
        let one = fingerprint(1, &[("x-api-key", "k-1")], "/", "org");
        assert_ne!(fingerprint(1, &[("x-api-key", "k-2")], "/", "org"), one);
        assert_ne!(fingerprint(2, &[("x-api-key", "k-1")], "/", "org"), one);
    }

    #[test]
    fn a_login_is_known_by_its_account() {
        let login = |token, organization| fingerprint(1, &[("authorization", token)], "/", organization);
        let first = login("Bearer sk-ant-oat01-a", "org-1");
        assert_eq!(login("Bearer sk-ant-oat01-b", "org-1"), first, "renewed");
        assert_ne!(login("Bearer sk-ant-oat01-a", "org-2"), first);
        assert_ne!(
            login("Bearer sk-ant-api03-a", "org-1"),
            login("Bearer sk-ant-api03-b", "org-1")
        );
        let codex = |token| {
            let request = [("authorization", token), ("chatgpt-account-id", "acc-1")];
            fingerprint(1, &request, "/", "org")
        };
        assert_eq!(codex("Bearer a"), codex("Bearer b"));
        assert_ne!(
            fingerprint(1, &[("x-api-key", "acc-1")], "/", "org"),
            codex("Bearer a")
        );
    }

    #[test]
    fn what_names_nobody_has_no_fingerprint() {
        for request in [
            vec![],
            vec![(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=A/b, SignedHeaders=host, Signature=c",
            )],
            vec![("authorization", "")],
            vec![("sec-websocket-protocol", "realtime")],
        ] {
            assert_eq!(fingerprint(1, &request, "/?keys=k", "org"), None, "{request:?}");
        }
    }

    #[test]
    fn a_head_that_tells_nothing_is_not_read_any_further() {
        let reader = LimitReader::new(&FingerprintKey::new([1; 32]));
        let reply = map(&[
            ("content-type", "application/json"),
            ("x-request-id", "r"),
            ("age", "1"),
        ]);
        let seen = reader.observe("p", &Credential::None, 200, &reply, || {
            panic!("the clock was asked")
        });
        assert_eq!(seen, None);
    }
}
