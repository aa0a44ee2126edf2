//! Who may use the proxy: programs of this machine's user. A page in their browser may not, unless they allow it; beyond
//! loopback a token says who they are.

use http::Request;
use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};

use super::error::OwnError;
use super::headers::text;
use super::route::split_token;
use crate::config::Access;

/// Carries the token; taken off before the call is forwarded, as everything of Moonlock's own is.
const TOKEN: HeaderName = HeaderName::from_static("x-moonlock-token");

/// Why a request is not forwarded, if it is not.
pub(super) fn refusal<B>(access: &Access, request: &Request<B>) -> Option<OwnError> {
    let headers = request.headers();
    let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    if let Some(token) = access.token() {
        let by_path = split_token(request.uri().path()).0;
        let said = headers
            .get(TOKEN)
            .and_then(|value| value.to_str().ok())
            .or(by_path);
        return match said {
            Some(said) if token.is(said) => None,
            said => Some(OwnError::no_token(said)),
        };
    }
    // Of HTTP/2 the host is in the URL.
    let host = headers.get(HOST).map(|_| text(headers, HOST).unwrap_or_default());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    if let Some(host) = host
        && !access.is_host(host)
    {
        return Some(OwnError::another_host(host));
    }
    if let Some(origin) = headers.get(ORIGIN)
        && !origin.to_str().is_ok_and(|origin| access.is_origin(origin))
    {
        return Some(OwnError::page(&shown(origin)));
    }
    // What needs no `Origin`, such as an image of another site, tells on itself by this one.
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if headers.get(ORIGIN).is_none() && matches!(site, Some(b"cross-site" | b"same-site")) {
        return Some(OwnError::page("another site"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Token;

    fn refused(access: &Access, uri: &str, fields: &[(&str, &str)]) -> Option<&'static str> {
        let mut request = Request::post(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        refusal(access, &request.body(()).unwrap()).map(|error| error.kind)
    }

    #[test]
    fn a_page_cannot_call_a_provider_through_the_proxy() {
        let open = Access::default()
            .allow_origins(&["https://chat.example".to_owned()])
            .unwrap();
        let here = ("host", "127.0.0.1:3002");
        for (fields, expected) in [
            (&[here][..], None),
            (&[("host", "host.docker.internal:3002")], None),
            (&[here, ("origin", "https://chat.example")], None),
            (&[here, ("origin", "vscode-file://vscode-app")], None),
            (&[here, ("sec-fetch-site", "none")], None),
            (&[here, ("origin", "http://evil.com")], Some("page_refused")),
            (&[here, ("origin", "null")], Some("page_refused")),
            // A page of the dashboard's own origin has no business here either.
            (&[here, ("origin", "http://127.0.0.1:3001")], Some("page_refused")),
            (&[here, ("sec-fetch-site", "cross-site")], Some("page_refused")),
            (&[("host", "evil.com:3002")], Some("host_refused")),
            (
                &[("host", "evil.com"), ("origin", "http://evil.com")],
                Some("host_refused"),
            ),
        ] {
            assert_eq!(
                refused(&open, "/openai/v1/models", fields),
                expected,
                "{fields:?}"
            );
        }
        assert_eq!(
            refused(&open, "http://evil.com/openai/v1/models", &[]),
            Some("host_refused")
        );
    }

    #[test]
    fn where_there_is_a_token_every_call_brings_it() {
        let token = Token::new("0123456789abcdef").unwrap();
        let pass = token.pass().to_owned();
        let closed = Access::new(Some(token));
        for (uri, token, expected) in [
            ("/openai/v1/models", None, Some("no_token")),
            ("/openai/v1/models", Some("0123456789abcdeX"), Some("no_token")),
            ("/openai/v1/models", Some(&*pass), Some("no_token")),
            ("/openai/v1/models", Some("0123456789abcdef"), None),
            ("/t/0123456789abcdef/openai/v1/models", None, None),
            ("/t/0123456789abcdef/s/work/openai/v1/models", None, None),
            ("/t/0123456789abcdeX/openai/v1/models", None, Some("no_token")),
            (
                "/s/work/t/0123456789abcdef/openai/v1/models",
                None,
                Some("no_token"),
            ),
        ] {
            let mut fields = vec![("host", "10.0.0.7:3002")];
            fields.extend(token.map(|token| ("x-moonlock-token", token)));
            assert_eq!(refused(&closed, uri, &fields), expected, "{uri} {token:?}");
        }
    }
}
