//! Reading bodies: never more than a limit, never longer than a time, and never more of all clients
//! together than the server has room for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tillwatch_collect::FairShares;
use tillwatch_event::{MemoryBudget, MemoryPart, MemoryShare};

use crate::problem::{Problem, Slug};

/// The bytes that all bodies together may hold at a time, shared fairly between streams.
#[derive(Debug, Clone)]
pub(crate) struct BodyBudget {
    shares: Arc<Mutex<FairShares>>,
    memory: MemoryBudget,
}

/// A share of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct BodyShare {
    budget: BodyBudget,
    stream: String,
    bytes: usize,
    memory: MemoryShare,
}

impl BodyBudget {
    pub(crate) fn new(bytes_max: usize, memory: &MemoryBudget) -> Self {
        Self {
            shares: Arc::new(Mutex::new(FairShares::new(bytes_max))),
            memory: memory.clone(),
        }
    }

    fn shares(&self) -> MutexGuard<'_, FairShares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many streams share it.
    pub(crate) fn set_streams(&self, streams: usize) {
        self.shares().set_streams(streams);
    }

    /// Bytes taken at present.
    pub(crate) fn used_bytes(&self) -> usize {
        self.shares().total()
    }

    fn share(&self, stream: &str) -> BodyShare {
        BodyShare {
            budget: self.clone(),
            stream: stream.to_owned(),
            bytes: 0,
            memory: self.memory.share(MemoryPart::Ingest),
        }
    }
}

impl BodyShare {
    /// Takes `bytes` more, unless the budget is spent.
    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let refused = |reason: String| {
            let detail = format!("{reason}; send this one again shortly.");
            Problem::new(Slug::Overloaded, detail).retry_after_s(1)
        };
        if self.budget.shares().take(&self.stream, bytes).is_err() {
            return Err(refused(
                "The bodies being received fill the room set aside for them".to_owned(),
            ));
        }
        self.bytes += bytes;
        self.memory
            .grow(bytes)
            .map_err(|short| refused(format!("There is no room for this body: {short}")))
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        self.budget.shares().give_back(&self.stream, self.bytes);
    }
}

/// A body that has arrived whole, with its share of the budget.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    _share: BodyShare,
}

/// Reads a body of at most `bytes_max` bytes within `timeout`.
///
/// A body whose declared length is over the limit is refused before a byte of it is read. The room it takes
/// is that of `stream`, or of nobody's when that is empty.
pub(crate) async fn receive(
    stream: &str,
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
    timeout: Duration,
    budget: &BodyBudget,
) -> Result<Received, Problem> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<usize>().ok());
    if declared.is_some_and(|length| length > bytes_max) {
        return Err(too_large(bytes_max));
    }
    let mut share = budget.share(stream);
    let room = declared.unwrap_or(0).min(ROOM_BYTES_MAX);
    let collected = collect(body, bytes_max, room, &mut share);
    match tokio::time::timeout(timeout, collected).await {
        Ok(bytes) => Ok(Received {
            bytes: bytes?,
            _share: share,
        }),
        Err(_) => Err(Problem::new(
            Slug::BodyTimeout,
            format!("The body did not arrive within {} s.", timeout.as_secs()),
        )),
    }
}

/// Bytes of a declared length that room is made for at once. A larger body grows as it arrives: its length is
/// no more than its sender's word.
const ROOM_BYTES_MAX: usize = 4 << 20;

async fn collect(
    body: Body,
    bytes_max: usize,
    room: usize,
    share: &mut BodyShare,
) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|cause| {
            tracing::debug!(%cause, "a body broke off");
            Problem::new(Slug::BodyUnreadable, "The body broke off before its end.")
        })?;
        if first.len() + whole.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        if let Err(refused) = share.grow(chunk.len()) {
            drop((first, whole, chunk));
            discard(chunks).await;
            return Err(refused);
        }
        if first.is_empty() && whole.is_empty() {
            // Most bodies come in one piece, which is then handed on without a copy.
            first = chunk;
        } else {
            if !first.is_empty() {
                whole.reserve(room);
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&chunk);
        }
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

/// Bytes of a refused body that are read, and thrown away, so that the client reads the answer: closed with
/// something unread, a connection tells it no more than that it was broken off.
const DISCARD_BYTES_MAX: usize = 1 << 20;

/// Time that this may take.
const DISCARD_TIME_MAX: Duration = Duration::from_secs(1);

/// Reads a body that is refused to its end, within bounds.
pub(crate) async fn discard(mut chunks: BodyDataStream) {
    let reading = async {
        let mut bytes = 0;
        while bytes <= DISCARD_BYTES_MAX
            && let Some(Ok(chunk)) = chunks.next().await
        {
            bytes += chunk.len();
        }
    };
    // However far it came, the answer goes out now.
    let _ = tokio::time::timeout(DISCARD_TIME_MAX, reading).await;
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(
        Slug::BodyTooLarge,
        format!("A body may have at most {bytes_max} bytes; split it into several."),
    )
    .with("bytes_max", bytes_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(parts: &[&'static str]) -> Body {
        let parts: Vec<_> = parts
            .iter()
            .map(|p| Ok::<_, std::io::Error>(Bytes::from(*p)))
            .collect();
        Body::from_stream(futures::stream::iter(parts))
    }

    async fn read(body: Body, bytes_max: usize, budget: &BodyBudget) -> Result<Received, Problem> {
        receive(
            "payments",
            &HeaderMap::new(),
            body,
            bytes_max,
            Duration::from_secs(5),
            budget,
        )
        .await
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_put_together_and_its_share_given_back() {
        let budget = BodyBudget::new(100, &MemoryBudget::unbounded());
        let received = read(chunks(&["ab", "", "cd", "e"]), 5, &budget)
            .await
            .unwrap();
        assert_eq!(&received.bytes[..], b"abcde");
        assert_eq!(budget.used_bytes(), 5);
        drop(received);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_stopped_at_the_limit() {
        let budget = BodyBudget::new(100, &MemoryBudget::unbounded());
        let problem = read(chunks(&["abc", "def"]), 5, &budget).await.unwrap_err();
        assert_eq!(problem.slug(), Slug::BodyTooLarge);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[tokio::test]
    async fn bodies_over_the_common_budget_are_told_to_come_again() {
        let budget = BodyBudget::new(6, &MemoryBudget::unbounded());
        let first = read(chunks(&["abcd"]), 5, &budget).await.unwrap();
        let problem = read(chunks(&["abcd"]), 5, &budget).await.unwrap_err();
        assert_eq!(problem.slug(), Slug::Overloaded);
        drop(first);
        read(chunks(&["abcd"]), 5, &budget).await.unwrap();
    }

    #[tokio::test]
    async fn a_body_that_never_ends_runs_into_the_timeout() {
        let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let timeout = Duration::from_millis(5);
        let budget = BodyBudget::new(10, &MemoryBudget::unbounded());
        let received = receive("payments", &HeaderMap::new(), body, 5, timeout, &budget).await;
        assert_eq!(received.unwrap_err().slug(), Slug::BodyTimeout);
    }
}
