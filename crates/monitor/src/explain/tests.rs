use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// All combinations of dimensions `a`, `b`, … with `sizes` values each, and figures of each.
fn dimensions(sizes: &[u32]) -> (Vec<Dimension>, Vec<Vec<u32>>) {
    let leaves: u32 = sizes.iter().product();
    let codes_of = |leaf: u32| {
        let mut rest = leaf;
        sizes
            .iter()
            .map(|size| {
                let code = rest % size;
                rest /= size;
                code
            })
            .collect::<Vec<u32>>()
    };
    let all: Vec<Vec<u32>> = (0..leaves).map(codes_of).collect();
    let dimensions = sizes
        .iter()
        .zip(["a", "b", "c", "d", "e", "f"])
        .enumerate()
        .map(|(d, (size, name))| Dimension {
            name: name.to_owned(),
            values: (0..*size).map(|v| Some(v.to_string())).collect(),
            codes: all.iter().map(|codes| codes[d]).collect(),
        })
        .collect();
    (dimensions, all)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// Sums with relative noise, of which `kept` says what share of each leaf stays.
fn sums(sizes: &[u32], noise: f64, seed: u64, kept: impl Fn(&[u32]) -> f64) -> Leaves {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (dimensions, all) = dimensions(sizes);
    let (expected, actual) = all
        .iter()
        .map(|codes| {
            let f = (3.0 + normal(&mut rng)).exp();
            (
                f,
                (f * kept(codes) * (1.0 + noise * normal(&mut rng))).max(0.0),
            )
        })
        .unzip();
    Leaves::new(dimensions, Figures::Sums { expected, actual }).unwrap()
}

fn failing(rng: &mut ChaCha8Rng, n: u32, p: f64) -> Counts {
    let failures = (0..n).filter(|_| rng.random::<f64>() < p).count();
    Counts {
        successes: f64::from(n) - failures as f64,
        attempts: f64::from(n),
    }
}

/// Rates; `traffic` gives attempts before and now, `failures` the failure rate before and now.
fn rates(
    sizes: &[u32],
    seed: u64,
    traffic: impl Fn(&[u32]) -> [u32; 2],
    failures: impl Fn(&[u32]) -> [f64; 2],
) -> Leaves {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (dimensions, all) = dimensions(sizes);
    let (expected, actual) = all
        .iter()
        .map(|codes| {
            let ([before, now], [usual, today]) = (traffic(codes), failures(codes));
            (
                failing(&mut rng, before, usual),
                failing(&mut rng, now, today),
            )
        })
        .unzip();
    Leaves::new(dimensions, Figures::Rates { expected, actual }).unwrap()
}

fn told(values: &Values) -> String {
    let pairs: Vec<String> = values
        .iter()
        .map(|(d, v)| format!("{d}={}", v.as_deref().unwrap_or("(none)")))
        .collect();
    pairs.join(",")
}

fn elements(explanation: &Explanation) -> Vec<String> {
    let mut found: Vec<String> = explanation
        .elements
        .iter()
        .map(|e| told(&e.values))
        .collect();
    found.sort();
    found
}

fn explained(leaves: &Leaves) -> Vec<String> {
    elements(&explain(leaves, &Options::default()))
}

#[test]
fn one_element_of_each_layer_is_found_in_sums() {
    for seed in 0..5 {
        for noise in [0.02, 0.15] {
            for (expected, wanted) in [
                ("a=2", [Some(2), None, None, None]),
                ("b=3,d=1", [None, Some(3), None, Some(1)]),
                ("a=0,b=1,c=4", [Some(0), Some(1), Some(4), None]),
            ] {
                let leaves = sums(&[6, 8, 7, 9], noise, seed, |codes| {
                    let hit = codes
                        .iter()
                        .zip(wanted)
                        .all(|(c, w)| w.is_none_or(|w| w == *c));
                    if hit { 0.5 } else { 1.0 }
                });
                assert_eq!(explained(&leaves), [expected], "seed {seed} noise {noise}");
            }
        }
    }
}

#[test]
fn several_causes_of_different_magnitude_are_found_in_sums() {
    for seed in 0..5 {
        let leaves = sums(&[6, 8, 7, 9], 0.1, seed, |codes| match codes {
            [2, ..] => 0.2,
            [_, 3, _, 1] => 0.6,
            [_, _, 4, _] => 0.75,
            _ => 1.0,
        });
        let found = explain(&leaves, &Options::default());
        assert_eq!(elements(&found), ["a=2", "b=3,d=1", "c=4"], "seed {seed}");
        assert_eq!(found.direction, Some(Direction::Down));
        let share: f64 = found.elements.iter().map(|e| e.share).sum();
        assert!((0.9..1.2).contains(&share), "seed {seed}: {share}");
    }
}

#[test]
fn a_rise_is_found_as_a_fall_is() {
    for seed in 0..5 {
        let leaves = sums(
            &[6, 8, 7],
            0.1,
            seed,
            |codes| if codes[1] == 5 { 2.0 } else { 1.0 },
        );
        let found = explain(&leaves, &Options::default());
        assert_eq!(elements(&found), ["b=5"], "seed {seed}");
        assert_eq!(found.direction, Some(Direction::Up));
        let [element] = found.elements.as_slice() else {
            panic!("one element")
        };
        assert_eq!(element.leaves, 42);
        assert!(element.affected > 0.0);
        assert!(
            (element.actual / element.expected - 2.0).abs() < 0.2,
            "{element:?}"
        );
    }
}

/// The usual failure rate of a leaf, different from leaf to leaf.
fn usual(codes: &[u32]) -> f64 {
    0.02 + 0.01 * f64::from(codes.iter().sum::<u32>() % 5)
}

#[test]
fn planted_elements_are_found_in_rates() {
    for seed in 0..5 {
        for (expected, wanted) in [
            ("a=2", [Some(2), None, None]),
            ("a=1,c=3", [Some(1), None, Some(3)]),
            ("a=1,b=4,c=3", [Some(1), Some(4), Some(3)]),
        ] {
            let leaves = rates(
                &[4, 6, 5],
                seed,
                |_| [600, 200],
                |codes| {
                    let hit = codes
                        .iter()
                        .zip(wanted)
                        .all(|(c, w)| w.is_none_or(|w| w == *c));
                    [usual(codes), usual(codes) + if hit { 0.4 } else { 0.0 }]
                },
            );
            let found = explain(&leaves, &Options::default());
            assert_eq!(elements(&found), [expected], "seed {seed}");
            let [element] = found.elements.as_slice() else {
                panic!("one element")
            };
            assert!(
                element.expected > 0.9 && element.actual < 0.7,
                "{element:?}"
            );
            // The change of a single leaf is small beside the chance of the others.
            if element.leaves > 1 {
                let share = element.share;
                assert!((0.5..1.5).contains(&share), "seed {seed}: {element:?}");
            }
        }
    }
}

#[test]
fn an_element_whose_parts_did_not_all_change_is_not_the_answer() {
    // All but one of the issuers of a=1 are broken: the one that is not is too large to overlook.
    let leaves = rates(
        &[3, 4],
        1,
        |_| [3000, 300],
        |codes| {
            let broken = codes[0] == 1 && codes[1] == 2;
            [0.05, if broken { 0.6 } else { 0.05 }]
        },
    );
    assert_eq!(explained(&leaves), ["a=1,b=2"]);
}

#[test]
fn where_nothing_is_anomalous_nothing_is_explained() {
    for seed in 0..20 {
        let leaves = sums(&[6, 8, 7, 9], 0.15, seed, |_| 1.0);
        assert_eq!(explained(&leaves), [""; 0], "sums, seed {seed}");
        let leaves = rates(&[4, 6, 5], seed, |_| [600, 60], |codes| [usual(codes); 2]);
        assert_eq!(explained(&leaves), [""; 0], "rates, seed {seed}");
    }
}

#[test]
fn a_shift_of_traffic_is_no_cause_within_slices_but_is_named() {
    // Three quarters of the traffic move to b=0, which fails ten times as often, as ever.
    let leaves = rates(
        &[4, 2],
        7,
        |codes| {
            if codes[1] == 0 {
                [2000, 600]
            } else {
                [6000, 200]
            }
        },
        |codes| if codes[1] == 0 { [0.2; 2] } else { [0.02; 2] },
    );
    let found = explain(&leaves, &Options::default());
    assert_eq!(elements(&found), [""; 0]);
    let mix = found.mix.unwrap();
    assert_eq!(told(&mix.values).split('=').next(), Some("b"));
    assert!(mix.shift() < -0.08 && mix.within().abs() < 0.02, "{mix:?}");
    assert!((mix.before + mix.shift() + mix.within() - mix.actual).abs() < 1e-12);
}

#[test]
fn a_rate_that_fell_in_every_slice_and_rose_in_all_is_explained_by_the_slices() {
    // Simpson's paradox: a=1 gets worse, but the traffic moves to where less fails.
    let leaves = rates(
        &[2, 4],
        3,
        |codes| {
            if codes[1] == 0 {
                [9000, 100]
            } else {
                [1000, 900]
            }
        },
        |codes| {
            let usual = if codes[1] == 0 { 0.5 } else { 0.02 };
            [usual, if codes[0] == 1 { usual + 0.15 } else { usual }]
        },
    );
    let found = explain(&leaves, &Options::default());
    assert_eq!(elements(&found), ["a=1"]);
    let mix = found.mix.unwrap();
    assert!(mix.actual > mix.before && mix.within() < 0.0, "{mix:?}");
}

#[test]
fn the_order_of_leaves_and_of_dictionaries_does_not_matter() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let leaves = sums(&[6, 8, 7], 0.1, 5, |codes| match codes {
        [2, ..] => 0.2,
        [_, 3, 4] => 0.6,
        _ => 1.0,
    });
    let (dimensions, all) = dimensions(&[6, 8, 7]);
    let mut order: Vec<usize> = (0..all.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    let Figures::Sums { expected, actual } = &canonical_figures(&leaves) else {
        panic!("sums")
    };
    // `sums` lays leaves out with `a` fastest; the canonical order has it slowest.
    let position = |leaf: usize| {
        let codes = &all[leaf];
        ((codes[0] * 8 + codes[1]) * 7 + codes[2]) as usize
    };
    let shuffled = dimensions
        .into_iter()
        .map(|d| Dimension {
            values: d.values.iter().rev().cloned().collect(),
            codes: order
                .iter()
                .map(|i| d.values.len() as u32 - 1 - d.codes[*i])
                .collect(),
            ..d
        })
        .collect();
    let figures = Figures::Sums {
        expected: order.iter().map(|i| expected[position(*i)]).collect(),
        actual: order.iter().map(|i| actual[position(*i)]).collect(),
    };
    let shuffled = Leaves::new(shuffled, figures).unwrap();
    assert_ne!(shuffled, leaves);
    let options = Options::default();
    assert_eq!(explain(&shuffled, &options), explain(&leaves, &options));
    assert_eq!(elements(&explain(&leaves, &options)), ["a=2", "b=3,c=4"]);
}

fn canonical_figures(leaves: &Leaves) -> Figures {
    leaves.canonical().figures
}

#[test]
fn the_same_leaves_have_the_same_explanation() {
    let leaves = sums(
        &[6, 8, 7, 9],
        0.2,
        9,
        |codes| if codes[0] == 1 { 0.7 } else { 1.0 },
    );
    let options = Options::default();
    assert_eq!(explain(&leaves, &options), explain(&leaves, &options));
}

#[test]
fn leaves_that_come_in_parts_are_added_up() {
    let (mut dimensions, _) = dimensions(&[2, 3]);
    for dimension in &mut dimensions {
        dimension.codes = dimension.codes.repeat(2);
    }
    let figures = Figures::Sums {
        expected: (0..12).map(f64::from).collect(),
        actual: vec![1.0; 12],
    };
    let leaves = Leaves::new(dimensions, figures).unwrap();
    let Figures::Sums { expected, actual } = canonical_figures(&leaves) else {
        panic!("sums")
    };
    assert_eq!(actual, [2.0; 6]);
    assert_eq!(expected.iter().sum::<f64>(), 66.0);
    assert_eq!(expected[0], 6.0);
}

#[test]
fn null_is_a_value_of_its_own() {
    let (mut dimensions, all) = dimensions(&[5, 6]);
    dimensions[0].values[3] = None;
    let expected = vec![100.0; all.len()];
    let actual = all
        .iter()
        .map(|c| if c[0] == 3 { 20.0 } else { 100.0 })
        .collect();
    let leaves = Leaves::new(dimensions, Figures::Sums { expected, actual }).unwrap();
    assert_eq!(explained(&leaves), ["a=(none)"]);
}

#[test]
fn alternatives_are_ranked_and_none_is_the_answer() {
    let leaves = sums(
        &[6, 8, 7],
        0.1,
        2,
        |codes| if codes[0] == 2 { 0.5 } else { 1.0 },
    );
    let found = explain(&leaves, &Options::default());
    assert!(!found.alternatives.is_empty());
    assert!(found.alternatives.len() <= 5);
    assert!(found.alternatives.is_sorted_by(|a, b| a.score >= b.score));
    for alternative in &found.alternatives {
        assert!(alternative.score <= found.score);
        let set: Vec<String> = alternative.elements.iter().map(told).collect();
        assert_ne!(set, ["a=2"]);
    }
}

#[test]
fn the_most_elements_and_the_deepest_layer_are_kept() {
    let leaves = sums(&[6, 8, 7], 0.05, 4, |codes| match codes {
        [2, 3, _] => 0.2,
        [4, 5, _] => 0.5,
        _ => 1.0,
    });
    assert_eq!(explained(&leaves), ["a=2,b=3", "a=4,b=5"]);
    let one = Options {
        elements_max: 1,
        ..Options::default()
    };
    assert_eq!(explain(&leaves, &one).elements.len(), 1);
    let shallow = Options {
        layer_max: 1,
        ..Options::default()
    };
    let found = explain(&leaves, &shallow);
    assert!(
        found.elements.iter().all(|e| e.values.len() <= 1),
        "{found:?}"
    );
    let none = Options {
        elements_max: 0,
        ..Options::default()
    };
    assert!(explain(&leaves, &none).elements.is_empty());
}

mod hostile;
