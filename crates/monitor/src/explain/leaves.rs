//! The input: every combination of dimension values, with what was expected of it and what came.

pub use crate::detect::baseline::Counts;

/// Most leaves that are searched. More would break the bounds on time and memory.
pub const LEAVES_MAX: usize = 100_000;
/// Most dimensions that are searched: 63 cuboids.
pub const DIMENSIONS_MAX: usize = 6;
/// Largest figure of a leaf, in magnitude, so that no sum over leaves overflows.
pub const MAGNITUDE_MAX: f64 = 1e290;

/// Whether counts can be searched.
fn is_valid(counts: &Counts) -> bool {
    (0.0..=MAGNITUDE_MAX).contains(&counts.attempts)
        && (0.0..=counts.attempts).contains(&counts.successes)
}

/// One dimension of the leaves, as a dictionary and a code a leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its values. SQL null is `None`, a value of its own.
    pub values: Vec<Option<String>>,
    /// Of each leaf, the index into `values`.
    pub codes: Vec<u32>,
}

/// What was expected of each leaf and what came, in the order of the codes.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    /// A measure that adds up: volume, counts.
    Sums {
        /// The forecast.
        expected: Vec<f64>,
        /// What came.
        actual: Vec<f64>,
    },
    /// A share of successes.
    Rates {
        /// Counts of a stretch in which all was well, however long: more attempts tell the normal
        /// rate more exactly.
        expected: Vec<Counts>,
        /// Counts of the stretch to be explained.
        actual: Vec<Counts>,
    },
}

impl Figures {
    fn len(&self) -> [usize; 2] {
        match self {
            Self::Sums { expected, actual } => [expected.len(), actual.len()],
            Self::Rates { expected, actual } => [expected.len(), actual.len()],
        }
    }
}

/// Why leaves cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeavesError {
    /// More leaves than [`LEAVES_MAX`].
    #[error("{0} leaves; {LEAVES_MAX} is the most")]
    TooManyLeaves(usize),
    /// More dimensions than [`DIMENSIONS_MAX`].
    #[error("{0} dimensions; {DIMENSIONS_MAX} is the most")]
    TooManyDimensions(usize),
    /// Two dimensions have this name.
    #[error("two dimensions are called {0:?}")]
    SameName(String),
    /// A column of this dimension, or of figures where empty, has another length than the rest.
    #[error("{}", length_fault(.0))]
    Length(String),
    /// The code of this dimension at this leaf is not in its dictionary.
    #[error("the code of {0:?} at leaf {1} has no value")]
    UnknownCode(String, usize),
    /// The figures of this leaf are not numbers, negative counts, more successes than attempts, or
    /// greater than [`MAGNITUDE_MAX`].
    #[error("the figures of leaf {0} are not usable numbers")]
    Figure(usize),
}

fn length_fault(name: &str) -> String {
    if name.is_empty() {
        return "there are not as many figures as leaves".to_owned();
    }
    format!("{name:?} has not as many codes as there are leaves")
}

/// Every combination of dimension values at the time of an incident. Combinations that occur more
/// than once are added up.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaves {
    dimensions: Vec<Dimension>,
    figures: Figures,
}

impl Leaves {
    /// Takes columns.
    ///
    /// # Errors
    /// Where there are too many of them, their lengths differ, a code has no value or a figure is
    /// not a number that can be worked with.
    pub fn new(dimensions: Vec<Dimension>, figures: Figures) -> Result<Self, LeavesError> {
        let [leaves, actual] = figures.len();
        if leaves != actual {
            return Err(LeavesError::Length(String::new()));
        }
        if leaves > LEAVES_MAX {
            return Err(LeavesError::TooManyLeaves(leaves));
        }
        if dimensions.len() > DIMENSIONS_MAX {
            return Err(LeavesError::TooManyDimensions(dimensions.len()));
        }
        for (position, dimension) in dimensions.iter().enumerate() {
            let name = &dimension.name;
            if dimensions.iter().take(position).any(|d| d.name == *name) {
                return Err(LeavesError::SameName(name.clone()));
            }
            if dimension.codes.len() != leaves {
                return Err(LeavesError::Length(name.clone()));
            }
            let known = |code: &u32| (*code as usize) < dimension.values.len();
            if let Some(leaf) = dimension.codes.iter().position(|code| !known(code)) {
                return Err(LeavesError::UnknownCode(name.clone(), leaf));
            }
        }
        let usable = |x: &f64| x.abs() <= MAGNITUDE_MAX;
        let bad = match &figures {
            Figures::Sums { expected, actual } => {
                let mut pairs = expected.iter().zip(actual);
                pairs.position(|(f, v)| !usable(f) || !usable(v))
            }
            Figures::Rates { expected, actual } => {
                let mut pairs = expected.iter().zip(actual);
                pairs.position(|(f, v)| !is_valid(f) || !is_valid(v))
            }
        };
        match bad {
            Some(leaf) => Err(LeavesError::Figure(leaf)),
            None => Ok(Self {
                dimensions,
                figures,
            }),
        }
    }

    /// How many rows of figures there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.figures.len()[0]
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The leaves in an order of their own: by value, dimension after dimension, each combination
    /// once. So nothing that follows depends on the order in which they came.
    pub(super) fn canonical(&self) -> Canonical {
        let mut keys: Vec<(u128, u32)> = (0..self.len() as u32).map(|leaf| (0, leaf)).collect();
        let mut columns = Vec::new();
        for dimension in &self.dimensions {
            let (values, ranks) = ranked(&dimension.values);
            let size = values.len().max(1) as u128;
            let codes: Vec<u32> = dimension
                .codes
                .iter()
                .map(|code| ranks.get(*code as usize).copied().unwrap_or(0))
                .collect();
            // 100 000 values in each of six dimensions make 10³⁰ combinations, which fit.
            for (key, code) in keys.iter_mut().zip(&codes) {
                key.0 = key.0 * size + u128::from(*code);
            }
            columns.push((dimension.name.clone(), values, codes));
        }
        if !keys.is_sorted() {
            keys.sort_unstable();
        }
        let merged: Vec<&[(u128, u32)]> = keys.chunk_by(|a, b| a.0 == b.0).collect();
        let dimensions = columns
            .into_iter()
            .map(|(name, values, codes)| Dimension {
                name,
                values,
                codes: merged
                    .iter()
                    .filter_map(|rows| rows.first())
                    .filter_map(|(_, leaf)| codes.get(*leaf as usize).copied())
                    .collect(),
            })
            .collect();
        let figures = match &self.figures {
            Figures::Sums { expected, actual } => Figures::Sums {
                expected: added(&merged, expected, |a, b| a + b),
                actual: added(&merged, actual, |a, b| a + b),
            },
            Figures::Rates { expected, actual } => Figures::Rates {
                expected: added(&merged, expected, Counts::plus),
                actual: added(&merged, actual, Counts::plus),
            },
        };
        Canonical {
            dimensions,
            figures,
            leaves: merged.len(),
        }
    }
}

/// Leaves of which each combination occurs once, in order.
pub(super) struct Canonical {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) figures: Figures,
    pub(super) leaves: usize,
}

/// A dictionary in order without repetitions, and the new code of each old one.
fn ranked(values: &[Option<String>]) -> (Vec<Option<String>>, Vec<u32>) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|index| values.get(*index));
    let mut sorted: Vec<Option<String>> = Vec::with_capacity(values.len());
    let mut ranks = vec![0; values.len()];
    for index in order {
        let Some(value) = values.get(index) else {
            continue;
        };
        if sorted.last() != Some(value) {
            sorted.push(value.clone());
        }
        if let Some(rank) = ranks.get_mut(index) {
            *rank = (sorted.len() - 1) as u32;
        }
    }
    (sorted, ranks)
}

fn added<T: Copy>(merged: &[&[(u128, u32)]], column: &[T], add: impl Fn(T, T) -> T) -> Vec<T> {
    merged
        .iter()
        .filter_map(|rows| {
            rows.iter()
                .filter_map(|(_, leaf)| column.get(*leaf as usize).copied())
                .reduce(&add)
        })
        .collect()
}
