//! Straight into the intake of this process.

use std::sync::Arc;

use super::sink::{Answer, Parcel, Sink, SinkError, of_instance};
use crate::decode::Decoder;
use crate::intake::{Intake, IntakeError, SubmitMeta};

/// Decodes chunks here and hands them to an [`Intake`].
pub struct IntakeSink {
    intake: Arc<Intake>,
    decoder: Arc<Decoder>,
    target: String,
}

impl IntakeSink {
    /// Hands events to `intake`, as the stream of `decoder`. Rejections are listed up to the decoder's
    /// `rejections_max` per chunk. `instance` is that of the intake's journal.
    #[must_use]
    pub fn new(intake: Arc<Intake>, decoder: Arc<Decoder>, instance: &str) -> Self {
        Self {
            intake,
            decoder,
            target: of_instance(instance),
        }
    }
}

impl Sink for IntakeSink {
    async fn target(&self) -> Result<String, SinkError> {
        Ok(self.target.clone())
    }

    async fn send(&self, parcel: &Parcel) -> Result<Answer, SinkError> {
        let (intake, decoder) = (Arc::clone(&self.intake), Arc::clone(&self.decoder));
        let body = parcel.chunk.body.clone();
        let format = parcel
            .format
            .chunk_format(decoder.csv(), parcel.chunk.repeated);
        let idempotency_key = Some(parcel.idempotency_key.clone());
        // Decoding and encoding are CPU work of many milliseconds.
        let prepared = tokio::task::spawn_blocking(move || {
            let decoded = decoder
                .decode(&format, &body)
                .map_err(|error| SinkError::Refused(error.to_string()))?;
            let rejections = decoded.rejections.clone();
            let meta = SubmitMeta {
                idempotency_key,
                source: None,
            };
            let stream = &decoder.schema().name;
            let prepared = intake.prepare(stream, decoded, meta).map_err(sink_error)?;
            Ok((prepared, rejections))
        });
        let (prepared, rejections) = prepared
            .await
            .map_err(|error| SinkError::Refused(error.to_string()))??;
        let receipt = self
            .intake
            .submit_prepared(prepared)
            .await
            .map_err(sink_error)?;
        Ok(Answer {
            accepted: receipt.accepted,
            duplicates: receipt.duplicates,
            rejected: receipt.rejected,
            rejections,
        })
    }
}

fn sink_error(error: IntakeError) -> SinkError {
    match error {
        IntakeError::Overloaded { retry_after, .. } => SinkError::Overloaded {
            reason: error.to_string(),
            retry_after,
        },
        IntakeError::StorageFull(_) | IntakeError::Changed { .. } => {
            SinkError::Unavailable(error.to_string())
        }
        _ => SinkError::Refused(error.to_string()),
    }
}
