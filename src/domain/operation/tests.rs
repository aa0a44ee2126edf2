use super::*;

#[test]
fn operations_are_recognised_by_the_end_of_the_path() {
    for (path, expected) in [
        ("/v1/chat/completions", Some(Operation::ChatCompletions)),
        ("/chat/completions", Some(Operation::ChatCompletions)),
        ("//v1//chat/completions", Some(Operation::ChatCompletions)),
        ("/v1/v1/chat/completions", Some(Operation::ChatCompletions)),
        (
            "/openai/deployments/my-gpt/chat/completions",
            Some(Operation::ChatCompletions),
        ),
        ("/v1/completions", Some(Operation::Completions)),
        ("/completions", Some(Operation::Completions)),
        ("/v1/fim/completions", Some(Operation::Completions)),
        ("/v1/completions/cmpl_1", None),
        ("/v1/images/edits", Some(Operation::Images)),
        ("/v1/edits", None),
        ("/v1/audio/transcriptions", Some(Operation::Transcriptions)),
        ("/v1/audio/translations", Some(Operation::Translations)),
        ("/v1/audio/speech", Some(Operation::Speech)),
        ("/v1/moderations", Some(Operation::Moderations)),
        ("/v1/files", None),
        ("/", None),
        ("/complete", Some(Operation::Complete)),
        ("/v1/complete", Some(Operation::Complete)),
        ("/semantic_embed", Some(Operation::Embed)),
        ("/ml/v1/text/embeddings", Some(Operation::Embed)),
        ("/api/v0/chat/completions", Some(Operation::ChatCompletions)),
        ("/api/v1/chat", Some(Operation::LmStudioChat)),
        ("/v1/agents/completions", Some(Operation::Completions)),
        ("/v1/conversations", None),
        ("/v1/ocr", Some(Operation::Ocr)),
        ("/api/v1/images", Some(Operation::Images)),
        ("/v1/multimodalembeddings", Some(Operation::Embeddings)),
        ("/v1/models/meta/llama-3/predictions", Some(Operation::Prediction)),
        ("/v1/predictions/abc/cancel", None),
        (
            "/serving-endpoints/my-llama/invocations",
            Some(Operation::ChatCompletions),
        ),
        (
            "/client/v4/accounts/1/ai/run/@cf/meta/llama-3",
            Some(Operation::ChatCompletions),
        ),
        (
            "/client/v4/accounts/1/ai/v1/chat/completions",
            Some(Operation::ChatCompletions),
        ),
        (
            "/api/v2/cortex/inference:complete",
            Some(Operation::ChatCompletions),
        ),
        ("/api/v2/cortex/inference:embed", Some(Operation::Embeddings)),
        ("/api/v2/cortex/v1/messages", Some(Operation::Messages)),
        ("/studio/v1/chat/completions", Some(Operation::ChatCompletions)),
        ("/tokenize", None),
        ("/v1/responses/compact", Some(Operation::CompactResponse)),
        ("/v1/responses", Some(Operation::Responses)),
        ("/v1/responses/", Some(Operation::Responses)),
        ("/v1/responses/input_tokens", None),
        ("/v1/responses/resp_1/cancel", Some(Operation::RetrieveResponse)),
        ("/v1/threads/runs", Some(Operation::Runs)),
        ("/v1/threads/thread_1/runs", Some(Operation::Runs)),
        ("/v1/threads/t/runs/run_1", Some(Operation::RetrieveRun)),
        (
            "/v1/threads/t/runs/run_1/submit_tool_outputs",
            Some(Operation::RetrieveRun),
        ),
        ("/v1/threads/t/runs/run_1/cancel", Some(Operation::RetrieveRun)),
        ("/v1/threads/t/messages", None),
        ("/v1/fine_tuning/jobs", None),
        ("/v1/batches", None),
        ("/v1/embeddings", Some(Operation::Embeddings)),
        ("/api/chat", Some(Operation::OllamaChat)),
        ("/api/generate", Some(Operation::OllamaGenerate)),
        ("/api/embed", Some(Operation::OllamaEmbed)),
        ("/api/embeddings", Some(Operation::OllamaEmbed)),
        ("/api/v1/embeddings", Some(Operation::Embeddings)),
        ("/api/tags", None),
        ("/api/pull", None),
        ("/v1/chat", Some(Operation::CohereChat)),
        ("/v2/chat", Some(Operation::CohereChat)),
        ("/chat", None),
        ("/v1/generate", Some(Operation::CohereGenerate)),
        ("/v1/embed", Some(Operation::CohereEmbed)),
        ("/v2/rerank", Some(Operation::Rerank)),
        ("/v1/tokenize", None),
        ("/model/nova%3A0/converse", Some(Operation::Converse)),
        ("/model/nova/converse-stream", Some(Operation::ConverseStream)),
        ("/model/a%2Fb/invoke", Some(Operation::Invoke)),
        (
            "/model/nova/invoke-with-response-stream",
            Some(Operation::InvokeStream),
        ),
        ("/model/nova/count-tokens", None),
        ("/model/nova/async-invoke", None),
        (
            "/v1/projects/p/locations/l/publishers/anthropic/models/c@1:streamRawPredict",
            Some(Operation::RawPredict),
        ),
        (
            "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict",
            None,
        ),
        (
            "/v1/projects/p/locations/l/publishers/mistralai/models/m:rawPredict",
            Some(Operation::ChatCompletions),
        ),
        (
            "/v1/projects/p/locations/l/publishers/google/models/e:predict",
            Some(Operation::Predict),
        ),
        ("/ml/v1/text/generation_stream", Some(Operation::WatsonxText)),
        ("/ml/v1-beta/generation/text", Some(Operation::WatsonxText)),
        ("/ml/v1/text/chat_stream", Some(Operation::ChatCompletions)),
        ("/ml/v1/text/tokenization", None),
        ("/generate_stream", Some(Operation::TgiGenerate)),
        ("/completion", Some(Operation::LlamaCppCompletion)),
        ("/infill", Some(Operation::LlamaCppCompletion)),
        ("/v1/messages", Some(Operation::Messages)),
        ("/v1/messages/count_tokens", None),
        (
            "/v1beta/models/gemini-2.5-flash:generateContent",
            Some(Operation::GenerateContent),
        ),
        (
            "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
            Some(Operation::StreamGenerateContent),
        ),
        (
            "/v1internal:streamGenerateContent",
            Some(Operation::StreamGenerateContent),
        ),
        ("/v1beta/models/e-1:embedContent", Some(Operation::EmbedContent)),
        (
            "/v1beta/models/e-1:batchEmbedContents",
            Some(Operation::BatchEmbedContents),
        ),
        ("/v1beta/models/e-1:asyncBatchEmbedContent", None),
        ("/v1beta/interactions", Some(Operation::Interactions)),
        (
            "/v1beta/interactions/v1_1/cancel",
            Some(Operation::RetrieveInteraction),
        ),
        ("/v1internal:countTokens", None),
        ("/v1internal:loadCodeAssist", None),
        ("/v1beta/models/gemini-2.5-flash:countTokens", None),
        ("/v1/models", None),
        ("", None),
    ] {
        assert_eq!(Operation::detect("POST", path), expected, "{path}");
    }
}

#[test]
fn what_was_made_before_is_fetched_by_its_id() {
    for (path, expected) in [
        ("/v1/responses/resp_1", Some(Operation::RetrieveResponse)),
        ("/responses/resp_1/", Some(Operation::RetrieveResponse)),
        ("/openai/v1/responses/resp_1", Some(Operation::RetrieveResponse)),
        ("/v1/responses/resp_1/input_items", None),
        ("/v1/responses", None),
        ("/v1/threads/t/runs/run_1", Some(Operation::RetrieveRun)),
        ("/v1/threads/t/runs", None),
        ("/v1/threads/t/runs/run_1/steps", None),
        ("/v1/threads/t/runs/run_1/steps/step_1", None),
        ("/v1/fine_tuning/jobs/job_1", None),
        ("/v1beta/interactions/v1_1", Some(Operation::RetrieveInteraction)),
        ("/v1/files/file_1/content", Some(Operation::BatchResults)),
        ("/v1/files/file_1", None),
        ("/v1/batches/batch_1", None),
        (
            "/v1/messages/batches/msgbatch_1/results",
            Some(Operation::BatchResults),
        ),
        ("/v1/messages/batches/msgbatch_1", None),
        ("/v1/chat/completions", None),
        ("/v1/chat/completions/chatcmpl_1", None),
        ("/", None),
        ("", None),
    ] {
        assert_eq!(Operation::detect("GET", path), expected, "{path}");
        assert!(expected.is_none_or(Operation::is_fetch), "{path}");
    }
    assert_eq!(Operation::detect("DELETE", "/v1/responses/resp_1"), None);
    let results = Operation::BatchResults;
    assert_eq!(results.fetched_id("/v1/files/file_1/content"), Some("file_1"));
    assert_eq!(results.fetched_id("/v1/messages/batches/b/results"), Some("b"));
    assert_eq!(Operation::RetrieveResponse.fetched_id("/v1/responses/r"), None);
}

#[test]
fn some_operations_are_one_servers_own() {
    for (api, path, expected) in [
        (OwnApi::Tgi, "/", Some(Operation::TgiGenerate)),
        (OwnApi::Tgi, "//", Some(Operation::TgiGenerate)),
        (OwnApi::Tgi, "/v1/conversations", None),
        (OwnApi::Mistral, "/", None),
        (
            OwnApi::Mistral,
            "/v1/conversations",
            Some(Operation::Conversations),
        ),
        (
            OwnApi::Mistral,
            "//v1/conversations/conv_1/",
            Some(Operation::Conversations),
        ),
        (
            OwnApi::Mistral,
            "/v1/conversations/conv_1/restart",
            Some(Operation::Conversations),
        ),
        (OwnApi::Mistral, "/v1/conversations/conv_1/history", None),
        (OwnApi::Mistral, "/v1/conversations/conv_1/restart/x", None),
        (OwnApi::Mistral, "/v1/agents", None),
    ] {
        assert_eq!(api.detect("POST", path), expected, "{path}");
        assert_eq!(api.detect("GET", path), None);
    }
}

#[test]
fn other_platforms_name_theirs_in_the_path_too() {
    for (operation, path, expected) in [
        (
            Operation::ChatCompletions,
            "/serving-endpoints/my-llama/invocations",
            Some("my-llama"),
        ),
        (
            Operation::ChatCompletions,
            "/client/v4/accounts/1/ai/run/@cf/meta/llama-3",
            Some("@cf/meta/llama-3"),
        ),
        (
            Operation::ChatCompletions,
            "/api/v2/cortex/inference:complete",
            None,
        ),
        (
            Operation::Prediction,
            "/v1/models/meta/llama-3/predictions",
            Some("meta/llama-3"),
        ),
        (Operation::Prediction, "/v1/deployments/me/mine/predictions", None),
        (Operation::Prediction, "/v1/predictions", None),
    ] {
        assert_eq!(operation.model_in_path(path), expected, "{path}");
    }
}

#[test]
fn operations_over_a_websocket_are_recognised_by_the_end_of_the_path() {
    for (path, expected) in [
        ("/v1/realtime", Some(Operation::Realtime)),
        ("/realtime", Some(Operation::Realtime)),
        ("/openai/v1/realtime/", Some(Operation::Realtime)),
        ("/voice-live/realtime", Some(Operation::Realtime)),
        ("/v1/realtime/client_secrets", None),
        ("/v1/responses", Some(Operation::Responses)),
        ("/v1/chat/completions", None),
        (
            "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
            Some(Operation::Live),
        ),
        (
            "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained",
            Some(Operation::Live),
        ),
        (
            "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent",
            Some(Operation::Live),
        ),
        ("/ws", None),
        ("", None),
    ] {
        assert_eq!(Operation::detect_upgrade("GET", path), expected, "{path}");
    }
}

#[test]
fn gemini_names_its_model_in_the_path() {
    let operation = Operation::GenerateContent;
    assert_eq!(
        operation.model_in_path("/v1beta/models/gemini-2.5-flash:generateContent"),
        Some("gemini-2.5-flash")
    );
    assert_eq!(operation.model_in_path("/v1beta/models/:generateContent"), None);
    assert_eq!(operation.model_in_path("/v1internal:generateContent"), None);
    assert_eq!(
        Operation::Embeddings.model_in_path("/openai/deployments/my-vec/embeddings"),
        Some("my-vec")
    );
    assert_eq!(
        Operation::ChatCompletions.model_in_path("/v1/chat/completions"),
        None
    );
    assert_eq!(
        Operation::RawPredict.model_in_path("/v1/publishers/anthropic/models/c@1:rawPredict"),
        Some("c@1")
    );
    assert_eq!(
        Operation::Converse.model_in_path("/model/arn%3Aaws%2Fx/converse"),
        Some("arn%3Aaws%2Fx")
    );
    assert_eq!(Operation::Messages.model_in_path("/v1/messages"), None);
}

#[test]
fn names_and_serde_agree() {
    for &operation in Operation::ALL {
        assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
        assert_eq!(Operation::from_name(operation.name()), Some(operation));
    }
}
