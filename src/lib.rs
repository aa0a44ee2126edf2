//! Moonlock: a meter for AI work. This page is the map of the house.
//!
//! A developer points a base URL at the proxy. The bytes of each call pass untouched; what it used is read beside
//! them, attributed to the session the developer works in, kept in a database and shown live.
//!
//! # The rooms, in reading order
//!
//! | room | what it does | what it never does |
//! |---|---|---|
//! | [`domain`] | knows what a call, a session, a usage is; [`domain::live`] decides | I/O, clocks, async, logging |
//! | [`config`] | resolves settings: defaults < file < environment < flags | starts anything |
//! | [`store`] | keeps rows in SQLite; the only user of it | knows HTTP or the engine |
//! | [`meter`] | looks at bodies as they pass | knows the engine, the store, or routes |
//! | [`engine`] | one task that owns the live state | knows HTTP; holds a lock across an await |
//! | [`listen`] | accepts connections, so many and no more, over TLS if it is told to | knows what is asked on them |
//! | [`proxy`] | forwards calls upstream and streams replies back | reads the store; computes money |
//! | [`notify`] | tells outside: of alerts by webhook or on the desktop, of sums and calls to a collector | knows the engine or HTTP routes |
//! | [`api`] | REST, the WebSocket, the page | calls the proxy; recomputes what the domain computes |
//! | [`demo`] | a scripted provider and a driver, for a first look without a key | is used by anything but its command |
//! | [`app`], [`cli`] | put it together, start and stop it | hold logic worth a unit test |
//!
//! # The way of a call, one way only
//!
//! client → [`proxy::route`] finds the mount and the session → the request passes through [`meter::request`] →
//! provider → the reply passes through [`meter::reply`], each frame as the same bytes → at the end, the error *or the
//! drop*, exactly one [`domain::call::CallEnd`] → [`engine::Engine`] → [`domain::live::State::step`] → what to write
//! ([`store`]) and what to tell ([`engine::stream`]) → [`api`] → the dashboard. The reply's last bytes go out when the
//! row is committed.
//!
//! Where the provider said too little, the row is there as the call ended; [`meter::estimator`] counts the text that
//! [`meter::keep`] kept, behind the call, and [`domain::live`] corrects row and sums. What follows the sums (budgets,
//! forecasts, alerts) sees every change of them in one place there.
//!
//! A WebSocket makes its handshake on the same way; then [`meter::splice`] passes its bytes, and each of its turns is
//! such a call ([`domain::usage::turns`]).

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod listen;
pub mod meter;
pub mod notify;
pub mod proxy;
pub mod store;
