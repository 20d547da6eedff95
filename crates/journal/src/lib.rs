//! The durable, ordered log that every accepted event is written to before it is acknowledged.
