//! Listening, accepting and stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

use crate::app::App;
use crate::router::router;

/// How often events are counted for rates.
const RATE_PERIOD: Duration = Duration::from_secs(1);

/// How often tokens are read anew: one that another process makes or revokes is known within this time.
const TOKENS_PERIOD: Duration = Duration::from_secs(1);

/// After an error when accepting (out of file handles, say) the next try comes after this time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bytes of a request's head. More is a 431.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// Why the server could not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// A server that listens, and answers once it is run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: App,
}

impl Server {
    /// Listens on an address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken or not one of this machine's.
    pub async fn bind(address: SocketAddr, app: App) -> Result<Self, ServeError> {
        let failed = |cause| ServeError::Listen { address, cause };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            app,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers calls until [`App::stop`]. Then live streams end, calls under way get
    /// [`crate::Limits::shutdown_grace_ms`] to finish, and what is left is cut off.
    pub async fn run(self) {
        let Self { listener, app, .. } = self;
        let limits = &app.inner().limits;
        let service = TowerToHyperService::new(router(app.clone()));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits.head_timeout_ms))
            .max_headers(limits.headers_max)
            .max_buf_size(HEAD_BYTES_MAX.max(8 << 10))
            .keep_alive(true);
        let write_timeout = Duration::from_millis(limits.write_timeout_ms);
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let tokens = tokio::spawn(keep_tokens(app.clone()));
        let mut rates = tokio::time::interval(RATE_PERIOD);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listener, &places) => accepted,
                Some(_) = connections.join_next() => continue,
                _ = rates.tick() => {
                    app.sample_rates();
                    continue;
                }
                () = app.stopped() => break,
            };
            let (stream, place) = accepted;
            let mut stream = TimeoutStream::new(stream);
            // A client that stops reading would otherwise hold its answer in memory for ever.
            stream.set_write_timeout(Some(write_timeout));
            let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service.clone());
            let watched = graceful.watch(connection);
            connections.spawn(async move {
                if let Err(cause) = watched.await {
                    tracing::debug!(%cause, "a connection ended early");
                }
                drop(place);
            });
        }
        tokens.abort();
        drop(listener);
        let grace = Duration::from_millis(limits.shutdown_grace_ms);
        if tokio::time::timeout(grace, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!(
                grace_ms = limits.shutdown_grace_ms,
                "calls were cut off when stopping"
            );
            connections.shutdown().await;
        }
    }
}

/// Looks again and again which tokens are kept, off the async threads.
async fn keep_tokens(app: App) {
    let mut ticks = tokio::time::interval(TOKENS_PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let app = app.clone();
        let looked = tokio::task::spawn_blocking(move || app.inner().access.refresh());
        if looked.await.is_err() {
            tracing::error!("looking for tokens panicked");
        }
    }
}

/// Waits for a place and then for a client, so that more clients than places stay in the kernel's queue.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    loop {
        // The semaphore is never closed, so there is always a permit in the end.
        let place = places.clone().acquire_owned().await.ok();
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(cause) = stream.set_nodelay(true) {
                    tracing::debug!(%cause, "answers may be delayed");
                }
                return (stream, place);
            }
            Err(cause) => {
                tracing::warn!(%cause, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
