//! Reading bodies: never more than a limit, never longer than a time, and never more of all clients
//! together than the server has room for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

use crate::problem::{Problem, Slug};

/// The bytes that all bodies together may hold at a time.
#[derive(Debug, Clone)]
pub(crate) struct BodyBudget {
    used_bytes: Arc<AtomicUsize>,
    bytes_max: usize,
}

/// A share of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct BodyShare {
    budget: BodyBudget,
    bytes: usize,
}

impl BodyBudget {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            used_bytes: Arc::default(),
            bytes_max,
        }
    }

    /// Bytes taken at present.
    pub(crate) fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::Relaxed)
    }

    fn share(&self) -> BodyShare {
        BodyShare {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

impl BodyShare {
    /// Takes `bytes` more, unless the budget is spent.
    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let taken =
            self.budget
                .used_bytes
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                    used.checked_add(bytes)
                        .filter(|sum| *sum <= self.budget.bytes_max)
                });
        if taken.is_err() {
            return Err(Problem::new(
                Slug::Overloaded,
                "The bodies being received fill the room set aside for them; send this one again shortly.",
            )
            .retry_after_s(1));
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        self.budget
            .used_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
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
/// A body whose declared length is over the limit is refused before a byte of it is read.
pub(crate) async fn receive(
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
    let mut share = budget.share();
    let collected = collect(body, bytes_max, &mut share);
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

async fn collect(body: Body, bytes_max: usize, share: &mut BodyShare) -> Result<Bytes, Problem> {
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
        share.grow(chunk.len())?;
        if first.is_empty() && whole.is_empty() {
            // Most bodies come in one piece, which is then handed on without a copy.
            first = chunk;
        } else {
            if !first.is_empty() {
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
        let budget = BodyBudget::new(100);
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
        let budget = BodyBudget::new(100);
        let problem = read(chunks(&["abc", "def"]), 5, &budget).await.unwrap_err();
        assert_eq!(problem.slug(), Slug::BodyTooLarge);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[tokio::test]
    async fn bodies_over_the_common_budget_are_told_to_come_again() {
        let budget = BodyBudget::new(6);
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
        let budget = BodyBudget::new(10);
        let received = receive(&HeaderMap::new(), body, 5, timeout, &budget).await;
        assert_eq!(received.unwrap_err().slug(), Slug::BodyTimeout);
    }
}
