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
    /// OpenAI's older `POST /completions`, Mistral's `/fim/completions`.
    Completions = "completions",
    /// OpenAI `POST /responses`.
    Responses = "responses",
    /// OpenAI `POST /responses/compact`, which uses tokens of its own.
    CompactResponse = "responses.compact",
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
    /// Gemini `POST /interactions`. One that runs in the background says what it used when it is polled, which is
    /// not metered.
    Interactions = "interactions",
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
    /// Tokens that the user reported by hand.
    Manual = "manual",
}

impl Operation {
    /// Recognises a metered operation; `None` is forwarded without a row.
    ///
    /// `path` is the raw path behind the mount, without the query. Token-count calls
    /// (`/messages/count_tokens`, `:countTokens`, `/responses/input_tokens`) hold token numbers but use
    /// nothing, and do not match.
    #[must_use]
    pub fn detect(method: &str, path: &str) -> Option<Self> {
        if method != "POST" {
            return None;
        }
        if path == "/" {
            return Some(Self::TgiGenerate);
        }
        let path = path.trim_end_matches('/');
        let mut segments = path.rsplit('/').filter(|segment| !segment.is_empty());
        let last = segments.next()?;
        let parent = segments.next().unwrap_or_default();
        match (parent, last) {
            ("chat", "completions") => Some(Self::ChatCompletions),
            (_, "completions") => Some(Self::Completions),
            (_, "responses") => Some(Self::Responses),
            ("responses", "compact") => Some(Self::CompactResponse),
            ("text", "chat" | "chat_stream") if path.contains("/ml/") => Some(Self::ChatCompletions),
            ("text", "generation" | "generation_stream") | ("generation", "text" | "text_stream")
                if path.contains("/ml/") =>
            {
                Some(Self::WatsonxText)
            }
            ("", "generate" | "generate_stream") => Some(Self::TgiGenerate),
            ("", "completion" | "infill") => Some(Self::LlamaCppCompletion),
            ("api", "chat") => Some(Self::OllamaChat),
            ("api", "generate") => Some(Self::OllamaGenerate),
            ("api", "embed" | "embeddings") => Some(Self::OllamaEmbed),
            ("v1" | "v2", "chat") => Some(Self::CohereChat),
            ("v1", "generate") => Some(Self::CohereGenerate),
            ("v1" | "v2", "embed") => Some(Self::CohereEmbed),
            (_, "rerank") => Some(Self::Rerank),
            (_, "embeddings") => Some(Self::Embeddings),
            ("images", "generations" | "edits" | "variations") => Some(Self::Images),
            ("audio", "transcriptions") => Some(Self::Transcriptions),
            ("audio", "translations") => Some(Self::Translations),
            ("audio", "speech") => Some(Self::Speech),
            (_, "moderations") => Some(Self::Moderations),
            (_, "interactions") => Some(Self::Interactions),
            (_, "messages") => Some(Self::Messages),
            _ if segments.next() == Some("model") => match last {
                "converse" => Some(Self::Converse),
                "converse-stream" => Some(Self::ConverseStream),
                "invoke" => Some(Self::Invoke),
                "invoke-with-response-stream" => Some(Self::InvokeStream),
                _ => None,
            },
            _ => Self::of_verb(path, last),
        }
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
        if let Some((_, behind)) = path.split_once("/deployments/") {
            // Azure names the deployment. What the body says wins.
            return behind.split('/').next().filter(|model| !model.is_empty());
        }
        match self {
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
                let is_named = segments.next().is_some_and(|parent| !parent.is_empty());
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
            ("/tokenize", None),
            ("/v1/responses/compact", Some(Operation::CompactResponse)),
            ("/v1/responses", Some(Operation::Responses)),
            ("/v1/responses/", Some(Operation::Responses)),
            ("/v1/responses/input_tokens", None),
            ("/v1/responses/resp_1/cancel", None),
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
            ("/", Some(Operation::TgiGenerate)),
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
            ("/v1beta/interactions/v1_1/cancel", None),
            ("/v1internal:countTokens", None),
            ("/v1internal:loadCodeAssist", None),
            ("/v1beta/models/gemini-2.5-flash:countTokens", None),
            ("/v1/models", None),
            ("", None),
        ] {
            assert_eq!(Operation::detect("POST", path), expected, "{path}");
        }
        assert_eq!(Operation::detect("GET", "/v1/chat/completions"), None);
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
