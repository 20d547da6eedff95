//! Tests against a real server on a free port.
