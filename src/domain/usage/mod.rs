//! What a reply used: read from the provider's own words, while the bytes pass.
//!
//! [`parts`] is the one model that every provider's usage is turned into: parts that do not overlap. [`reply`] reads
//! them out of a reply and [`request`] reads what matters out of a request, both from pieces and in constant memory.
//! Below them lie the framings (`sse`, `json_scan`) and a reader for each dialect. [`turns`] reads the calls of a
//! session over a WebSocket, out of the messages that [`websocket`] finds.

mod anthropic;
mod aws_events;
mod bedrock;
mod cohere;
mod dialect;
mod fields;
mod form;
mod gemini;
mod gemini_more;
pub(crate) mod json_scan;
mod ollama;
mod openai_chat;
mod openai_media;
mod openai_responses;
pub mod parts;
pub mod reading;
pub mod reply;
pub mod request;
mod servers;
mod shape;
pub(crate) mod sse;
pub mod turns;
pub mod websocket;
