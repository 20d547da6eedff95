//! Reading requests: bodies within their bounds, formats, and query parameters.

pub(crate) mod body;
pub(crate) mod conditions;
pub(crate) mod content;
pub(crate) mod forecast;
pub(crate) mod named;
pub(crate) mod params;
pub(crate) mod places;
pub(crate) mod series;
pub(crate) mod time;
mod windows;
