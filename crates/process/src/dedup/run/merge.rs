//! Several runs become one.

use tillwatch_journal::Storage;

use super::super::generation::{LOW_BITS, Width, is_alive};
use super::{Run, RunReader, RunWriter};
use crate::error::ProcessError;

/// Writes the ids of `runs` that are alive in `now` into `writer`'s file. An id in several is there
/// once, as of its newest generation. `None` when none is alive.
pub(in super::super) fn merge(
    storage: &dyn Storage,
    runs: &[Run],
    writer: RunWriter,
    (width, now): (Width, i64),
) -> Result<Option<Run>, ProcessError> {
    writer.write_all(storage, |writer| {
        let mut heads = Vec::with_capacity(runs.len());
        for run in runs {
            let mut reader = RunReader::open(storage, run)?;
            if let Some(entry) = reader.next()? {
                heads.push((entry, run, reader));
            }
        }
        while let Some(key) = heads.iter().map(|(entry, ..)| *entry & !LOW_BITS).min() {
            let mut newest = i64::MIN;
            let mut ended = false;
            for (entry, run, reader) in &mut heads {
                if *entry & !LOW_BITS != key {
                    continue;
                }
                newest = newest.max(run.generation(*entry, width).min(now));
                match reader.next()? {
                    Some(following) => *entry = following,
                    None => {
                        // Marked: every entry is larger than 0.
                        *entry = 0;
                        ended = true;
                    }
                }
            }
            if ended {
                heads.retain(|(entry, ..)| *entry != 0);
            }
            if is_alive(newest, now) {
                writer.push(key, newest)?;
            }
        }
        Ok(())
    })
}
