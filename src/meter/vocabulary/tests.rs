use proptest::prelude::*;
use tiktoken_rs::CoreBPE;

use super::*;

const NAMES: [Name; 4] = [Name::O200k, Name::Cl100k, Name::P50k, Name::R50k];

fn theirs(name: Name) -> CoreBPE {
    match name {
        Name::O200k => tiktoken_rs::o200k_base(),
        Name::Cl100k => tiktoken_rs::cl100k_base(),
        Name::P50k => tiktoken_rs::p50k_base(),
        Name::R50k => tiktoken_rs::r50k_base(),
    }
    .unwrap()
}

fn is_as_theirs(vocabularies: &[(Vocabulary, CoreBPE)], text: &str) {
    for (ours, theirs) in vocabularies {
        let expected = theirs.count_ordinary(text) as u64;
        assert_eq!(ours.count(text), Some(expected), "{text:?}");
    }
}

fn both() -> Vec<(Vocabulary, CoreBPE)> {
    let pair = |name| (Vocabulary::new(name).unwrap(), theirs(name));
    NAMES.into_iter().map(pair).collect()
}

#[test]
fn every_token_has_its_rank_and_nothing_else_has_one() {
    for name in NAMES {
        let (tokens, theirs) = (Tokens::read(name.table()).unwrap(), theirs(name));
        let special = theirs.special_tokens();
        let mut found = 0;
        for rank in 0..210_000 {
            let Ok(bytes) = theirs.decode_bytes(&[rank]) else {
                continue;
            };
            let expected = (!special.iter().any(|token| token.as_bytes() == bytes)).then_some(rank);
            assert_eq!(tokens.rank(&bytes), expected, "{name:?}");
            found += usize::from(expected.is_some());
        }
        assert!(found > 50_000);
        assert_eq!(tokens.rank(b""), None);
        assert_eq!(tokens.rank("no token has so many words".as_bytes()), None);
    }
}

#[test]
fn texts_have_the_tokens_that_tiktoken_says() {
    let vocabularies = both();
    for text in [
        include_str!("../../../README.md"),
        include_str!("mod.rs"),
        include_str!("../../../config/moonlock.toml"),
        "I'll say IT'S they'RE 'tis DON'T\r\n\r\n  \t x  \n",
        "naïve café — déjà vu… 東京タワーは高い。Привет, мир! שלום עולם नमस्ते 안녕하세요 🇩🇪👩‍👩‍👧‍👦",
        "camelCaseAndHTTPServer2024 1234567 ½²Ⅷ a\u{301}\u{301} \u{200d}\u{a0}\u{3000}",
        "<|endoftext|><|im_start|>",
    ] {
        is_as_theirs(&vocabularies, text);
    }
    for unit in ["a", " ", "\n", "中", "\u{301}", "=-", "Ab1", "\t\n "] {
        is_as_theirs(&vocabularies, &unit.repeat(3_000));
    }
}

#[test]
fn any_text_has_the_tokens_that_tiktoken_says() {
    let vocabularies = both();
    let word = prop_oneof![
        3 => "[ a-zA-Z0-9'.,/\r\n\t]{0,12}",
        1 => "\\PC{0,8}",
        1 => prop::sample::select(vec!["'s", "'LL", "\u{85}", "\u{2028}", "ǅ", "ʰ", "ß", "İ", "٣", "\r\n", "  "]).prop_map(Into::into),
        1 => prop::collection::vec(any::<char>(), 0..6).prop_map(|chars| chars.into_iter().collect::<String>()),
    ];
    let text = prop::collection::vec(word, 0..40).prop_map(|words| words.concat());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(400));
    runner
        .run(&text, |text| {
            is_as_theirs(&vocabularies, &text);
            Ok(())
        })
        .unwrap();
}
