//! Providers that do not speak like OpenAI: binary streams, lines of JSON, counts in headers, models in paths and forms.

use crate::support::app::{TestApp, assert_usage};
use crate::support::bodies::JSON;
use crate::support::client::{post, post_with};
use crate::support::upstream::{Script, Upstream};

#[tokio::test]
async fn bedrock_counts_in_headers_and_names_its_model_in_the_path() {
    let head = format!("{JSON}\nX-Amzn-Bedrock-Input-Token-Count: 16\nX-Amzn-Bedrock-Output-Token-Count: 11");
    let upstream = Upstream::start(move |_| Script::sized(&head, "{\"completion\":\" hi\"}")).await;
    let mut app = TestApp::start(upstream.address).await;
    app.ask(post("/bedrock/us-east-1/model/arn%3Aaws%2Fold-1/invoke", "{}"))
        .await;
    let row = app.ended().await;
    assert_eq!(
        (&row["provider"], &row["operation"]),
        (&"bedrock".into(), &"invoke".into())
    );
    assert_eq!(row["requestModel"], "arn:aws/old-1");
    assert_usage(
        &row,
        Some("exact"),
        [Some(16), None, None, Some(11), None, Some(27)],
    );
}

#[tokio::test]
async fn a_binary_stream_passes_as_it_is_and_is_read() {
    let stream: &[u8] = include_bytes!("../fixtures/bedrock/converse-usage-after-stop.bin");
    let head = "200 OK\ncontent-type: application/vnd.amazon.eventstream";
    let upstream = Upstream::start(move |_| Script::chunked(head, stream.chunks(17))).await;
    let mut app = TestApp::start(upstream.address).await;
    let reply = app
        .ask(post("/bedrock/eu-west-1/model/nova/converse-stream", "{}"))
        .await;
    assert_eq!(reply.body, stream);
    let row = app.ended().await;
    assert_eq!(row["outcome"], "complete");
    assert_usage(
        &row,
        Some("exact"),
        [Some(12), None, None, Some(34), None, Some(46)],
    );
}

#[tokio::test]
async fn lines_of_json_pass_as_they_are_and_are_read() {
    let lines: &[u8] = include_bytes!("../fixtures/ollama/stream.ndjson");
    let upstream = Upstream::start(move |_| {
        Script::chunked("200 OK\ncontent-type: application/x-ndjson", lines.chunks(50))
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let reply = app.ask(post("/ollama/api/chat", r#"{"model":"lla-3"}"#)).await;
    assert_eq!(reply.body, lines);
    let row = app.ended().await;
    assert_usage(
        &row,
        Some("exact"),
        [Some(17), None, None, Some(63), None, Some(80)],
    );
}

#[tokio::test]
async fn an_upload_names_its_model_in_a_form() {
    let text = r#"{"text":"Hi","usage":{"type":"duration","seconds":2}}"#;
    let upstream = Upstream::start(move |_| Script::sized(JSON, text)).await;
    let mut app = TestApp::start(upstream.address).await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--\r\n";
    app.ask(post_with(
        "/openai/v1/audio/transcriptions",
        "x-form: multipart/form-data; boundary=b",
        form,
    ))
    .await;
    let row = app.ended().await;
    assert_eq!(row["requestModel"], "whisper-1");
    assert_usage(&row, None, [None; 6]);
}
