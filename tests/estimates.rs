//! Holds estimates against recorded replies whose usage is known, as if they had not said it.
//!
//! The recordings are not part of the repository. They are looked for in `MOONLOCK_CORPUS`, else beside it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "this is a test throughout, and prints what it measures"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use moonlock::domain::estimate::calibration::{Calibration, Key, Pair};
use moonlock::domain::estimate::{Bound, CallBody, Ending, Kept, Kind, Side, Unseen, estimate, pairs};
use moonlock::domain::operation::Operation;
use moonlock::domain::units::Tokens;
use moonlock::domain::usage::parts::Parts;
use moonlock::domain::usage::reply::ReplyReader;
use moonlock::meter::tokens::Tokenizers;
use serde_json::Value;

static TOKENIZERS: LazyLock<Tokenizers> = LazyLock::new(Tokenizers::default);

/// `None` where the recordings are absent.
fn corpus() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds its data by a variable that no setting is"
    )]
    let named = std::env::var("MOONLOCK_CORPUS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    folder.is_dir().then_some(folder)
}

/// A recorded call whose reply says what it used.
struct Recording {
    line: Value,
    operation: Operation,
    request: Vec<u8>,
    reply: Vec<u8>,
    truth: Parts,
}

impl Recording {
    fn read(line: Value) -> Option<Self> {
        let path = line["path"].as_str()?.split('?').next()?;
        let operation = Operation::detect(line["method"].as_str()?, path)?;
        let expected = &line["expected"];
        let number = |key: &str| expected[key].as_u64().map(Tokens);
        let reasoning = number("reasoning");
        let truth = Parts {
            input: number("input"),
            output: number("output").map(|output| output.saturating_sub(reasoning.unwrap_or_default())),
            reasoning,
            ..Parts::default()
        };
        let decode = |key: &str| STANDARD.decode(line[key].as_str().unwrap_or_default()).unwrap();
        let (request, reply) = (decode("request_body_b64"), decode("response_body_b64"));
        let is_usable = line["meter"] == "count"
            && line["synthetic"].is_null()
            && line["fidelity"] != "response-only"
            && line["stream_complete"] != false
            && line["status"].as_u64().is_none_or(|status| status < 300)
            && expected["total"] != 0
            && (truth.input.is_some() || truth.output.is_some())
            && serde_json::from_slice::<Value>(&request).is_ok();
        is_usable.then_some(Self {
            line,
            operation,
            request,
            reply,
            truth,
        })
    }

    fn text(&self, key: &str) -> &str {
        self.line[key].as_str().unwrap_or_default()
    }

    fn request_model(&self) -> Option<&str> {
        self.operation
            .model_in_path(self.text("path").split(['?']).next()?)
    }

    fn body<'call>(&'call self, said: &'call Parts) -> CallBody<'call> {
        CallBody {
            operation: self.operation,
            request: Kept::whole(&self.request),
            reply: Kept::whole(&self.reply),
            ending: Ending::Whole,
            request_model: self.request_model(),
            reply_model: self.line["expected"]["model"].as_str(),
            said,
        }
    }

    fn name(&self) -> String {
        let model = self.line["expected"]["model"].as_str().or(self.request_model());
        format!(
            "{} {} {}",
            self.text("provider"),
            self.text("endpoint"),
            model.unwrap_or("?")
        )
    }
}

fn recordings(folder: &Path) -> Vec<Recording> {
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.to_string_lossy().ends_with(".jsonl.gz"));
    files.sort();
    let mut recordings = Vec::new();
    for path in files {
        let lines = BufReader::new(GzDecoder::new(File::open(&path).unwrap())).lines();
        recordings
            .extend(lines.filter_map(|line| Recording::read(serde_json::from_str(&line.unwrap()).unwrap())));
    }
    recordings
}

/// An estimate and its truth.
#[derive(Clone, Copy)]
struct Point {
    estimated: u64,
    truth: u64,
    inside: bool,
}

impl Point {
    fn new(side: &Side, estimated: Tokens, truth: Tokens) -> Self {
        let inside = side.low <= truth && side.high.is_none_or(|high| truth <= high);
        Self {
            estimated: estimated.0,
            truth: truth.0,
            inside,
        }
    }

    fn error(self) -> f64 {
        (self.estimated as f64 - self.truth as f64) / self.truth.max(1) as f64
    }

    fn is_within(self, share: f64, tokens: u64) -> bool {
        self.estimated.abs_diff(self.truth) <= tokens || self.error().abs() <= share
    }
}

fn share(points: &[Point], fits: impl Fn(&Point) -> bool) -> f64 {
    points.iter().filter(|point| fits(point)).count() as f64 / points.len().max(1) as f64 * 100.0
}

fn summed(points: &[Point]) -> f64 {
    let sum = |number: fn(&Point) -> u64| points.iter().map(number).sum::<u64>() as f64;
    (sum(|point| point.estimated) / sum(|point| point.truth).max(1.0) - 1.0) * 100.0
}

/// A line of a table: how many, exact, within 1 % or 2 tokens, within 5 %, the same or 2 tokens, the errors' median and p90, the sum's
/// error, and how many truths lay in the interval.
fn figures(points: &[Point]) -> String {
    let mut errors: Vec<f64> = points.iter().map(|point| point.error().abs() * 100.0).collect();
    errors.sort_by(f64::total_cmp);
    let at = |share: f64| errors[((errors.len() - 1) as f64 * share).round() as usize];
    format!(
        "{:>4} {:>6.1} {:>6.1} {:>6.1} {:>6.1} {:>7.2} {:>7.2} {:>+8.2} {:>6.1}",
        points.len(),
        share(points, |point| point.estimated == point.truth),
        share(points, |point| point.is_within(0.01, 2)),
        share(points, |point| point.is_within(0.05, 0)),
        share(points, |point| point.is_within(0.05, 2)),
        at(0.5),
        at(0.9),
        summed(points),
        share(points, |point| point.inside),
    )
}

const HEAD: &str = "   n exact%  1%|2     5%   5%|2 median%    p90%     sum% inside%";

type Groups = BTreeMap<String, Vec<Point>>;

fn print(title: &str, groups: &Groups) {
    let mut table = format!("\n{title}\n{:<44} {HEAD}\n", "");
    for (name, points) in groups {
        writeln!(table, "{name:<44} {}", figures(points)).unwrap();
    }
    println!("{table}");
}

/// The sides of a call that can be held against the truth: its name, the estimate and the truth.
fn sides(recording: &Recording, calibration: &Calibration) -> Vec<(String, Side, Tokens, Tokens)> {
    let nothing = Parts::default();
    let estimate = estimate(&recording.body(&nothing), &*TOKENIZERS, calibration);
    let group = provider(recording);
    let label = |direction: &str, side: &Side| {
        let kind = match side.basis.kind {
            Kind::Text => "text",
            Kind::Tools => "tools",
            Kind::Media => "media",
        };
        let what = if side.unseen.contains(&Unseen::Reasoning) {
            "reasoning"
        } else if side.bound() == Bound::Near {
            kind
        } else {
            "unseen"
        };
        format!("{group} {direction} {what}")
    };
    let mut sides = Vec::new();
    if let (Some(side), Some(truth)) = (estimate.input, recording.truth.prompt()) {
        let tokens = side.tokens;
        sides.push((label("input", &side), side, tokens, truth));
    }
    if let (Some(side), Some(all)) = (estimate.output, recording.truth.generated()) {
        // Hidden reasoning cannot be counted: beside it, what is visible is compared.
        if side.unseen.contains(&Unseen::Reasoning) && recording.truth.reasoning.is_some() {
            let tokens = estimate.parts.output.unwrap_or_default();
            sides.push((
                label("output", &side),
                side,
                tokens,
                recording.truth.output.unwrap_or_default(),
            ));
        } else {
            let tokens = side.tokens;
            sides.push((label("output", &side), side, tokens, all));
        }
    }
    sides
}

/// Whose tokenizer it was: Claude is Claude wherever it runs.
fn provider(recording: &Recording) -> &str {
    let model = recording.line["expected"]["model"]
        .as_str()
        .or(recording.request_model())
        .unwrap_or_default();
    let operation = recording.text("endpoint");
    match recording.text("provider") {
        "openai" | "azure" if operation.contains("embedding") => "openai-embeddings",
        "openai" | "azure" if operation.contains("completions") => "openai-completions",
        "openai" | "azure" if operation.contains("responses") => "openai-responses",
        "openai" | "azure" if model.starts_with("gpt") || model.starts_with('o') => "openai-chat",
        "openai" | "azure" => "openai-other",
        _ if model.contains("claude") => "claude",
        "gemini" | "vertex" => "gemini",
        provider => provider,
    }
}

/// Whether a recording's request cannot be what was sent: its prompt had many times more tokens than it has bytes, and
/// nothing in it points elsewhere.
fn is_redacted(recording: &Recording) -> bool {
    let nothing = Parts::default();
    let estimate = estimate(&recording.body(&nothing), &*TOKENIZERS, &Calibration::default());
    let prompt = recording.truth.prompt().unwrap_or_default();
    let is_far_more = prompt.0 > 10 * recording.request.len() as u64;
    let is_plain = |side: Side| side.bound() == Bound::Near && side.basis.kind == Kind::Text;
    is_far_more && estimate.input.is_some_and(is_plain)
}

/// Whether an estimate is far too low, and does not say that it is a lower bound.
fn is_silently_low(side: &Side, point: Point) -> bool {
    side.bound() == Bound::Near && point.truth > point.estimated * 2 + 30
}

#[test]
fn estimates_come_near_the_truth() {
    let Some(folder) = corpus() else {
        println!("skipped: no recordings in MOONLOCK_CORPUS or ../shared/corpus");
        return;
    };
    let recordings = recordings(&folder);
    let learnt: Vec<Vec<(Key, Pair)>> = recordings
        .iter()
        .map(|recording| pairs(&recording.body(&recording.truth), &*TOKENIZERS))
        .collect();
    let (mut before, mut after) = (Groups::new(), Groups::new());
    let (mut unsaid, mut unsaid_after, mut unflagged) = (Vec::new(), Vec::new(), Vec::new());
    for (at, recording) in recordings.iter().enumerate() {
        if is_redacted(recording) {
            println!("redacted: {} in {}", recording.name(), recording.text("file"));
            continue;
        }
        for (name, side, tokens, truth) in sides(recording, &Calibration::default()) {
            let point = Point::new(&side, tokens, truth);
            if !point.is_within(0.05, 2) {
                println!(
                    "OFF {name}: {} {} of {} in {} ({:?})",
                    recording.name(),
                    point.estimated,
                    point.truth,
                    recording.text("file"),
                    side.unseen,
                );
            }
            let hides = recording.truth.reasoning.is_some_and(|hidden| hidden.0 > 0);
            if side.bound() == Bound::Near && hides && name.contains(" output ") && !point.is_within(0.05, 8)
            {
                unflagged.push(format!("{name}: {} {}", recording.name(), recording.text("file")));
            }
            if is_silently_low(&side, point) {
                unsaid.push(format!("{name}: {} {}", recording.name(), recording.text("file")));
            }
            before.entry(name).or_default().push(point);
        }
        // Others of the model, but not the same request once more.
        let mut calibration = Calibration::default();
        let others = recordings.iter().zip(&learnt).enumerate();
        for (_, (other, pairs)) in others.filter(|(other, _)| *other != at) {
            if other.request != recording.request {
                for (key, pair) in pairs {
                    if learnt[at].iter().any(|(mine, _)| mine == key) {
                        calibration.learn(key.clone(), *pair);
                    }
                }
            }
        }
        for (name, side, tokens, truth) in sides(recording, &calibration) {
            let point = Point::new(&side, tokens, truth);
            if is_silently_low(&side, point) {
                unsaid_after.push(format!("{name}: {} {}", recording.name(), recording.text("file")));
            }
            after.entry(name).or_default().push(point);
        }
    }
    print("by the built-in rules", &before);
    print("after calibration on the other calls of the model", &after);
    println!(
        "far too low and not said to be: {}\n{}",
        unsaid.len(),
        unsaid.join("\n")
    );
    println!(
        "the same after calibration: {}\n{}",
        unsaid_after.len(),
        unsaid_after.join("\n")
    );

    let prompts = of(
        &before,
        &[
            "openai-chat input text",
            "openai-completions input text",
            "openai-embeddings input text",
        ],
    );
    let outputs = of(&before, OPENAI_OUTPUTS);
    let calibrated = of(&after, OPENAI_OUTPUTS);
    let others = of(&after, CLAUDE_AND_GEMINI);
    println!("\n{:<44} {HEAD}", "");
    println!("{:<44} {}", "OpenAI text prompts", figures(&prompts));
    println!("{:<44} {}", "OpenAI outputs", figures(&outputs));
    println!("{:<44} {}", "OpenAI outputs, calibrated", figures(&calibrated));
    println!("{:<44} {}", "Claude and Gemini, calibrated", figures(&others));
    for name in CLAUDE_AND_GEMINI {
        println!("{name:<44} {}", figures(&of(&after, &[name])));
    }
    // Three recordings say far more than their own text can be.
    for unsaid in [unsaid, unsaid_after] {
        assert!(unsaid.len() <= 3, "lower bounds that do not say so");
    }
    assert!(share(&prompts, |point| point.estimated == point.truth) >= 99.0);
    assert!(share(&outputs, |point| point.is_within(0.01, 2)) >= 90.0);
    assert!(share(&calibrated, |point| point.is_within(0.01, 2)) >= 90.0);
    assert!(share(&others, |point| point.is_within(0.05, 2)) >= 70.0);
    assert!(summed(&prompts).abs() <= 1.0);
    assert_eq!(
        unflagged,
        Vec::<String>::new(),
        "reasoning that is neither seen nor said to be unseen"
    );
}

const OPENAI_OUTPUTS: &[&str] = &[
    "openai-chat output text",
    "openai-chat output tools",
    "openai-completions output text",
    "openai-responses output text",
    "openai-responses output tools",
];

const CLAUDE_AND_GEMINI: &[&str] = &[
    "claude input text",
    "claude input tools",
    "claude output text",
    "claude output tools",
    "gemini input text",
    "gemini input tools",
    "gemini output text",
    "gemini output tools",
];

/// The points of some groups together.
fn of(groups: &Groups, wanted: &[&str]) -> Vec<Point> {
    let fitting = groups.iter().filter(|(name, _)| wanted.contains(&name.as_str()));
    fitting.flat_map(|(_, points)| points.clone()).collect()
}

/// The places behind a body's events.
fn event_ends(recording: &Recording) -> Vec<usize> {
    let body = &recording.reply;
    let separator: &[u8] = match recording.text("streaming") {
        "sse" if memchr::memmem::find(body, b"\r\n\r\n").is_some() => b"\r\n\r\n",
        "sse" => b"\n\n",
        "ndjson" => b"\n",
        _ => return Vec::new(),
    };
    memchr::memmem::find_iter(body, separator)
        .map(|at| at + separator.len())
        .collect()
}

#[test]
fn streams_that_were_broken_off_are_estimated_by_what_came() {
    let Some(folder) = corpus() else {
        println!("skipped: no recordings in MOONLOCK_CORPUS or ../shared/corpus");
        return;
    };
    let (mut inputs, mut outputs) = (Groups::new(), Groups::new());
    for recording in recordings(&folder) {
        let ends = event_ends(&recording);
        let (Some(prompt), Some(generated)) = (recording.truth.prompt(), recording.truth.generated()) else {
            continue;
        };
        // Where much is hidden, the events do not tell how far the reply has come.
        if ends.len() < 10 || recording.truth.reasoning.is_some_and(|hidden| hidden.0 > 0) {
            continue;
        }
        for percent in [10, 50, 90] {
            let events = ends.len() * percent / 100;
            let reply = &recording.reply[..ends[events.max(1) - 1]];
            let mut reader = ReplyReader::new(recording.operation, Some("text/event-stream"), 200);
            reader.push(reply);
            let said = reader.finish().parts;
            let body = CallBody {
                reply: Kept::whole(reply),
                ending: Ending::Cut,
                ..recording.body(&said)
            };
            let estimate = estimate(&body, &*TOKENIZERS, &Calibration::default());
            let (Some(input), Some(output)) = (estimate.parts.prompt(), estimate.parts.generated()) else {
                continue;
            };
            let group = format!("{} {percent:>2} %", provider(&recording));
            let is_lower_bound = |side: &Side| side.bound() == Bound::AtLeast;
            let point = |estimated: Tokens, truth: u64| Point {
                estimated: estimated.0,
                truth,
                inside: estimate.output.as_ref().is_none_or(is_lower_bound),
            };
            inputs
                .entry(group.clone())
                .or_default()
                .push(point(input, prompt.0));
            // An event is about a token, or about as many tokens as the next.
            let so_far = generated.0 * events as u64 / ends.len() as u64;
            outputs.entry(group).or_default().push(point(output, so_far));
        }
    }
    print("input of streams cut off at a share of their events", &inputs);
    print("their output, beside that share of the whole", &outputs);
    for (name, points) in &outputs {
        let all = points.iter().all(|point| point.inside);
        assert!(all, "{name}: a cut-off reply is a lower bound");
    }
}
