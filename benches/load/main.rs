//! What a call costs through Moonlock, through nginx and without either, in one run on one machine.
//!
//! `cargo bench --bench load` starts a provider and the clients in this process, nginx (Debian's package) and Moonlock, as
//! shipped, beside it, and sends the same load through each in turn, round by round. Only the ratios of one run mean
//! something: the machine is shared, and so are its processors between clients, provider and proxy. Words behind
//! `--` choose loads by name; `--rounds N` says how many rounds each has. The load `million` sends a million calls through
//! Moonlock alone, and says what memory that took.

#![expect(clippy::print_stdout, reason = "a table is what this prints")]

mod driver;
mod process;
mod provider;

use std::net::SocketAddr;
use std::time::Duration;

use driver::{Seen, drive};
use process::Program;
use provider::Load;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A load, how many clients send it at a time, and how many requests a round has.
struct Plan {
    name: &'static str,
    load: Load,
    clients: usize,
    count: usize,
}

const fn plain(name: &'static str, request: usize, reply: usize, clients: usize, count: usize) -> Plan {
    Plan {
        name,
        load: Load::Plain { request, reply },
        clients,
        count,
    }
}

const fn stream(name: &'static str, events: usize, gap_ms: u64, clients: usize, count: usize) -> Plan {
    Plan {
        name,
        load: Load::Stream {
            events,
            gap: Duration::from_millis(gap_ms),
        },
        clients,
        count,
    }
}

const PLANS: [Plan; 9] = [
    plain("2KB-c1", 600, 2 << 10, 1, 2_000),
    plain("2KB-c16", 600, 2 << 10, 16, 10_000),
    plain("2KB-c64", 600, 2 << 10, 64, 20_000),
    plain("2KB-c1000", 600, 2 << 10, 1_000, 20_000),
    plain("100KB-c16", 100 << 10, 100 << 10, 16, 2_000),
    plain("1MB-c16", 1 << 20, 100 << 10, 16, 500),
    stream("stream-c16", 200, 0, 16, 400),
    stream("slow-200", 100, 50, 200, 200),
    stream("slow-1000", 100, 50, 1_000, 1_000),
];

/// The load of a million calls.
const MILLION: &str = "million";

/// One of the ways to the provider.
struct Way {
    name: &'static str,
    address: SocketAddr,
    program: Option<Program>,
}

/// What one way took in one load.
#[derive(Default)]
struct Taken {
    seen: Seen,
    cpu: Vec<f64>,
    rates: Vec<f64>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let rounds = words.iter().position(|word| word == "--rounds");
    let rounds = rounds.and_then(|at| words.get(at + 1)?.parse().ok()).unwrap_or(5);
    let names: Vec<&String> = words
        .iter()
        .filter(|word| **word == MILLION || PLANS.iter().any(|plan| plan.name == **word))
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let upstream = listener.local_addr().expect("an address");
    let mut tasks = JoinSet::new();
    tasks.spawn(provider::provide(listener));
    let home = tempfile::tempdir().expect("a directory");
    let nginx = Program::nginx(home.path(), upstream).await;
    if nginx.is_none() {
        println!("nginx is not installed: left out (Debian: apt-get install nginx-light)");
    }
    let moonlock = Program::moonlock(home.path(), upstream).await;
    println!(
        "start to first connection: moonlock {:.1} ms",
        moonlock.started_in.as_secs_f64() * 1e3
    );
    let mut ways = vec![Way {
        name: "direct",
        address: upstream,
        program: None,
    }];
    ways.extend(nginx.map(|program| Way {
        name: "nginx",
        address: program.address,
        program: Some(program),
    }));
    ways.push(Way {
        name: "moonlock",
        address: moonlock.address,
        program: Some(moonlock),
    });
    memory("idle", &ways);
    if names.is_empty() || names.iter().any(|name| *name == MILLION) {
        million(&ways).await;
    }
    for plan in PLANS
        .iter()
        .filter(|plan| names.is_empty() || names.iter().any(|name| *name == plan.name))
    {
        let mut taken: Vec<Taken> = ways.iter().map(|_| Taken::default()).collect();
        // The first round warms up.
        for round in 0..=rounds {
            for turn in 0..ways.len() {
                let at = (turn + round) % ways.len();
                let way = &ways[at];
                let before = way.program.as_ref().map(Program::cpu);
                let seen = drive(way.address, plan.load, plan.clients, plan.count).await;
                let after = way.program.as_ref().map(Program::cpu);
                if round == 0 {
                    continue;
                }
                let cpu = after
                    .unwrap_or_default()
                    .saturating_sub(before.unwrap_or_default());
                taken[at].cpu.push(cpu.as_secs_f64() * 1e6 / plan.count as f64);
                taken[at].rates.push(plan.count as f64 / seen.took.as_secs_f64());
                taken[at].seen.merge(seen);
            }
        }
        print(plan, &ways, &mut taken);
        memory(plan.name, &ways);
    }
}

/// Sends a million calls through Moonlock, and says what it holds on the way: what grows with the calls would show.
async fn million(ways: &[Way]) {
    let Some(Way {
        address,
        program: Some(program),
        ..
    }) = ways.iter().find(|way| way.name == "moonlock")
    else {
        return;
    };
    let plan = plain(MILLION, 600, 2 << 10, 64, 1_000_000);
    let mut sent = 0;
    for until in [10_000, 250_000, 500_000, 750_000, plan.count] {
        drive(*address, plan.load, plan.clients, until - sent).await;
        sent = until;
        let (now, most) = program.memory();
        println!("  memory, after {sent} calls: moonlock {now:.1} MB, at most {most:.1} MB");
    }
}

fn memory(after: &str, ways: &[Way]) {
    for way in ways {
        if let Some(program) = &way.program {
            let (now, most) = program.memory();
            println!(
                "  memory, {after}: {} {now:.0} MB, at most {most:.0} MB",
                way.name
            );
        }
    }
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// One load: a line for each way, and what stands over nginx (or over none, where it is not there) behind it.
fn print(plan: &Plan, ways: &[Way], taken: &mut [Taken]) {
    println!(
        "\n{:<10} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}   (µs; medians of rounds)",
        plan.name, "cpu/call", "calls/s", "first50", "first99", "whole50", "whole99", "age50", "age99"
    );
    let mut lines: Vec<(&str, [f64; 8])> = Vec::new();
    for (way, taken) in ways.iter().zip(taken) {
        let seen = &mut taken.seen;
        let figures = [
            quantile(&mut taken.cpu, 0.5),
            quantile(&mut taken.rates, 0.5),
            quantile(&mut seen.first, 0.5),
            quantile(&mut seen.first, 0.99),
            quantile(&mut seen.whole, 0.5),
            quantile(&mut seen.whole, 0.99),
            quantile(&mut seen.ages, 0.5),
            quantile(&mut seen.ages, 0.99),
        ];
        lines.push((way.name, figures));
    }
    let row = |name: &str, figures: &[f64; 8], unit: &str, digits: usize| {
        let cells = figures.iter().map(|figure| {
            if figure.is_finite() {
                format!("{figure:>8.digits$}{unit}")
            } else {
                format!("{:>9}", "–")
            }
        });
        println!("{name:<10} {}", cells.collect::<Vec<_>>().join(" "));
    };
    for (name, figures) in &lines {
        row(name, figures, " ", 0);
    }
    let figures = |name: &str| {
        lines
            .iter()
            .find(|(way, _)| *way == name)
            .map(|(_, figures)| *figures)
    };
    if let (Some(nginx), Some(moonlock)) = (figures("nginx"), figures("moonlock")) {
        row(
            "over nginx",
            &std::array::from_fn(|at| moonlock[at] / nginx[at]),
            "x",
            2,
        );
    }
    if let (Some(direct), Some(moonlock)) = (figures("direct"), figures("moonlock")) {
        let mut added: [f64; 8] = std::array::from_fn(|at| moonlock[at] - direct[at]);
        added[..2].fill(f64::NAN);
        row("added", &added, " ", 0);
    }
}
