//! Taking events through the decoders and the intake.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use tillwatch_collect::record::rejections_of;
use tillwatch_collect::{
    Again, Decoder, Encoding, Format, Intake, IntakeError, Prepared, Rejection, SubmitMeta,
    again_of, decompress,
};
use tillwatch_event::MemoryPart;
use tillwatch_process::{Processor, QUARANTINE, RejectReader, RejectedLine as Place};
use tokio::sync::Semaphore;

use crate::adapters::faults;
use crate::documents::{QuarantineList, QuarantinedLine, Receipt, RejectedLine, ReplayReceipt};
use crate::ports::{Collector, Envelope};
use crate::problem::{Problem, Slug};
use crate::request::params::nearest;
use crate::request::time::{rfc3339, shorten};

/// Rejections of a replay that are told.
const REPLAY_REJECTIONS_MAX: usize = 100;

/// The way in for the events of one set of definitions.
pub struct JournalCollector {
    intake: Arc<Intake>,
    processor: Arc<Processor>,
    decoders: BTreeMap<String, Lane>,
    decodes: Arc<Semaphore>,
    decompressed_bytes_max: usize,
}

/// What a stream is decoded by.
struct Lane {
    decoder: Arc<Decoder>,
    /// As many turns as there are for all streams: no more bodies of this one wait for those, however many
    /// have come, so that a body of another stream has few before it.
    turns: Semaphore,
}

/// Bytes that decoding takes for each byte of a body: columns, and the payload made of them.
const DECODED_TIMES: usize = 3;

impl JournalCollector {
    /// Over the intake and one decoder per stream. At most `decodes_at_once_max` bodies are decoded at a time.
    #[must_use]
    pub fn new(
        intake: Arc<Intake>,
        processor: Arc<Processor>,
        decoders: impl IntoIterator<Item = Arc<Decoder>>,
        limits: &crate::Limits,
    ) -> Self {
        let at_once = limits.decodes_at_once_max.max(1);
        let lane = |decoder: Arc<Decoder>| {
            let name = decoder.schema().name.clone();
            let turns = Semaphore::new(at_once);
            (name, Lane { decoder, turns })
        };
        Self {
            intake,
            processor,
            decoders: decoders.into_iter().map(lane).collect(),
            decodes: Arc::new(Semaphore::new(at_once)),
            decompressed_bytes_max: limits.decompressed_bytes_max,
        }
    }

    fn decoder(&self, stream: &str) -> Result<&Arc<Decoder>, Problem> {
        self.lane(stream).map(|lane| &lane.decoder)
    }

    fn lane(&self, stream: &str) -> Result<&Lane, Problem> {
        self.decoders.get(stream).ok_or_else(|| {
            let detail = format!("There is no stream '{}'.", shorten(stream));
            Problem::new(Slug::UnknownStream, detail)
                .suggesting(nearest(stream, self.decoders.keys().map(String::as_str)))
        })
    }

    async fn receive(&self, envelope: Envelope) -> Result<Receipt, Problem> {
        let lane = self.lane(&envelope.stream)?;
        let (format, encoding) = forms(&envelope, &lane.decoder)?;
        let prepared = self.prepare(lane, format, encoding, envelope).await?;
        let receipt = self.intake.submit_prepared(prepared).await;
        let receipt = receipt.map_err(|fault| faults::intake(&fault))?;
        Ok(Receipt {
            accepted: receipt.accepted,
            duplicates: receipt.duplicates,
            rejected: receipt.rejected,
            rejections: receipt.rejections.into_iter().map(told).collect(),
        })
    }

    /// Decompresses, decodes and encodes for the journal: work of the CPU, off the async threads.
    async fn prepare(
        &self,
        lane: &Lane,
        format: Format,
        encoding: Encoding,
        envelope: Envelope,
    ) -> Result<Prepared, Problem> {
        let _of_stream = lane.turns.acquire().await;
        let _turn = self.decodes.acquire().await;
        let intake = self.intake.clone();
        let decoder = Arc::clone(&lane.decoder);
        let bytes_max = self.decompressed_bytes_max;
        let work = tokio::task::spawn_blocking(move || {
            // What decoding holds counts until the queue counts what came of it.
            let mut memory = intake.memory().share(MemoryPart::Ingest);
            let mut hold = |bytes: usize| {
                memory.grow(bytes).map_err(|short| {
                    faults::intake(&intake.refuse(&envelope.stream, short.to_string()))
                })
            };
            let body = plain(encoding, &envelope.body, bytes_max)?;
            if matches!(body, Cow::Owned(_)) {
                hold(body.len())?;
            }
            hold(body.len().saturating_mul(DECODED_TIMES))?;
            let decoded = decoder.decode(&format, &body);
            let decoded = decoded.map_err(|fault| faults::decode(&fault))?;
            drop(body);
            let meta = SubmitMeta {
                idempotency_key: envelope.idempotency_key,
                source: None,
            };
            intake
                .prepare(&envelope.stream, decoded, meta)
                .map_err(|fault| faults::intake(&fault))
        });
        work.await.map_err(|cause| Problem::internal(&cause))?
    }

    /// Reads the newest rejected lines of a stream that have not been replayed, newest frame first, with one more than `limit`
    /// if there is one.
    async fn rejected(&self, stream: &str, limit: usize) -> Result<Vec<Quarantined>, Problem> {
        self.decoder(stream)?;
        let log = self.processor.stream(stream);
        let log = log.ok_or_else(|| Problem::internal(&"a stream without a log"))?;
        let reader = self.intake.reader();
        let work = tokio::task::spawn_blocking(move || {
            let mut lines = Vec::new();
            let frames = log.rejects(limit.saturating_add(1));
            let mut rejects = RejectReader::new(log, reader);
            for frame in frames {
                let record = rejects
                    .read(&frame)
                    .map_err(|cause| Problem::internal(&cause))?;
                let all = rejections_of(&record.batch);
                let again = again_of(&record.batch);
                let waiting = (0..)
                    .zip(all)
                    .filter(|(row, _)| !frame.replayed.contains(row));
                lines.extend(waiting.map(|(row, rejection)| Quarantined {
                    format: match &again {
                        Some(again) => format_of(again, row),
                        None => format_unknown(&rejection.raw),
                    },
                    place: Place {
                        frame: frame.offset,
                        row,
                    },
                    received_at_us: frame.received_at_us,
                    source: record.source.clone(),
                    rejection,
                }));
                if lines.len() > limit {
                    break;
                }
            }
            Ok(lines)
        });
        work.await.map_err(|cause| Problem::internal(&cause))?
    }

    /// Tries one line again. Each has a key of its own, so that trying it twice counts it once.
    async fn try_again(
        &self,
        decoder: &Arc<Decoder>,
        line: &Quarantined,
    ) -> Result<Result<(u64, u64), Rejection>, Problem> {
        let rejection = &line.rejection;
        let failed = |reason: String, field: Option<String>| Rejection {
            line: rejection.line,
            field,
            reason,
            raw: String::new(),
        };
        let format = match &line.format {
            Ok(format) => format,
            Err(reason) => return Ok(Err(failed((*reason).to_owned(), None))),
        };
        let decoded = match decoder.decode(format, rejection.raw.as_bytes()) {
            Ok(decoded) => decoded,
            // What is wrong with this line as a body must not keep the others from being tried.
            Err(fault) => return Ok(Err(failed(fault.to_string(), None))),
        };
        if let Some(still) = decoded.rejections.first() {
            return Ok(Err(failed(still.reason.clone(), still.field.clone())));
        }
        let meta = SubmitMeta {
            idempotency_key: Some(line.place.to_string()),
            source: Some(QUARANTINE.to_owned()),
        };
        let stream = decoder.schema().name.clone();
        let receipt = self.intake.submit(&stream, decoded, meta).await;
        let receipt = receipt.map_err(|fault| faults::intake(&fault))?;
        Ok(Ok((receipt.accepted, receipt.duplicates)))
    }

    async fn replay_lines(&self, stream: String, limit: usize) -> Result<ReplayReceipt, Problem> {
        let decoder = self.decoder(&stream)?.clone();
        let mut lines = self.rejected(&stream, limit).await?;
        lines.truncate(limit);
        let tries = lines.iter().map(|line| self.try_again(&decoder, line));
        let mut receipt = ReplayReceipt {
            replayed: lines.len() as u64,
            accepted: 0,
            duplicates: 0,
            rejected: 0,
            rejections: Vec::new(),
        };
        // Together, so that they share the journal's fsyncs.
        for outcome in join_all(tries).await {
            match outcome? {
                Ok((accepted, duplicates)) => {
                    receipt.accepted += accepted;
                    receipt.duplicates += duplicates;
                }
                Err(rejection) => {
                    receipt.rejected += 1;
                    if receipt.rejections.len() < REPLAY_REJECTIONS_MAX {
                        receipt.rejections.push(told(rejection));
                    }
                }
            }
        }
        Ok(receipt)
    }
}

impl Collector for JournalCollector {
    fn streams(&self) -> Vec<String> {
        self.decoders.keys().cloned().collect()
    }

    fn check(&self, envelope: &Envelope) -> Result<(), Problem> {
        let decoder = self.decoder(&envelope.stream)?;
        forms(envelope, decoder)?;
        self.intake
            .may_take()
            .map_err(|fault| faults::intake(&fault))
    }

    fn refused(&self, stream: &str) -> Duration {
        match self.intake.refuse(stream, String::new()) {
            IntakeError::Overloaded { retry_after, .. } => retry_after,
            _ => Duration::from_secs(1),
        }
    }

    fn take(&self, envelope: Envelope) -> BoxFuture<'_, Result<Receipt, Problem>> {
        self.receive(envelope).boxed()
    }

    fn quarantine(
        &self,
        stream: String,
        limit: usize,
    ) -> BoxFuture<'_, Result<QuarantineList, Problem>> {
        async move {
            let mut lines = self.rejected(&stream, limit).await?;
            let truncated = lines.len() > limit;
            lines.truncate(limit);
            let lines = lines.into_iter().map(|line| QuarantinedLine {
                received_at: rfc3339(line.received_at_us),
                line: line.rejection.line,
                field: line.rejection.field,
                reason: line.rejection.reason,
                raw: line.rejection.raw,
                source: line.source,
            });
            Ok(QuarantineList {
                lines: lines.collect(),
                stream,
                truncated,
            })
        }
        .boxed()
    }

    fn replay(
        &self,
        stream: String,
        limit: usize,
    ) -> BoxFuture<'_, Result<ReplayReceipt, Problem>> {
        self.replay_lines(stream, limit).boxed()
    }
}

/// A line in quarantine.
struct Quarantined {
    place: Place,
    received_at_us: i64,
    source: Option<String>,
    /// How it is read again, or why it cannot be.
    format: Result<Format, &'static str>,
    rejection: Rejection,
}

const NOT_WHOLE: &str = "the line was not kept as it came: it was too long, or card data in it was masked; send it again";

/// How a line is read again: as it was read the first time.
fn format_of(again: &Again, row: u64) -> Result<Format, &'static str> {
    let whole = usize::try_from(row)
        .ok()
        .and_then(|row| again.whole.get(row));
    match whole {
        Some(true) => Ok(again.format.clone()),
        _ => Err(NOT_WHOLE),
    }
}

/// The same for a line of which nothing is known but its text: from a file of columns, or kept before
/// the form was. Only JSON says itself what its values are.
fn format_unknown(raw: &str) -> Result<Format, &'static str> {
    if raw.ends_with('…') || raw.contains("***") {
        return Err(NOT_WHOLE);
    }
    if raw.trim_start().starts_with('{') {
        return Ok(Format::Json);
    }
    Err("the columns of this line are not known; send it again below its header")
}

fn forms(envelope: &Envelope, decoder: &Decoder) -> Result<(Format, Encoding), Problem> {
    let sent = envelope.content_type.as_deref().unwrap_or_default();
    if sent.is_empty() || sent.starts_with("application/x-www-form-urlencoded") {
        // What curl sends unless told.
        return Err(Problem::new(
            Slug::UnsupportedContentType,
            "Say what the body is, such as with the header 'Content-Type: application/x-ndjson' for one JSON object per line.",
        ));
    }
    let format =
        Format::from_content_type(sent, decoder.csv()).map_err(|fault| faults::decode(&fault))?;
    let encoding = envelope.content_encoding.as_deref().unwrap_or_default();
    let encoding = Encoding::from_header(encoding).map_err(|fault| faults::decode(&fault))?;
    Ok((format, encoding))
}

/// The body as it was before it was compressed.
fn plain(encoding: Encoding, body: &Bytes, bytes_max: usize) -> Result<Cow<'_, [u8]>, Problem> {
    if body.is_empty() {
        return Err(Problem::new(Slug::BodyUnreadable, "The body is empty."));
    }
    decompress(encoding, body, bytes_max).map_err(|fault| faults::decode(&fault))
}

fn told(rejection: Rejection) -> RejectedLine {
    RejectedLine {
        line: rejection.line,
        field: rejection.field,
        reason: rejection.reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_unknown_form_is_read_again_only_when_it_says_what_it_is() {
        assert_eq!(format_unknown(" {\"a\":1}"), Ok(Format::Json));
        assert!(format_unknown("1;2").is_err());
        assert_eq!(format_unknown("{\"a\":\"bbb…"), Err(NOT_WHOLE));
        let masked = "{\"id\":\"op2-411111******1111\"}";
        assert_eq!(format_unknown(masked), Err(NOT_WHOLE));
    }

    #[test]
    fn a_line_that_was_not_kept_whole_is_not_read_again() {
        let again = Again {
            format: Format::Ndjson,
            whole: vec![true, false],
        };
        assert_eq!(format_of(&again, 0), Ok(Format::Ndjson));
        assert_eq!(format_of(&again, 1), Err(NOT_WHOLE));
        assert_eq!(format_of(&again, 2), Err(NOT_WHOLE));
    }
}
