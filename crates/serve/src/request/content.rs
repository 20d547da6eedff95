//! Choosing the format of an answer by the `Accept` header.

use axum::http::{HeaderMap, header};

use crate::problem::{Problem, Slug};
use crate::request::time::shorten;

/// One format in an `Accept` header, with its weight.
#[derive(Debug, PartialEq)]
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    weight: f32,
}

/// The one of `offered` (most preferred first) that the client's `Accept` header weighs highest.
///
/// Without the header the first is taken. A more specific range decides over a wider one, as RFC 9110 has it.
pub(crate) fn negotiate<'o>(headers: &HeaderMap, offered: &[&'o str]) -> Result<&'o str, Problem> {
    let mut text = String::new();
    for value in headers.get_all(header::ACCEPT) {
        let value = value.to_str().map_err(|_| {
            Problem::new(Slug::BadHeader, "The Accept header is not plain text.")
                .with("header", "Accept")
        })?;
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(value);
    }
    let ranges: Vec<Range<'_>> = text.split(',').filter_map(range).collect();
    let mut best: Option<(&'o str, f32)> = None;
    for offer in offered {
        let weight = if text.trim().is_empty() {
            1.0
        } else {
            weight(offer, &ranges)
        };
        if weight > 0.0 && best.is_none_or(|(_, known)| weight > known) {
            best = Some((offer, weight));
        }
    }
    best.map(|(offer, _)| offer).ok_or_else(|| {
        Problem::new(
            Slug::NotAcceptable,
            format!(
                "'{}' allows none of {}.",
                shorten(&text),
                offered.join(", ")
            ),
        )
        .with("offered", offered.to_vec())
    })
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let mut weight = 1.0;
    for parameter in parts {
        if let Some(q) = parameter
            .strip_prefix("q=")
            .or_else(|| parameter.strip_prefix("Q="))
        {
            weight = q.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q))?;
        }
    }
    Some(Range {
        kind,
        subtype,
        weight,
    })
}

fn weight(offer: &str, ranges: &[Range<'_>]) -> f32 {
    let Some((kind, subtype)) = offer.split_once('/') else {
        return 0.0;
    };
    let mut found = (0, 0.0);
    for range in ranges {
        let specific = if range.kind == "*" {
            1
        } else if !range.kind.eq_ignore_ascii_case(kind) {
            continue;
        } else if range.subtype == "*" {
            2
        } else if range.subtype.eq_ignore_ascii_case(subtype) {
            3
        } else {
            continue;
        };
        if specific > found.0 {
            found = (specific, range.weight);
        }
    }
    found.1
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_highest_weight_wins_and_the_more_specific_range_decides() {
        const OFFERED: &[&str] = &["application/json", "text/csv"];
        let cases = [
            (None, Some("application/json")),
            (Some(""), Some("application/json")),
            (Some("*/*"), Some("application/json")),
            (Some("text/*"), Some("text/csv")),
            (Some("Text/CSV"), Some("text/csv")),
            (
                Some("text/csv;q=0.5, application/json;q=0.4"),
                Some("text/csv"),
            ),
            (Some("*/*;q=0.9, application/json;q=0.1"), Some("text/csv")),
            (Some("application/json;q=0, */*"), Some("text/csv")),
            (Some("text/html"), None),
            (Some("text/csv;q=0"), None),
            (Some("nonsense"), None),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(negotiate(&headers, OFFERED).ok(), expected, "{accept:?}");
        }
    }
}
