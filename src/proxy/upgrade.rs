//! The way of a WebSocket: its handshake is forwarded like a call, then its bytes pass both ways as they are.

use http::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::route::Route;
use super::service::{Proxy, ReplyBody, RequestBody, forwarded, own_error, passed_back};
use super::sockets::Sockets;
use crate::meter::splice::splice;

/// Whether a request asks to leave HTTP for a WebSocket (RFC 6455 §4.1).
///
/// Who offers another version of HTTP is content with an answer in this one.
pub(super) fn is_asked_for(request: &Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11
        && request.method() == Method::GET
        && names(request.headers(), UPGRADE, "websocket")
        && names(request.headers(), CONNECTION, "upgrade")
}

/// Whether a list in a header has this word in it.
fn names(headers: &HeaderMap, header: http::HeaderName, word: &str) -> bool {
    headers.get_all(header).iter().any(|list| {
        let mut words = list.as_bytes().split(|byte| *byte == b',');
        words.any(|given| given.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// What a head says of an upgrade. It belongs to one connection and is taken off everywhere else; here both
/// connections make the same step.
struct Said(Option<HeaderValue>);

impl Said {
    fn by(headers: &HeaderMap) -> Self {
        Self(headers.get(UPGRADE).cloned())
    }

    fn again(self, headers: &mut HeaderMap) {
        if let Some(protocol) = self.0 {
            headers.insert(UPGRADE, protocol);
            headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        }
    }
}

impl Proxy {
    pub(super) fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    /// Forwards a WebSocket's handshake and, where the provider agrees, the WebSocket.
    pub(super) async fn upgrade(&self, mut request: Request<Incoming>, route: Route) -> Response<ReplyBody> {
        let client = hyper::upgrade::on(&mut request);
        let said = if names(request.headers(), UPGRADE, "h2c") {
            // Only what this proxy carries is passed on.
            Said(Some(HeaderValue::from_static("websocket")))
        } else {
            Said::by(request.headers())
        };
        let mut request = forwarded(request, &route).map(RequestBody::Plain);
        said.again(request.headers_mut());
        let mut response = match self.0.clients.upgrades.request(request).await {
            Ok(response) => response,
            Err(error) => {
                return own_error(&error, &route)
                    .response(route.mount.dialect)
                    .map(ReplyBody::Own);
            }
        };
        let said = Said::by(response.headers());
        let agreed = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let upstream = agreed.then(|| hyper::upgrade::on(&mut response));
        let mut response = passed_back(response);
        // A refusal may say what could be spoken instead (RFC 9110 §15.5.22).
        said.again(response.headers_mut());
        let Some(upstream) = upstream else {
            return response.map(ReplyBody::Plain);
        };
        self.sockets()
            .spawn(carry(client, upstream, self.sockets().stopping()));
        response.map(|_| ReplyBody::Own(Full::default()))
    }
}

/// Carries a WebSocket from the end of its handshake to its own.
async fn carry(client: OnUpgrade, upstream: OnUpgrade, mut stopping: tokio::sync::watch::Receiver<bool>) {
    let (client, upstream) = match tokio::try_join!(client, upstream) {
        Ok(both) => both,
        Err(error) => {
            tracing::debug!(%error, "a side left during the upgrade");
            return;
        }
    };
    tokio::select! {
        () = splice(TokioIo::new(client), TokioIo::new(upstream)) => {}
        // The sender lives as long as the program.
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}
