//! Any bytes as a request: asked for usage or not, the provider gets the client's JSON and nothing but the question more.
//!
//! The line is: seed of the cuts.

use std::sync::Arc;

use super::{Input, Recorder, body, drain, pieces, ready};
use moonlock::domain::operation::Operation;
use moonlock::meter::request::MeteredRequest;
use serde_json::{Value, json};

/// What goes upstream, whether usage was asked for, and the model that was read.
fn pass(pieces: &[&[u8]]) -> (Vec<u8>, bool, Option<Box<str>>) {
    let recorder = Arc::new(Recorder::default());
    let operation = Operation::ChatCompletions;
    let mut request = MeteredRequest::new(body(pieces), operation, None, recorder.flight(operation));
    let asked = ready(request.ask_for_usage()).unwrap();
    let length = request.known_length();
    let sent = drain(request);
    assert!(
        length.is_none_or(|length| length == sent.len()),
        "the length is that of what is sent"
    );
    let started = recorder.started.lock().unwrap();
    assert_eq!(started.len(), 1, "a call is announced once");
    (sent, asked, started[0].request_model.clone())
}

/// Holds what is promised against an input.
pub fn check(data: &[u8]) {
    let Some(input) = Input::parse(data) else { return };
    let (sent, asked, model) = pass(&[input.body]);
    assert_eq!(
        pass(&pieces(input.body, input.number(0))),
        (sent.clone(), asked, model.clone())
    );
    let client: Option<Value> = serde_json::from_slice(input.body).ok();
    if !asked {
        assert_eq!(sent, input.body, "untouched");
        return;
    }
    let Some(mut client) = client else {
        // Not a validator: what is no JSON may be asked all the same, and stays what it was beside the question.
        assert!(sent.len() > input.body.len());
        return;
    };
    let expected = client.as_object_mut().expect("only an object can be asked");
    assert!(
        !expected.contains_key("stream_options"),
        "the client's word stands"
    );
    assert_eq!(expected["stream"], json!(true));
    if let (Some(Value::String(named)), Some(model)) = (expected.get("model"), &model) {
        assert_eq!(**named, **model);
    }
    expected.insert("stream_options".to_owned(), json!({"include_usage": true}));
    let upstream: Value = serde_json::from_slice(&sent).expect("what was JSON still is");
    assert_eq!(upstream, client);
}
