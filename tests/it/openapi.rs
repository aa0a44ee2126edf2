//! The API's description holds what the API does.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post;
use crate::support::upstream::{Script, Upstream};

/// An operation: its path, its method and its description.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap();
        methods
            .iter()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    operations.collect()
}

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

#[tokio::test]
async fn every_route_is_described_and_no_other() {
    let (_upstream, app) = started().await;
    let document = app.get("/api/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    // The router is made of what is described; what goes around that has to be named here.
    let source = include_str!("../../src/api/mod.rs");
    let around: BTreeSet<&str> = source
        .split(".route(")
        .skip(1)
        .map(|call| call.split(',').next().unwrap().trim())
        .collect();
    assert_eq!(around, BTreeSet::from(["\"/api/\"", "sign_in::PATH", "ws_path"]));
    let described = operations(&document);
    assert!(described.len() >= 30, "{}", described.len());
    let ids: BTreeSet<_> = described
        .iter()
        .map(|(.., operation)| operation["operationId"].as_str())
        .collect();
    assert_eq!(ids.len(), described.len(), "an operation's id is its own");
    assert!(ids.contains(&Some("getSessionsByIdTokens")), "{ids:?}");
    for (path, method, operation) in described {
        assert!(operation["summary"].is_string(), "{method} {path}");
        let method = method.to_uppercase();
        let path = path.replace("{id}", "x").replace("{rule}", "x");
        let reply = app.api(&method, &path, "", "").await;
        let said = String::from_utf8_lossy(&reply.body);
        assert!(
            reply.head.status() != 405 && !said.contains("there is no /"),
            "{method} {path}: {said}"
        );
    }
}

#[tokio::test]
async fn the_described_parameters_are_those_that_are_read() {
    let (_upstream, app) = started().await;
    let session = app.session("s").await;
    let document = app.get("/api/openapi.json").await;
    let mut checked = 0;
    for (path, method, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let described: BTreeSet<&str> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let place = format!("{}?nonsense=1", path.replace("{id}", &session));
        let reply = app.api(&method.to_uppercase(), &place, "", "").await;
        let Some(detail) = serde_json::from_slice::<Value>(&reply.body)
            .ok()
            .and_then(|problem| problem["detail"].as_str().map(str::to_owned))
        else {
            assert!(described.is_empty(), "{path} reads none");
            continue;
        };
        let Some((_, read)) = detail.split_once("there are: ") else {
            assert!(described.is_empty(), "{path}: {detail}");
            continue;
        };
        let read: BTreeSet<&str> = read.split(", ").filter(|name| !name.is_empty()).collect();
        assert_eq!(described, read, "{path}");
        checked += 1;
    }
    assert!(checked >= 9, "{checked}");
}

#[tokio::test]
async fn the_types_have_the_fields_that_the_dashboards_have() {
    let (_upstream, app) = started().await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let document = app.get("/api/openapi.json").await;
    let schemas = &document["components"]["schemas"];
    let generated = include_str!("../../dashboard/src/api/types.gen.ts");
    let mut checked = 0;
    for declaration in generated.split("export type ").skip(1) {
        let (name, rest) = declaration.split_once(" = ").unwrap();
        let Some(fields) = schemas[name]["properties"].as_object() else {
            continue;
        };
        let described: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(described, typescript_fields(rest), "{name}");
        checked += 1;
    }
    assert!(checked >= 25, "{checked}");
    let row = app.row().await;
    let told: BTreeSet<&String> = row.as_object().unwrap().keys().collect();
    let described: BTreeSet<&String> = schemas["CallView"]["properties"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(told, described);
}

/// The names of an object type's own fields: what stands before a colon, outside of comments and inner braces.
fn typescript_fields(text: &str) -> BTreeSet<&str> {
    let mut fields = BTreeSet::new();
    let mut depth = 0;
    let mut rest = text;
    let mut name_from = 0;
    while let Some(letter) = rest.chars().next() {
        let at = text.len() - rest.len();
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").unwrap().1;
            name_from = text.len() - rest.len();
            continue;
        }
        match letter {
            '{' | '<' => depth += 1,
            '}' | '>' => depth -= 1,
            ':' if depth == 1 => {
                // A name with a `?` may be left out.
                fields.insert(text.get(name_from..at).unwrap().trim().trim_end_matches('?'));
            }
            _ => {}
        }
        if matches!(letter, '{' | ',' | ';') && depth == 1 {
            name_from = at + 1;
        }
        if letter == '}' && depth == 0 {
            break;
        }
        rest = rest.get(letter.len_utf8()..).unwrap();
    }
    fields
}

#[tokio::test]
async fn the_description_points_nowhere_and_loads_nothing_from_elsewhere() {
    let (_upstream, app) = started().await;
    for (path, root) in [
        ("/api/openapi.json", "/components/schemas"),
        ("/api/ws-schema.json", "/$defs"),
    ] {
        let document = app.get(path).await;
        let text = document.to_string();
        let references: BTreeSet<&str> = text
            .split("\"$ref\":\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert!(references.len() >= 20, "{path}: {references:?}");
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(pointer.starts_with(root), "{reference}");
            assert!(document.pointer(pointer).is_some(), "{path}: {reference}");
        }
    }
    for path in ["/api/docs", "/api/docs/page.css", "/api/docs/page.js"] {
        let reply = app.api("GET", path, "", "").await;
        assert_eq!(reply.head.status(), 200, "{path}");
        let policy = reply.head.get("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self'"), "{policy}");
        let text = String::from_utf8_lossy(&reply.body);
        for foreign in [
            "http:", "https:", "url(", "@import", "style=", "<script>", "onload=",
        ] {
            assert!(!text.contains(foreign), "{path}: {foreign}");
        }
    }
}
