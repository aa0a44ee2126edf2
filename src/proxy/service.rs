//! The way of one call: find its route, forward it, send its reply back, and let the meter look on.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use uuid::Uuid;

use super::aws::{AwsSigner, Unsigned, Verdict};
use super::error::OwnError;
use super::headers::{self, text};
use super::late_error::LateError;
use super::limits::{Credential, LimitReader};
use super::route::{self, Route};
use super::sockets::Sockets;
use super::upstream::Clients;
use super::{aws, caller, upgrade, upstream, visitor};
use crate::config::{Access, Dialect, Environment, Mounts, Signing};
use crate::domain::budget::{Asks, Gate};
use crate::domain::call::{AskedSession, Attribution, CallStart, Ended, Outcome};
use crate::domain::durability::Durability;
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::windows::{FingerprintKey, Observation};
use crate::engine::Engine;
use crate::meter::estimator::Estimator;
use crate::meter::flight::{AbortOnDrop, Committed, Ending, Flight, Sink};
use crate::meter::keep::Text;
use crate::meter::reply::{Extra, Head, MeteredReply};
use crate::meter::request::MeteredRequest;

/// Headers in which providers name the request.
const REQUEST_IDS: [&str; 4] = [
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-amzn-requestid",
];

/// The proxy: cheap to clone, one for all connections.
#[derive(Clone)]
pub struct Proxy(pub(super) Arc<Shared>);

pub(super) struct Shared {
    access: Access,
    mounts: Mounts,
    pub(super) engine: Engine,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) clients: Clients<RequestBody>,
    pub(super) sockets: Sockets,
    signer: AwsSigner,
    limits: LimitReader,
}

impl Proxy {
    /// A proxy for these mounts and visitors that tells the engine what passes. `aws` are the variables that say where AWS's
    /// credentials are; of what clients are authorized with it tells fingerprints, made with this key. `estimator` takes over the
    /// calls whose providers do not say what they used.
    #[must_use]
    pub fn new(
        access: Access,
        mounts: Mounts,
        aws: Environment,
        engine: Engine,
        durability: Durability,
        fingerprint_key: &FingerprintKey,
        estimator: Option<Estimator>,
    ) -> Self {
        let sink = Arc::new(EngineSink {
            engine: engine.clone(),
            durability,
            estimator,
        });
        Self(Arc::new(Shared {
            access,
            mounts,
            engine,
            sink,
            clients: upstream::clients(),
            sockets: Sockets::default(),
            signer: AwsSigner::new(aws),
            limits: LimitReader::new(fingerprint_key),
        }))
    }

    /// Answers one request.
    pub(super) async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<LateError<ReplyBody>>, Infallible> {
        Ok(self.reply_to(request).await.map(LateError::new))
    }

    async fn reply_to(&self, request: Request<Incoming>) -> Response<ReplyBody> {
        let refused = visitor::refusal(&self.0.access, &request);
        let upgrades = upgrade::is_asked_for(&request);
        let detect = if upgrades {
            Operation::detect_upgrade
        } else {
            Operation::detect
        };
        let route = match route::find(&self.0.mounts, request.method(), request.uri(), detect) {
            Ok(route) => route,
            Err(why) => {
                let error = refused.unwrap_or_else(|| OwnError::no_route(&why, &self.0.mounts));
                return error.response(Dialect::OpenAi).map(ReplyBody::Own);
            }
        };
        if let Some(error) = refused {
            return error.response(route.mount.dialect).map(ReplyBody::Own);
        }
        let signing = match aws::judge(&request, &route) {
            Verdict::Pass => None,
            Verdict::Sign(signing) => Some(signing),
            Verdict::Refuse(error) => return error.response(route.mount.dialect).map(ReplyBody::Own),
        };
        if upgrades {
            return self.upgrade(request, route).await;
        }
        match route.operation {
            Some(operation) => self.metered(request, &route, signing, operation).await,
            None => self.plain(request, &route, signing).await,
        }
    }

    /// Sends a request upstream, signed anew where it has to be.
    async fn send(
        &self,
        request: Request<RequestBody>,
        route: &Route,
        signing: Option<&Signing>,
    ) -> Result<Response<Incoming>, Unsent> {
        let request = match signing {
            Some(signing) => {
                let now = self.0.engine.now().wall;
                let signed = self.0.signer.sign(request, route, signing, now).await?;
                signed.map(|body| RequestBody::Held(Full::new(body)))
            }
            None => request,
        };
        let sent = self.0.clients.calls.request(request).await;
        sent.map(passed_back)
            .map_err(|error| Unsent::by_client(&error, route))
    }

    /// Forwards what is not metered.
    async fn plain(
        &self,
        request: Request<Incoming>,
        route: &Route,
        signing: Option<&Signing>,
    ) -> Response<ReplyBody> {
        let request = forwarded(request, route).map(RequestBody::Plain);
        match self.send(request, route, signing).await {
            Ok(response) => response.map(ReplyBody::Plain),
            Err(unsent) => unsent.own.response(route.mount.dialect).map(ReplyBody::Own),
        }
    }

    /// Forwards a metered call.
    async fn metered(
        &self,
        request: Request<Incoming>,
        route: &Route,
        signing: Option<&Signing>,
        operation: Operation,
    ) -> Response<ReplyBody> {
        let start = self.start(request.headers(), route, operation);
        let gate = Some(self.0.engine.gate()).filter(|gate| !gate.is_open() && !operation.is_fetch());
        let asks = gate.as_ref().map(|_| start.clone());
        let flight = Flight::new(Arc::clone(&self.0.sink), start);
        // From here on the call ends, whatever happens: also when this future is dropped with its connection.
        let guard = AbortOnDrop::new(flight.clone());
        let encoding = text(request.headers(), CONTENT_ENCODING).map(str::to_owned);
        let credential = Credential::of(request.headers(), request.uri());
        let mut request = forwarded(request, route)
            .map(|body| MeteredRequest::new(body, operation, encoding.as_deref(), flight.clone()));
        if let (Some(gate), Some(start)) = (gate, asks) {
            match refused(&gate, start, &mut request).await {
                Ok(None) => {}
                Ok(Some(error)) => {
                    flight.forget();
                    return error.response(route.mount.dialect).map(ReplyBody::Own);
                }
                Err(_) => return self.cut_off(&flight, route).await,
            }
        }
        let asks =
            route.mount.asks_stream_usage && operation == Operation::ChatCompletions && encoding.is_none();
        let extra = if asks {
            ask(&mut request).await
        } else {
            Ok(Extra::None)
        };
        let Ok(extra) = extra else {
            return self.cut_off(&flight, route).await;
        };
        let request = request.map(|body| RequestBody::Metered(Box::new(body)));
        let response = match self.send(request, route, signing).await {
            Ok(response) => response,
            Err(Unsent { outcome, own }) => {
                let ending = Ending {
                    error: (outcome == Outcome::UpstreamError).then(|| own.kind.into()),
                    ..Ending::default()
                };
                flight.settle(flight.end(outcome, ending)).await;
                return own.response(route.mount.dialect).map(ReplyBody::Own);
            }
        };
        flight.announce();
        let (mut parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        if let Some(limits) = self.limits(route, &credential, status, &parts.headers) {
            flight.saw_limits(limits);
        }
        let head = Head {
            status,
            content_type: text(&parts.headers, CONTENT_TYPE),
            encoding: text(&parts.headers, CONTENT_ENCODING),
            request_id: request_id(&parts.headers),
            fetched: operation.fetched_id(route.uri.path()),
            headers: &parts.headers,
        };
        if body.is_end_stream() {
            let outcome = if parts.status.is_success() || parts.status.is_redirection() {
                Outcome::Complete
            } else {
                Outcome::UpstreamError
            };
            let ending = Ending {
                status: Some(head.status),
                request_id: head.request_id,
                ..Ending::default()
            };
            flight.settle(flight.end(outcome, ending)).await;
            return Response::from_parts(parts, ReplyBody::Plain(body));
        }
        let mut reply = MeteredReply::new(body, operation, head, extra, flight);
        if reply.withholds() {
            // The client gets fewer bytes than the provider sent.
            parts.headers.remove(CONTENT_LENGTH);
        }
        // The reply's body ends the call from now on.
        guard.release();
        reply.take_what_came().await;
        Response::from_parts(parts, ReplyBody::Metered(Box::new(reply)))
    }

    /// Ends a call whose request broke off: what has come is not what the client meant to ask. It cannot read this any
    /// more.
    async fn cut_off(&self, flight: &Flight, route: &Route) -> Response<ReplyBody> {
        flight
            .settle(flight.end(Outcome::ClientAborted, Ending::default()))
            .await;
        OwnError::cut_off()
            .response(route.mount.dialect)
            .map(ReplyBody::Own)
    }

    /// What a reply's head tells of the provider's limits.
    pub(super) fn limits(
        &self,
        route: &Route,
        credential: &Credential,
        status: u16,
        reply: &HeaderMap,
    ) -> Option<Box<Observation>> {
        let now = || self.0.engine.now().wall;
        self.0
            .limits
            .observe(&route.mount.name, credential, status, reply, now)
    }

    pub(super) fn start(&self, headers: &HeaderMap, route: &Route, operation: Operation) -> CallStart {
        // A name may be in any script, and clients write it in UTF-8.
        let header = headers
            .get(headers::SESSION)
            .map(|label| String::from_utf8_lossy(label.as_bytes()));
        let header = header.as_deref().map(str::trim).filter(|label| !label.is_empty());
        let asked = match (header, &route.session) {
            (Some(label), _) => Some(AskedSession {
                label: label.into(),
                by: Attribution::Header,
            }),
            (None, Some(label)) => Some(AskedSession {
                label: label.clone(),
                by: Attribution::Path,
            }),
            (None, None) => None,
        };
        let thread = caller::thread(headers);
        CallStart {
            id: CallId::from_uuid(Uuid::now_v7()),
            started_at: self.0.engine.now().wall,
            provider: route.mount.name.clone(),
            price_provider: route.mount.prices.clone(),
            operation,
            request_model: route.model.clone(),
            conversation: thread.conversation,
            agent: thread.agent,
            client: caller::client(headers),
            asked,
        }
    }
}

/// Why a call is not forwarded, if a budget is used up: reads its request ahead, to know what it asks.
///
/// # Errors
/// The client's body broke off.
async fn refused(
    gate: &Gate,
    mut start: CallStart,
    request: &mut Request<MeteredRequest<Incoming>>,
) -> Result<Option<OwnError>, hyper::Error> {
    if let Some(facts) = request.body_mut().read_ahead().await? {
        start.request_model = facts.model.clone().or(start.request_model);
        start.conversation = start.conversation.or_else(|| facts.conversation.clone());
    }
    Ok(gate.refuses(asks(&start)).map(|why| OwnError::over_budget(why)))
}

/// What is known of a call before it is forwarded.
pub(super) fn asks(start: &CallStart) -> Asks<'_> {
    Asks {
        session: start.asked.as_ref().map(|asked| &*asked.label),
        conversation: start.conversation.as_deref(),
        provider: &start.provider,
        model: start.request_model.as_deref(),
        client: start.client.as_deref(),
    }
}

/// The provider's id of a request, from the head of its answer.
pub(super) fn request_id(headers: &HeaderMap) -> Option<Box<str>> {
    let mut ids = REQUEST_IDS.iter().filter_map(|name| text(headers, *name));
    ids.next().map(Into::into)
}

/// Asks for usage where the client says nothing of it, and mends what the longer body changes in the head.
///
/// # Errors
/// The client's body broke off.
async fn ask(request: &mut Request<MeteredRequest<Incoming>>) -> Result<Extra, hyper::Error> {
    if !request.body_mut().ask_for_usage().await? {
        return Ok(Extra::None);
    }
    if let Some(length) = request.body().known_length()
        && request.headers().contains_key(CONTENT_LENGTH)
    {
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    // Only in the clear can the extra event be kept from the client.
    if request.headers().contains_key(ACCEPT_ENCODING) {
        request
            .headers_mut()
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(Extra::UsageEvent)
}

/// The request as it goes upstream: the client's own, to another URL.
pub(super) fn forwarded(mut request: Request<Incoming>, route: &Route) -> Request<Incoming> {
    headers::strip_request(request.headers_mut());
    *request.uri_mut() = route.uri.clone();
    // The pool decides between HTTP/1.1 and HTTP/2.
    *request.version_mut() = Version::HTTP_11;
    request.extensions_mut().clear();
    request
}

/// The reply as it goes back: the provider's own.
pub(super) fn passed_back(mut response: Response<Incoming>) -> Response<Incoming> {
    headers::strip_response(response.headers_mut());
    *response.version_mut() = Version::HTTP_11;
    response.extensions_mut().clear();
    response
}

pub(super) fn own_error(error: &hyper_util::client::legacy::Error, route: &Route) -> OwnError {
    let authority = route.uri.authority().map(ToString::to_string).unwrap_or_default();
    let cause = upstream::root_cause(error);
    if error.is_connect() {
        OwnError::unreachable(&authority, &cause)
    } else {
        OwnError::broke_off(&authority, &cause)
    }
}

/// Why a request brought no reply.
struct Unsent {
    outcome: Outcome,
    own: OwnError,
}

impl Unsent {
    fn by_client(error: &hyper_util::client::legacy::Error, route: &Route) -> Self {
        if upstream::was_cut_off(error) {
            return Self::from(Unsigned::CutOff);
        }
        tracing::debug!(error = %upstream::root_cause(error), provider = %route.mount.name, "upstream failed");
        Self {
            outcome: Outcome::UpstreamError,
            own: own_error(error, route),
        }
    }
}

impl From<Unsigned> for Unsent {
    fn from(unsigned: Unsigned) -> Self {
        match unsigned {
            Unsigned::CutOff => Self {
                outcome: Outcome::ClientAborted,
                own: OwnError::cut_off(),
            },
            Unsigned::Refused(own) => Self {
                outcome: Outcome::UpstreamError,
                own,
            },
        }
    }
}

/// Tells the engine what the meter finds out.
struct EngineSink {
    engine: Engine,
    durability: Durability,
    /// `None` where nothing is estimated.
    estimator: Option<Estimator>,
}

impl Sink for EngineSink {
    fn started(&self, start: CallStart) {
        self.engine.call_started(start);
    }

    fn ended(&self, id: CallId, mut ended: Ended, text: Option<Text>) -> Option<Committed> {
        let admitted = self.estimator.as_ref().zip(text).and_then(|(estimator, text)| {
            let (promise, admitted) = estimator.admit(&ended.end, text);
            ended.estimate = promise;
            admitted
        });
        let committed = self.engine.call_ended(id, ended);
        // Behind the end: the engine hears of the one before it hears of the other.
        if let Some(admitted) = admitted {
            admitted.count(id);
        }
        // A row that was refused holds no reply back: the writer has logged it.
        (self.durability != Durability::Relaxed)
            .then(|| -> Committed { Box::pin(async { drop(committed.await) }) })
    }

    fn estimator(&self) -> Option<&Estimator> {
        self.estimator.as_ref()
    }

    fn commit_was_late(&self) {
        self.engine.commit_was_late();
    }

    fn commit_bound(&self) -> Duration {
        self.engine.commit_bound()
    }
}

/// What goes upstream.
pub(super) enum RequestBody {
    Plain(Incoming),
    Metered(Box<MeteredRequest<Incoming>>),
    /// Was held to be signed.
    Held(Full<Bytes>),
}

/// What goes back.
pub(super) enum ReplyBody {
    Plain(Incoming),
    Metered(Box<MeteredReply<Incoming>>),
    Own(Full<Bytes>),
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Plain(body) => Pin::new(body).poll_frame(context),
            Self::Metered(body) => Pin::new(&mut **body).poll_frame(context),
            Self::Held(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Plain(body) => body.is_end_stream(),
            Self::Metered(body) => body.is_end_stream(),
            Self::Held(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Plain(body) => body.size_hint(),
            Self::Metered(body) => body.size_hint(),
            Self::Held(body) => body.size_hint(),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Plain(body) => Pin::new(body).poll_frame(context),
            Self::Metered(body) => Pin::new(&mut **body).poll_frame(context),
            Self::Own(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Plain(body) => body.is_end_stream(),
            Self::Metered(body) => body.is_end_stream(),
            Self::Own(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Plain(body) => body.size_hint(),
            Self::Metered(body) => body.size_hint(),
            Self::Own(body) => body.size_hint(),
        }
    }
}
