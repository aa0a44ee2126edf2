//! How fast texts are counted, what a vocabulary takes to load, and that no text takes forever.
//!
//! `cargo bench --bench tokens` prints two tables: one of loading (each vocabulary in turn, and what memory stays when
//! it is dropped), one of throughput on texts of a megabyte, ordinary and not.

#![expect(clippy::print_stdout, reason = "a table is what this prints")]

use std::hint::black_box;
use std::time::Instant;

use moonlock::domain::estimate::Count;
use moonlock::domain::estimate::encoding::Encoding;
use moonlock::meter::tokens::Tokenizers;

const MEGABYTE: usize = 1 << 20;
/// The best of so many runs counts: the machine has other things to do.
const RUNS: usize = 3;

/// A small generator, so that every run sees the same texts.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap_or(0) % below
    }
}

/// A megabyte of characters.
fn text_of(mut next: impl FnMut() -> char) -> String {
    let mut text = String::with_capacity(MEGABYTE + 4);
    while text.len() < MEGABYTE {
        text.push(next());
    }
    text
}

fn texts() -> Vec<(&'static str, String)> {
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut noise = Noise(7);
    let of_code =
        |range: u32, from: u32, noise: &mut Noise| char::from_u32(from + noise.next(range)).unwrap_or(' ');
    vec![
        (
            "prose",
            include_str!("../README.md").repeat(MEGABYTE / include_str!("../README.md").len() + 1),
        ),
        (
            "code",
            include_str!("tokens.rs").repeat(MEGABYTE / include_str!("tokens.rs").len() + 1),
        ),
        ("letter a", text_of(|| 'a')),
        ("spaces", text_of(|| ' ')),
        ("newlines", text_of(|| '\n')),
        ("base64", text_of(|| char::from(BASE64[noise.next(64) as usize]))),
        ("ascii noise", text_of(|| of_code(95, 32, &mut noise))),
        ("cjk", text_of(|| of_code(0x5000, 0x4e00, &mut noise))),
        ("unicode noise", text_of(|| of_code(0x3000, 0x20, &mut noise))),
        ("accents", text_of(|| of_code(0x70, 0x300, &mut noise))),
    ]
}

/// The memory that the process has resident, in megabytes; 0 where the system does not say.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

fn main() {
    println!(
        "{:<14} {:>8} {:>10} {:>14}",
        "encoding", "load ms", "added MB", "left MB"
    );
    let encodings = [
        Encoding::O200kBase,
        Encoding::Cl100kBase,
        Encoding::P50kBase,
        Encoding::R50kBase,
    ];
    for encoding in encodings {
        let tokenizers = Tokenizers::default();
        let (before, begin) = (resident(), Instant::now());
        black_box(tokenizers.count(encoding, "a"));
        let (loaded, after) = (begin.elapsed(), resident());
        tokenizers.release_idle();
        tokenizers.release_idle();
        println!(
            "{:<14} {:>8.1} {:>10.1} {:>14.1}",
            encoding.name(),
            loaded.as_secs_f64() * 1e3,
            after - before,
            resident() - before,
        );
    }
    let tokenizers = Tokenizers::default();
    println!(
        "\n{:<14} {:>12} {:>12} {:>14} {:>12} MB/s",
        "1 MB of", "o200k_base", "cl100k_base", "p50k_base", "r50k_base"
    );
    for (name, text) in texts() {
        print!("{name:<14}");
        for encoding in encodings {
            tokenizers.count(encoding, "a");
            let best = (0..RUNS)
                .map(|_| {
                    let begin = Instant::now();
                    black_box(tokenizers.count(encoding, &text));
                    begin.elapsed().as_secs_f64()
                })
                .fold(f64::INFINITY, f64::min);
            print!(" {:>12.1}", text.len() as f64 / best / 1e6);
        }
        println!();
    }
}
