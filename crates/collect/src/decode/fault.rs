//! Why a line is rejected, and the list of rejected lines.

use std::borrow::Cow;

use tillwatch_event::guard;

use super::{DecodeLimits, Rejection};

/// Characters of a value that a reason shows.
const SHOWN_CHARS_MAX: usize = 40;

/// Why a line is rejected. Boxed text, as it is made on the cold path only.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) field: Option<Box<str>>,
    pub(super) reason: Box<str>,
}

impl Fault {
    #[cold]
    pub(super) fn line(reason: impl Into<Box<str>>) -> Self {
        Self {
            field: None,
            reason: reason.into(),
        }
    }

    #[cold]
    pub(super) fn field(name: &str, reason: impl Into<Box<str>>) -> Self {
        Self {
            field: Some(Box::from(name)),
            reason: reason.into(),
        }
    }

    #[cold]
    pub(super) fn missing(name: &str, source: &str) -> Self {
        if name == source {
            Self::field(name, "is required, but missing")
        } else {
            Self::field(
                name,
                format!("is required, but '{source}', which it is read from, is missing"),
            )
        }
    }
}

/// A value as a reason shows it: card numbers masked, cut to a few characters.
pub(super) fn show(value: &str) -> String {
    let masked = guard::mask_line(value);
    let mut shown: String = masked.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < masked.len() {
        shown.push('…');
    }
    shown
}

/// The rejected lines of a body.
pub(super) struct Rejections {
    kept: Vec<Rejection>,
    /// Of each kept line whether it is as it came.
    whole: Vec<bool>,
    rejected: u64,
    kept_max: usize,
    raw_bytes_max: usize,
}

impl Rejections {
    pub(super) fn new(limits: &DecodeLimits) -> Self {
        Self {
            kept: Vec::new(),
            whole: Vec::new(),
            rejected: 0,
            kept_max: limits.rejections_max,
            raw_bytes_max: limits.raw_bytes_max,
        }
    }

    /// Notes a rejected line; `raw` need not be UTF-8.
    #[cold]
    pub(super) fn add(&mut self, line: u64, fault: Fault, raw: &[u8]) {
        self.add_kept(line, fault, Cow::Borrowed(raw));
    }

    /// The same for a line of which some is not kept: `raw` is borrowed when it is as it came.
    #[cold]
    pub(super) fn add_kept(&mut self, line: u64, fault: Fault, raw: Cow<'_, [u8]>) {
        self.rejected += 1;
        if self.kept.len() >= self.kept_max {
            return;
        }
        // Masking before cutting, so that a cut cannot hide a number; but of a line of megabytes
        // only the part that can be shown is looked at, with room for a number across the cut.
        let window = raw
            .get(..self.raw_bytes_max.saturating_add(256))
            .unwrap_or(&raw);
        let text = String::from_utf8_lossy(window);
        let masked = guard::mask_line(&text);
        let whole = matches!(
            (&raw, &text, &masked),
            (Cow::Borrowed(_), Cow::Borrowed(_), Cow::Borrowed(_))
        ) && raw.len() <= self.raw_bytes_max;
        let mut masked = masked.into_owned();
        if masked.len() > self.raw_bytes_max {
            let mut cut = self.raw_bytes_max;
            while !masked.is_char_boundary(cut) {
                cut -= 1;
            }
            masked.truncate(cut);
            masked.push('…');
        }
        self.kept.push(Rejection {
            line,
            field: fault.field.map(String::from),
            reason: fault.reason.into(),
            raw: masked,
        });
        self.whole.push(whole);
    }

    /// The lines that are kept, whether each is as it came, and how many were rejected in all.
    pub(super) fn finish(self) -> (Vec<Rejection>, Vec<bool>, u64) {
        (self.kept, self.whole, self.rejected)
    }
}
