//! Which of a provider's operations a request is, read from its method and path.

use serde::{Deserialize, Serialize};

/// An operation whose replies are metered.
///
/// Named as the provider names it; the host only says who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// OpenAI `POST /chat/completions` and everything that speaks it.
    #[serde(rename = "chat.completions")]
    ChatCompletions,
    /// OpenAI `POST /responses`.
    #[serde(rename = "responses")]
    Responses,
    /// OpenAI `POST /embeddings`.
    #[serde(rename = "embeddings")]
    Embeddings,
    /// Anthropic `POST /messages`.
    #[serde(rename = "messages")]
    Messages,
    /// Gemini `POST /models/{model}:generateContent`.
    #[serde(rename = "generateContent")]
    GenerateContent,
    /// Gemini `POST /models/{model}:streamGenerateContent`.
    #[serde(rename = "streamGenerateContent")]
    StreamGenerateContent,
    /// A turn, or a transcription, of a realtime session over a WebSocket: OpenAI `/realtime`, and who speaks it.
    #[serde(rename = "realtime")]
    Realtime,
    /// A turn of a Gemini Live session over a WebSocket (`BidiGenerateContent`).
    #[serde(rename = "live")]
    Live,
    /// Tokens that the user reported by hand.
    #[serde(rename = "manual")]
    Manual,
}

impl Operation {
    /// Every operation, for lookups by name.
    pub const ALL: [Self; 9] = [
        Self::ChatCompletions,
        Self::Responses,
        Self::Embeddings,
        Self::Messages,
        Self::GenerateContent,
        Self::StreamGenerateContent,
        Self::Realtime,
        Self::Live,
        Self::Manual,
    ];

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
        let path = path.trim_end_matches('/');
        let last = path.rsplit('/').next()?;
        match last {
            "completions" if path.ends_with("/chat/completions") => Some(Self::ChatCompletions),
            "responses" => Some(Self::Responses),
            "embeddings" => Some(Self::Embeddings),
            "messages" => Some(Self::Messages),
            _ if last.ends_with(":generateContent") => Some(Self::GenerateContent),
            _ if last.ends_with(":streamGenerateContent") => Some(Self::StreamGenerateContent),
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
        match self {
            Self::GenerateContent | Self::StreamGenerateContent => {
                let last = path.trim_end_matches('/').rsplit('/').next()?;
                last.split_once(':')
                    .map(|(model, _)| model)
                    .filter(|model| !model.is_empty())
            }
            _ => None,
        }
    }

    /// The name used in the API, the database and the exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat.completions",
            Self::Responses => "responses",
            Self::Embeddings => "embeddings",
            Self::Messages => "messages",
            Self::GenerateContent => "generateContent",
            Self::StreamGenerateContent => "streamGenerateContent",
            Self::Realtime => "realtime",
            Self::Live => "live",
            Self::Manual => "manual",
        }
    }

    /// The operation of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
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
            ("/v1/completions", None),
            ("/v1/responses", Some(Operation::Responses)),
            ("/v1/responses/", Some(Operation::Responses)),
            ("/v1/responses/input_tokens", None),
            ("/v1/responses/resp_1/cancel", None),
            ("/v1/embeddings", Some(Operation::Embeddings)),
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
        assert_eq!(Operation::Messages.model_in_path("/v1/messages"), None);
    }

    #[test]
    fn names_and_serde_agree() {
        for operation in Operation::ALL {
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
            assert_eq!(Operation::from_name(operation.name()), Some(operation));
        }
    }
}
