//! Incidents with planted causes, of the difficulty of the published generated sets.

use std::collections::BTreeSet;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Case, Cause};
use tillwatch_monitor::explain::{Counts, Dimension, Figures, Leaves};

/// What the cases of a level are like.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its name in the table.
    pub name: &'static str,
    /// Values of each dimension.
    pub sizes: &'static [u32],
    /// Leaves that occur; all combinations where there are no more.
    pub leaves: usize,
    /// Standard deviation of the forecast's relative error, from and to.
    pub noise: [f64; 2],
    /// Share of leaves without any traffic, from and to.
    pub zeros: [f64; 2],
    /// Share that a cause takes away, from and to.
    pub severity: [f64; 2],
    /// Whether the noise is added to it, so that it is never lost in the noise.
    pub severity_above_noise: bool,
    /// Standard deviation of that share within a cause, from and to.
    pub deviation: [f64; 2],
    /// How many causes of different severity there are, from and to.
    pub causes: [usize; 2],
    /// How many elements each has, from and to.
    pub elements: [usize; 2],
    /// How many dimensions an element fixes, from and to.
    pub layers: [usize; 2],
    /// What is measured.
    pub kind: Kind,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sum, Weibull distributed over leaves; half of the errors are the forecast's, half the actual's.
    Weibull,
    /// A sum, log-normal over leaves.
    LogNormal,
    /// A rate; `noise` is the overdispersion's standard deviation relative to the failure rate.
    Rate,
}

const BASE: Level = Level {
    name: "",
    sizes: &[10, 12, 10, 8, 5],
    leaves: 48_000,
    noise: [0.0, 0.25],
    zeros: [0.0, 0.25],
    severity: [0.2, 1.0],
    severity_above_noise: true,
    deviation: [0.0, 0.1],
    causes: [1, 3],
    elements: [1, 1],
    layers: [1, 3],
    kind: Kind::Weibull,
};

const B: Level = Level {
    sizes: &[10, 12, 10, 18],
    zeros: [0.0, 0.1],
    severity_above_noise: false,
    causes: [1, 1],
    elements: [1, 3],
    kind: Kind::LogNormal,
    ..BASE
};

/// The levels, easier ones first. A mean absolute residual of 4, 8, 12 and 16 % is a standard
/// deviation 1.2533 times that.
pub const LEVELS: &[Level] = &[
    Level {
        name: "B1",
        noise: [0.0501, 0.0501],
        ..B
    },
    Level {
        name: "B2",
        noise: [0.1003, 0.1003],
        ..B
    },
    Level {
        name: "B3",
        noise: [0.1504, 0.1504],
        ..B
    },
    Level {
        name: "B4",
        noise: [0.2005, 0.2005],
        ..B
    },
    Level { name: "S", ..BASE },
    Level {
        name: "S48",
        sizes: &[48, 10, 10, 10],
        ..BASE
    },
    Level {
        name: "H",
        sizes: &[10, 5, 250, 20, 8, 12],
        ..BASE
    },
    Level {
        name: "L",
        sizes: &[10, 24, 10, 15],
        noise: [0.0, 0.1],
        severity: [0.5, 1.0],
        deviation: [0.0, 0.0],
        causes: [1, 5],
        layers: [4, 4],
        ..BASE
    },
    Level {
        name: "S full",
        elements: [1, 3],
        layers: [1, 5],
        ..BASE
    },
    Level {
        name: "R",
        noise: [0.0, 0.5],
        zeros: [0.0, 0.5],
        severity: [0.05, 0.6],
        severity_above_noise: false,
        kind: Kind::Rate,
        ..BASE
    },
];

fn between(rng: &mut impl Rng, [from, to]: [f64; 2]) -> f64 {
    from + (to - from) * rng.random::<f64>()
}

fn count(rng: &mut impl Rng, [from, to]: [usize; 2]) -> usize {
    rng.random_range(from..=to)
}

fn normal(rng: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Failures of `n` attempts, by the normal approximation where there are many.
fn binomial(rng: &mut impl Rng, n: f64, p: f64) -> f64 {
    if n * p * (1.0 - p) > 30.0 {
        return (n * p + normal(rng) * (n * p * (1.0 - p)).sqrt())
            .round()
            .clamp(0.0, n);
    }
    (0..n as u64).filter(|_| rng.random::<f64>() < p).count() as f64
}

/// A cause: elements that are affected alike.
struct Planted {
    severity: f64,
    deviation: f64,
    elements: Vec<Vec<Option<u32>>>,
}

/// The case of a level that belongs to this seed.
#[must_use]
pub fn case(level: &Level, seed: u64) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let codes = combinations(&mut rng, level);
    let leaves = codes.first().map_or(0, Vec::len);
    let noise = between(&mut rng, level.noise);
    let mut planted: Vec<Planted> = Vec::new();
    for _ in 0..count(&mut rng, level.causes) {
        let elements = plant(&mut rng, level, &codes, &planted);
        let raised = if level.severity_above_noise {
            noise
        } else {
            0.0
        };
        planted.push(Planted {
            severity: between(&mut rng, level.severity) + raised,
            deviation: between(&mut rng, level.deviation),
            elements,
        });
    }
    let cause_of: Vec<Option<usize>> = (0..leaves)
        .map(|leaf| {
            planted
                .iter()
                .position(|cause| cause.elements.iter().any(|e| holds(e, &codes, leaf)))
        })
        .collect();
    let figures = match level.kind {
        Kind::Rate => rates(&mut rng, level, noise, &planted, &cause_of),
        _ => sums(&mut rng, level, noise, &planted, &cause_of),
    };
    let name = |dimension: usize| format!("d{dimension}");
    let value = |code: u32| Some(format!("v{code}"));
    let causes = planted
        .iter()
        .flat_map(|cause| &cause.elements)
        .map(|element| {
            let pairs = element.iter().enumerate();
            pairs
                .filter_map(|(d, code)| Some((name(d), value((*code)?))))
                .collect::<Cause>()
        });
    let causes = causes.collect();
    let dimensions = codes
        .into_iter()
        .zip(level.sizes)
        .enumerate()
        .map(|(d, (codes, size))| Dimension {
            name: name(d),
            values: (0..*size).map(value).collect(),
            codes,
        })
        .collect();
    match Leaves::new(dimensions, figures) {
        Ok(leaves) => Case {
            name: format!("{} seed {seed}", level.name),
            causes,
            leaves,
        },
        Err(error) => unreachable!("a generated case is valid: {error}"),
    }
}

fn combinations(rng: &mut ChaCha8Rng, level: &Level) -> Vec<Vec<u32>> {
    let all: u64 = level.sizes.iter().map(|size| u64::from(*size)).product();
    let chosen: Vec<u64> = if all <= level.leaves as u64 {
        (0..all).collect()
    } else {
        let mut chosen = BTreeSet::new();
        while chosen.len() < level.leaves {
            chosen.insert(rng.random_range(0..all));
        }
        chosen.into_iter().collect()
    };
    let mut codes = vec![Vec::with_capacity(chosen.len()); level.sizes.len()];
    for mut combination in chosen {
        for (codes, size) in codes.iter_mut().zip(level.sizes) {
            codes.push((combination % u64::from(*size)) as u32);
            combination /= u64::from(*size);
        }
    }
    codes
}

fn holds(element: &[Option<u32>], codes: &[Vec<u32>], leaf: usize) -> bool {
    element
        .iter()
        .zip(codes)
        .all(|(wanted, codes)| wanted.is_none() || codes.get(leaf) == wanted.as_ref())
}

/// Different elements of a cuboid that no earlier cause has; they share no value with another
/// cause's in a dimension that both fix, so none overlaps another.
fn plant(
    rng: &mut ChaCha8Rng,
    level: &Level,
    codes: &[Vec<u32>],
    planted: &[Planted],
) -> Vec<Vec<Option<u32>>> {
    let leaves = codes.first().map_or(0, Vec::len);
    loop {
        let layer = count(rng, level.layers).min(codes.len());
        let mut order: Vec<usize> = (0..codes.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, rng.random_range(0..=i));
        }
        order.truncate(layer);
        let mut elements: Vec<Vec<Option<u32>>> = Vec::new();
        for _ in 0..count(rng, level.elements) {
            let leaf = rng.random_range(0..leaves);
            elements.push(
                codes
                    .iter()
                    .enumerate()
                    .map(|(d, codes)| {
                        order
                            .contains(&d)
                            .then(|| codes.get(leaf).copied())
                            .flatten()
                    })
                    .collect(),
            );
        }
        let earlier = || planted.iter().flat_map(|cause| &cause.elements);
        let clashes = |a: &[Option<u32>], b: &[Option<u32>]| {
            let fixed = |e: &[Option<u32>]| e.iter().map(Option::is_some).collect::<Vec<_>>();
            (fixed(a) == fixed(b) && layer < codes.len())
                || a.iter()
                    .zip(b)
                    .any(|(a, b)| a.is_some() && a == b && layer < codes.len())
                || a == b
        };
        let repeated = elements
            .iter()
            .enumerate()
            .any(|(i, e)| elements.iter().take(i).any(|f| e == f));
        if !repeated && !elements.iter().any(|e| earlier().any(|f| clashes(e, f))) {
            return elements;
        }
    }
}

fn sums(
    rng: &mut ChaCha8Rng,
    level: &Level,
    noise: f64,
    planted: &[Planted],
    cause_of: &[Option<usize>],
) -> Figures {
    let zeros = between(rng, level.zeros);
    let shape = between(rng, [0.5, 1.0]);
    let (mut expected, mut actual) = (Vec::new(), Vec::new());
    for cause in cause_of {
        let base = match level.kind {
            Kind::Weibull => 100.0 * (-(1.0 - rng.random::<f64>()).ln()).powf(1.0 / shape),
            _ => (3.0 + 1.5 * normal(rng)).exp(),
        };
        // A cause that is a single leaf without traffic could not be found by anybody.
        let single = cause
            .and_then(|cause| planted.get(cause))
            .is_some_and(|cause| cause.elements.iter().all(|e| e.iter().all(Option::is_some)));
        let base = if rng.random::<f64>() < zeros && !single {
            0.0
        } else {
            base
        };
        let wrong = (base * (1.0 + noise * normal(rng))).max(0.0);
        if rng.random::<bool>() {
            expected.push(base);
            actual.push(wrong);
        } else {
            expected.push(wrong);
            actual.push(base);
        }
    }
    // The causes go the way the noise as a whole went, so that it does not hide them.
    let rising = actual.iter().sum::<f64>() > expected.iter().sum::<f64>();
    for ((f, v), cause) in expected.iter_mut().zip(&mut actual).zip(cause_of) {
        let Some(cause) = cause.and_then(|cause| planted.get(cause)) else {
            continue;
        };
        let kept = (1.0 - cause.severity - cause.deviation * normal(rng)).max(0.0);
        if rising {
            *f = *v * kept;
        } else {
            *v = *f * kept;
        }
    }
    Figures::Sums { expected, actual }
}

fn rates(
    rng: &mut ChaCha8Rng,
    level: &Level,
    noise: f64,
    planted: &[Planted],
    cause_of: &[Option<usize>],
) -> Figures {
    let zeros = between(rng, level.zeros);
    let typical = between(rng, [0.01, 0.15]);
    let (mut expected, mut actual) = (Vec::new(), Vec::new());
    for cause in cause_of {
        let size = if rng.random::<f64>() < zeros {
            0.0
        } else {
            (1.0 + 1.7 * normal(rng)).exp()
        };
        let usual = (typical * (0.5 * normal(rng)).exp()).min(0.5);
        let (before, now) = ((size * 10.0).round(), size.round());
        let today = (usual * (1.0 + noise * normal(rng))).clamp(0.0, 1.0);
        let lost = cause
            .and_then(|cause| planted.get(cause))
            .map_or(0.0, |cause| {
                (cause.severity + cause.deviation * normal(rng)).clamp(0.0, 1.0)
            });
        let failing = today + (1.0 - today) * lost;
        expected.push(Counts {
            successes: before - binomial(rng, before, usual),
            attempts: before,
        });
        actual.push(Counts {
            successes: now - binomial(rng, now, failing),
            attempts: now,
        });
    }
    Figures::Rates { expected, actual }
}
