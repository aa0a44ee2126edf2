//! Reads what a call uses while its bytes pass, and changes none of them.
//!
//! [`flight`] is one call under way; [`request`] and [`reply`] are the bodies that are observed as they pass; `decode`
//! undoes a content-encoding beside the bytes. Asking for usage where a client did not (`include_usage`) has two
//! halves: [`request`] splices the question in, `withhold` keeps the extra event that it causes from the client.
//! A WebSocket has no body: [`splice`] passes its bytes both ways, [`socket`] makes a call of each of its turns.
//! Where a provider says nothing, the call's text is counted: [`keep`] has kept it, [`estimator`] takes it over when the
//! call has ended, and [`tokens`] counts for [`crate::domain::estimate`], by what `vocabulary` knows.
//! While a stream runs, [`progress`] tells about how far it has come.

mod decode;
pub mod estimator;
pub mod flight;
pub mod keep;
pub mod progress;
pub mod reply;
pub mod request;
pub mod socket;
pub mod splice;
mod tap;
pub mod tokens;
mod vocabulary;
mod withhold;
