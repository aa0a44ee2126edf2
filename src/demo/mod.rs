//! A first look without a key: a scripted provider, and a driver that makes calls as a developer's tools would.
//!
//! Everything between the two is the real program: the driver calls the proxy, the proxy forwards to the provider.

mod anthropic;
mod driver;
mod gemini;
mod openai;
mod provider;
mod script;

pub use driver::drive;
pub use provider::serve;
