//! One event as one line of JSON, written straight into a buffer. Every text written is plain ASCII without quotes
//! or backslashes, so nothing needs escaping.

use super::season::{DAY_US, HOUR_US, MINUTE_US};
use super::world::Currency;

/// A JSON object being written.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    buffer: &'a mut Vec<u8>,
    separator: u8,
}

impl<'a> Line<'a> {
    pub(crate) fn begin(buffer: &'a mut Vec<u8>) -> Self {
        Self {
            buffer,
            separator: b'{',
        }
    }

    pub(crate) fn end(self) {
        self.buffer.extend_from_slice(b"}\n");
    }

    fn key(&mut self, key: &str) {
        self.buffer.push(self.separator);
        self.separator = b',';
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(key.as_bytes());
        self.buffer.extend_from_slice(b"\":");
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(value.as_bytes());
        self.buffer.push(b'"');
    }

    /// Two texts as one value.
    pub(crate) fn joined(&mut self, key: &str, first: &str, second: &str) {
        self.key(key);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(first.as_bytes());
        self.buffer.extend_from_slice(second.as_bytes());
        self.buffer.push(b'"');
    }

    pub(crate) fn text_if(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    pub(crate) fn bool(&mut self, key: &str, value: bool) {
        self.key(key);
        self.buffer
            .extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(crate) fn int(&mut self, key: &str, value: i64) {
        self.key(key);
        if value < 0 {
            self.buffer.push(b'-');
        }
        digits(self.buffer, value.unsigned_abs(), 1);
    }

    /// A prefix and thirteen digits to the base of 32.
    ///
    /// Hexadecimal ids now and then look like a card number, as the guard rightly says of sixteen
    /// decimal digits with a right check digit. Among these digits are no `v`, for no id should
    /// look like a verification code either.
    pub(crate) fn id(&mut self, key: &str, prefix: &str, number: u64) {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghijkmnpqrstwxyz";
        self.key(key);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(prefix.as_bytes());
        for shift in (0..13).rev() {
            let digit = usize::try_from((number >> (5 * shift)) & 31).unwrap_or(0);
            self.buffer.push(DIGITS.get(digit).copied().unwrap_or(b'0'));
        }
        self.buffer.push(b'"');
    }

    /// A prefix and two words of seven digits to the base of 32 with an `x` between.
    ///
    /// So no id has as many decimal digits in a row as a card number, and, as neither `c` nor `v` is
    /// among the digits, none looks like one of the names of a verification code with the code behind it.
    pub(crate) fn split_id(&mut self, key: &str, prefix: &str, number: u64) {
        const DIGITS: &[u8; 32] = b"0123456789abdefghijkmnpqrstuwxyz";
        self.key(key);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(prefix.as_bytes());
        for word in [number >> 32, number & 0xffff_ffff] {
            for shift in (0..7).rev() {
                let digit = usize::try_from((word >> (5 * shift)) & 31).unwrap_or(0);
                self.buffer.push(DIGITS.get(digit).copied().unwrap_or(b'0'));
            }
            self.buffer.push(b'x');
        }
        self.buffer.pop();
        self.buffer.push(b'"');
    }

    /// A prefix and a plain number.
    pub(crate) fn numbered(&mut self, key: &str, prefix: &str, number: u64) {
        self.padded(key, prefix, number, 1);
    }

    /// A prefix and a number of at least so many digits.
    pub(crate) fn padded(&mut self, key: &str, prefix: &str, number: u64, width: usize) {
        self.key(key);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(prefix.as_bytes());
        digits(self.buffer, number, width);
        self.buffer.push(b'"');
    }

    /// Minor units as a decimal text with exactly the currency's digits after the point: exact, where a JSON number
    /// might be read as a double.
    pub(crate) fn money(&mut self, key: &str, minor: i64, currency: &Currency) {
        self.key(key);
        self.buffer.push(b'"');
        if minor < 0 {
            self.buffer.push(b'-');
        }
        let scale = 10_u64.pow(currency.exponent);
        let minor = minor.unsigned_abs();
        digits(self.buffer, minor / scale, 1);
        if currency.exponent > 0 {
            self.buffer.push(b'.');
            digits(self.buffer, minor % scale, currency.exponent as usize);
        }
        self.buffer.push(b'"');
    }

    /// An instant in RFC 3339 with milliseconds, UTC.
    pub(crate) fn time(&mut self, key: &str, time_us: i64) {
        self.key(key);
        self.buffer.push(b'"');
        let (year, month, day) = civil(time_us.div_euclid(DAY_US));
        let within = time_us.rem_euclid(DAY_US);
        let mut part = |value: i64, width: usize, after: u8| {
            digits(self.buffer, value.unsigned_abs(), width);
            self.buffer.push(after);
        };
        part(year, 4, b'-');
        part(month, 2, b'-');
        part(day, 2, b'T');
        part(within / HOUR_US, 2, b':');
        part(within % HOUR_US / MINUTE_US, 2, b':');
        part(within % MINUTE_US / 1_000_000, 2, b'.');
        part(within % 1_000_000 / 1000, 3, b'Z');
        self.buffer.push(b'"');
    }
}

/// Decimal digits, padded with zeros to at least `width`.
fn digits(buffer: &mut Vec<u8>, mut value: u64, width: usize) {
    let start = buffer.len();
    while value > 0 || buffer.len() - start < width {
        buffer.push(b'0' + u8::try_from(value % 10).unwrap_or(0));
        value /= 10;
    }
    if let Some(written) = buffer.get_mut(start..) {
        written.reverse();
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Years start in March here, so that
/// the leap day comes last and months have a regular length.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // from 0000-03-01
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_the_dates_the_calendar_library_gives() {
        for day in (-1000..60_000).step_by(7) {
            let (year, month, d) = civil(day);
            let text = format!("{year:04}-{month:02}-{d:02}T00:00:00Z");
            let at: jiff::Timestamp = text.parse().unwrap();
            assert_eq!(at.as_second(), day * 86_400, "{text}");
        }
    }

    #[test]
    fn money_has_the_digits_of_its_currency() {
        let write = |minor, exponent| {
            let mut buffer = Vec::new();
            let mut line = Line::begin(&mut buffer);
            line.money(
                "a",
                minor,
                &Currency {
                    code: "XXX",
                    exponent,
                    per_euro: 1.0,
                },
            );
            line.end();
            String::from_utf8(buffer).unwrap()
        };
        assert_eq!(write(5, 2), "{\"a\":\"0.05\"}\n");
        assert_eq!(write(1250, 0), "{\"a\":\"1250\"}\n");
        assert_eq!(write(1250, 3), "{\"a\":\"1.250\"}\n");
        assert_eq!(write(-1250, 2), "{\"a\":\"-12.50\"}\n");
    }
}
