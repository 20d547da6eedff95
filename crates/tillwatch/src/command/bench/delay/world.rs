//! A world of payments whose faults are known: counts of every slice and ten seconds, drawn from a seed.

use std::collections::BTreeMap;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tillwatch_monitor::figure::{
    Bucket, FigureQuery, FigureSource, MetricFacts, Revised, Slice, SliceFigures,
};

pub const SECOND_US: i64 = 1_000_000;
pub const HOUR_US: i64 = 3_600 * SECOND_US;
pub const DAY_US: i64 = 24 * HOUR_US;
pub const WEEK_US: i64 = 7 * DAY_US;
/// Length of a bucket.
pub const BUCKET_US: i64 = 10 * SECOND_US;
/// A Monday: 2026-01-05T00:00:00Z.
pub const BEGIN_US: i64 = 1_767_571_200 * SECOND_US;

const PSPS: [(&str, f64); 3] = [("north", 0.5), ("east", 0.3), ("south", 0.2)];
const ISSUERS: [(&str, f64, f64); 5] = [
    ("bank_1", 0.35, 0.92),
    ("bank_2", 0.25, 0.90),
    ("bank_3", 0.20, 0.86),
    ("bank_4", 0.12, 0.88),
    ("bank_5", 0.08, 0.80),
];
/// Attempts a minute of all slices, over day and night.
const PER_MINUTE: f64 = 400.0;
/// How far day and night, and weekends, are from the mean.
const DAILY: f64 = 0.5;
const WEEKEND: f64 = 0.8;

/// What happens to the slices of a fault while it lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What it is called in the report.
    pub kind: &'static str,
    /// The slices it is about.
    pub slice: Slice,
    /// Begin and end, in microseconds since the epoch.
    pub from_us: i64,
    pub to_us: i64,
    /// What the approval rate is multiplied by.
    pub rate: f64,
    /// What the number of attempts is multiplied by.
    pub traffic: f64,
}

impl Fault {
    fn is_on(&self, at_us: i64) -> bool {
        (self.from_us..self.to_us).contains(&at_us)
    }
}

/// A slice as it is without faults.
struct Leaf {
    slice: Slice,
    per_minute: f64,
    rate: f64,
}

/// Attempts and approvals of every slice and bucket.
pub struct World {
    leaves: Vec<Leaf>,
    /// By leaf and bucket: attempts and approvals.
    cells: Vec<Vec<(u32, u32)>>,
    buckets: i64,
}

impl World {
    /// So many weeks from [`BEGIN_US`] on, with faults.
    pub fn new(weeks: i64, faults: &[Fault], seed: u64) -> Self {
        let buckets = weeks * WEEK_US / BUCKET_US;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut leaves, mut cells) = (Vec::new(), Vec::new());
        for (psp, of_psp) in PSPS {
            for (issuer, of_issuer, rate) in ISSUERS {
                let leaf = Leaf {
                    slice: Slice::from([("psp", psp), ("issuer", issuer)]),
                    per_minute: PER_MINUTE * of_psp * of_issuer,
                    rate,
                };
                let own: Vec<&Fault> = faults
                    .iter()
                    .filter(|fault| fault.slice.covers(&leaf.slice))
                    .collect();
                let cell = |bucket: i64| {
                    let at_us = BEGIN_US + bucket * BUCKET_US;
                    let on = own.iter().filter(|fault| fault.is_on(at_us));
                    let (rate, traffic) = on.fold((leaf.rate, 1.0), |(rate, traffic), fault| {
                        (rate * fault.rate, traffic * fault.traffic)
                    });
                    let mean = leaf.per_minute * season(at_us) * traffic / 6.0;
                    let attempts = poisson(&mut rng, mean);
                    let approved = (0..attempts).filter(|_| rng.random::<f64>() < rate).count();
                    (attempts, approved as u32)
                };
                cells.push((0..buckets).map(cell).collect());
                leaves.push(leaf);
            }
        }
        Self {
            leaves,
            cells,
            buckets,
        }
    }

    /// What tells a fault from normal traffic, in nats a second at a time: of its approvals, and of its attempts.
    pub fn information(fault: &Fault) -> (f64, f64) {
        let (mut of_rate, mut of_traffic) = (0.0, 0.0);
        for (psp, of_psp) in PSPS {
            for (issuer, of_issuer, before) in ISSUERS {
                let slice = Slice::from([("psp", psp), ("issuer", issuer)]);
                if !fault.slice.covers(&slice) {
                    continue;
                }
                let normal = PER_MINUTE * of_psp * of_issuer * season(fault.from_us) / 60.0;
                let (now, after) = (normal * fault.traffic, before * fault.rate);
                let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
                of_rate += now * (part(after, before) + part(1.0 - after, 1.0 - before));
                of_traffic += part(now, normal) - now + normal;
            }
        }
        (of_rate, of_traffic)
    }

    /// Attempts a second of a fault's slices without it.
    pub fn attempts_per_s(fault: &Fault) -> f64 {
        let shares = PSPS
            .iter()
            .flat_map(|psp| ISSUERS.iter().map(move |issuer| (psp, issuer)));
        let own = shares.filter(|(psp, issuer)| {
            let slice = Slice::from([("psp", psp.0), ("issuer", issuer.0)]);
            fault.slice.covers(&slice)
        });
        let share: f64 = own.map(|(psp, issuer)| psp.1 * issuer.1).sum();
        PER_MINUTE / 60.0 * share * season(fault.from_us)
    }

    /// The names of PSPs and issuers.
    pub fn names() -> (Vec<&'static str>, Vec<&'static str>) {
        (
            PSPS.iter().map(|(name, _)| *name).collect(),
            ISSUERS.iter().map(|(name, _, _)| *name).collect(),
        )
    }
}

/// What is normal at a time, against the mean: more at noon, less at night and on weekends.
fn season(at_us: i64) -> f64 {
    let hour = at_us.rem_euclid(DAY_US) as f64 / HOUR_US as f64;
    let daily = 1.0 - DAILY * (std::f64::consts::TAU * hour / 24.0).cos();
    let day = (at_us - BEGIN_US).rem_euclid(WEEK_US) / DAY_US;
    daily * if day >= 5 { WEEKEND } else { 1.0 }
}

/// Events of a Poisson process, by the product of uniforms (D. Knuth).
fn poisson(rng: &mut impl Rng, mean: f64) -> u32 {
    let limit = (-mean).exp();
    let (mut product, mut count) = (rng.random::<f64>(), 0);
    while product > limit {
        product *= rng.random::<f64>();
        count += 1;
    }
    count
}

/// What is asked of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Approvals ÷ attempts.
    Rate,
    /// Attempts.
    Count,
}

/// The figures of one metric of a world.
pub struct WorldFigures {
    pub world: std::sync::Arc<World>,
    pub metric: Metric,
}

impl FigureSource for WorldFigures {
    fn facts(&self, _: &str) -> Result<MetricFacts, String> {
        let is_rate = self.metric == Metric::Rate;
        Ok(MetricFacts {
            bucket_us: BUCKET_US,
            unit: is_rate.then(|| "percent".to_owned()),
            is_rate,
            is_count: !is_rate,
            adds_up: !is_rate,
            dimensions: vec!["psp".to_owned(), "issuer".to_owned()],
            watermark_us: Some(BEGIN_US + self.world.buckets * BUCKET_US),
            empty_value: (!is_rate).then_some(0.0),
            lateness_us: 0,
            revised_events: 0,
        })
    }

    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        let mut found: BTreeMap<Slice, BTreeMap<i64, (u64, u64)>> = BTreeMap::new();
        let place = |at_us: i64| {
            (at_us - BEGIN_US)
                .div_euclid(BUCKET_US)
                .clamp(0, self.world.buckets)
        };
        let (from, to) = (place(query.from_us), place(query.to_us));
        for (leaf, cells) in self.world.leaves.iter().zip(&self.world.cells) {
            if !query.within.covers(&leaf.slice) {
                continue;
            }
            let slice = leaf.slice.project(|d| query.by.iter().any(|by| by == d));
            let steps = found.entry(slice).or_default();
            let cells = cells.iter().enumerate().skip(from as usize);
            for (at, (attempts, approved)) in cells.take((to - from).max(0) as usize) {
                let at_us = BEGIN_US + at as i64 * BUCKET_US;
                let step_us = at_us.div_euclid(query.step_us) * query.step_us;
                let sum = steps.entry(step_us).or_default();
                *sum = (sum.0 + u64::from(*attempts), sum.1 + u64::from(*approved));
            }
        }
        let is_rate = self.metric == Metric::Rate;
        let bucket = |(start_us, (attempts, approved)): (i64, (u64, u64))| {
            let (attempts, approved) = (attempts as f64, approved as f64);
            Bucket {
                start_us,
                value: if is_rate {
                    (attempts > 0.0).then(|| approved / attempts)
                } else {
                    Some(attempts)
                },
                numerator: is_rate.then_some(approved),
                denominator: is_rate.then_some(attempts),
            }
        };
        let figures = found.into_iter().map(|(slice, steps)| SliceFigures {
            slice,
            buckets: steps.into_iter().map(bucket).collect(),
        });
        Ok(figures.collect())
    }

    fn revised(&self, _: &str, _: i64, _: i64) -> Result<Option<Revised>, String> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn fault(rate: f64, traffic: f64) -> Fault {
        Fault {
            kind: "an issuer is down",
            slice: Slice::from([("psp", "north"), ("issuer", "bank_1")]),
            from_us: BEGIN_US + DAY_US,
            to_us: BEGIN_US + DAY_US + HOUR_US,
            rate,
            traffic,
        }
    }

    #[test]
    fn a_fault_changes_its_own_slices_while_it_lasts_and_nothing_else() {
        let ask = |faults: &[Fault], slice: &Slice, from_us: i64| {
            let world = Arc::new(World::new(1, faults, 7));
            let source = WorldFigures {
                world,
                metric: Metric::Rate,
            };
            let query = FigureQuery {
                metric: String::new(),
                by: vec!["psp".to_owned(), "issuer".to_owned()],
                within: slice.clone(),
                from_us,
                to_us: from_us + HOUR_US,
                step_us: HOUR_US,
                over_us: None,
            };
            let found = source.figures(&query).unwrap();
            assert_eq!(found.len(), 1);
            let bucket = found[0].buckets[0];
            (bucket.value.unwrap(), bucket.denominator.unwrap())
        };
        let broken = fault(0.2, 0.5);
        let (rate, attempts) = ask(&[], &broken.slice, broken.from_us);
        let (low, fewer) = ask(std::slice::from_ref(&broken), &broken.slice, broken.from_us);
        assert!(
            (rate - 0.92).abs() < 0.03 && (low - 0.2 * 0.92).abs() < 0.04,
            "{rate} {low}"
        );
        assert!(
            (fewer / attempts - 0.5).abs() < 0.06,
            "{fewer} of {attempts}"
        );
        let (after, _) = ask(std::slice::from_ref(&broken), &broken.slice, broken.to_us);
        assert!((after - 0.92).abs() < 0.03);
        let other = Slice::from([("psp", "east"), ("issuer", "bank_1")]);
        let (elsewhere, _) = ask(std::slice::from_ref(&broken), &other, broken.from_us);
        assert!((elsewhere - 0.92).abs() < 0.03);
    }

    #[test]
    fn the_information_of_a_fault_is_that_of_its_distributions() {
        // 90 to 80 % at so many attempts: 0.0444 nats each.
        let (of_rate, of_traffic) = World::information(&Fault {
            slice: Slice::from([("psp", "north"), ("issuer", "bank_2")]),
            ..fault(0.8 / 0.9, 1.0)
        });
        let per_s = PER_MINUTE / 60.0 * 0.5 * 0.25 * season(BEGIN_US + DAY_US);
        assert!((of_rate / per_s - 0.0444).abs() < 1e-3, "{of_rate}");
        assert!(of_traffic.abs() < 1e-12);
        let (_, halved) = World::information(&fault(1.0, 0.5));
        let per_s = World::attempts_per_s(&fault(1.0, 0.5));
        assert!((halved / per_s - (0.5 * 0.5_f64.ln() + 0.5)).abs() < 1e-9);
    }
}
