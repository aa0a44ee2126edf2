//! Which of a provider's operations a request is, read from its method and path.

use serde::{Deserialize, Serialize};

/// Lists the operations once: the variant, and the name used in the API, the database and the exports.
macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// An operation whose replies are metered.
        ///
        /// Named as the provider names it; the host only says who answers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Operation {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Operation {
            /// Every operation, for lookups by name.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name used in the API, the database and the exports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

operations! {
    /// OpenAI `POST /chat/completions` and everything that speaks it.
    ChatCompletions = "chat.completions",
    /// OpenAI's older `POST /completions`, Mistral's `/fim/completions` and `/agents/completions`.
    Completions = "completions",
    /// OpenAI `POST /responses`.
    Responses = "responses",
    /// OpenAI `POST /responses/compact`, which uses tokens of its own.
    CompactResponse = "responses.compact",
    /// A response that was made before is fetched (`GET /responses/{id}`, streamed or not) or cancelled.
    RetrieveResponse = "responses.retrieve",
    /// OpenAI `POST /threads/{thread}/runs` and `/threads/runs`: an assistant runs.
    Runs = "threads.runs",
    /// A run is fetched (`GET /threads/{thread}/runs/{run}`), goes on with what its tools found, or is cancelled.
    RetrieveRun = "threads.runs.retrieve",
    /// A batch's results are fetched: OpenAI's and others' `GET /files/{id}/content`, Anthropic's
    /// `GET /messages/batches/{id}/results`.
    BatchResults = "batches.results",
    /// OpenAI `POST /embeddings`.
    Embeddings = "embeddings",
    /// OpenAI `POST /images/generations`, `/images/edits` and `/images/variations`.
    Images = "images",
    /// OpenAI `POST /audio/transcriptions`.
    Transcriptions = "audio.transcriptions",
    /// OpenAI `POST /audio/translations`.
    Translations = "audio.translations",
    /// OpenAI `POST /audio/speech`.
    Speech = "audio.speech",
    /// OpenAI `POST /moderations`.
    Moderations = "moderations",
    /// Anthropic `POST /messages`.
    Messages = "messages",
    /// Gemini `POST /models/{model}:generateContent`.
    GenerateContent = "generateContent",
    /// Gemini `POST /models/{model}:streamGenerateContent`.
    StreamGenerateContent = "streamGenerateContent",
    /// A turn, or a transcription, of a realtime session over a WebSocket: OpenAI `/realtime`, and who speaks it.
    Realtime = "realtime",
    /// A turn of a Gemini Live session over a WebSocket (`BidiGenerateContent`).
    Live = "live",
    /// Gemini `POST /models/{model}:embedContent`.
    EmbedContent = "embedContent",
    /// Gemini `POST /models/{model}:batchEmbedContents`.
    BatchEmbedContents = "batchEmbedContents",
    /// Gemini `POST /interactions`.
    Interactions = "interactions",
    /// An interaction that was begun before is fetched (`GET /interactions/{id}`) or cancelled.
    RetrieveInteraction = "interactions.retrieve",
    /// Ollama `POST /api/chat`.
    OllamaChat = "ollama.chat",
    /// Ollama `POST /api/generate`.
    OllamaGenerate = "ollama.generate",
    /// Ollama `POST /api/embed` and the older `/api/embeddings`.
    OllamaEmbed = "ollama.embed",
    /// Cohere `POST /v1/chat` and `/v2/chat`.
    CohereChat = "cohere.chat",
    /// Cohere `POST /v1/generate`.
    CohereGenerate = "cohere.generate",
    /// Cohere `POST /v1/embed` and `/v2/embed`.
    CohereEmbed = "cohere.embed",
    /// Cohere's and others' `POST /rerank`.
    Rerank = "rerank",
    /// Bedrock `POST /model/{id}/converse`.
    Converse = "converse",
    /// Bedrock `POST /model/{id}/converse-stream`.
    ConverseStream = "converse-stream",
    /// Bedrock `POST /model/{id}/invoke`, in the model's own format.
    Invoke = "invoke",
    /// Bedrock `POST /model/{id}/invoke-with-response-stream`.
    InvokeStream = "invoke-with-response-stream",
    /// Vertex AI `POST …/publishers/anthropic/models/{model}:rawPredict` and `:streamRawPredict`.
    RawPredict = "rawPredict",
    /// Vertex AI `POST …/models/{model}:predict`.
    Predict = "predict",
    /// watsonx `POST /ml/v1/text/generation` and `generation_stream`.
    WatsonxText = "watsonx.text",
    /// Text Generation Inference `POST /generate`, `/generate_stream` and `/`.
    TgiGenerate = "tgi.generate",
    /// llama.cpp `POST /completion` and `/infill`.
    LlamaCppCompletion = "llamacpp.completion",
    /// Aleph Alpha's `POST /complete`, and Anthropic's `/v1/complete` before there were messages.
    Complete = "complete",
    /// Aleph Alpha's `POST /embed` and `/semantic_embed`, Text Embeddings Inference's `/embed`, watsonx's
    /// `/ml/v1/text/embeddings` and `/ml/v1/text/rerank`.
    Embed = "embed",
    /// LM Studio's own `POST /api/v1/chat`.
    LmStudioChat = "lmstudio.chat",
    /// Mistral's `POST /conversations`, and what is appended to one.
    Conversations = "conversations",
    /// Mistral's `POST /ocr`.
    Ocr = "ocr",
    /// Replicate's `POST …/predictions`.
    Prediction = "prediction",
    /// Tokens that the user reported by hand.
    Manual = "manual",
}

/// An API of a server's own, some paths of which mean something else with other servers, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnApi {
    /// Mistral: `/conversations` are OpenAI's too, where they use nothing.
    Mistral,
    /// Text Generation Inference, which answers at `/`.
    Tgi,
}

impl OwnApi {
    /// Recognises an operation that only this API has, as [`Operation::detect`] does those of all.
    #[must_use]
    pub fn detect(self, method: &str, path: &str) -> Option<Operation> {
        if method != "POST" {
            return None;
        }
        match self {
            Self::Tgi => path
                .bytes()
                .all(|byte| byte == b'/')
                .then_some(Operation::TgiGenerate),
            Self::Mistral => {
                let mut segments = path.split('/').filter(|segment| !segment.is_empty());
                segments.find(|segment| *segment == "conversations")?;
                // `/conversations`, `/conversations/{id}`, `/conversations/{id}/restart`.
                let action = segments.nth(1);
                let is_last = segments.next().is_none();
                (is_last && action.is_none_or(|action| action == "restart"))
                    .then_some(Operation::Conversations)
            }
        }
    }
}

impl Operation {
    /// Recognises a metered operation; `None` is forwarded without a row.
    ///
    /// `path` is the raw path behind the mount, without the query. Token-count calls
    /// (`/messages/count_tokens`, `:countTokens`, `/responses/input_tokens`) hold token numbers but use
    /// nothing, and do not match.
    #[must_use]
    pub fn detect(method: &str, path: &str) -> Option<Self> {
        if let Some(fetch) = Self::of_fetch(method, path) {
            return Some(fetch);
        }
        if method != "POST" {
            return None;
        }
        let path = path.trim_end_matches('/');
        let mut segments = path.rsplit('/').filter(|segment| !segment.is_empty());
        let last = segments.next()?;
        let parent = segments.next().unwrap_or_default();
        let grandparent = segments.next().unwrap_or_default();
        if workers_ai_model(path).is_some() {
            return Some(Self::ChatCompletions);
        }
        match (parent, last) {
            ("chat", "completions") => Some(Self::ChatCompletions),
            (_, "completions") => Some(Self::Completions),
            (_, "responses") => Some(Self::Responses),
            ("threads", "runs") => Some(Self::Runs),
            (_, "runs") if grandparent == "threads" => Some(Self::Runs),
            ("responses", "compact") => Some(Self::CompactResponse),
            ("text", "chat" | "chat_stream") if path.contains("/ml/") => Some(Self::ChatCompletions),
            ("text", "generation" | "generation_stream") | ("generation", "text" | "text_stream")
                if path.contains("/ml/") =>
            {
                Some(Self::WatsonxText)
            }
            ("text", "embeddings" | "rerank") if path.contains("/ml/") => Some(Self::Embed),
            ("", "generate" | "generate_stream") => Some(Self::TgiGenerate),
            ("", "completion" | "infill") => Some(Self::LlamaCppCompletion),
            ("api", "chat") => Some(Self::OllamaChat),
            ("api", "generate") => Some(Self::OllamaGenerate),
            ("api", "embed" | "embeddings") => Some(Self::OllamaEmbed),
            ("v1", "chat") if grandparent == "api" => Some(Self::LmStudioChat),
            ("v1" | "v2", "chat") => Some(Self::CohereChat),
            ("v1", "generate") => Some(Self::CohereGenerate),
            ("v1" | "v2", "embed") => Some(Self::CohereEmbed),
            (_, "rerank") => Some(Self::Rerank),
            (_, "embeddings" | "multimodalembeddings" | "contextualizedembeddings") => Some(Self::Embeddings),
            ("", "embed" | "semantic_embed" | "batch_semantic_embed") => Some(Self::Embed),
            (_, "complete") => Some(Self::Complete),
            (_, "ocr") => Some(Self::Ocr),
            (_, "predictions") => Some(Self::Prediction),
            // Databricks and SageMaker serve whatever format their model speaks: mostly OpenAI's.
            (_, "invocations") => Some(Self::ChatCompletions),
            ("images", "generations" | "edits" | "variations") | (_, "images") => Some(Self::Images),
            ("audio", "transcriptions") => Some(Self::Transcriptions),
            ("audio", "translations") => Some(Self::Translations),
            ("audio", "speech") => Some(Self::Speech),
            (_, "moderations") => Some(Self::Moderations),
            (_, "interactions") => Some(Self::Interactions),
            // Assistants keep their messages in threads.
            (_, "messages") if grandparent != "threads" => Some(Self::Messages),
            _ if grandparent == "model" => match last {
                "converse" => Some(Self::Converse),
                "converse-stream" => Some(Self::ConverseStream),
                "invoke" => Some(Self::Invoke),
                "invoke-with-response-stream" => Some(Self::InvokeStream),
                _ => None,
            },
            _ => Self::of_verb(path, last),
        }
    }

    /// Recognises a request for something that was made before, by the collection that its id stands behind.
    fn of_fetch(method: &str, path: &str) -> Option<Self> {
        let mut segments = path.rsplit('/').filter(|segment| !segment.is_empty());
        let [last, parent, grand] = [(); 3].map(|()| segments.next().unwrap_or_default());
        match (method, grand, parent, last) {
            ("GET", _, "responses", _) | ("POST", "responses", _, "cancel") => Some(Self::RetrieveResponse),
            ("GET", _, "interactions", _) | ("POST", "interactions", _, "cancel") => {
                Some(Self::RetrieveInteraction)
            }
            ("POST", "runs", _, "cancel" | "submit_tool_outputs") => Some(Self::RetrieveRun),
            ("GET" | "POST", _, "runs", _) if segments.next() == Some("threads") => Some(Self::RetrieveRun),
            ("GET", "files", _, "content") | ("GET", "batches", _, "results") => Some(Self::BatchResults),
            _ => None,
        }
    }

    /// Whether it asks for what was made before. It uses nothing itself; its reply may say, once or again, what the
    /// making used.
    #[must_use]
    pub const fn is_fetch(self) -> bool {
        matches!(
            self,
            Self::RetrieveResponse | Self::RetrieveRun | Self::RetrieveInteraction | Self::BatchResults
        )
    }

    /// The id of the file or the batch whose results the path asks for: the lines in it name only themselves.
    #[must_use]
    pub fn fetched_id(self, path: &str) -> Option<&str> {
        let mut segments = path.rsplit('/').filter(|segment| !segment.is_empty());
        segments.nth(1).filter(|_| self == Self::BatchResults)
    }

    /// Google names its operations behind a colon.
    fn of_verb(path: &str, last: &str) -> Option<Self> {
        let (model, verb) = last.split_once(':')?;
        match verb {
            "rawPredict" if model == "count-tokens" => None,
            "rawPredict" | "streamRawPredict" if path.contains("/publishers/anthropic/") => {
                Some(Self::RawPredict)
            }
            // The other publishers speak OpenAI's format.
            "rawPredict" | "streamRawPredict" => Some(Self::ChatCompletions),
            // Snowflake.
            "complete" if path.contains("/cortex/") => Some(Self::ChatCompletions),
            "embed" if path.contains("/cortex/") => Some(Self::Embeddings),
            "predict" => Some(Self::Predict),
            "generateContent" => Some(Self::GenerateContent),
            "streamGenerateContent" => Some(Self::StreamGenerateContent),
            "embedContent" => Some(Self::EmbedContent),
            "batchEmbedContents" => Some(Self::BatchEmbedContents),
            _ => None,
        }
    }

    /// Recognises an operation whose turns pass over a WebSocket, by the path of the request that asks for it.
    #[must_use]
    pub fn detect_upgrade(_method: &str, path: &str) -> Option<Self> {
        let last = path.trim_end_matches('/').rsplit('/').next()?;
        match last {
            "realtime" => Some(Self::Realtime),
            "responses" => Some(Self::Responses),
            // Google writes the service before the method with a dot or a slash, and a second method for short-lived
            // keys: `…GenerativeService.BidiGenerateContentConstrained`, `…LlmBidiService/BidiGenerateContent`.
            _ => {
                let method = last.rsplit('.').next()?;
                method.starts_with("BidiGenerateContent").then_some(Self::Live)
            }
        }
    }

    /// The model that the path names (`/models/{model}:generateContent`), still percent-encoded.
    #[must_use]
    pub fn model_in_path(self, path: &str) -> Option<&str> {
        if let Some((_, behind)) = path.split_once("/deployments/")
            && self != Self::Prediction
        {
            // Azure names the deployment. What the body says wins.
            return behind.split('/').next().filter(|model| !model.is_empty());
        }
        match self {
            Self::ChatCompletions if path.ends_with("/invocations") => path.rsplit('/').nth(1),
            Self::ChatCompletions if workers_ai_model(path).is_some() => workers_ai_model(path),
            Self::Prediction => path
                .strip_suffix("/predictions")?
                .split_once("/models/")
                .map(|(_, model)| model),
            Self::GenerateContent
            | Self::StreamGenerateContent
            | Self::RawPredict
            | Self::Predict
            | Self::ChatCompletions
            | Self::EmbedContent
            | Self::BatchEmbedContents => {
                let mut segments = path.trim_end_matches('/').rsplit('/');
                let (model, _) = segments.next()?.split_once(':')?;
                // Code Assist has its version here (`/v1internal:generateContent`), and the model in the body.
                // As has Snowflake: `/api/v2/cortex/inference:complete`.
                let is_named = segments
                    .next()
                    .is_some_and(|parent| !matches!(parent, "" | "cortex"));
                Some(model).filter(|model| is_named && !model.is_empty())
            }
            Self::Converse | Self::ConverseStream | Self::Invoke | Self::InvokeStream => {
                path.trim_end_matches('/').rsplit('/').nth(1)
            }
            _ => None,
        }
    }

    /// The operation of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|operation| operation.name() == name)
    }
}

/// The model in a path of Cloudflare's Workers AI: `/accounts/{id}/ai/run/@cf/meta/llama`.
fn workers_ai_model(path: &str) -> Option<&str> {
    let start = path.find("/ai/run/@").map(|at| at + "/ai/run/".len());
    let start = start.or_else(|| path.find("/workers-ai/@").map(|at| at + "/workers-ai/".len()));
    path.get(start?..)
}

#[cfg(test)]
mod tests {
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
}
