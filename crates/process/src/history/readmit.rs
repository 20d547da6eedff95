//! Frames that no definition could take, when one can.

use std::collections::HashMap;
use std::sync::Arc;

use tillwatch_collect::decode_owned_record;
use tillwatch_journal::{JournalReader, Offset};

use super::{FrameCopies, StrandedFrame};
use crate::error::ProcessError;
use crate::processor::{Processor, RECOVER_ROWS, Writers};
use crate::writer::Place;

impl Processor {
    /// Takes the frames up that no definition could take before and these can, as if they had come
    /// right behind the checkpoint. What is decided here is noted by the next flush, before it writes any
    /// table; until then another processor finds everything as it was.
    pub(crate) fn readmit(&self, reader: &JournalReader) -> Result<(), ProcessError> {
        let Some(kept) = self.kept() else {
            return Ok(());
        };
        let Some(from) = kept.from else {
            return Ok(());
        };
        let copies = FrameCopies::new(Arc::clone(&kept.keeping.state));
        let read = |frame: &StrandedFrame| {
            let payload = match &frame.copy {
                Some(copy) => copies.read(copy)?,
                None => reader.read_at(frame.offset)?,
            };
            Ok::<_, ProcessError>(decode_owned_record(frame.offset, payload)?)
        };
        let mut writers = self.writers();
        let before = (writers.stranded.clone(), writers.readmitted.clone());
        let (mut left, mut fit) = (Vec::new(), Vec::new());
        for mut frame in std::mem::take(&mut writers.readmitted) {
            let Some(writer) = writers.by_stream.get(&frame.stream) else {
                // Its stream is gone again. Whether its table got the frame in between, the table tells.
                frame.undefined = true;
                frame.readmitted_at = Some(from);
                left.push(frame);
                continue;
            };
            let record = read(&frame)?;
            if writer.fits(&record) {
                fit.push(frame);
            } else if writer.reflects_of(record.kind) <= Some(from) {
                writer.leave(&record, false);
                left.push(frame);
            }
            // Otherwise it was written before it ceased to fit, and is one of the unfit rows of its table.
        }
        for mut frame in std::mem::take(&mut writers.stranded) {
            let Some(writer) = writers.by_stream.get(&frame.stream) else {
                left.push(frame);
                continue;
            };
            let record = read(&frame)?;
            if frame.is_in(writer.reflects_of(record.kind)) {
                continue;
            }
            // From now on its table goes on without it, and tells nothing of it any more.
            let known = !std::mem::take(&mut frame.undefined);
            frame.readmitted_at = None;
            // A table that is further than the checkpoint would take the frame for one it has.
            if writer.is_at(from) && writer.fits(&record) {
                fit.push(frame);
            } else {
                writer.leave(&record, known);
                left.push(frame);
            }
        }
        left.sort_by_key(|frame| frame.offset);
        fit.sort_by_key(|frame| frame.offset);
        fit.dedup_by_key(|frame| frame.offset);
        writers.to_note = before != (left.clone(), fit.clone());
        writers.stranded = left;
        writers.readmitted.clone_from(&fit);
        let behind = Offset::new(from.segment, from.position + 1);
        let mut rows = 0;
        for frame in fit {
            let record = read(&frame)?;
            rows += record.batch.num_rows();
            let place = Place {
                at: behind,
                copy: frame.copy,
            };
            writers.take(
                &record,
                &place,
                true,
                self.options(),
                self.unknown_records(),
            );
            if rows >= RECOVER_ROWS {
                writers.aggregate(self.engine(), behind);
                rows = 0;
            }
        }
        writers.aggregate(self.engine(), behind);
        Ok(())
    }
}

impl Writers {
    /// A checkpoint holds the frames taken up again, and tells where copies of those that could not be
    /// taken are.
    pub(crate) fn copied(&mut self, copied: &[StrandedFrame]) {
        self.readmitted.clear();
        self.to_note = false;
        let copies: HashMap<_, _> = (copied.iter())
            .map(|frame| (frame.offset, &frame.copy))
            .collect();
        for frame in self.stranded.iter_mut().filter(|f| f.copy.is_none()) {
            let copy = copies.get(&frame.offset).copied();
            frame.copy = copy.cloned().flatten();
        }
    }
}
