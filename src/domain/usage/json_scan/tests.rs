use proptest::prelude::*;
use serde_json::Value;

use super::*;

const WANTS: &[Want<&str>] = &[
    text("usage", &["usage"]),
    text("nested", &["response", "usage"]),
    text("element", &["choices", "*", "usage"]),
    start("error", &["error"]),
    text("error.type", &["error", "type"]),
    text("star", &["deep", "*", "*", "x"]),
];

/// What a scan found, in a form that can be compared.
#[derive(Debug, Default, PartialEq)]
struct Scan {
    found: Vec<(&'static str, String)>,
    malformed: bool,
    end: Option<u64>,
}

fn scan<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Scan {
    let mut scanner = JsonScanner::new(WANTS);
    let mut found = Vec::new();
    for piece in pieces {
        scanner.push(piece, |key, value| {
            let value = match value {
                Found::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Found::Start(byte) => format!("starts {}", char::from(byte)),
                Found::TooLarge => "too large".to_owned(),
            };
            found.push((key, value));
        });
    }
    Scan {
        found,
        malformed: scanner.is_malformed(),
        end: scanner.end(),
    }
}

#[test]
fn wanted_values_are_found_wherever_the_text_is_cut() {
    for (json, expected) in [
        (
            r#"{"usage":{"a":[1,{"b":"}\"]"}]},"x":1}"#,
            vec![("usage", r#"{"a":[1,{"b":"}\"]"}]}"#)],
        ),
        (r#"{"usage":null}"#, vec![("usage", "null")]),
        (r#" { "usage" : 12.5e3 , "z" : [ ] } "#, vec![("usage", "12.5e3")]),
        (r#"{"usage":"\\"}"#, vec![("usage", r#""\\""#)]),
        (
            r#"{"x":{"usage":1},"response":{"usage":2,"y":{"usage":3}}}"#,
            vec![("nested", "2")],
        ),
        (
            r#"{"choices":[{"usage":1},{},[{"usage":9}],{"usage":2}]}"#,
            vec![("element", "1"), ("element", "2")],
        ),
        (
            r#"[{"usage":1},{"usage":2}]"#,
            vec![("usage", "1"), ("usage", "2")],
        ),
        (
            r#"{"error":{"type":"t","message":"m"}}"#,
            vec![("error", "starts {"), ("error.type", "\"t\"")],
        ),
        (r#"{"error":"text"}"#, vec![("error", "starts \"")]),
        (r#"{"deep":[[{"x":true}],[{"y":1}]]}"#, vec![("star", "true")]),
        (r#"{"\u0075sage":1,"us\"age":2,"usage":3}"#, vec![("usage", "3")]),
        ("{}", vec![]),
        ("[]", vec![]),
    ] {
        let whole = scan([json.as_bytes()]);
        let found: Vec<_> = whole
            .found
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        assert_eq!(found, expected, "{json}");
        assert!(!whole.malformed, "{json}");
        assert_eq!(whole.end, Some(json.trim_end().len() as u64 - 1), "{json}");
        assert_eq!(scan(json.as_bytes().chunks(1)), whole, "{json} byte by byte");
    }
}

#[test]
fn what_is_not_json_is_flagged_and_survived() {
    for json in [
        "{]",
        "[}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"usage\":}",
        "{\"a\":1 2}",
        "{} {}",
        "[1,,2]",
        "}",
        "nul{",
    ] {
        assert!(scan([json.as_bytes()]).malformed, "{json}");
        assert!(scan(json.as_bytes().chunks(1)).malformed, "{json} byte by byte");
    }
}

#[test]
fn a_value_that_is_too_large_is_dropped_and_said_to_be() {
    let json = format!(r#"{{"usage":"{}","error":1}}"#, "x".repeat(LARGEST_VALUE));
    let expected = [
        ("usage", "too large".to_owned()),
        ("error", "starts 1".to_owned()),
    ];
    assert_eq!(scan([json.as_bytes()]).found, expected);
    assert_eq!(scan(json.as_bytes().chunks(1000)).found, expected);
}

#[test]
fn depth_costs_nothing() {
    let depth = 1_000_000;
    let json = format!(r#"{{"x":{}{},"usage":1}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(scan([json.as_bytes()]).found, [("usage", "1".to_owned())]);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("usage".to_owned()),
        Just("response".to_owned()),
        Just("choices".to_owned()),
        Just("error".to_owned()),
        Just("type".to_owned()),
        Just("deep".to_owned()),
        Just("x".to_owned()),
        "[a-z\"\\\\{]{0,4}",
    ];
    let any_value = leaf.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::from(serde_json::Map::from_iter(map))),
        ]
    });
    any_value.prop_map(|value| match value {
        Value::Array(_) | Value::Object(_) => value,
        scalar => Value::from(vec![scalar]),
    })
}

/// What `serde_json` sees at the wanted paths, in the order of the text.
fn expected(document: &Value) -> Vec<(&'static str, Value)> {
    fn walk(value: &Value, path: &[&str], out: &mut Vec<Value>) {
        match (path, value) {
            ([], value) => out.push(value.clone()),
            (["*", rest @ ..], Value::Array(elements)) => elements.iter().for_each(|e| walk(e, rest, out)),
            ([key, rest @ ..], Value::Object(map)) => map.get(*key).iter().for_each(|v| walk(v, rest, out)),
            _ => {}
        }
    }
    let roots = document
        .as_array()
        .map_or(std::slice::from_ref(document), Vec::as_slice);
    let mut all = Vec::new();
    for want in WANTS.iter().filter(|want| want.take == Take::Text) {
        let mut out = Vec::new();
        roots.iter().for_each(|root| walk(root, want.path, &mut out));
        all.extend(out.into_iter().map(|value| (want.key, value)));
    }
    all
}

proptest! {
    #[test]
    fn agrees_with_serde_json(document in json(), cuts in prop::collection::vec(0_usize..400, 0..6)) {
        let bytes = serde_json::to_vec(&document).unwrap();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let scan = scan(cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]));
        prop_assert!(!scan.malformed);
        prop_assert_eq!(scan.end, Some(bytes.len() as u64 - 1));
        let mut found: Vec<(&str, Value)> = scan
            .found
            .iter()
            .filter(|(key, _)| *key != "error")
            .map(|(key, value)| (*key, serde_json::from_str(value).unwrap()))
            .collect();
        let order = |key: &str| WANTS.iter().position(|want| want.key == key);
        found.sort_by_key(|(key, _)| order(key));
        let reparsed: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(found, expected(&reparsed));
    }

    #[test]
    fn garbage_is_the_same_in_any_pieces(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(scan([bytes.as_slice()]), scan(bytes.chunks(1)));
    }

    #[test]
    fn near_json_is_the_same_in_any_pieces(text in r#"[{}\[\]",:\\ausge01 n]{0,60}"#, size in 1_usize..7) {
        prop_assert_eq!(scan([text.as_bytes()]), scan(text.as_bytes().chunks(size)));
    }
}
