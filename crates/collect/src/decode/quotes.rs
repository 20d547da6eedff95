//! Where quoted text begins and ends, as the CSV reader sees it (RFC 4180, and what it takes beyond that).

/// A place in a row, moved on byte by byte.
///
/// A quote opens quoted text only at the start of a cell; elsewhere, as in `5" pipe`, it is text. After
/// quoted text that is followed by more, the cell goes on as plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the first byte of a cell.
    CellStart,
    /// In text without quotes.
    Plain,
    /// In quoted text, where delimiters and line ends are text.
    Quoted,
    /// Behind a quote in quoted text: its end, or the first half of a doubled one.
    QuoteInQuoted,
}

impl Place {
    /// The place after one more byte.
    #[inline]
    pub(crate) fn after(self, byte: u8, delimiter: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::QuoteInQuoted,
            (Self::Quoted, _) | (Self::QuoteInQuoted | Self::CellStart, b'"') => Self::Quoted,
            // A carriage return alone ends a row too.
            (_, b'\n' | b'\r') => Self::CellStart,
            (_, byte) if byte == delimiter => Self::CellStart,
            _ => Self::Plain,
        }
    }

    /// Whether a row that begins at the start of `bytes` is still within quotes at their end.
    pub(crate) fn ends_quoted(bytes: &[u8], delimiter: u8) -> bool {
        let end = bytes
            .iter()
            .fold(Self::CellStart, |place, byte| place.after(*byte, delimiter));
        end == Self::Quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_quote_at_the_start_of_a_cell_opens_quoted_text() {
        for (row, open) in [
            ("a,b", false),
            ("a,\"b", true),
            ("a,\"b\"", false),
            ("a,\"b\"\"", true),
            ("a,\"b\"\"\"", false),
            ("5\" pipe,1", false),
            ("\"a\"b\"", false),
            ("\"a\n,", true),
        ] {
            assert_eq!(Place::ends_quoted(row.as_bytes(), b','), open, "{row}");
        }
    }
}
