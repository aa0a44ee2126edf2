//! Which headers pass. All but those that belong to one connection (RFC 9110 §7.6.1) and Moonlock's own.

use http::header::{
    CONNECTION, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRANSFER_ENCODING, UPGRADE,
};

/// Names a call's session; taken off before the call is forwarded.
pub(super) const SESSION: HeaderName = HeaderName::from_static("x-moonlock-session");

/// Marks an answer that is Moonlock's own, with the kind of error.
pub(super) const ERROR: HeaderName = HeaderName::from_static("x-moonlock-error");

/// Names the kind of an error, in AWS's answers.
pub(super) const AWS_ERROR: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Tells OpenAI's and Anthropic's SDKs whether another attempt makes sense.
pub(super) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Takes off what belongs to the client's connection, or is Moonlock's own.
///
/// `Host` is set anew for the upstream. `Expect` was answered here. `TE: trailers` stays: trailers pass.
pub(super) fn strip_request(headers: &mut HeaderMap) {
    let trailers = headers
        .get(TE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"));
    strip_hop_by_hop(headers);
    for name in [HOST, EXPECT, PROXY_AUTHORIZATION] {
        headers.remove(name);
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("x-moonlock-"))
        .cloned()
        .collect();
    for name in own {
        headers.remove(name);
    }
}

/// Takes off what belongs to the upstream's connection.
pub(super) fn strip_response(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    headers.remove(PROXY_AUTHENTICATE);
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in [CONNECTION, TE, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        headers.remove(name);
    }
}

/// A header's text, if it is text.
pub(super) fn text(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn only_what_belongs_to_the_connection_is_taken_off() {
        let mut headers = map(&[
            ("host", "127.0.0.1:3002"),
            ("connection", "keep-alive, X-Secret-Hop"),
            ("x-secret-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("expect", "100-continue"),
            ("x-moonlock-session", "work"),
            ("authorization", "Bearer k"),
            ("anthropic-beta", "a"),
            ("accept-encoding", "gzip"),
            ("trailer", "x-sum"),
        ]);
        strip_request(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(
            left,
            [
                "accept-encoding",
                "anthropic-beta",
                "authorization",
                "te",
                "trailer"
            ]
        );
    }

    #[test]
    fn a_repeated_header_stays_repeated() {
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a"));
        headers.append("set-cookie", HeaderValue::from_static("b"));
        headers.append("transfer-encoding", HeaderValue::from_static("chunked"));
        strip_response(&mut headers);
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        assert_eq!(headers.len(), 2);
    }
}
