//! Reads what the meter has to know of a request, from its body, as it passes.

use serde_json::Value;
use uuid::Uuid;

use super::dialect::string;
use super::form::FormModel;
use super::json_scan::{Found, JsonScanner, Want, start, text};
use crate::domain::operation::Operation;

/// What is known of a request's body so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFacts {
    /// The model that it asks for.
    pub model: Option<Box<str>>,
    /// Whether it asks for a stream.
    pub stream: Option<bool>,
    /// Its `stream_options`, if it has the field at all, be it `null`.
    pub stream_options: Option<StreamOptions>,
    /// The client's own thread. Of `metadata.user_id` only the session's UUID is taken.
    pub conversation: Option<Box<str>>,
    /// The offset of the brace that closes the body's object, if a field can be spliced in before it.
    pub end: Option<u64>,
    /// Whether all that has come so far can be JSON.
    pub well_formed: bool,
}

/// A request's `stream_options`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamOptions {
    /// Its `include_usage`, if it says so.
    pub include_usage: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Model,
    Stream,
    StreamOptions,
    IncludeUsage,
    UserId,
    SessionId,
}

const WANTS: &[Want<Key>] = &[
    text(Key::Model, &["model"]),
    // watsonx.
    text(Key::Model, &["model_id"]),
    text(Key::Stream, &["stream"]),
    start(Key::StreamOptions, &["stream_options"]),
    text(Key::IncludeUsage, &["stream_options", "include_usage"]),
    text(Key::UserId, &["metadata", "user_id"]),
    // Gemini CLI, signed in with an account.
    text(Key::SessionId, &["request", "session_id"]),
];

/// The longest name of a thread that is kept.
const LONGEST: usize = 128;

/// Reads one request. Memory does not grow with the body.
#[derive(Debug)]
pub struct RequestReader {
    operation: Operation,
    scanner: JsonScanner<Key>,
    /// The body is a form: uploads are.
    form: Option<FormModel>,
    begun: bool,
    facts: RequestFacts,
}

impl RequestReader {
    /// Makes a reader for the body of a request for `operation`.
    #[must_use]
    pub fn new(operation: Operation) -> Self {
        let facts = RequestFacts {
            model: None,
            stream: None,
            stream_options: None,
            conversation: None,
            end: None,
            well_formed: true,
        };
        Self {
            operation,
            scanner: JsonScanner::new(WANTS),
            form: None,
            begun: false,
            facts,
        }
    }

    /// Reads the next piece of the body, after content decoding.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.begun
            && let Some(first) = bytes.first()
        {
            self.begun = true;
            // A form begins with its boundary, JSON for an operation never with a dash.
            self.form = (*first == b'-').then(FormModel::default);
        }
        let Self {
            operation,
            scanner,
            form,
            begun: _,
            facts,
        } = self;
        if let Some(form) = form {
            facts.well_formed = false;
            facts.model = facts.model.take().or_else(|| form.push(bytes));
            return;
        }
        scanner.push(bytes, |key, value| match (key, value) {
            (Key::Model, value) => facts.model = string(value).filter(|model| !model.is_empty()),
            (Key::Stream, value) => facts.stream = boolean(value),
            (Key::StreamOptions, _) => facts.stream_options = Some(StreamOptions::default()),
            (Key::IncludeUsage, value) => {
                facts.stream_options = Some(StreamOptions {
                    include_usage: boolean(value),
                });
            }
            (Key::UserId, Found::Text(user)) if *operation == Operation::Messages => {
                facts.conversation = conversation(user);
            }
            (Key::SessionId, value)
                if matches!(
                    operation,
                    Operation::GenerateContent | Operation::StreamGenerateContent
                ) =>
            {
                facts.conversation = string(value).filter(|id| (1..=LONGEST).contains(&id.len()));
            }
            (Key::UserId | Key::SessionId, _) => {}
        });
        facts.well_formed = !scanner.is_malformed();
        // Into a malformed text nothing may be spliced, nor beside a key that may be the question's own.
        let is_plain = facts.well_formed && !scanner.has_doubtful_key();
        facts.end = scanner.end().filter(|_| is_plain && scanner.root_is_object());
    }

    /// What is known so far.
    #[must_use]
    pub fn facts(&self) -> &RequestFacts {
        &self.facts
    }
}

fn boolean(value: Found<'_>) -> Option<bool> {
    match value {
        Found::Text(b"true") => Some(true),
        Found::Text(b"false") => Some(false),
        _ => None,
    }
}

/// The session in Claude Code's `metadata.user_id`: `user_…_account_…_session_{uuid}`, or JSON with a `session_id`.
///
/// The rest names the user and the account, and is not looked at.
fn conversation(user_id: &[u8]) -> Option<Box<str>> {
    let mut user_id: Value = serde_json::from_slice(user_id).ok()?;
    if let Some(inner) = user_id.as_str().filter(|text| text.starts_with('{')) {
        user_id = serde_json::from_str(inner).ok()?;
    }
    let session = match &user_id {
        Value::String(text) => text.rsplit_once("session_")?.1,
        object => object.get("session_id")?.as_str()?,
    };
    // Only the usual spelling: what is stored is what the client's other records say.
    let uuid = Uuid::try_parse(session).ok().filter(|_| session.len() == 36)?;
    Some(uuid.to_string().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<'b>(operation: Operation, pieces: impl IntoIterator<Item = &'b [u8]>) -> RequestFacts {
        let mut reader = RequestReader::new(operation);
        pieces.into_iter().for_each(|piece| reader.push(piece));
        reader.facts().clone()
    }

    #[test]
    fn a_request_says_what_it_asks_for() {
        let options = |include_usage| Some(StreamOptions { include_usage });
        for (body, stream, stream_options) in [
            (r#"{"model":"m"}"#, None, None),
            (r#"{"model":"m","stream":true}"#, Some(true), None),
            (
                r#"{"stream":false,"stream_options":null,"model":"m"}"#,
                Some(false),
                options(None),
            ),
            (r#"{"stream_options":{},"model":"m"}"#, None, options(None)),
            (
                r#"{"stream_options":{"include_usage":true},"model":"m"}"#,
                None,
                options(Some(true)),
            ),
            (
                r#"{"stream_options":{"include_usage":false},"model":"m"}"#,
                None,
                options(Some(false)),
            ),
            (
                r#"{"messages":[{"model":"n","stream":true}],"model":"m"}  "#,
                None,
                None,
            ),
        ] {
            let facts = read(Operation::ChatCompletions, [body.as_bytes()]);
            assert_eq!(facts.model.as_deref(), Some("m"), "{body}");
            assert_eq!(
                (facts.stream, facts.stream_options),
                (stream, stream_options),
                "{body}"
            );
            assert_eq!(facts.end, Some(body.trim_end().len() as u64 - 1), "{body}");
            assert!(facts.well_formed);
            assert_eq!(
                read(Operation::ChatCompletions, body.as_bytes().chunks(1)),
                facts,
                "{body}"
            );
        }
    }

    #[test]
    fn only_the_end_of_a_whole_object_is_an_end() {
        for (body, well_formed) in [
            ("", true),
            ("{\"a\":1", true),
            ("[{}]", true),
            ("{} x", false),
            ("<x", false),
        ] {
            let facts = read(Operation::ChatCompletions, [body.as_bytes()]);
            assert_eq!((facts.end, facts.well_formed), (None, well_formed), "{body}");
        }
    }

    #[test]
    fn nothing_is_spliced_in_beside_a_key_that_is_not_known_for_what_it_is() {
        for key in [
            r"str\u0065am_options".to_owned(),
            "stream_options"
                .chars()
                .map(|letter| format!("\\u{:04x}", u32::from(letter)))
                .collect(),
        ] {
            let body = format!(r#"{{"stream":true,"{key}":{{"include_usage":false}}}}"#);
            let facts = read(Operation::ChatCompletions, [body.as_bytes()]);
            assert_eq!((facts.stream, facts.end), (Some(true), None), "{body}");
            assert_eq!(
                read(Operation::ChatCompletions, body.as_bytes().chunks(1)),
                facts,
                "{body}"
            );
        }
        let body = br#"{"tools":[{"a\"b":1}],"text":"\u0065"}"#;
        assert!(read(Operation::ChatCompletions, [&body[..]]).end.is_some());
    }

    #[test]
    fn only_the_session_is_taken_from_the_user_id() {
        const SESSION: &str = "0b7a6c52-8d3e-4f10-9a2b-3c4d5e6f7081";
        for (user_id, expected) in [
            (format!("\"user_ab12_account__session_{SESSION}\""), Some(SESSION)),
            (
                format!("\"user_ab12_account_{SESSION}_session_{SESSION}\""),
                Some(SESSION),
            ),
            (
                format!(r#""{{\"device_id\":\"d\",\"session_id\":\"{SESSION}\"}}""#),
                Some(SESSION),
            ),
            (format!(r#"{{"session_id":"{SESSION}"}}"#), Some(SESSION)),
            ("\"user_ab12_account__session_someone\"".to_owned(), None),
            (format!("\"{SESSION}\""), None),
            ("\"someone@example.org\"".to_owned(), None),
            ("null".to_owned(), None),
            ("7".to_owned(), None),
        ] {
            let body = format!(r#"{{"metadata":{{"user_id":{user_id}}}}}"#);
            let facts = read(Operation::Messages, [body.as_bytes()]);
            assert_eq!(facts.conversation.as_deref(), expected, "{user_id}");
            assert_eq!(
                read(Operation::ChatCompletions, [body.as_bytes()]).conversation,
                None
            );
        }
    }

    #[test]
    fn gemini_clis_own_session_stands_in_the_request_that_it_wraps() {
        let long = "x".repeat(LONGEST + 1);
        for (session, expected) in [("s-1", Some("s-1")), ("", None), (long.as_str(), None)] {
            let body =
                format!(r#"{{"model":"gemini-3-pro","request":{{"contents":[],"session_id":"{session}"}}}}"#);
            let facts = read(Operation::StreamGenerateContent, [body.as_bytes()]);
            assert_eq!(facts.conversation.as_deref(), expected);
            assert_eq!(read(Operation::Messages, [body.as_bytes()]).conversation, None);
        }
    }

    proptest! {
        #[test]
        fn garbage_is_survived(body in prop::collection::vec(any::<u8>(), 0..100)) {
            let whole = read(Operation::Messages, [body.as_slice()]);
            prop_assert_eq!(whole, read(Operation::Messages, body.chunks(1)));
        }
    }
}
