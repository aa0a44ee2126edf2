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

        impl utoipa::PartialSchema for Operation {
            // Not derived: the derive reads no name that a macro hands on.
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .enum_values(Some([$($name),*]))
                    .into()
            }
        }

        impl utoipa::ToSchema for Operation {}

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
mod tests;
