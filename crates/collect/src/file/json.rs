//! The values of a JSON array, or JSON values one after another, without reading them.

use super::split::{Cut, Split};

/// Records that are JSON values, separated by blanks and commas.
///
/// Whether they are well-formed is for the decoder to say; here only their ends are found.
pub(crate) struct Values;

impl Split for Values {
    fn cut(&self, data: &[u8], limit: usize, last: bool) -> Cut {
        let mut cut = Cut::default();
        let within = data.get(..limit).unwrap_or(data);
        while let Some(start) = value_start(within, cut.bytes) {
            match value_end(within, start) {
                Some(end) => {
                    cut = Cut {
                        bytes: end,
                        records: cut.records + 1,
                    }
                }
                None if last && within.len() == data.len() => {
                    return Cut {
                        bytes: data.len(),
                        records: cut.records + 1,
                    };
                }
                None => return cut,
            }
        }
        // Blanks and the closing bracket behind the last value belong to nothing.
        if last && within.len() == data.len() {
            cut.bytes = data.len();
        }
        cut
    }
}

/// Where the next value starts: behind blanks, commas and a closing bracket.
fn value_start(data: &[u8], from: usize) -> Option<usize> {
    let rest = data.get(from..)?;
    rest.iter()
        .position(|b| !b.is_ascii_whitespace() && !matches!(b, b',' | b']'))
        .map(|start| from + start)
}

/// The end of the value that starts at `start`, if it is within `data`.
fn value_end(data: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_u64;
    let mut in_text = false;
    let mut escaped = false;
    for (at, byte) in data.iter().enumerate().skip(start) {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    in_text = false;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' | b']' if depth == 0 => return Some(at),
            byte if depth == 0 && byte.is_ascii_whitespace() => return Some(at),
            _ => {}
        }
    }
    None
}

/// Writes each value of a cut on a line of its own, so that a malformed one spoils no other.
///
/// A line end within a value can only stand between its tokens, where a blank does as well; within a
/// text it is an error, which stays one.
pub(crate) fn as_lines(values: &[u8], body: &mut Vec<u8>) {
    let mut from = 0;
    while let Some(start) = value_start(values, from) {
        let end = value_end(values, start).unwrap_or(values.len());
        let value = values.get(start..end).unwrap_or_default().trim_ascii_end();
        body.extend(value.iter().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            other => *other,
        }));
        body.push(b'\n');
        from = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_an_array_and_values_in_a_row_are_found() {
        for text in [
            r#"{"a":1},{"b":"}]"},{"c":[{}]}]"#,
            "{\"a\":1}\n{\"b\":\"}]\"}\n\n{\"c\":[{}]}\n",
            "  {\"a\":1} , {\"b\":\"}]\"}\n,\n{\"c\":[{}]} \n]\n",
        ] {
            let cut = Values.cut(text.as_bytes(), usize::MAX, true);
            assert_eq!(
                cut,
                Cut {
                    bytes: text.len(),
                    records: 3
                },
                "{text}"
            );
            let mut body = Vec::new();
            as_lines(text.as_bytes(), &mut body);
            assert_eq!(body, b"{\"a\":1}\n{\"b\":\"}]\"}\n{\"c\":[{}]}\n");
        }
    }

    #[test]
    fn a_value_that_goes_on_in_the_next_piece_waits_for_it() {
        let text = br#"{"a":1},{"b":"x\"y"},"#;
        assert_eq!(
            Values.cut(text, 15, false),
            Cut {
                bytes: 7,
                records: 1
            }
        );
        assert_eq!(
            Values.cut(text, 100, false),
            Cut {
                bytes: 20,
                records: 2
            }
        );
    }
}
