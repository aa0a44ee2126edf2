//! Requests to AWS. Their signatures (Signature Version 4) cover the host and the path, both of which a proxy changes.
//!
//! Where a mount says so, requests are signed anew with credentials of the user's own ([`credentials`]). A signature
//! also covers the body, and only S3 takes `UNSIGNED-PAYLOAD` instead of its hash: such a request is held until it is
//! whole. Elsewhere a signature that AWS would refuse is refused here, with words that say what to do.

mod credentials;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use http::uri::{PathAndQuery, Uri};
use http::{Request, request};
use http_body_util::BodyExt;

use self::credentials::Keyring;
use super::error::OwnError;
use super::headers::text;
use super::route::Route;
use crate::config::access::is_loopback;
use crate::config::{Environment, Signing};
use crate::domain::units::Timestamp;

/// The most of a request that is held to be signed. Bedrock takes bodies of up to 25,000,000 bytes (InvokeModel).
const MOST_HELD: usize = 25 << 20;

/// The name that Bedrock's endpoints are signed for.
const SERVICE: &str = "bedrock";

/// A body that both sides stream at once, in pieces that its client signs one by one.
const BOTH_WAYS: &str = "/invoke-with-bidirectional-stream";

/// Headers that belong to a signature.
const SIGNATURE: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
    HeaderName::from_static("x-amz-content-sha256"),
];

/// Why a request cannot be signed.
#[derive(Debug)]
pub(super) enum Unsigned {
    /// Its client left before it was whole.
    CutOff,
    /// Moonlock's answer says why.
    Refused(OwnError),
}

/// Signs requests.
#[derive(Debug)]
pub(super) struct AwsSigner {
    keyring: Keyring,
}

impl AwsSigner {
    pub(super) fn new(environment: Environment) -> Self {
        Self {
            keyring: Keyring::new(environment),
        }
    }

    /// Signs a request that is about to go upstream. Its body is whole afterwards.
    pub(super) async fn sign<B>(
        &self,
        request: Request<B>,
        route: &Route,
        signing: &Signing,
        now: Timestamp,
    ) -> Result<Request<Bytes>, Unsigned>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
    {
        let (mut head, body) = request.into_parts();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        let credentials = self
            .keyring
            .find(signing.profile.as_deref(), now)
            .await
            .map_err(|why| Unsigned::Refused(OwnError::no_aws_credentials(&why.to_string())))?;
        let body = whole(body).await?;
        strip_signature(&mut head);
        let region = route.host_part.as_deref().unwrap_or_default();
        add_signature(&mut head, &body, credentials, region, now)
            .map_err(|why| Unsigned::Refused(OwnError::unsignable(&why)))?;
        Ok(Request::from_parts(head, body))
    }
}

/// What to do with a request's signature.
pub(super) enum Verdict<'r> {
    /// It has none, or one that holds.
    Pass,
    /// It is signed anew.
    Sign(&'r Signing),
    /// It cannot be forwarded.
    Refuse(OwnError),
}

/// Judges a request as its client sent it.
pub(super) fn judge<'r, B>(request: &Request<B>, route: &'r Route) -> Verdict<'r> {
    let headers = request.headers();
    let is_signed = is_signed(request);
    match &route.mount.signing {
        // A bearer key is the client's own way in.
        Some(signing) if is_signed || !headers.contains_key(AUTHORIZATION) => {
            if let Some(page) = from_a_page(headers) {
                Verdict::Refuse(OwnError::no_signature_for_pages(&page))
            } else if route.uri.path().ends_with(BOTH_WAYS) {
                Verdict::Refuse(OwnError::unsignable("both sides stream at once"))
            } else {
                Verdict::Sign(signing)
            }
        }
        None if is_signed && is_aws(&route.uri) => {
            let host = text(headers, HOST).unwrap_or_default();
            if Some(host) == route.uri.host() {
                Verdict::Pass
            } else {
                Verdict::Refuse(OwnError::broken_aws_signature(host, &route.mount.name))
            }
        }
        _ => Verdict::Pass,
    }
}

fn is_signed<B>(request: &Request<B>) -> bool {
    let by_header = text(request.headers(), AUTHORIZATION).is_some_and(|how| how.starts_with("AWS4-"));
    by_header
        || request
            .uri()
            .query()
            .is_some_and(|query| query.split('&').any(|pair| pair.starts_with("X-Amz-Signature=")))
}

/// Whether AWS itself is behind a URL. What stands in for it elsewhere may not look at signatures.
fn is_aws(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"]
        .iter()
        .any(|domain| host.ends_with(domain))
}

/// The site of a browser's page that sent a request: it would use credentials that it never had. A page shows itself
/// by its `Origin`, or where its own name was pointed at this machine (DNS rebinding), by the `Host` that it asks.
fn from_a_page(headers: &HeaderMap) -> Option<String> {
    let site = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    if let Some(origin) = headers.get(ORIGIN) {
        return Some(site(origin));
    }
    let host = headers.get(HOST)?;
    (!is_loopback(text(headers, HOST).unwrap_or_default())).then(|| site(host))
}

/// Takes off what the client signed.
fn strip_signature(head: &mut request::Parts) {
    for name in SIGNATURE {
        head.headers.remove(name);
    }
    let Some(query) = head.uri.query() else { return };
    let is_signature = |pair: &&str| {
        const NAMES: [&str; 7] = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "X-Amz-SignedHeaders",
        ];
        NAMES.contains(&pair.split('=').next().unwrap_or_default())
    };
    let left: Vec<&str> = query.split('&').filter(|pair| !is_signature(pair)).collect();
    let path = match left.as_slice() {
        [] => head.uri.path().to_owned(),
        left => format!("{}?{}", head.uri.path(), left.join("&")),
    };
    let mut parts = head.uri.clone().into_parts();
    // What stays of a URL is one.
    parts.path_and_query = PathAndQuery::try_from(path).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        head.uri = uri;
    }
}

/// Signs the host, the path, the query, the content-type, AWS's own headers, the body.
fn add_signature(
    head: &mut request::Parts,
    body: &[u8],
    credentials: Credentials,
    region: &str,
    now: SystemTime,
) -> Result<(), String> {
    let identity = credentials.into();
    // The path is encoded once more than it is sent, and made canonical: as every service wants it but S3.
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let host = host(&head.uri);
    let covered = head
        .headers
        .iter()
        .filter(|(name, _)| **name == CONTENT_TYPE || name.as_str().starts_with("x-amz-"))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .chain([("host", host)]);
    let signable = SignableRequest::new(
        head.method.as_str(),
        head.uri.to_string(),
        covered,
        SignableBody::Bytes(body),
    );
    let signed = signable.and_then(|signable| sign(signable, &params));
    let (instructions, _) = signed.map_err(|error| error.to_string())?.into_parts();
    let (added, _) = instructions.into_parts();
    for header in added {
        let mut value = HeaderValue::from_str(header.value())
            .map_err(|_| "the AWS credentials hold characters that no header can".to_owned())?;
        value.set_sensitive(true);
        head.headers.insert(header.name(), value);
    }
    Ok(())
}

/// The `Host` that a URL is asked for: without the port that its scheme has anyway.
fn host(uri: &Uri) -> &str {
    let usual = if uri.scheme() == Some(&http::uri::Scheme::HTTP) {
        80
    } else {
        443
    };
    match uri.authority() {
        Some(authority) if authority.port_u16().is_some_and(|port| port != usual) => authority.as_str(),
        Some(authority) => authority.host(),
        None => "",
    }
}

/// Reads a body to its end.
async fn whole<B>(mut body: B) -> Result<Bytes, Unsigned>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut held = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unsigned::CutOff)?;
        let piece = frame.into_data().unwrap_or_default();
        if held.len() + piece.len() > MOST_HELD {
            return Err(Unsigned::Refused(OwnError::too_large_to_sign(MOST_HELD >> 20)));
        }
        held.extend_from_slice(&piece);
    }
    Ok(held.freeze())
}

#[cfg(test)]
mod tests;
