//! Keeps one event of a stream from its client: the usage that Moonlock asked for.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use memchr::{memchr_iter, memmem};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The longest event that is held back until its end is there. The usage event is a few hundred bytes; a client can
/// do nothing with half an event, so holding one back costs it nothing.
const MOST_HELD: usize = 16 * 1024;

/// Cuts the usage event out of a stream of events, whose other bytes pass unchanged and uncopied.
#[derive(Debug, Default)]
pub(super) struct Withholder {
    /// The beginning of an event whose end has not come.
    held: VecDeque<Bytes>,
    held_length: usize,
    /// The line that is being read holds something other than a carriage return.
    in_line: bool,
    /// The event that is being read is too long to be the usage event, and passes as it comes.
    passing: bool,
}

impl Withholder {
    /// Takes the next piece of the stream, and puts what the client gets into `out`.
    pub(super) fn push(&mut self, bytes: &Bytes, out: &mut VecDeque<Frame<Bytes>>) {
        let mut event_start = 0;
        let mut line_start = 0;
        // What passes lies between `run_start` and the event that is looked at; it goes out in one piece.
        let mut run_start = 0;
        for newline in memchr_iter(b'\n', bytes) {
            let filled = self.in_line || bytes[line_start..newline].iter().any(|byte| *byte != b'\r');
            self.in_line = false;
            line_start = newline + 1;
            if filled {
                continue;
            }
            let event_end = newline + 1;
            let event = bytes.slice(event_start..event_end);
            if !self.passing && self.is_usage_event(&event) {
                push_slice(bytes, run_start, event_start, out);
                self.held.clear();
                run_start = event_end;
            } else {
                out.extend(self.held.drain(..).map(Frame::data));
            }
            self.held_length = 0;
            self.passing = false;
            event_start = event_end;
        }
        self.in_line |= bytes[line_start..].iter().any(|byte| *byte != b'\r');
        let rest = bytes.len() - event_start;
        if self.passing || self.held_length + rest > MOST_HELD {
            self.passing = true;
            out.extend(self.held.drain(..).map(Frame::data));
            push_slice(bytes, run_start, bytes.len(), out);
        } else {
            push_slice(bytes, run_start, event_start, out);
            if rest > 0 {
                self.held.push_back(bytes.slice(event_start..));
                self.held_length += rest;
            }
        }
    }

    /// Gives out what is held back: the stream is over.
    pub(super) fn flush(&mut self, out: &mut VecDeque<Frame<Bytes>>) {
        out.extend(self.held.drain(..).map(Frame::data));
    }

    /// Whether an event, whose beginning may be held, has no choices but usage.
    fn is_usage_event(&self, last: &Bytes) -> bool {
        if self.held.is_empty() {
            return is_usage_event(last);
        }
        let mut whole = BytesMut::with_capacity(self.held_length + last.len());
        self.held
            .iter()
            .chain([last])
            .for_each(|piece| whole.extend_from_slice(piece));
        is_usage_event(&whole)
    }
}

fn push_slice(bytes: &Bytes, from: usize, to: usize, out: &mut VecDeque<Frame<Bytes>>) {
    if from < to {
        out.push_back(Frame::data(bytes.slice(from..to)));
    }
}

/// The event that `include_usage` adds: `choices` is empty and `usage` is an object.
///
/// Azure begins its streams with an event of no choices and no usage; that one is the client's.
fn is_usage_event(event: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        choices: Vec<IgnoredAny>,
        usage: Option<IgnoredAny>,
    }
    if memmem::find(event, b"\"usage\"").is_none() || event.len() > MOST_HELD {
        return false;
    }
    let data: Vec<u8> = event
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_prefix(b"data:"))
        .flat_map(|line| {
            line.strip_suffix(b"\r")
                .unwrap_or(line)
                .iter()
                .copied()
                .chain([b'\n'])
        })
        .collect();
    serde_json::from_slice::<Probe>(&data)
        .is_ok_and(|probe| probe.choices.is_empty() && probe.usage.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USAGE: &str =
        "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";

    fn stream(usage: &str, newline: &str) -> String {
        let text = format!(
            ": keep-alive\n\ndata: {{\"choices\":[],\"prompt_filter_results\":[]}}\n\n\
             data: {{\"choices\":[{{\"delta\":{{\"content\":\"\\\"usage\\\" and choices\"}}}}],\"usage\":null}}\n\n\
             data: {{\"choices\":[{{\"finish_reason\":\"stop\"}}]}}\n\n{usage}data: [DONE]\n\n"
        );
        text.replace('\n', newline)
    }

    fn through(text: &str, cuts: &[usize]) -> String {
        let mut withholder = Withholder::default();
        let mut out = VecDeque::new();
        let bytes = Bytes::from(text.to_owned());
        let mut from = 0;
        for cut in cuts.iter().copied().chain([bytes.len()]) {
            let to = cut.clamp(from, bytes.len());
            withholder.push(&bytes.slice(from..to), &mut out);
            from = to;
        }
        withholder.flush(&mut out);
        let pieces = out.into_iter().map(|frame| frame.into_data().unwrap());
        String::from_utf8(pieces.flat_map(|bytes| bytes.to_vec()).collect()).unwrap()
    }

    #[test]
    fn only_the_usage_event_is_cut_out_at_every_split() {
        for newline in ["\n", "\r\n"] {
            let (with, without) = (stream(USAGE, newline), stream("", newline));
            assert_eq!(through(&with, &[]), without);
            for cut in 0..with.len() {
                assert_eq!(through(&with, &[cut]), without, "cut at {cut}");
            }
            let every: Vec<usize> = (0..with.len()).collect();
            assert_eq!(through(&with, &every), without);
        }
    }

    #[test]
    fn an_event_that_does_not_end_passes_when_it_is_long_or_the_stream_is_over() {
        let long = format!("data: {}", "x".repeat(MOST_HELD * 2));
        assert_eq!(through(&long, &[10, 5000]), long);
        assert_eq!(
            through("data: {\"choices\":[],\"usage\":{}}", &[]),
            "data: {\"choices\":[],\"usage\":{}}"
        );
        let after = format!("{long}\n\n{USAGE}data: [DONE]\n\n");
        assert_eq!(through(&after, &[3]), format!("{long}\n\ndata: [DONE]\n\n"));
    }

    #[test]
    fn whole_events_pass_without_being_held() {
        let mut withholder = Withholder::default();
        let mut out = VecDeque::new();
        let bytes = Bytes::from_static(b"data: 1\n\ndata: 2\n\n");
        withholder.push(&bytes, &mut out);
        assert_eq!(out.len(), 1);
        assert_eq!(out[0].data_ref().unwrap().as_ptr(), bytes.as_ptr(), "uncopied");
    }

    proptest! {
        #[test]
        fn without_a_usage_event_nothing_changes(text in "(data: [a-z\"{}\\[\\]:,]{0,20}|\r|\n|: x|event: y){0,40}", cuts in prop::collection::vec(0_usize..400, 0..8)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            prop_assert_eq!(through(&text, &cuts), text);
        }
    }
}
