//! What the calls of this run add up to, for a time series database: histograms and counters that only ever rise.
//!
//! Labels follow OpenTelemetry's semantic conventions for generative AI
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/>), and so do the histograms' bounds. A counter
//! cannot fall, so what is corrected downwards later stays as it was first said: the database has the last word.

pub mod otlp;
pub mod spans;

use std::borrow::Cow;
use std::collections::HashMap;

use super::call::{Call, CallEnd, Outcome, Source};
use super::operation::Operation;
use super::units::{NanoUsd, Tokens};
use super::usage::parts::Parts;

/// So many series have a provider, a model and an operation of their own; clients invent models.
pub const MOST_SERIES: usize = 256;
/// So many kinds of error a series tells apart.
const MOST_ERRORS: usize = 8;
/// What the labels of the series beyond say.
const OTHER: &str = "other";

/// Tokens of a call: `gen_ai.client.token.usage`.
const TOKENS: &[u64] = &[
    1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
/// Milliseconds of a call: `gen_ai.client.operation.duration`.
const DURATION: &[u64] = &[
    10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 40_960, 81_920,
];
/// Milliseconds to a first byte: `gen_ai.server.time_to_first_token`.
const FIRST_TOKEN: &[u64] = &[
    1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000,
];

/// How the convention names providers whose mount has another name.
const PROVIDERS: [(&str, &str); 10] = [
    ("azure", "azure.ai.openai"),
    ("bedrock", "aws.bedrock"),
    ("foundry", "azure.ai.inference"),
    ("gemini", "gcp.gemini"),
    ("mantle", "aws.bedrock"),
    ("mistral", "mistral_ai"),
    ("moonshot", "moonshot_ai"),
    ("vertex", "gcp.vertex_ai"),
    ("watsonx", "ibm.watsonx.ai"),
    ("xai", "x_ai"),
];

/// How often numbers up to each of some bounds came. Whole numbers in the unit of the bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for what is above all.
    counts: Box<[u64]>,
    sum: u64,
}

impl Histogram {
    /// With these upper bounds, inclusive and in order.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1].into(),
            sum: 0,
        }
    }

    /// Takes a number in.
    pub fn observe(&mut self, number: u64) {
        let place = self.bounds.partition_point(|bound| *bound < number);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(number);
    }

    /// For each bound, how many numbers were not above it.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        self.bounds.iter().copied().zip(counts)
    }

    /// How many numbers came.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.sum
    }
}

/// How a call failed: the convention's `error.type`, of which there are few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// The provider's HTTP status.
    Status(u16),
    /// It ended so, without one.
    Ended(Outcome),
    /// One more than are told apart.
    Other,
}

impl ErrorType {
    /// The convention's word for it.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Status(status) => status.to_string().into(),
            Self::Ended(outcome) => outcome.name().into(),
            Self::Other => "_OTHER".into(),
        }
    }

    fn of(end: &CallEnd) -> Option<Self> {
        Self::seen(end.outcome, end.status)
    }

    /// What went wrong with a call that ended so.
    fn seen(outcome: Outcome, status: Option<u16>) -> Option<Self> {
        match outcome {
            Outcome::Complete => None,
            outcome => Some(match status.filter(|status| *status >= 400) {
                Some(status) => Self::Status(status),
                None => Self::Ended(outcome),
            }),
        }
    }
}

/// Sums of tokens, in parts that do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenSums {
    /// Prompt tokens, without cached ones.
    pub input: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Prompt tokens written to a cache.
    pub cache_write: u64,
    /// Generated tokens, reasoning included.
    pub output: u64,
    /// Tokens whose kind nobody named.
    pub unsplit: u64,
}

impl TokenSums {
    /// Each with the name of its kind.
    #[must_use]
    pub const fn by_kind(&self) -> [(&'static str, u64); 5] {
        [
            ("input", self.input),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("output", self.output),
            ("unsplit", self.unsplit),
        ]
    }
}

/// What the calls with the same labels add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// `gen_ai.provider.name`: the convention's name, else the mount's.
    pub provider: Box<str>,
    /// The model that answered, or the requested one; empty where none is known.
    pub model: Box<str>,
    /// `gen_ai.operation.name`: the convention's name, else Moonlock's.
    pub operation: &'static str,
    /// Prompt tokens of each call, cached ones included.
    pub input: Histogram,
    /// Generated tokens of each call, reasoning included.
    pub output: Histogram,
    /// Milliseconds of each call, by how it failed. What is reported by hand took no time.
    pub durations: Vec<(Option<ErrorType>, Histogram)>,
    /// Milliseconds to the first byte of each streamed reply.
    pub first_token: Histogram,
    /// All their tokens.
    pub tokens: TokenSums,
    /// Tokens whose number is not the provider's own.
    pub inexact_tokens: u64,
    /// Tokens of calls without a price.
    pub unpriced_tokens: u64,
    /// What the others cost, in billionths of a dollar.
    pub cost_nano_usd: u64,
}

impl Series {
    fn new(provider: &str, model: &str, operation: &'static str) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            operation,
            input: Histogram::new(TOKENS),
            output: Histogram::new(TOKENS),
            durations: Vec::new(),
            first_token: Histogram::new(FIRST_TOKEN),
            tokens: TokenSums::default(),
            inexact_tokens: 0,
            unpriced_tokens: 0,
            cost_nano_usd: 0,
        }
    }

    fn took(&mut self, end: &CallEnd) {
        let mut error = ErrorType::of(end);
        if self.durations.len() >= MOST_ERRORS && !self.durations.iter().any(|(known, _)| *known == error) {
            error = error.map(|_| ErrorType::Other);
        }
        let known = self.durations.iter().position(|(known, _)| *known == error);
        let place = known.unwrap_or_else(|| {
            self.durations.push((error, Histogram::new(DURATION)));
            self.durations.len() - 1
        });
        if let Some((_, durations)) = self.durations.get_mut(place) {
            durations.observe(end.duration.0);
        }
        if let Some(ttft) = end.ttft {
            self.first_token.observe(ttft.0);
        }
    }

    /// Takes in what has become known.
    fn used(&mut self, before: &Known, now: &Known) {
        for (histogram, before, now) in [
            (&mut self.input, before.parts.prompt(), now.parts.prompt()),
            (&mut self.output, before.parts.generated(), now.parts.generated()),
        ] {
            if let (None, Some(tokens)) = (before, now) {
                histogram.observe(tokens.0);
            }
        }
        let parts =
            |of: fn(&Parts) -> Option<Tokens>| risen(tokens(of(&before.parts)), tokens(of(&now.parts)));
        let sums = &mut self.tokens;
        for (sum, risen) in [
            (&mut sums.input, parts(Parts::fresh_input)),
            (&mut sums.cache_read, parts(|parts| parts.cache_read)),
            (&mut sums.cache_write, parts(Parts::cache_write)),
            (&mut sums.output, parts(Parts::generated)),
            (&mut sums.unsplit, parts(|parts| parts.unsplit)),
            (&mut self.inexact_tokens, risen(before.inexact, now.inexact)),
            (&mut self.unpriced_tokens, risen(before.unpriced, now.unpriced)),
            (&mut self.cost_nano_usd, risen(before.cost, now.cost)),
        ] {
            *sum = sum.saturating_add(risen);
        }
    }
}

const fn risen(before: u64, now: u64) -> u64 {
    now.saturating_sub(before)
}

fn tokens(tokens: Option<Tokens>) -> u64 {
    tokens.map_or(0, |tokens| tokens.0)
}

/// What is known of what a call used.
#[derive(Default)]
struct Known {
    parts: Parts,
    inexact: u64,
    unpriced: u64,
    cost: u64,
}

impl Known {
    fn of(call: &Call) -> Self {
        let Some(end) = &call.end else {
            return Self::default();
        };
        let total = tokens(end.parts.total());
        let cost = call.cost.map(|cost| cost.amount);
        Self {
            parts: end.parts,
            inexact: if end.source == Some(Source::Exact) {
                0
            } else {
                total
            },
            unpriced: if cost.is_none() { total } else { 0 },
            cost: cost.map_or(0, |NanoUsd(nanos)| u64::try_from(nanos).unwrap_or(0)),
        }
    }
}

/// All series. A call costs two look-ups, and allocates only where it is the first of a series.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    series: Vec<Series>,
    /// Where they are: by provider, model and operation.
    places: HashMap<Box<str>, HashMap<Box<str>, Places>>,
}

/// Where the series of a model are, by operation: few, so they are looked through.
type Places = Vec<(&'static str, usize)>;

impl Metrics {
    /// A call has ended. One whose usage is counted with another is left out, as it is everywhere.
    pub fn ended(&mut self, call: &Call) {
        let Some(end) = call.end.as_ref().filter(|_| call.counted_by.is_none()) else {
            return;
        };
        let Some(series) = self.series_of(call) else {
            return;
        };
        if call.start.operation != Operation::Manual {
            series.took(end);
        }
        series.used(&Known::default(), &Known::of(call));
    }

    /// More is known of a call than when it ended.
    pub fn known_later(&mut self, before: &Call, call: &Call) {
        if call.counted_by.is_some() {
            return;
        }
        if let Some(series) = self.series_of(call) {
            series.used(&Known::of(before), &Known::of(call));
        }
    }

    /// All series, in the order in which they came.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    fn series_of(&mut self, call: &Call) -> Option<&mut Series> {
        let provider = provider_name(&call.start.provider);
        let model = call.model().unwrap_or_default();
        let operation = operation_name(call.start.operation);
        let models = self.places.get(provider);
        let operations = models.and_then(|models| models.get(model));
        let known = operations.and_then(|places| places.iter().find(|(name, _)| *name == operation));
        let place = match known {
            Some((_, place)) => *place,
            None if self.series.len() < MOST_SERIES => {
                let place = self.series.len();
                self.series.push(Series::new(provider, model, operation));
                let models = self.places.entry(provider.into()).or_default();
                models.entry(model.into()).or_default().push((operation, place));
                place
            }
            None => {
                if self.series.len() == MOST_SERIES {
                    self.series.push(Series::new(OTHER, OTHER, OTHER));
                }
                MOST_SERIES
            }
        };
        self.series.get_mut(place)
    }
}

fn provider_name(mount: &str) -> &str {
    let known = PROVIDERS.iter().find(|(name, _)| *name == mount);
    known.map_or(mount, |(_, convention)| convention)
}

const fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::ChatCompletions
        | Operation::Responses
        | Operation::Messages
        | Operation::OllamaChat
        | Operation::CohereChat
        | Operation::LmStudioChat
        | Operation::Converse
        | Operation::ConverseStream
        | Operation::Conversations => "chat",
        Operation::GenerateContent | Operation::StreamGenerateContent => "generate_content",
        Operation::Completions
        | Operation::Complete
        | Operation::OllamaGenerate
        | Operation::CohereGenerate
        | Operation::TgiGenerate
        | Operation::LlamaCppCompletion
        | Operation::WatsonxText => "text_completion",
        Operation::Embeddings
        | Operation::EmbedContent
        | Operation::BatchEmbedContents
        | Operation::OllamaEmbed
        | Operation::CohereEmbed
        | Operation::Embed => "embeddings",
        other => other.name(),
    }
}

#[cfg(test)]
mod tests;
