//! Lays the vocabularies out as the program reads them (see table.rs).

#[path = "table.rs"]
mod table;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use tiktoken_rs::CoreBPE;

/// No vocabulary has so many tokens.
const RANKS: u32 = 210_000;

pub(crate) fn lay_out() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/meter/vocabulary/build.rs");
    println!("cargo::rerun-if-changed=src/meter/vocabulary/table.rs");
    let directory = env::var_os("OUT_DIR").ok_or("cargo names no output folder")?;
    for (name, vocabulary) in [
        ("o200k", tiktoken_rs::o200k_base()?),
        ("cl100k", tiktoken_rs::cl100k_base()?),
        ("p50k", tiktoken_rs::p50k_base()?),
        ("r50k", tiktoken_rs::r50k_base()?),
    ] {
        fs::write(Path::new(&directory).join(name), laid_out(&tokens(&vocabulary))?)?;
    }
    Ok(())
}

/// The tokens by their rank: those that text is made of, not the special ones. One that is left out is empty.
fn tokens(vocabulary: &CoreBPE) -> Vec<Vec<u8>> {
    let special: Vec<&[u8]> = vocabulary
        .special_tokens()
        .into_iter()
        .map(str::as_bytes)
        .collect();
    let mut tokens: Vec<Vec<u8>> = (0..RANKS)
        .map(|rank| vocabulary.decode_bytes(&[rank]).unwrap_or_default())
        .map(|token| {
            if special.contains(&&*token) {
                Vec::new()
            } else {
                token
            }
        })
        .collect();
    let count = tokens
        .iter()
        .rposition(|token| !token.is_empty())
        .map_or(0, |last| last + 1);
    tokens.truncate(count);
    tokens
}

fn laid_out(tokens: &[Vec<u8>]) -> Result<Vec<u8>, Box<dyn Error>> {
    let slots = (tokens.len() * 2).next_power_of_two();
    let mut words = vec![u32::try_from(tokens.len())?, u32::try_from(slots)?];
    let mut taken = vec![0_u32; slots];
    let mut bytes = Vec::new();
    for (rank, token) in (1_u32..).zip(tokens) {
        bytes.extend_from_slice(token);
        words.push(u32::try_from(bytes.len())?);
        if !token.is_empty() {
            let mut slot = table::hash(token) as usize & (slots - 1);
            while taken[slot] != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            taken[slot] = rank;
        }
    }
    words.append(&mut taken);
    let mut table: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    table.append(&mut bytes);
    Ok(table)
}
