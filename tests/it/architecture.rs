//! Which room may import from which, held against the table of the design.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A room, and the rooms it may import from. What is not here is an unknown room.
const ROOMS: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("config", &["domain"]),
    ("store", &["domain"]),
    ("meter", &["domain"]),
    ("notify", &["domain"]),
    ("engine", &["domain", "store"]),
    ("listen", &[]),
    ("proxy", &["domain", "config", "meter", "engine", "listen"]),
    ("api", &["domain", "config", "engine", "store"]),
    ("demo", &["domain", "config"]),
    ("app", ALL),
    ("cli", ALL),
    ("main", ALL),
];

const ALL: &[&str] = &[
    "domain", "config", "store", "meter", "notify", "engine", "listen", "proxy", "api", "demo", "app", "cli",
];

/// What a pure room does not name.
const IMPURE: [&str; 10] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "SystemTime",
    "Instant",
    "tracing",
    "async fn",
    "println!",
];

struct Source {
    /// The path below `src`.
    name: String,
    /// The top-level room that the file is in.
    room: String,
    code: String,
}

/// The map, tests, and what runs before the program is compiled, are not.
fn is_of_the_program(name: &str) -> bool {
    let apart = ["lib.rs", "tests.rs", "build.rs"];
    name.ends_with(".rs") && !apart.iter().any(|end| name.ends_with(end))
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            if path.is_dir() {
                if !name.ends_with("tests") {
                    folders.push(path);
                }
            } else if is_of_the_program(&name) {
                let room = name.split(['/', '.']).next().unwrap().to_owned();
                let code = without_tests(&std::fs::read_to_string(&path).unwrap());
                sources.push(Source { name, room, code });
            }
        }
    }
    assert!(sources.len() > 50, "the sources were found");
    sources
}

/// The code alone: no comments, no texts, nothing that is compiled for tests only.
fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("#[cfg(test)]") || trimmed.starts_with("#[cfg(all(test") {
            skip_item(line, &mut lines);
        } else if !trimmed.starts_with("//") {
            let behind_code = line.split(" // ").next().unwrap();
            let outside_texts = behind_code.split('"').step_by(2);
            code.extend(outside_texts);
            code.push('\n');
        }
    }
    code
}

/// Skips the item behind an attribute: up to its semicolon, or the brace that closes it where it was opened.
fn skip_item<'a>(attribute: &str, lines: &mut impl Iterator<Item = &'a str>) {
    let indent = attribute.len() - attribute.trim_start().len();
    for line in lines {
        let is_outermost = line.len() - line.trim_start().len() == indent;
        if is_outermost && (line.ends_with(';') || line.ends_with('}') || line.ends_with(',')) {
            return;
        }
    }
}

/// The rooms that code names, by `use crate::room`, `use crate::{room, …}` or a path in line.
fn imports(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        let list = match path.strip_prefix('{') {
            Some(group) => top_level(group),
            None => vec![path],
        };
        for item in list {
            let name: String = item
                .trim_start()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            if !name.is_empty() {
                rooms.insert(name);
            }
        }
    }
    rooms
}

/// The items of a group of imports, without what is inside them.
fn top_level(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut items = Vec::new();
    let mut from = 0;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(group.get(from..at).unwrap());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(group.get(from..at).unwrap());
                from = at + 1;
            }
            _ => {}
        }
    }
    items
}

#[test]
fn rooms_import_only_what_the_design_lets_them() {
    let mut wrong = Vec::new();
    for Source { name, room, code } in sources() {
        let Some((_, may)) = ROOMS.iter().find(|(known, _)| *known == room) else {
            wrong.push(format!("src/{name}: `{room}` is no room of the design"));
            continue;
        };
        for import in imports(&code) {
            if import != room && !may.contains(&import.as_str()) {
                wrong.push(format!("src/{name} ({room}) imports {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_domain_is_pure() {
    let mut wrong = Vec::new();
    for source in sources().into_iter().filter(|source| source.room == "domain") {
        for (at, line) in source.code.lines().enumerate() {
            for word in IMPURE {
                if line.contains(word) {
                    wrong.push(format!("src/{}: {word} ({at}: {})", source.name, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn only_the_store_knows_sqlite_and_only_the_config_the_environment() {
    let mut wrong = Vec::new();
    for Source { name, room, code } in sources() {
        for (word, home) in [
            ("rusqlite", "store"),
            ("env::var", "config"),
            ("hyper::", "proxy"),
            ("axum::", "api"),
        ] {
            // The scripted provider of the demo is a server of its own.
            let serves = room == "demo" && matches!(home, "proxy" | "api");
            // The commands ask the running program over HTTP, and who listens speaks it.
            let asks = matches!(&*room, "cli" | "listen") && word == "hyper::";
            let allowed = room == home || serves || asks || (home == "api" && room == "app");
            if code.contains(word) && !allowed {
                wrong.push(format!("src/{name} names {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_check_itself_finds_what_it_looks_for() {
    let code = "use crate::store::Reader;\nuse crate::{api, domain::{self, ids}};\nlet x = crate::engine::build();\n\
                // crate::comment\nlet text = \"crate::text\";\n#[cfg(test)]\nmod tests {\n    use crate::proxy;\n}\nuse crate::meter::X;";
    let found: Vec<String> = imports(&without_tests(code)).into_iter().collect();
    assert_eq!(found, ["api", "domain", "engine", "meter", "store"]);
}
