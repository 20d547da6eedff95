//! Tests against a real server on a free port, with simple parts behind it.

mod annotations;
mod backtests;
mod bad_requests;
mod board;
mod cases;
mod definitions;
mod forecast;
mod incidents;
mod live;
pub(crate) mod parts;
mod quarantine;
mod real;
mod revised;
mod roles;
mod running;
mod saved_boards;
mod shelf;
mod stand;
mod upkeep;
mod web;
