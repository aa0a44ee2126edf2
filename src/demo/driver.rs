//! Makes calls through the proxy, as several tools of a developer at work would.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type HttpClient = Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>;

/// A tool, and the calls that it makes.
#[derive(Clone, Copy)]
struct Tool {
    agent: &'static str,
    conversation: Option<(&'static str, &'static str)>,
    path: &'static str,
    model: &'static str,
    streams: bool,
    /// How long its prompts are at first, in bytes; they grow as its conversation does.
    prompt: usize,
    /// Seconds between its calls, at least and at most.
    pause: (u64, u64),
}

const TOOLS: [Tool; 5] = [
    Tool {
        agent: "claude-cli/2.1.0 (external, cli)",
        conversation: Some(("x-claude-code-session-id", "8d1f6a52-demo-4a11")),
        path: "/anthropic/v1/messages?beta=true",
        model: "claude-sonnet-4-5",
        streams: true,
        prompt: 24_000,
        pause: (1, 4),
    },
    Tool {
        agent: "codex_cli_rs/0.60.0 (Linux)",
        conversation: Some(("session_id", "0193-demo-codex")),
        path: "/openai/v1/responses",
        model: "gpt-5-mini",
        streams: true,
        prompt: 16_000,
        pause: (2, 6),
    },
    Tool {
        agent: "OpenAI/Python 2.8.0",
        conversation: None,
        path: "/openai/v1/chat/completions",
        model: "gpt-4o-mini",
        streams: true,
        prompt: 2_000,
        pause: (3, 8),
    },
    Tool {
        agent: "google-genai-sdk/1.50.0 gl-python/3.12",
        conversation: None,
        path: "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        model: "gemini-2.5-flash",
        streams: true,
        prompt: 6_000,
        pause: (4, 9),
    },
    Tool {
        agent: "OpenAI/Python 2.8.0",
        conversation: None,
        path: "/openai/v1/embeddings",
        model: "text-embedding-3-small",
        streams: false,
        prompt: 9_000,
        pause: (8, 15),
    },
];

/// Makes calls until the task is dropped.
pub async fn drive(proxy: SocketAddr) {
    let client: HttpClient = Client::builder(TokioExecutor::new()).build_http();
    let mut tools = JoinSet::new();
    for tool in TOOLS {
        tools.spawn(work(client.clone(), proxy, tool));
    }
    while tools.join_next().await.is_some() {}
}

async fn work(client: HttpClient, proxy: SocketAddr, tool: Tool) {
    let mut turn = 0_usize;
    loop {
        let (least, most) = tool.pause;
        let pause = if turn == 0 {
            fastrand::u64(0..1500)
        } else {
            fastrand::u64(least * 1000..most * 1000)
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        turn += 1;
        if let Err(error) = call(&client, proxy, tool, turn).await {
            tracing::debug!(error, "demo call failed");
        }
    }
}

async fn call(client: &HttpClient, proxy: SocketAddr, tool: Tool, turn: usize) -> Result<(), String> {
    let mut request = Request::post(format!("http://{proxy}{}", tool.path))
        .header("content-type", "application/json")
        .header("user-agent", tool.agent)
        .header("authorization", "Bearer demo");
    if let Some((name, id)) = tool.conversation {
        request = request.header(name, id);
    }
    let scenario = match fastrand::u8(0..100) {
        0..3 => Some("rate-limited"),
        3..6 => Some("overloaded"),
        _ => None,
    };
    if let Some(scenario) = scenario {
        request = request.header("x-demo-scenario", scenario);
    }
    // A conversation grows with every turn, until its tool compacts it.
    let prompt = "word ".repeat((tool.prompt + tool.prompt / 8 * (turn % 12)) / 5 + fastrand::usize(0..40));
    let body = Bytes::from(body(tool, &prompt).to_string());
    let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    let mut response = client.request(request).await.map_err(|error| error.to_string())?;
    // Now and then somebody presses Escape.
    let mut left = if fastrand::u8(0..100) < 3 { 12 } else { usize::MAX };
    while let Some(frame) = response.body_mut().frame().await {
        frame.map_err(|error| error.to_string())?;
        left -= 1;
        if left == 0 {
            break;
        }
    }
    Ok(())
}

fn body(tool: Tool, prompt: &str) -> Value {
    let message = json!([{ "role": "user", "content": prompt }]);
    if tool.path.contains("/gemini/") {
        json!({ "contents": [{ "role": "user", "parts": [{ "text": prompt }] }] })
    } else if tool.path.contains("/embeddings") {
        json!({ "model": tool.model, "input": prompt })
    } else if tool.path.contains("/responses") {
        json!({ "model": tool.model, "input": prompt, "stream": tool.streams })
    } else if tool.path.contains("/messages") {
        json!({ "model": tool.model, "max_tokens": 1024, "messages": message, "stream": tool.streams })
    } else {
        json!({ "model": tool.model, "messages": message, "stream": tool.streams })
    }
}
