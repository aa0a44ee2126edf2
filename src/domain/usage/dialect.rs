//! What every dialect's reader offers, and what they share: the gate, the model's name, the kind of an error.
//!
//! A reader names the paths it wants and takes what is found there, event by event. To add a dialect: a file with a
//! [`Dialect`], and an arm in [`super::reply`].

use std::fmt::Debug;

use memchr::memmem::Finder;

use super::json_scan::{Found, Want};
use super::reading::{Flaws, Reading};

/// A wire format with its rule for usage.
pub(super) trait Dialect: Default {
    /// What the reader calls the values it wants.
    type Key: Copy + Debug + 'static;
    /// The values it wants.
    const WANTS: &'static [Want<Self::Key>];

    /// A body can hold one JSON text after the other, a line each (NDJSON).
    const LINES: bool = false;

    /// A body can be an AWS event stream.
    const AWS: bool = false;

    /// Takes what it wants of the reply's headers.
    fn headers(&mut self, _get: &dyn Fn(&str) -> Option<Box<str>>) {}

    /// A message of an event stream that says by its kind that it is an error.
    fn exception(&mut self, _name: &str) {}

    /// The last text of such a body said that more follow.
    fn more_follow(&self) -> bool {
        false
    }

    /// Whether an event with this data can hold anything that matters.
    ///
    /// It may say yes in vain. It says no only where [`Dialect::found`] would answer `false` to everything.
    fn gate(&self, data: &[u8]) -> bool;

    /// Takes a wanted value; `true` if it mattered.
    fn found(&mut self, key: Self::Key, value: Found<'_>, flaws: &mut Flaws) -> bool;

    /// An event or the whole document has ended.
    fn document_end(&mut self, ending: Ending);

    /// The stream's end marker (`[DONE]`) has come.
    fn done(&mut self) {}

    /// The last event of a stream has come.
    fn is_terminal(&self) -> bool;

    /// The reading, once no more bytes come.
    fn finish(self, ending: Ending, flaws: &mut Flaws) -> Reading;
}

/// How an event or a body ended, as far as its framing tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// The provider's HTTP status says that it refused.
    pub refused: bool,
    /// The event's JSON, or the one document that the body is, has ended.
    pub complete: bool,
    /// Something in it mattered; a whole document always does.
    pub mattered: bool,
}

/// The cheap look at an event: does one of these keys or values stand in it?
///
/// A key before `null` does not count: chat streams say `"usage":null` in each chunk. Text that a model writes about
/// usage is escaped (`\"usage\"`) and does not match.
#[derive(Debug)]
pub(super) struct Gate {
    needles: Vec<Finder<'static>>,
    model: Finder<'static>,
}

impl Gate {
    /// Makes a gate for quoted needles; `model` only counts until the model is known. Without needles every event
    /// passes.
    pub(super) fn new(needles: &[&'static str], model: &'static str) -> Self {
        Self {
            needles: needles.iter().map(|needle| Finder::new(*needle)).collect(),
            model: Finder::new(model),
        }
    }

    /// Whether an event has to be read.
    pub(super) fn passes(&self, data: &[u8], model_is_known: bool) -> bool {
        self.needles.is_empty()
            || (!model_is_known && self.model.find(data).is_some())
            || self.needles.iter().any(|needle| {
                needle
                    .find_iter(data)
                    .any(|at| !is_null_behind(&data[at + needle.needle().len()..]))
            })
    }
}

fn is_null_behind(rest: &[u8]) -> bool {
    let Some(value) = rest.trim_ascii_start().strip_prefix(b":") else {
        return false;
    };
    value.trim_ascii_start().starts_with(b"null")
}

/// The first model that a reply names. Azure's first chunk names the empty one.
#[derive(Debug, Default)]
pub(super) struct Model(pub Option<Box<str>>);

impl Model {
    pub(super) fn is_known(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn found(&mut self, value: Found<'_>) -> bool {
        if self.is_known() {
            return false;
        }
        self.0 = string(value).filter(|model| !model.is_empty());
        self.is_known()
    }
}

/// Where a part of an error was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorPart {
    /// The error itself: an object, or a message.
    Whole,
    /// Its `type`.
    Type,
    /// Its `code`.
    Code,
    /// Its `status`.
    Status,
    /// A `type` beside it or, in a refusal, without it.
    BareType,
    /// A `code` beside it or, in a refusal, without it.
    BareCode,
}

/// An error that a reply reports: its kind, never its message.
#[derive(Debug, Default)]
pub(super) struct ErrorNote {
    reported: bool,
    in_this_event: bool,
    names: [Option<Box<str>>; 4],
    bare: [Option<Box<str>>; 2],
}

impl ErrorNote {
    /// An error stood in a reply that had begun well, or in its place.
    pub(super) fn is_reported(&self) -> bool {
        self.reported
    }

    /// An event says by its kind that it reports an error.
    pub(super) fn report(&mut self) {
        self.reported = true;
        self.in_this_event = true;
    }

    /// The kind of error stands outside of the reply's JSON.
    pub(super) fn name(&mut self, kind: &str) {
        if is_word(kind) {
            self.names[0].get_or_insert_with(|| kind.into());
        }
    }

    pub(super) fn found(&mut self, part: ErrorPart, value: Found<'_>) -> bool {
        let (slot, is_bare) = match part {
            ErrorPart::Whole => {
                let is_error = matches!(value, Found::Start(b'{' | b'"' | b'['));
                if is_error {
                    self.report();
                }
                return is_error;
            }
            ErrorPart::Type => (&mut self.names[0], false),
            ErrorPart::Code => (&mut self.names[1], false),
            ErrorPart::Status => (&mut self.names[2], false),
            ErrorPart::BareType => (&mut self.bare[0], true),
            ErrorPart::BareCode => (&mut self.bare[1], true),
        };
        let Some(name) = name(value) else { return false };
        // `400` says less than any word.
        if !is_bare && name.bytes().all(|byte| byte.is_ascii_digit()) {
            self.names[3].get_or_insert(name);
        } else {
            slot.get_or_insert(name);
        }
        !is_bare
    }

    /// Words beside an error only count in its own event.
    pub(super) fn event_end(&mut self, ending: Ending) {
        if !std::mem::take(&mut self.in_this_event) && !ending.refused {
            self.bare = [None, None];
        }
    }

    /// The kind: the most telling of the words.
    pub(super) fn kind(self, refused: bool) -> Option<Box<str>> {
        if !self.reported && !refused {
            return None;
        }
        let [r#type, code, status, number] = self.names;
        let [bare_type, bare_code] = self.bare;
        let bare_type = bare_type.filter(|name| &**name != "error");
        let kind = r#type.or(code).or(status).or(bare_type).or(bare_code).or(number);
        kind.or_else(|| self.reported.then(|| "error".into()))
    }
}

/// A short word out of an error. What looks like a sentence may quote a prompt and is left out.
fn name(value: Found<'_>) -> Option<Box<str>> {
    let name = match value {
        Found::Text(text) if text.first() == Some(&b'"') => string(value)?,
        Found::Text(text) if text.iter().all(u8::is_ascii_digit) => str::from_utf8(text).ok()?.into(),
        _ => return None,
    };
    is_word(&name).then_some(name)
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a reason is given: some servers write `""` instead of `null` until there is one, watsonx a word.
pub(super) fn is_reason(value: Found<'_>) -> bool {
    !matches!(
        value,
        Found::Text(b"null" | br#""""# | br#""not_finished""# | br#""NOT_FINISHED""#)
    )
}

/// The text of a JSON string.
pub(super) fn string(value: Found<'_>) -> Option<Box<str>> {
    match value {
        Found::Text(text) => serde_json::from_slice::<String>(text).ok().map(Into::into),
        _ => None,
    }
}
