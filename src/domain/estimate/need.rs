//! Which calls are estimated, and what becomes of an estimate.

use super::{Estimate, Estimated, Interval, Intervals, Side};
use crate::domain::call::{CallEnd, Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::units::Tokens;

/// Whether an operation's tokens can be counted from its text at all. The others are billed by the image, by the
/// second, or not, or ask for what was generated before.
#[must_use]
pub const fn can_be_counted(operation: Operation) -> bool {
    !matches!(
        operation,
        Operation::Images
            | Operation::Speech
            | Operation::Transcriptions
            | Operation::Translations
            | Operation::Moderations
            | Operation::Ocr
            | Operation::Prediction
            | Operation::RetrieveResponse
            | Operation::RetrieveInteraction
            | Operation::Runs
            | Operation::RetrieveRun
            | Operation::BatchResults
            | Operation::Realtime
            | Operation::Live
            | Operation::Manual
    )
}

/// Whether the provider left something unsaid of a call that has ended, and the call's text can tell it.
///
/// A call that the provider refused used nothing. Of one whose client left before the reply, the provider had the
/// whole prompt.
#[must_use]
pub fn is_needed(operation: Operation, end: &CallEnd) -> bool {
    let was_taken_up = match end.status {
        Some(status) => (200..300).contains(&status) || status == 101,
        None => end.outcome == Outcome::ClientAborted,
    };
    let is_all_said = end.source == Some(Source::Exact) && end.parts.total() != Some(Tokens(0));
    can_be_counted(operation) && was_taken_up && !is_all_said
}

/// Whether a call that has ended can teach something: its provider said all of it, and all of it came.
#[must_use]
pub fn can_teach(operation: Operation, end: &CallEnd) -> bool {
    let is_all_there = end.outcome == Outcome::Complete && end.source == Some(Source::Exact);
    can_be_counted(operation) && is_all_there && end.parts.total() > Some(Tokens(0))
}

impl Estimate {
    /// What takes the place of the numbers of a call that ended so. `None` where they stay: nothing was estimated, or
    /// the provider reported an error before it generated anything.
    #[must_use]
    pub fn for_call(self, end: &CallEnd) -> Option<Estimated> {
        let generated = self.parts.generated().unwrap_or_default();
        if end.outcome == Outcome::StreamError && generated == Tokens(0) {
            return None;
        }
        let interval = |side: Side| Interval {
            low: side.low,
            high: side.high,
        };
        let intervals = Intervals {
            input: self.input.map(interval),
            output: self.output.map(interval),
        };
        let source = self.source.filter(|_| intervals != Intervals::default())?;
        Some(Estimated {
            parts: self.parts,
            source,
            intervals,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::estimate::{Estimate, Intervals};
    use crate::domain::units::Millis;
    use crate::domain::usage::parts::Parts;

    fn end(outcome: Outcome, status: Option<u16>, source: Option<Source>, total: Option<u64>) -> CallEnd {
        CallEnd {
            outcome,
            status,
            model: None,
            parts: Parts {
                input: total.map(Tokens),
                ..Parts::default()
            },
            source,
            estimate: Intervals::default(),
            raw_usage: None,
            request_id: None,
            error: None,
            streamed: false,
            ttft: None,
            duration: Millis(1),
        }
    }

    #[test]
    fn what_was_used_and_not_said_is_estimated() {
        use Outcome::{ClientAborted, Complete, StreamError, UpstreamError};
        let (exact, partial) = (Some(Source::Exact), Some(Source::Partial));
        for (outcome, status, source, total, expected) in [
            (Complete, Some(200), exact, Some(7), false),
            (Complete, Some(200), exact, Some(0), true),
            (Complete, Some(200), partial, Some(7), true),
            (Complete, Some(200), None, None, true),
            (Complete, Some(101), None, None, true),
            (Complete, Some(304), None, None, false),
            (ClientAborted, Some(200), None, None, true),
            (ClientAborted, None, None, None, true),
            (UpstreamError, Some(200), partial, Some(7), true),
            (UpstreamError, Some(429), None, None, false),
            (UpstreamError, Some(500), None, None, false),
            (UpstreamError, None, None, None, false),
            (StreamError, Some(200), None, None, true),
        ] {
            let end = end(outcome, status, source, total);
            assert_eq!(is_needed(Operation::Messages, &end), expected, "{end:?}");
            assert!(!is_needed(Operation::Images, &end), "{end:?}");
        }
    }

    #[test]
    fn an_error_before_the_first_word_used_nothing() {
        let estimate = |generated: u64| Estimate {
            parts: Parts {
                input: Some(Tokens(9)),
                output: Some(Tokens(generated)),
                ..Parts::default()
            },
            source: Some(Source::Estimated),
            input: Some(side(9)),
            output: Some(side(generated)),
        };
        let failed = end(Outcome::StreamError, Some(200), None, None);
        assert_eq!(estimate(0).for_call(&failed), None);
        assert!(estimate(1).for_call(&failed).is_some());
        let cut = end(Outcome::UpstreamError, Some(200), None, None);
        let estimated = estimate(0).for_call(&cut).unwrap();
        assert_eq!(estimated.source, Source::Estimated);
        assert!(!estimated.intervals.is_lower_bound());
        let unchanged = Estimate {
            input: None,
            output: None,
            ..estimate(1)
        };
        assert_eq!(unchanged.for_call(&cut), None);
    }

    fn side(tokens: u64) -> Side {
        use crate::domain::estimate::encoding::Encoding;
        use crate::domain::estimate::{Basis, How, Kind};
        Side {
            tokens: Tokens(tokens),
            low: Tokens(tokens),
            high: Some(Tokens(tokens)),
            unseen: Vec::new(),
            basis: Basis {
                encoding: Encoding::O200kBase,
                text: Tokens(tokens),
                uncorrected: Tokens(tokens),
                how: How::Whole,
                kind: Kind::Text,
                correction: None,
            },
        }
    }
}
