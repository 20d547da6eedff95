//! `bench decode`: the floor of ingest, which is reading and decoding alone.

use std::fs::File;
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tillwatch_collect::{Decoder, Format};

use super::child::cpu_seconds;
use crate::cli::BenchDecode;
use crate::terminal::{self, thousands};

/// Bytes decoded at once, about a request of `ingest`.
const PIECE_BYTES: usize = 1 << 20;

/// Decodes the file and prints how fast.
pub fn run(options: &BenchDecode) -> Result<ExitCode> {
    let Some(loaded) = crate::command::load(&options.config) else {
        return Ok(ExitCode::from(1));
    };
    let definition = loaded
        .streams
        .iter()
        .find(|stream| stream.schema.name == options.stream)
        .with_context(|| format!("there is no stream '{}'", options.stream))?;
    let decoder = Decoder::new(Arc::clone(&definition.schema), loaded.limits.decode)?;
    let path = options.file.display();
    let mut file = File::open(&options.file).with_context(|| format!("{path} cannot be read"))?;
    let (before, started) = (cpu_seconds("self")?, Instant::now());
    let mut piece = Vec::new();
    let mut events = 0_u64;
    loop {
        let rest = piece.len();
        let room = PIECE_BYTES.saturating_sub(rest) as u64;
        if file.by_ref().take(room.max(1)).read_to_end(&mut piece)? == 0 {
            events += decode(&decoder, &piece)?;
            break;
        }
        if let Some(end) = piece.iter().rposition(|byte| *byte == b'\n') {
            let rest = piece.split_off(end + 1);
            events += decode(&decoder, &piece)?;
            piece = rest;
        }
    }
    let cpu_s = cpu_seconds("self")? - before;
    terminal::line(format!(
        "{path}: {} events decoded in {cpu_s:.2} CPU seconds, {:.2} by the clock; {} a CPU second",
        thousands(events),
        started.elapsed().as_secs_f64(),
        thousands((events as f64 / cpu_s.max(0.01)) as u64),
    ));
    Ok(ExitCode::SUCCESS)
}

/// Decodes whole lines, of which none may be rejected, and says how many there are.
fn decode(decoder: &Decoder, lines: &[u8]) -> Result<u64> {
    if lines.is_empty() {
        return Ok(0);
    }
    let decoded = decoder.decode(&Format::Ndjson, lines)?;
    if let Some(first) = decoded.rejections.first() {
        bail!(
            "{} lines are rejected, the first because {}: {}",
            decoded.rejected,
            first.reason,
            first.raw
        );
    }
    Ok(decoded.lines)
}
