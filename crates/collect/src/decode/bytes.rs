//! Small things about bytes.

/// Strips a UTF-8 byte order mark, which spreadsheet programs put first.
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// About how many events a body holds: from the length of its first line when it has lines, else
/// from what an event commonly takes. Only for making room, so a wrong guess costs little.
pub(super) fn estimate_rows(body: &[u8]) -> usize {
    const LOOKED_AT_BYTES: usize = 4096;
    const LINE_BYTES_MIN: usize = 16;
    const EVENT_BYTES: usize = 256;
    const ROWS_MAX: usize = 1 << 18;
    let head = body.get(..LOOKED_AT_BYTES).unwrap_or(body);
    let line = memchr::memchr(b'\n', head).map_or(EVENT_BYTES, |at| at.max(LINE_BYTES_MIN));
    (body.len() / line + 1).min(ROWS_MAX)
}

/// One line of a body.
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: u64,
    /// Where it starts in the body.
    pub(super) start: usize,
    /// Without its end (`\n` or `\r\n`).
    pub(super) bytes: &'a [u8],
}

/// The lines of a body.
pub(super) struct Lines<'a> {
    body: &'a [u8],
    at: usize,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self {
            body,
            at: 0,
            number: 0,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        let start = self.at;
        self.at += end + 1;
        self.number += 1;
        Some(Line {
            number: self.number,
            start,
            bytes: line.strip_suffix(b"\r").unwrap_or(line),
        })
    }
}
