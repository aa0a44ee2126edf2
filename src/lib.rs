//! Moonlock: a meter for AI work. This page is the map of the house.

pub mod api;
pub mod config;
pub mod domain;
pub mod engine;
pub mod meter;
pub mod proxy;
pub mod store;
