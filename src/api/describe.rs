//! The description of the API: OpenAPI 3.1 from the handlers and their types, the WebSocket's messages as JSON Schema,
//! and a page to read it.
//!
//! The router is made of the same list as the document, so that a route cannot be missing from it. What a handler
//! reads from its query by hand is described by the types here, and a test holds both against each other.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AdditionalProperties, SchemaType};
use utoipa::openapi::{
    ArrayBuilder, ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, Type,
};
use utoipa::{IntoParams, OpenApi, PartialSchema, ToSchema};

use super::ApiState;
use super::cached::tagged;
use super::error::Problem;
use super::report::Entry;
use super::ws::ClientMessage;
use crate::config::Settings;
use crate::domain::alert::{Rule, Severity};
use crate::domain::call::{Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::session::CallsFate;
use crate::domain::wire::{HeatmapKind, ServerMessage};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Moonlock",
        description = "Everything the dashboard knows. camelCase; integers with the unit in the name; times in UTC epoch \
                       milliseconds, money in billionths of a US dollar; `null` is \"not known\". What the WebSocket says \
                       stands in /api/ws-schema.json."
    ),
    components(schemas(Problem<'static>, ServerMessage, ClientMessage))
)]
struct Base;

/// Which settings a request changes, and to what.
pub(super) struct SettingsPatch;

impl PartialSchema for SettingsPatch {
    fn schema() -> RefOr<Schema> {
        let kind = |default: &Value| match default {
            Value::Bool(_) => Type::Boolean,
            Value::Number(_) => Type::Integer,
            Value::Array(_) => Type::Array,
            _ => Type::String,
        };
        let patch = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let patch = Settings::changeable().fold(patch, |patch, (name, meaning, default)| {
            let kinds = SchemaType::from_iter([kind(&default), Type::Null]);
            let setting: RefOr<Schema> = match default.get(0) {
                Some(element) => ArrayBuilder::new()
                    .schema_type(kinds)
                    .items(ObjectBuilder::new().schema_type(kind(element)))
                    .description(Some(meaning))
                    .into(),
                None => ObjectBuilder::new()
                    .schema_type(kinds)
                    .description(Some(meaning))
                    .into(),
            };
            patch.property(name, setting)
        });
        let kinds = SchemaType::from_iter([Type::Array, Type::Null]);
        let prices = ObjectBuilder::new()
            .schema_type(kinds)
            .description(Some("All prices of your own, as `[[prices]]` has them."));
        patch.property("prices", prices).into()
    }
}

impl ToSchema for SettingsPatch {}

/// A page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub(super) struct Paging {
    /// How many rows at most; 50 if left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
    /// The `next` of the page before.
    #[param(format = "uuid")]
    cursor: Option<String>,
}

/// Which calls.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes parameters")]
pub(super) struct CallFilters {
    /// The mount's name.
    provider: Option<String>,
    /// The model that answered, or the requested one.
    model: Option<String>,
    /// How it ended.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// Where its numbers came from.
    #[param(inline)]
    source: Option<Source>,
    /// The operation.
    #[param(inline)]
    operation: Option<Operation>,
    /// The client's own thread.
    conversation: Option<String>,
    /// The agent inside that thread.
    agent: Option<String>,
    /// The program that made it.
    client: Option<String>,
    /// The provider's HTTP status, such as `429`, or a class of them, such as `4xx`.
    #[param(pattern = "^([1-5]xx|[1-5][0-9][0-9])$")]
    status: Option<String>,
    /// It cost at least so much.
    min_cost_nano_usd: Option<i64>,
    /// It cost at most so much.
    max_cost_nano_usd: Option<i64>,
    /// It used at least so many tokens in all.
    #[param(minimum = 0)]
    min_tokens: Option<u64>,
    /// It used at most so many.
    #[param(minimum = 0)]
    max_tokens: Option<u64>,
    /// A part of the model's, the operation's or the client's name, in any case.
    #[param(max_length = 200)]
    search: Option<String>,
    /// Began at or after this moment; UTC epoch milliseconds.
    from: Option<i64>,
    /// Began before this moment; UTC epoch milliseconds.
    to: Option<i64>,
}

/// Which sessions, and in what order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub(super) struct SessionFilters {
    /// How many rows at most; 50 if left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
    /// The `next` of the page before, asked for in the same order.
    cursor: Option<String>,
    /// A part of the name, of a tag or of the note, in any case.
    #[param(max_length = 200)]
    search: Option<String>,
    /// A whole tag, in any case.
    #[param(max_length = 200)]
    tag: Option<String>,
    /// An id, or its beginning.
    #[param(max_length = 36)]
    id: Option<String>,
    /// Where they stand: `active`, `paused` or `completed`, or several of them with commas between them.
    #[param(
        pattern = "^(active|paused|completed)(,(active|paused|completed)){0,2}$",
        example = "active,paused"
    )]
    status: Option<String>,
    /// Began at or after this moment; UTC epoch milliseconds.
    from: Option<i64>,
    /// Began before this moment; UTC epoch milliseconds.
    to: Option<i64>,
    /// By what they are sorted; `started` if left out.
    #[param(inline)]
    sort: Option<SessionSort>,
    /// `desc` (the largest, or newest, first) if left out.
    #[param(inline)]
    order: Option<Order>,
}

/// By what sessions are sorted.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes parameters")]
pub(super) enum SessionSort {
    Started,
    Tokens,
    Cost,
    Duration,
}

/// Which comes first.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes parameters")]
pub(super) enum Order {
    Desc,
    Asc,
}

/// What becomes of the calls of a session that is deleted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub(super) struct CallsOfDeleted {
    /// Whether its calls stay and belong to no session, or go with it.
    #[param(inline)]
    calls: CallsFate,
}

/// Which alerts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub(super) struct AlertFilters {
    /// What was watched.
    #[param(inline)]
    rule: Option<Rule>,
    /// How much it matters.
    #[param(inline)]
    severity: Option<Severity>,
    /// A session's id.
    #[param(format = "uuid")]
    session: Option<String>,
    /// Whether it stands, or is over.
    standing: Option<bool>,
    /// Raised at or after this moment; UTC epoch milliseconds.
    from: Option<i64>,
    /// Raised before this moment; UTC epoch milliseconds.
    to: Option<i64>,
}

/// In what form.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub(super) struct ExportFormat {
    /// `json` if left out.
    #[param(inline)]
    format: Option<Format>,
}

/// The form of an export.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes parameters")]
pub(super) enum Format {
    Json,
    Csv,
    Jsonl,
}

/// Of which calls, and by what, usage is summed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes parameters")]
pub(super) struct UsageFilters {
    /// The running period of the viewer's calendar; all time if left out.
    #[param(inline)]
    period: Option<Period>,
    /// Any of session, provider, model, client, conversation, operation, source, outcome, hour, day, weekday and hourOfDay, with
    /// commas between.
    group_by: Option<String>,
    /// A session's id, or `unassigned`.
    session: Option<String>,
    /// From this moment on; UTC epoch milliseconds.
    from: Option<i64>,
    /// Before this moment; UTC epoch milliseconds.
    to: Option<i64>,
    /// The viewer's zone, by its IANA name; the machine's if left out.
    time_zone: Option<String>,
}

/// Of which calls, and how it is laid out, what was used when is shown.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes parameters")]
pub(super) struct HeatmapFilters {
    /// A cell for each day, or for each hour of each weekday; `year` if left out.
    #[param(inline)]
    kind: Option<HeatmapKind>,
    /// A session's id, or `unassigned`.
    session: Option<String>,
    /// From this moment on, UTC epoch milliseconds; a year before the end if left out.
    from: Option<i64>,
    /// Before this moment, UTC epoch milliseconds; now if left out.
    to: Option<i64>,
    /// The viewer's zone, by its IANA name; the machine's if left out.
    time_zone: Option<String>,
}

/// A period of the viewer's calendar.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes parameters")]
pub(super) enum Period {
    Hour,
    Day,
    Week,
    Month,
    Year,
    All,
}

/// One report, or a list of up to 1,000 that counts whole or not at all.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes a body")]
pub(super) enum OneOrManyTokens {
    One(Box<Entry>),
    Many(Vec<Entry>),
}

/// The document, and the WebSocket's messages, written once when somebody asks.
static DOCUMENTS: LazyLock<(String, String)> = LazyLock::new(|| {
    let document = document();
    let messages = messages(&document);
    (document.to_string(), messages.to_string())
});

/// Where it can be read.
pub(super) fn routes() -> Router<ApiState> {
    const JSON: &str = "application/json";
    Router::new()
        .route("/openapi.json", get(|asked| file(asked, JSON, &DOCUMENTS.0)))
        .route(
            "/ws-schema.json",
            get(|asked| file(asked, "application/schema+json", &DOCUMENTS.1)),
        )
        .route(
            "/docs",
            get(|asked| file(asked, "text/html; charset=utf-8", include_str!("docs/page.html"))),
        )
        .route(
            "/docs/page.css",
            get(|asked| file(asked, "text/css; charset=utf-8", include_str!("docs/page.css"))),
        )
        .route(
            "/docs/page.js",
            get(|asked| {
                file(
                    asked,
                    "text/javascript; charset=utf-8",
                    include_str!("docs/page.js"),
                )
            }),
        )
}

async fn file(asked: HeaderMap, kind: &'static str, text: &'static str) -> Response {
    tagged(&asked, &Sha256::digest(text), || {
        let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
        (headers, text).into_response()
    })
}

fn document() -> Value {
    let described = super::resources().into_openapi();
    let mut document = Base::openapi().nest("/api", described);
    document.merge(super::beside_the_api().into_openapi());
    let problem = ResponseBuilder::new()
        .description("It was not carried out; the problem says why.")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(RefOr::Ref(Ref::from_schema_name("Problem"))))
                .build(),
        )
        .build();
    for (name, path) in &mut document.paths.paths {
        let operations = [
            ("get", &mut path.get),
            ("post", &mut path.post),
            ("put", &mut path.put),
            ("patch", &mut path.patch),
            ("delete", &mut path.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(operation_id(method, name));
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), RefOr::T(problem.clone()));
            if method == "post" {
                operation
                    .parameters
                    .get_or_insert_default()
                    .push(RefOr::T(idempotency_key()));
            }
        }
    }
    let mut document = serde_json::to_value(document).unwrap_or_default();
    forget_defaults(&mut document["components"]["schemas"]);
    document
}

/// Every `POST` can be said again.
fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Said again under the same key within 7 days, it is carried out once.",
        ))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(255)),
        ))
        .build()
}

/// A name that stands for one operation alone: `GET /api/sessions/{id}/tokens` is `getSessionsByIdTokens`.
fn operation_id(method: &str, path: &str) -> String {
    let mut id = method.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != "api") {
        if part.starts_with('{') {
            id.push_str("By");
        }
        for word in part.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            id.push_str(letters.as_str());
        }
    }
    id
}

/// What is left out of a change stays; the values that stand for that in the program are no defaults.
fn forget_defaults(schemas: &mut Value) {
    let fields = schemas.as_object_mut().into_iter().flatten();
    let fields = fields.filter_map(|(_, schema)| schema.get_mut("properties")?.as_object_mut());
    for field in fields.flat_map(|fields| fields.values_mut()) {
        if let Some(field) = field
            .as_object_mut()
            .filter(|field| field.get("default") == Some(&Value::Null))
        {
            field.remove("default");
        }
    }
}

/// JSON Schema (2020-12, as OpenAPI 3.1 has it) of what the WebSocket's ends say.
fn messages(document: &Value) -> Value {
    let schemas = document["components"]["schemas"].to_string();
    // A name's own text has no such path in it.
    let schemas = schemas.replace("#/components/schemas/", "#/$defs/");
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A message of Moonlock's WebSocket",
        "anyOf": [{"$ref": "#/$defs/ServerMessage"}, {"$ref": "#/$defs/ClientMessage"}],
        "$defs": serde_json::from_str::<Value>(&schemas).unwrap_or_default(),
    })
}
