//! Query strings: every parameter is known, and given as often as it may be.

use url::form_urlencoded;

use crate::problem::Problem;
use crate::request::time::shorten;

/// The parameters of one request, checked against the names the call knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

/// More parameters than this are never meant.
const PARAMS_MAX: usize = 64;

impl Params {
    /// Reads a query string; a name that is not in `known` is a problem, with the nearest known one.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let nearest = nearest(&name, known.iter().copied());
                let listed = if known.is_empty() {
                    "this call has none".to_owned()
                } else {
                    format!("known are {}", known.join(", "))
                };
                let detail = format!("There is no parameter '{}'; {listed}.", shorten(&name));
                return Err(Problem::parameter(&shorten(&name), detail).suggesting(nearest));
            }
            if pairs.len() == PARAMS_MAX {
                let detail = format!("More than {PARAMS_MAX} parameters were given.");
                return Err(Problem::parameter(&name, detail));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Problem> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (Some(_), Some(_)) => Err(Problem::parameter(
                name,
                format!("'{name}' may be given only once."),
            )),
            (first, _) => Ok(first),
        }
    }

    /// The values of a parameter that may be repeated, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// A whole number from 1 to `max`, or `default` when the parameter is absent.
    pub(crate) fn count(&self, name: &str, default: usize, max: usize) -> Result<usize, Problem> {
        let Some(text) = self.one(name)? else {
            return Ok(default);
        };
        match text.parse::<usize>() {
            Ok(n) if (1..=max).contains(&n) => Ok(n),
            _ => Err(Problem::parameter(
                name,
                format!(
                    "'{name}' must be a whole number from 1 to {max}, not '{}'.",
                    shorten(text)
                ),
            )),
        }
    }
}

/// The candidate most like a name, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    tillwatch_event::suggest::closest(name, candidates)
}
