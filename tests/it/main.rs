//! The promises, held against the running program: a raw client before it, a scripted provider behind it.

#![expect(clippy::unwrap_used, reason = "this is a test throughout")]

mod access;
mod alert_shares;
mod api;
mod architecture;
mod attribution;
mod aws;
mod bad_input;
mod bounds;
mod budgets;
mod certificate;
mod cli;
mod commands;
mod curves;
mod damage;
mod deleting;
mod demo;
mod doctor;
mod estimates;
mod export;
mod faults;
mod fixtures;
mod forecast;
mod forgetting;
mod http2;
mod idempotent;
mod importing;
mod include_usage;
mod kill;
mod limits;
mod lists;
mod metrics;
mod moving;
mod notifications;
mod once;
mod openapi;
mod otlp;
mod outcomes;
mod prices;
mod providers;
mod recordings;
mod restart;
mod round_trip;
mod run;
mod secrets;
mod sessions;
mod set_up;
mod settings;
mod slow_disk;
mod snapshots;
#[cfg(target_os = "linux")]
mod soak;
mod stream;
mod streaming;
mod support;
mod timer;
mod tls;
#[cfg(target_os = "linux")]
mod top;
mod untouched;
mod upgrade;
#[cfg(target_os = "linux")]
mod wall_clock;
mod websocket;
