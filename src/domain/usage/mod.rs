//! What a reply used: read from the provider's own words, while the bytes pass.
//!
//! [`parts`] is the one model that every provider's usage is turned into: parts that do not overlap. [`reply`] reads
//! them out of a reply and [`request`] reads what matters out of a request, both from pieces and in constant memory.
//! Below them lie the framings (`sse`, `json_scan`) and a reader for each dialect. [`turns`] reads the calls of a
//! session over a WebSocket, out of the messages that [`websocket`] finds. [`once`] is for usage that can be fetched again.
//!
//! # Who is read by what
//!
//! [`crate::domain::operation`] has the paths. Where no host is named, anyone may answer.
//!
//! | endpoint | speaks it | reader |
//! |---|---|---|
//! | `/chat/completions`, `/completions`, `/fim/completions`, `/agents/completions` | OpenAI, Azure, Mistral, Groq, DeepSeek, xAI, OpenRouter, Perplexity, AI21, Cloudflare, vLLM, Ollama, LM Studio … | `openai_chat` |
//! | `/invocations`, `…/ai/run/@…`, `inference:complete`, `:rawPredict` of other publishers | Databricks, SageMaker's JSON, Workers AI, Snowflake, Mistral on Vertex AI | `openai_chat` |
//! | `/embeddings`, `/multimodalembeddings`, `inference:embed` | OpenAI, Voyage, Snowflake … | `openai_chat` |
//! | `/responses`, `/responses/compact` | OpenAI, Azure, xAI, OpenRouter | `openai_responses` |
//! | `/responses/{id}`, fetched or cancelled | OpenAI, Azure, xAI | `openai_responses` |
//! | `/threads/…/runs`, and a run of them | OpenAI, Azure | `openai_runs` |
//! | `/files/{id}/content`, `/messages/batches/{id}/results` | OpenAI, Azure, Groq, Mistral; Anthropic | `batch` |
//! | `/images/…`, `/images`, `/moderations` | OpenAI, OpenRouter; moderations and DALL·E count nothing | `openai_media` |
//! | `/audio/…` | OpenAI, Mistral; seconds are no tokens, sound is not looked at | `openai_media` |
//! | `/messages`, Anthropic's `:rawPredict`, `:streamRawPredict` | Anthropic, Vertex AI, Snowflake, OpenRouter, DeepSeek, Ollama … | `anthropic` |
//! | `/complete` | Anthropic's oldest (counts nothing), Aleph Alpha | `platforms` |
//! | `:generateContent`, `:streamGenerateContent` | Gemini, Vertex AI, Code Assist | `gemini` |
//! | `:embedContent`, `:batchEmbedContents`, `/interactions`, `/interactions/{id}` | Gemini | `gemini_more` |
//! | `:predict` | Vertex AI's embeddings; images count nothing | `servers` |
//! | `/converse`, `/converse-stream`, `/invoke`, `/invoke-with-response-stream` | Bedrock; not its bidirectional stream | `bedrock` |
//! | `/v1/chat`, `/v2/chat`, `/v1/generate`, `/embed`, `/rerank` | Cohere, Writer, Voyage, OpenRouter; billed units stay in the raw usage | `cohere` |
//! | `/api/chat`, `/api/generate`, `/api/embed` | Ollama | `ollama` |
//! | `/api/v1/chat` | LM Studio | `platforms` |
//! | `/conversations`, `/ocr` | Mistral; pages are no tokens | `platforms` |
//! | `/predictions` | Replicate, where the reply is waited for | `platforms` |
//! | `/embed`, `/semantic_embed`, `/ml/v1/text/embeddings` | Aleph Alpha, Text Embeddings Inference (a header), watsonx | `platforms` |
//! | `/generate`, `/generate_stream`, `/` | TGI | `servers` |
//! | `/completion`, `/infill` | llama.cpp | `servers` |
//! | `/ml/v1/text/generation…`; its `chat` as OpenAI's | watsonx | `servers` |
//! | WebSockets: `/realtime`, `/responses`, `BidiGenerateContent` | OpenAI, Azure, xAI; Gemini | `turns` |
//!
//! Never read, though they hold token numbers: `/messages/count_tokens`, `/responses/input_tokens`, `:countTokens`,
//! `/count-tokens`, `/tokenize`.

mod anthropic;
pub(crate) mod aws_events;
mod batch;
mod bedrock;
mod cohere;
mod dialect;
mod fields;
mod form;
mod gemini;
mod gemini_more;
pub(crate) mod json_scan;
mod node;
mod ollama;
pub mod once;
mod openai_chat;
mod openai_media;
mod openai_responses;
mod openai_runs;
pub mod parts;
mod platforms;
pub mod reading;
pub mod reply;
pub mod request;
mod servers;
mod shape;
pub(crate) mod sse;
pub mod turns;
pub mod websocket;
