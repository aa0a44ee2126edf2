//! The way of a WebSocket: its handshake is forwarded like a call, then its bytes pass both ways as they are.

use std::sync::Arc;

use http::header::{CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS, UPGRADE};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use uuid::Uuid;

use super::error::OwnError;
use super::limits::Credential;
use super::route::{Route, decoded};
use super::service::{Proxy, ReplyBody, RequestBody, asks, forwarded, own_error, passed_back, request_id};
use super::sockets::Sockets;
use crate::domain::budget::Asks;
use crate::domain::call::CallStart;
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::usage::turns::SocketReader;
use crate::domain::usage::websocket::Agreed;
use crate::meter::socket::SocketMeter;
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
        let asked = route.operation.map(|operation| Asked {
            operation,
            model: request.uri().query().and_then(model),
            start: self.start(request.headers(), &route, operation),
        });
        if let Some(asked) = &asked {
            let model = asked.model.as_deref();
            let asks = Asks {
                model,
                ..asks(&asked.start)
            };
            if let Some(why) = self.0.engine.gate().refuses(asks) {
                let error = OwnError::over_budget(why);
                return error.response(route.mount.dialect).map(ReplyBody::Own);
            }
        }
        let credential = Credential::of(request.headers(), request.uri());
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
        let status = response.status().as_u16();
        if let Some(limits) = self.limits(&route, &credential, status, response.headers()) {
            self.0.engine.limits_seen(limits);
        }
        let said = Said::by(response.headers());
        let agreed = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let upstream = agreed.then(|| hyper::upgrade::on(&mut response));
        let mut response = passed_back(response);
        let meter = asked
            .filter(|_| agreed)
            .and_then(|asked| self.meter(asked, response.headers()));
        // A refusal may say what could be spoken instead (RFC 9110 §15.5.22).
        said.again(response.headers_mut());
        let Some(upstream) = upstream else {
            return response.map(ReplyBody::Plain);
        };
        let stopping = self.sockets().stopping();
        self.sockets().spawn(carry(client, upstream, meter, stopping));
        response.map(|_| ReplyBody::Own(Full::default()))
    }

    /// The meter of a socket that was agreed on with these headers.
    fn meter(&self, asked: Asked, answer: &HeaderMap) -> Option<SocketMeter> {
        let extensions = answer.get_all(SEC_WEBSOCKET_EXTENSIONS).iter();
        // What is no text is no extension that is known.
        let agreed = Agreed::read(extensions.map(|list| list.to_str().unwrap_or("?")));
        let reader = SocketReader::new(asked.operation, asked.model, agreed)?;
        let (engine, start) = (self.0.engine.clone(), asked.start);
        let starts = move |model| CallStart {
            id: CallId::from_uuid(Uuid::now_v7()),
            started_at: engine.now().wall,
            request_model: model,
            ..start.clone()
        };
        let sink = Arc::clone(&self.0.sink);
        Some(SocketMeter::new(
            reader,
            Box::new(starts),
            sink,
            request_id(answer),
        ))
    }
}

/// What a handshake asks for, where its turns are metered.
struct Asked {
    operation: Operation,
    /// The model that its query names.
    model: Option<Box<str>>,
    /// What the calls of its turns have in common.
    start: CallStart,
}

/// The model in a query: `?model=` with OpenAI and xAI, `?deployment=` with Azure.
fn model(query: &str) -> Option<Box<str>> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut models =
        pairs.filter(|(name, model)| matches!(*name, "model" | "deployment") && !model.is_empty());
    models.next().map(|(_, model)| decoded(model).into())
}

/// Carries a WebSocket from the end of its handshake to its own.
async fn carry(
    client: OnUpgrade,
    upstream: OnUpgrade,
    meter: Option<SocketMeter>,
    mut stopping: watch::Receiver<bool>,
) {
    let (client, upstream) = match tokio::try_join!(client, upstream) {
        Ok(both) => both,
        Err(error) => {
            tracing::debug!(%error, "a side left during the upgrade");
            return;
        }
    };
    let running = meter.as_ref().map(SocketMeter::running);
    // The program stops: a socket may be open for hours, but the turns under way are let end.
    let stopped = async {
        let told = stopping.wait_for(|stopping| *stopping).await.is_ok();
        if let (true, Some(mut running)) = (told, running) {
            drop(running.wait_for(|running| *running == 0).await);
        }
    };
    tokio::select! {
        () = splice(TokioIo::new(client), TokioIo::new(upstream), meter) => {}
        () = stopped => {}
    }
}
