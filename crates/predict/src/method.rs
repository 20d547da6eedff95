//! What a forecast was made by, in words that can be shown.

use serde::{Deserialize, Serialize};

use crate::numbers::mean;
use crate::pool::{Expert, Member};
use crate::scale::Scale;

/// A kind of method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// Exponential smoothing.
    Smoothing,
    /// A regression on earlier values, among them those of the same time of earlier days and weeks.
    Autoregression,
}

/// A kind of method that takes part in a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// The kind.
    pub kind: MethodKind,
    /// Whether it works on the logarithm of the values.
    pub is_logarithmic: bool,
    /// How much it counts, over all leads: from 0 to 1.
    pub weight: f64,
}

/// The kinds of methods among the members, the one that counts most first.
pub(crate) fn methods(members: &[Member]) -> Vec<Method> {
    let mut found: Vec<Method> = Vec::new();
    for member in members {
        let kind = match member.expert {
            Expert::Smoothing(_) => MethodKind::Smoothing,
            Expert::Regression(..) => MethodKind::Autoregression,
        };
        let is_logarithmic = matches!(member.scale, Scale::Log { .. });
        let weight = mean(member.weights.iter().copied());
        let same =
            |method: &&mut Method| method.kind == kind && method.is_logarithmic == is_logarithmic;
        match found.iter_mut().find(same) {
            Some(method) => method.weight += weight,
            None => found.push(Method {
                kind,
                is_logarithmic,
                weight,
            }),
        }
    }
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    found
}
