//! The headers by which a change is made only where things are as the client knows them.

use axum::http::{HeaderMap, HeaderName, header};

use crate::ports::{BoardCondition, Precondition};
use crate::problem::{Problem, Slug};
use crate::request::time::shorten;

/// Versions that one header may name.
const VERSIONS_MAX: usize = 16;

/// What `If-Match` and `If-None-Match` ask for. Versions are strong entity tags: a weak one, and one that is none of ours,
/// matches nothing.
pub(crate) fn condition(headers: &HeaderMap) -> Result<BoardCondition, Problem> {
    Ok(match precondition(headers)? {
        Precondition::Always => BoardCondition::Always,
        Precondition::Present => BoardCondition::Present,
        Precondition::Absent => BoardCondition::Absent,
        Precondition::Tagged(tags) => {
            let versions = tags.iter().filter_map(|tag| tag.parse::<i64>().ok());
            BoardCondition::Version(versions.collect())
        }
    })
}

/// As [`condition`], of things whose states are told by any text.
pub(crate) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let matching = one(headers, &header::IF_MATCH)?;
    let none = one(headers, &header::IF_NONE_MATCH)?;
    match (matching, none) {
        (None, None) => Ok(Precondition::Always),
        (Some("*"), None) => Ok(Precondition::Present),
        (Some(tags), None) => strong(tags).map(Precondition::Tagged),
        (None, Some("*")) => Ok(Precondition::Absent),
        (None, Some(tags)) => Err(refused(
            &header::IF_NONE_MATCH,
            format!(
                "If-None-Match takes * here, which is to make anew, and not '{}'.",
                shorten(tags)
            ),
        )),
        (Some(_), Some(_)) => Err(refused(
            &header::IF_NONE_MATCH,
            "Send If-Match or If-None-Match, not both.".to_owned(),
        )),
    }
}

fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(text) if values.next().is_none() => Ok(Some(text.trim())),
        Ok(_) => Err(refused(name, format!("{name} may be sent only once."))),
        Err(_) => Err(refused(name, format!("{name} is not plain text."))),
    }
}

/// The strong ones of some entity tags.
fn strong(tags: &str) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    for (at, tag) in tags.split(',').map(str::trim).enumerate() {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        let quoted = strong
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let Some(quoted) = quoted.filter(|_| at < VERSIONS_MAX) else {
            let detail = format!(
                "If-Match takes the version in quotes, such as \"7\", at most {VERSIONS_MAX} of them, and not '{}'.",
                shorten(tags)
            );
            return Err(refused(&header::IF_MATCH, detail));
        };
        if strong == tag {
            found.push(quoted.to_owned());
        }
    }
    Ok(found)
}

fn refused(name: &HeaderName, detail: String) -> Problem {
    Problem::new(Slug::BadHeader, detail).with("header", name.as_str())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(pairs: &[(HeaderName, &'static str)]) -> Result<BoardCondition, Slug> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_static(value));
        }
        condition(&headers).map_err(|problem| problem.slug())
    }

    #[test]
    fn a_version_is_matched_by_its_strong_tag_alone() {
        let matching = |text| read(&[(header::IF_MATCH, text)]);
        let versions = |all: &[i64]| Ok(BoardCondition::Version(all.to_vec()));
        assert_eq!(read(&[]), Ok(BoardCondition::Always));
        assert_eq!(matching(" * "), Ok(BoardCondition::Present));
        assert_eq!(matching("\"7\""), versions(&[7]));
        assert_eq!(matching("\"7\" , \"8\""), versions(&[7, 8]));
        assert_eq!(matching("W/\"7\""), versions(&[]));
        assert_eq!(matching("\"folder-0a\""), versions(&[]));
        for text in ["7", "", "\"7", "\"7\",", "x\"7\""] {
            assert_eq!(matching(text), Err(Slug::BadHeader), "{text}");
        }
        let absent = read(&[(header::IF_NONE_MATCH, "*")]);
        assert_eq!(absent, Ok(BoardCondition::Absent));
        let bad = [
            vec![(header::IF_NONE_MATCH, "\"7\"")],
            vec![(header::IF_NONE_MATCH, "*"), (header::IF_MATCH, "*")],
            vec![(header::IF_MATCH, "\"7\""), (header::IF_MATCH, "\"8\"")],
        ];
        for pairs in bad {
            assert_eq!(read(&pairs), Err(Slug::BadHeader), "{pairs:?}");
        }
    }
}
