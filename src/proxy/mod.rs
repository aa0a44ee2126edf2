//! The proxy port: forwards calls to their mounts, and nothing else.
//!
//! `serve` accepts connections; `service` is the way of one call; [`route`] reads its path, `headers` keeps what
//! belongs to the connection from passing, `limits` reads what providers tell of their own, `late_error` lets a reply's last bytes out before its error, `upstream` is
//! the client side, `error` what Moonlock itself answers. `upgrade` is the way of a WebSocket, `sockets` keeps those
//! that are open. `aws` signs what goes to AWS.

mod aws;
mod caller;
mod error;
mod headers;
mod late_error;
mod limits;
mod outgoing;
pub mod route;
mod serve;
mod service;
mod sockets;
mod upgrade;
mod upstream;
mod visitor;

pub use outgoing::Outgoing;
pub use serve::serve;
pub use service::Proxy;
pub use upstream::reach;
