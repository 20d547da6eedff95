//! Where records end in a piece of a file.

use crate::decode::Delimiter;
use crate::decode::quotes::Records;

/// The whole records at the start of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cut {
    /// Bytes they take, with what separates them.
    pub(crate) bytes: usize,
    /// How many they are.
    pub(crate) records: u64,
}

/// Something that finds the ends of records. It keeps nothing between pieces: each begins with a record.
pub(crate) trait Split {
    /// The records of `data` that are whole and end within `limit` bytes. At the end of the file (`last`)
    /// what is left is a record too, with or without an end mark.
    fn cut(&self, data: &[u8], limit: usize, last: bool) -> Cut;

    /// Bytes of the first record of `data`, which is a line where nothing else is said.
    fn first(&self, data: &[u8], last: bool) -> Option<usize> {
        match memchr::memchr(b'\n', data) {
            Some(end) => Some(end + 1),
            None => (last && !data.is_empty()).then_some(data.len()),
        }
    }
}

/// Records that end with a line.
pub(crate) struct Lines;

impl Split for Lines {
    fn cut(&self, data: &[u8], limit: usize, last: bool) -> Cut {
        let within = data.get(..limit).unwrap_or(data);
        let whole = memchr::memrchr(b'\n', within).map_or(0, |end| end + 1);
        let rest_is_record = last && within.len() == data.len() && whole < data.len();
        let bytes = if rest_is_record { data.len() } else { whole };
        let ends = memchr::memchr_iter(b'\n', within.get(..whole).unwrap_or_default()).count();
        Cut {
            bytes,
            records: ends as u64 + u64::from(rest_is_record),
        }
    }
}

/// Records of quoted text, as RFC 4180 has them: a quote at the start of a cell begins a part in which
/// line ends and delimiters are text. A line with a quote that is not closed within `bytes_max` bytes is
/// cut as a record, which the decoder rejects.
pub(crate) struct Quoted {
    pub(crate) delimiter: u8,
    pub(crate) bytes_max: usize,
}

impl Quoted {
    fn records<'a>(&self, data: &'a [u8], last: bool) -> Records<'a> {
        Records::new(data, self.delimiter, self.bytes_max, last)
    }
}

impl Split for Quoted {
    fn cut(&self, data: &[u8], limit: usize, last: bool) -> Cut {
        // One byte more than the limit tells whether more comes. Further ones must not count: where a cut
        // ends may depend only on the place it begins at.
        let within = data.get(..limit.saturating_add(1)).unwrap_or(data);
        let mut cut = Cut::default();
        for record in self.records(within, last && data.len() <= limit) {
            if record.range.end > limit {
                break;
            }
            cut = Cut {
                bytes: record.range.end,
                records: cut.records + 1,
            };
        }
        cut
    }

    fn first(&self, data: &[u8], last: bool) -> Option<usize> {
        let record = self.records(data, last).next()?;
        Some(record.range.end)
    }
}

/// The split for columns with this delimiter, and records of this many bytes.
pub(crate) fn for_delimiter(delimiter: Delimiter, bytes_max: usize) -> Box<dyn Split + Send> {
    match delimiter {
        Delimiter::Byte(delimiter) => Box::new(Quoted {
            delimiter,
            bytes_max,
        }),
        Delimiter::Whitespace => Box::new(Lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(split: &(dyn Split + Send), text: &str) -> Vec<String> {
        let mut rest = text.as_bytes();
        let mut found = Vec::new();
        while let Some(bytes) = split.first(rest, true) {
            found.push(String::from_utf8(rest[..bytes].to_vec()).unwrap());
            rest = &rest[bytes..];
        }
        found
    }

    #[test]
    fn records_end_at_line_ends_outside_quotes() {
        let split = Quoted {
            delimiter: b',',
            bytes_max: 100,
        };
        let cases = [
            ("a,b\nc,d\n", vec!["a,b\n", "c,d\n"]),
            ("a,\"b\nc\"\nd\n", vec!["a,\"b\nc\"\n", "d\n"]),
            ("a,\"say \"\"hi\"\"\n\"\n", vec!["a,\"say \"\"hi\"\"\n\"\n"]),
            ("5\" pipe,1\nx,2\n", vec!["5\" pipe,1\n", "x,2\n"]),
            ("a\r\nb\r\n", vec!["a\r\n", "b\r\n"]),
            ("a\nb", vec!["a\n", "b"]),
            ("\"a\"b\n\"c\"\n", vec!["\"a\"b\n", "\"c\"\n"]),
        ];
        for (text, expected) in cases {
            assert_eq!(records(&split, text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cut_holds_as_many_records_as_fit_the_limit() {
        let quoted = Quoted {
            delimiter: b',',
            bytes_max: 100,
        };
        for split in [&Lines as &dyn Split, &quoted] {
            let data = b"aa\nbb\ncc\ndd";
            assert_eq!(
                split.cut(data, 7, true),
                Cut {
                    bytes: 6,
                    records: 2
                }
            );
            assert_eq!(split.cut(data, 2, true), Cut::default());
            assert_eq!(
                split.cut(data, 11, true),
                Cut {
                    bytes: 11,
                    records: 4
                }
            );
            assert_eq!(
                split.cut(data, 11, false),
                Cut {
                    bytes: 9,
                    records: 3
                }
            );
        }
    }
}
