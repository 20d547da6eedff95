//! Small things about bytes.

/// Strips a UTF-8 byte order mark, which spreadsheet programs put first.
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// About how many events a body holds: from how long its first lines are when it has lines, else from what
/// an event commonly takes. Only for making room, and what is to be reserved has a bound of its own.
pub(super) fn estimate_rows(body: &[u8]) -> usize {
    // Many lines, as the first may be a header, or anything.
    const LOOKED_AT_BYTES: usize = 32 << 10;
    const EVENT_BYTES: usize = 256;
    let head = body.get(..LOOKED_AT_BYTES).unwrap_or(body);
    let bytes = memchr::memrchr(b'\n', head).map_or(0, |last| last + 1);
    let lines = memchr::memchr_iter(b'\n', head).count();
    let line = bytes.checked_div(lines).unwrap_or(EVENT_BYTES);
    let rows = body.len() / line;
    // One row more than there is room for costs a copy of the column, and a little too much room nothing.
    rows + rows / 8 + 1
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
