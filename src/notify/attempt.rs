//! One attempt to tell a target.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ring::hmac;

use super::desktop;
use crate::domain::notice::{Hidden, Notice, Target, TargetKind};

/// How long an attempt may take.
const BOUND: Duration = Duration::from_secs(10);

/// What is sent: always a `POST` of JSON.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where to.
    pub url: Hidden,
    /// What goes with it, besides the kind of body.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// What came back. The body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long the other side asks to wait.
    pub retry_after: Option<Duration>,
}

/// Sends a request; an error is a sentence without the address.
pub type Post = Arc<dyn Fn(Request) -> BoxFuture<'static, Result<Answer, String>> + Send + Sync>;

/// Why a target was not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    why: String,
    /// Whether it makes sense to try again, and how long the other side wants that to take at least.
    pub(super) again: Option<Duration>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Failure {
    fn passing(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: Some(Duration::ZERO),
        }
    }
}

/// Tells a target once. `seconds` is the time, UTC, that a signature is good for.
pub(super) async fn attempt(
    target: &Target,
    notice: &Notice,
    post: &Post,
    seconds: i64,
) -> Result<(), Failure> {
    let Some(url) = &target.url else {
        let why = desktop::show(notice).await;
        return why.map_err(|why| Failure { why, again: None });
    };
    let body = notice.body(target.kind).to_string().into_bytes();
    let mut headers = Vec::new();
    if target.kind == TargetKind::Webhook {
        headers.push(("x-moonlock-event".into(), notice.occasion.name().to_owned()));
        headers.push(("x-moonlock-delivery".into(), notice.id()));
        if let Some(secret) = &target.secret {
            headers.push(("x-moonlock-signature".into(), signature(secret, seconds, &body)));
        }
    }
    let request = Request {
        url: url.clone(),
        headers,
        body,
    };
    match tokio::time::timeout(BOUND, post(request)).await {
        Ok(Ok(answer)) => judge(answer),
        Ok(Err(why)) => Err(Failure::passing(why)),
        Err(_) => Err(Failure::passing(format!(
            "no answer within {} s",
            BOUND.as_secs()
        ))),
    }
}

fn judge(answer: Answer) -> Result<(), Failure> {
    let why = match answer.status {
        200..300 => return Ok(()),
        300..400 => format!(
            "HTTP {}: it sends elsewhere, which is not followed",
            answer.status
        ),
        status => format!("HTTP {status}"),
    };
    // What is wrong with the request stays wrong; the rest may pass.
    let passes = matches!(answer.status, 408 | 425 | 429 | 500..);
    Err(Failure {
        why,
        again: passes.then(|| answer.retry_after.unwrap_or_default()),
    })
}

/// `t=SECONDS,v1=HEX`: an HMAC-SHA-256 over the seconds, a point and the body, so that an old message cannot be sent anew.
fn signature(secret: &Hidden, seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    let hex: String = context
        .sign()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_others_compute() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature(&Hidden("secret".into()), 1_700_000_000, b"{\"a\":1}"),
            "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let again = |status| {
            let retry_after = Some(Duration::from_secs(7));
            judge(Answer { status, retry_after }).map_err(|failure| failure.again)
        };
        for status in [200, 204] {
            assert_eq!(again(status), Ok(()));
        }
        for status in [301, 400, 401, 404, 410] {
            assert_eq!(again(status), Err(None), "{status}");
        }
        for status in [408, 429, 500, 503] {
            assert_eq!(again(status), Err(Some(Duration::from_secs(7))), "{status}");
        }
    }
}
