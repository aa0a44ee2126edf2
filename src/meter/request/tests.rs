use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::StreamBody;

use super::*;
use crate::domain::call::{CallEnd, CallStart, Ended};
use crate::domain::ids::CallId;
use crate::domain::units::Timestamp;
use crate::meter::estimator::Estimator;
use crate::meter::flight::{Committed, Sink};
use crate::meter::keep::Text;

/// Keeps what it is told.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) started: Mutex<Vec<CallStart>>,
    pub(crate) ended: Mutex<Vec<CallEnd>>,
}

impl Sink for Recorder {
    fn started(&self, start: CallStart) {
        self.started.lock().unwrap().push(start);
    }
    fn ended(&self, _: CallId, ended: Ended, _: Option<Text>) -> Option<Committed> {
        self.ended.lock().unwrap().push(ended.end);
        None
    }
    fn estimator(&self) -> Option<&Estimator> {
        None
    }
    fn commit_was_late(&self) {}
    fn commit_bound(&self) -> Duration {
        Duration::from_millis(250)
    }
}

pub(crate) fn flight(recorder: &Arc<Recorder>) -> Flight {
    let start = CallStart {
        id: CallId::from_uuid(uuid::Uuid::nil()),
        started_at: Timestamp(0),
        provider: "test".into(),
        price_provider: None,
        operation: Operation::ChatCompletions,
        request_model: None,
        conversation: None,
        agent: None,
        client: None,
        asked: None,
    };
    Flight::new(recorder.clone(), start)
}

type Frames = Vec<Result<Frame<Bytes>, Infallible>>;

fn metered(
    text: &str,
    size: usize,
    recorder: &Arc<Recorder>,
) -> MeteredRequest<impl Body<Data = Bytes, Error = Infallible> + Unpin> {
    let frames: Frames = text
        .as_bytes()
        .chunks(size)
        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let body = StreamBody::new(futures_util::stream::iter(frames));
    MeteredRequest::new(body, Operation::ChatCompletions, None, flight(recorder))
}

/// What goes upstream, and whether usage was asked for.
async fn asked(text: &str, size: usize) -> (String, bool) {
    let recorder = Arc::new(Recorder::default());
    let mut request = metered(text, size, &recorder);
    let asked = request.ask_for_usage().await.unwrap();
    let length = request.known_length();
    let sent = request.collect().await.unwrap().to_bytes();
    if asked {
        assert_eq!(length, Some(sent.len()));
    }
    assert_eq!(recorder.started.lock().unwrap().len(), 1, "announced once");
    (String::from_utf8(sent.to_vec()).unwrap(), asked)
}

#[tokio::test]
async fn usage_is_asked_for_only_in_streams_that_say_nothing_of_it() {
    let question = ",\"stream_options\":{\"include_usage\":true}";
    for (text, asks) in [
        (r#"{"model":"m","stream":true}"#, true),
        ("{ \"stream\" : true , \"model\":\"m\"\n}\n ", true),
        (
            r#"{"messages":[{"content":"}"}],"stream":true,"a":{"stream_options":1}}"#,
            true,
        ),
        (r#"{"model":"m"}"#, false),
        (r#"{"model":"m","stream":false}"#, false),
        (
            r#"{"stream":true,"stream_options":{"include_usage":false}}"#,
            false,
        ),
        (
            r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            false,
        ),
        (r#"{"stream":true,"stream_options":null}"#, false),
        (r#"{"stream":true"#, false),
        ("not json", false),
        ("", false),
    ] {
        for size in [1, 3, 1000] {
            let (sent, was_asked) = asked(text, size).await;
            let at = text.rfind('}').filter(|_| asks);
            let spliced = |at| {
                let (before, after) = text.split_at(at);
                format!("{before}{question}{after}")
            };
            let expected = at.map_or_else(|| text.to_owned(), spliced);
            assert_eq!(sent, expected, "in pieces of {size}");
            assert_eq!(was_asked, asks);
        }
    }
}

#[tokio::test]
async fn a_request_that_is_too_long_to_hold_goes_out_as_it_is() {
    let long = format!(r#"{{"a":"{}","stream":true}}"#, "x".repeat(MOST_HELD));
    assert_eq!(asked(&long, 1 << 16).await, (long, false));
}

#[tokio::test]
async fn the_model_is_known_when_the_call_is_announced() {
    let recorder = Arc::new(Recorder::default());
    let request = metered(r#"{"messages":[],"model":"gpt-x"}"#, 5, &recorder);
    assert!(recorder.started.lock().unwrap().is_empty());
    request.collect().await.unwrap();
    let started = recorder.started.lock().unwrap();
    assert_eq!(started[0].request_model.as_deref(), Some("gpt-x"));
}
