//! What every request passes on its way in and every answer on its way out.

mod admit;
mod headers;
mod trace;

pub(crate) use admit::{admit, limited, token};
pub(crate) use headers::secure_headers;
pub(crate) use trace::{panicked, trace};
