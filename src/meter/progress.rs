//! How far the streams under way have come: about how many tokens they hold so far.
//!
//! Nothing is read for it. The bytes that pass are added up, and made into tokens by how many bytes a token took in the
//! model's last streams, whose end said it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::call::{Outcome, Source};
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::units::Tokens;
use crate::domain::usage::reading::Reading;

/// So many models are told apart.
const MODELS: usize = 256;

/// How much of what is known of a model the newest stream says.
const NEWEST: f64 = 0.3;

/// So many streams are told of at once at most; those first that were told of the longest ago. Of a thousand, each is
/// told of every eighth time, and no message is large.
const MOST: usize = 128;

/// Streams with fewer tokens say little of what a token takes.
const FEWEST: u64 = 16;

/// Whose streams take alike for a token.
type Model = (Operation, Option<Box<str>>);

/// The streams under way. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    growing: Mutex<HashMap<CallId, Stream>>,
    /// How many tokens a byte makes.
    rates: Mutex<HashMap<Model, f64>>,
    begun: Notify,
    /// How often it was asked what has grown.
    asked: AtomicU64,
}

#[derive(Debug)]
struct Stream {
    bytes: Arc<AtomicU64>,
    model: Model,
    /// What was told of it last.
    told: u64,
    /// When that was: the number of the question.
    told_at: u64,
}

/// A stream under way; forgotten when it is dropped.
#[derive(Debug)]
pub(super) struct Growing {
    progress: Progress,
    id: CallId,
    bytes: Arc<AtomicU64>,
}

/// A lock whose holder panicked still holds what it held.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Before the first stream of a model has said it: how many tokens a byte makes where an event holds a token, or some
/// words, beside what stands around them.
const fn usual(operation: Operation) -> f64 {
    match operation {
        Operation::Messages | Operation::RawPredict | Operation::ConverseStream | Operation::InvokeStream => {
            0.03
        }
        Operation::StreamGenerateContent => 0.06,
        Operation::OllamaChat | Operation::OllamaGenerate => 0.01,
        _ => 0.005,
    }
}

impl Progress {
    /// Takes up a stream.
    pub(super) fn begin(&self, id: CallId, model: Model) -> Growing {
        let bytes = Arc::new(AtomicU64::new(0));
        let stream = Stream {
            bytes: Arc::clone(&bytes),
            model,
            told: 0,
            told_at: 0,
        };
        locked(&self.0.growing).insert(id, stream);
        self.0.begun.notify_one();
        Growing {
            progress: self.clone(),
            id,
            bytes,
        }
    }

    /// Waits until a stream is under way.
    pub async fn some_run(&self) {
        while locked(&self.0.growing).is_empty() {
            self.0.begun.notified().await;
        }
    }

    /// Streams that have grown since they were last told of, and about how far: [`MOST`] at most.
    #[must_use]
    pub fn grown(&self) -> Vec<(CallId, Tokens)> {
        let now = self.0.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let rates = locked(&self.0.rates);
        let mut growing = locked(&self.0.growing);
        let mut grown: Vec<(&CallId, &mut Stream, u64)> = growing
            .iter_mut()
            .filter_map(|(id, stream)| {
                let rate = rates.get(&stream.model).copied();
                let rate = rate.unwrap_or_else(|| usual(stream.model.0));
                let tokens = (stream.bytes.load(Ordering::Relaxed) as f64 * rate).round() as u64;
                // What is told never shrinks: a rate may have changed.
                (tokens > stream.told).then_some((id, stream, tokens))
            })
            .collect();
        if grown.len() > MOST {
            grown.select_nth_unstable_by_key(MOST, |(_, stream, _)| stream.told_at);
            grown.truncate(MOST);
        }
        let told = grown.into_iter().map(|(id, stream, tokens)| {
            (stream.told, stream.told_at) = (tokens, now);
            (*id, Tokens(tokens))
        });
        told.collect()
    }

    fn learn(&self, model: Model, bytes: u64, tokens: Tokens) {
        if tokens.0 < FEWEST || bytes == 0 {
            return;
        }
        let mut rates = locked(&self.0.rates);
        if rates.len() >= MODELS && !rates.contains_key(&model) {
            rates.clear();
        }
        let newest = tokens.0 as f64 / bytes as f64;
        let rate = rates.entry(model).or_insert(newest);
        *rate += (newest - *rate) * NEWEST;
    }
}

impl Growing {
    /// So many bytes have passed so far.
    pub(super) fn passed(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// The stream has ended. If it came whole and its provider says how many tokens its text took, that is learnt.
    pub(super) fn ended(&self, outcome: Outcome, reading: &Reading) {
        if let (Outcome::Complete, Some(Source::Exact), Some(output)) =
            (outcome, reading.source, reading.parts.output)
        {
            self.teach(output);
        }
    }

    fn teach(&self, tokens: Tokens) {
        let model = locked(&self.progress.0.growing)
            .get(&self.id)
            .map(|stream| stream.model.clone());
        if let Some(model) = model {
            self.progress
                .learn(model, self.bytes.load(Ordering::Relaxed), tokens);
        }
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        locked(&self.progress.0.growing).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn begin(progress: &Progress, n: u128) -> Growing {
        let model = (Operation::ChatCompletions, Some("m".into()));
        progress.begin(CallId::from_uuid(Uuid::from_u128(n)), model)
    }

    #[test]
    fn what_has_grown_is_told_once_and_what_has_ended_not_at_all() {
        let progress = Progress::default();
        let (one, other) = (begin(&progress, 1), begin(&progress, 2));
        assert!(progress.grown().is_empty());
        one.passed(10_000);
        let grown = progress.grown();
        assert_eq!(grown.len(), 1);
        assert_eq!(grown[0].1, Tokens(50));
        assert!(progress.grown().is_empty(), "nothing new");
        other.passed(10_000);
        drop(other);
        assert!(progress.grown().is_empty());
        drop(one);
        assert!(locked(&progress.0.growing).is_empty());
    }

    #[test]
    fn of_many_streams_each_has_its_turn() {
        let progress = Progress::default();
        let streams: Vec<Growing> = (0..1_000).map(|n| begin(&progress, n)).collect();
        let mut told = std::collections::HashSet::new();
        for round in 1..=8 {
            streams.iter().for_each(|stream| stream.passed(round * 10_000));
            let grown = progress.grown();
            assert!(grown.len() <= MOST);
            assert!(grown.iter().all(|(_, tokens)| *tokens == Tokens(round * 50)));
            told.extend(grown.into_iter().map(|(id, _)| id));
        }
        assert_eq!(told.len(), 1_000);
    }

    #[test]
    fn a_stream_whose_end_says_it_teaches_the_next() {
        let progress = Progress::default();
        let first = begin(&progress, 1);
        first.passed(10_000);
        first.teach(Tokens(1_000));
        drop(first);
        let next = begin(&progress, 2);
        next.passed(5_000);
        assert_eq!(progress.grown()[0].1, Tokens(500));
        next.teach(Tokens(FEWEST - 1));
        next.passed(6_000);
        assert_eq!(progress.grown()[0].1, Tokens(600), "a short one teaches nothing");
    }
}
