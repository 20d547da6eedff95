//! The HTTP API, live push and the embedded web.
//!
//! This crate and the binary are the only ones that know HTTP. What it needs of the other parts stands in [`ports`];
//! `adapters` are their implementations over the real parts. The binary makes an [`App`], binds a [`Server`], lets it run
//! while the journal is replayed (probes, status and the web are answered already), and then opens the app for all calls.

mod access;
pub mod adapters;
mod app;
mod calls;
pub mod documents;
mod exposition;
mod limits;
mod live;
mod middleware;
mod openapi;
pub mod ports;
mod problem;
mod rates;
mod request;
mod router;
mod server;
mod web;

#[cfg(test)]
mod tests;

pub use access::{
    Access, AccessError, IssueError, IssuedToken, Right, TOKEN_CHARS_MIN, TOKEN_PREFIX,
    check_token_name, token_hash,
};
pub use app::{App, Services};
pub use limits::Limits;
pub use problem::{Problem, ProblemDocument, Slug};
pub use server::{ServeError, Server};
pub use web::Assets;
