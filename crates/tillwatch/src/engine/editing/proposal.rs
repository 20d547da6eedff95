//! Definitions and a board that are proposed for a file that somebody sends.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tillwatch_collect::file::{
    FileError, Proposal, ProposeOptions, ProposedMetric, propose_sample,
};
use tillwatch_serve::documents::{ProposalDocument, ProposedBoard, ProposedField};
use tillwatch_serve::ports::FileSample;
use tillwatch_serve::{Problem, Slug};

/// A compressed sample is looked at up to so many times the bytes that may be sent.
const EXPANSION_MAX: u64 = 8;
/// Characters of a file's name.
const NAME_CHARS_MAX: usize = 200;
/// Tiles of a proposed board.
const TILES_MAX: usize = 4;
/// Metrics of a proposed board that are drawn.
const CHARTS_MAX: usize = 4;
/// Dimensions of a proposed board that its first metric is drawn by.
const SPLITS_MAX: usize = 2;

/// Proposes definitions for a file or its beginning.
///
/// # Errors
/// Nothing can be proposed, with the reason.
pub(super) fn propose(sample: &FileSample, bytes_max: usize) -> Result<ProposalDocument, Problem> {
    if let Some(stream) = &sample.stream {
        crate::definitions::names::check_name(stream).map_err(|reason| {
            Problem::new(Slug::BadParameter, format!("{reason}.")).with("parameter", "stream")
        })?;
    }
    let options = ProposeOptions {
        stream: sample.stream.clone(),
        bytes_max: Some((bytes_max as u64).saturating_mul(EXPANSION_MAX)),
        ..ProposeOptions::default()
    };
    let name = called(sample.file_name.as_deref());
    let proposal = propose_sample(&name, sample.bytes.clone(), sample.whole, &options)
        .map_err(|error| refused(&error))?;
    let stream = proposal.schema.name.clone();
    let board = board(&stream, &proposal);
    Ok(ProposalDocument {
        format: proposal.format.name().to_owned(),
        lines: proposal.lines,
        rejected: proposal.rejected,
        rejections: proposal.rejections,
        whole: proposal.whole,
        yaml: proposal.yaml,
        fields: (proposal.fields.into_iter())
            .map(|field| ProposedField {
                name: field.name,
                from: field.from,
                kind: field.kind.to_string(),
                optional: field.optional,
                examples: field.examples,
            })
            .collect(),
        id: proposal.schema.id.clone(),
        time: proposal.schema.time.clone(),
        left_out: proposal.left_out,
        board,
        stream,
    })
}

/// The last name of a path as a browser or a tool tells it, short and without control characters.
fn called(file_name: Option<&str>) -> PathBuf {
    let whole = file_name.unwrap_or_default();
    let last = whole.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = last.chars().filter(|c| !c.is_control());
    let name: String = plain.take(NAME_CHARS_MAX).collect();
    match name.as_str() {
        "" | "." | ".." => Path::new("file").to_owned(),
        name => PathBuf::from(name),
    }
}

fn refused(error: &FileError) -> Problem {
    let slug = match error {
        FileError::Io { .. } => Slug::BodyUnreadable,
        _ => Slug::NothingProposed,
    };
    Problem::new(slug, format!("{error}."))
}

/// A board of the metrics: tiles of the first, each drawn, and the first by the dimensions there are.
fn board(stream: &str, proposal: &Proposal) -> Option<ProposedBoard> {
    let metrics = proposal.metrics.as_slice();
    let first = metrics.first()?;
    let title = |metric: &ProposedMetric| json!({"en": metric.description.trim_end_matches('.')});
    let tiles = metrics.iter().take(TILES_MAX);
    let tiles: Vec<Value> = tiles
        .map(|metric| json!({"metric": metric.name, "title": title(metric)}))
        .collect();
    let mut charts = Vec::new();
    for (at, metric) in metrics.iter().take(CHARTS_MAX).enumerate() {
        let width = if at == 0 { "full" } else { "half" };
        charts.push(json!({"metric": metric.name, "title": title(metric), "width": width}));
    }
    for dimension in proposal.dimensions.iter().take(SPLITS_MAX) {
        charts.push(json!({"metric": first.name, "by": dimension, "width": "half"}));
    }
    let mut board = Map::new();
    board.insert("title".to_owned(), json!({"en": stream.replace('_', " ")}));
    board.insert("tiles".to_owned(), Value::Array(tiles));
    board.insert("charts".to_owned(), Value::Array(charts));
    Some(ProposedBoard {
        name: stream.to_owned(),
        board,
    })
}
