//! Every limit of the server, by name, with its default.

use std::time::Duration;

use serde::Deserialize;

/// The limits that keep memory, time and sockets bounded, whatever clients do.
///
/// All of them can be set in the configuration; a missing one has the default given here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one request body as sent (before decompression). More is a 413. Default 64 MiB.
    pub body_bytes_max: usize,
    /// Bytes of one body after decompression. More is a 413. Default 64 MiB.
    pub decompressed_bytes_max: usize,
    /// Bytes of all bodies held at once. More is a 429. Default 256 MiB.
    pub bodies_in_flight_bytes_max: usize,
    /// Bodies decoded at the same time. Default: the number of CPUs.
    pub decodes_at_once_max: usize,
    /// Bytes of a small JSON body (SQL, notes on incidents). More is a 413. Default 256 KiB.
    pub json_body_bytes_max: usize,
    /// Bytes of a board that is saved, as it is sent and as it is kept. More is a 413. Default 256 KiB.
    pub board_bytes_max: usize,
    /// Boards that are saved. More is a 409. Default 200.
    pub boards_saved_max: usize,
    /// Bytes of a definitions file, or of one definition, that is sent. More is a 413. Default 1 MiB.
    pub definition_bytes_max: usize,
    /// Files of the definitions folder up to which another can be made. More is a 409. Default 500.
    pub definition_files_max: usize,
    /// Time that an answer to a change of the definitions waits for it to be in force. Default 10 s.
    pub definition_wait_ms: u64,
    /// Bytes of a file, or of its beginning, that definitions are proposed for. More is a 413. Default 4 MiB.
    pub propose_bytes_max: usize,
    /// Annotations that are kept; of more, those that began first are forgotten. Default 10 000.
    pub annotations_kept_max: usize,
    /// Access tokens that are not revoked. Another is not made. Default 200.
    pub tokens_max: usize,
    /// Characters of an access token's name. Default 64.
    pub token_name_chars_max: usize,
    /// Time a client has for sending its body. Later is a 408. Default 60 s.
    pub body_timeout_ms: u64,
    /// Time for reading the head of a request; then the connection is closed. Default 10 s.
    pub head_timeout_ms: u64,
    /// Time a client may leave written bytes unread; then it is disconnected. Default 30 s.
    pub write_timeout_ms: u64,
    /// Time for answering a call other than live ones. Later is a 504. Default 90 s.
    pub request_timeout_ms: u64,
    /// Calls answered at once, live ones aside. More is a 429. Default 512.
    pub requests_at_once_max: usize,
    /// Of these, calls that bring events; streams share them fairly. More is a 429. Never more than three
    /// quarters of all, so that questions are answered while events flood in. Default 384.
    pub ingest_at_once_max: usize,
    /// Open connections. Further ones wait in the kernel's queue. Default 2048.
    pub connections_max: usize,
    /// Header fields of a request. More is a 431. Default 64.
    pub headers_max: usize,
    /// Open live streams. More is a 503. Default 512.
    pub live_clients_max: usize,
    /// Queries in one combined live stream, or in one call for several series. More is a 400. Default 32.
    pub live_queries_per_client_max: usize,
    /// Least time between two computations of one live query. One that takes long waits for three times that, as far
    /// as what has changed is still seen within 150 ms. Default 50 ms.
    pub live_coalesce_ms: u64,
    /// Time between two heartbeats on a live stream. Default 15 s.
    pub live_heartbeat_ms: u64,
    /// Points of a series when the caller leaves the choice of the step to us. Default 500.
    pub series_points_default: u64,
    /// Points of a series, for any step. More is a 400. Default 20 000.
    pub series_points_max: u64,
    /// Series of one answer when the caller names no limit. Default 50.
    pub series_default: usize,
    /// Series of one answer. More is a 400. Default 1 000.
    pub series_max: usize,
    /// Bytes of one answer with several series; what has no room is answered with a problem in its place.
    /// Default 64 MiB.
    pub series_answer_bytes_max: usize,
    /// Time for all answers of one call for several series; what has none by then is answered with a problem in its
    /// place. Default 10 s.
    pub series_deadline_ms: u64,
    /// Steps that a forecast goes ahead. More is a 400. Default 2 000.
    pub forecast_points_max: u64,
    /// Slices of one answer of forecasts when the caller names no limit. Default 8.
    pub forecast_series_default: usize,
    /// Slices of one answer of forecasts. More is a 400. Default 50.
    pub forecast_series_max: usize,
    /// Rows of a list (incidents, quarantine) in one answer. More is a 400. Default 1 000.
    pub list_rows_max: usize,
    /// Time given to running requests when the server stops. Default 10 s.
    pub shutdown_grace_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 << 20,
            decompressed_bytes_max: 64 << 20,
            bodies_in_flight_bytes_max: 256 << 20,
            decodes_at_once_max: std::thread::available_parallelism().map_or(2, usize::from),
            json_body_bytes_max: 256 << 10,
            board_bytes_max: 256 << 10,
            boards_saved_max: 200,
            definition_bytes_max: 1 << 20,
            definition_files_max: 500,
            definition_wait_ms: 10_000,
            propose_bytes_max: 4 << 20,
            annotations_kept_max: 10_000,
            tokens_max: 200,
            token_name_chars_max: 64,
            body_timeout_ms: 60_000,
            head_timeout_ms: 10_000,
            write_timeout_ms: 30_000,
            request_timeout_ms: 90_000,
            requests_at_once_max: 512,
            ingest_at_once_max: 384,
            connections_max: 2048,
            headers_max: 64,
            live_clients_max: 512,
            live_queries_per_client_max: 32,
            live_coalesce_ms: 50,
            live_heartbeat_ms: 15_000,
            series_points_default: 500,
            series_points_max: 20_000,
            series_default: 50,
            series_max: 1_000,
            series_answer_bytes_max: 64 << 20,
            series_deadline_ms: 10_000,
            forecast_points_max: 2_000,
            forecast_series_default: 8,
            forecast_series_max: 50,
            list_rows_max: 1_000,
            shutdown_grace_ms: 10_000,
        }
    }
}

impl Limits {
    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// Calls that bring events at once: as set, and within what all calls leave them.
    pub(crate) fn ingest_at_once(&self) -> usize {
        let all = self.requests_at_once_max;
        self.ingest_at_once_max.min(all - all / 4).max(1)
    }

    pub(crate) fn series_deadline(&self) -> Duration {
        Duration::from_millis(self.series_deadline_ms)
    }

    pub(crate) fn live_coalesce(&self) -> Duration {
        Duration::from_millis(self.live_coalesce_ms)
    }

    pub(crate) fn live_heartbeat(&self) -> Duration {
        Duration::from_millis(self.live_heartbeat_ms.max(1))
    }
}
