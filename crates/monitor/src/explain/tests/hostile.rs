//! Input that nobody means well by.

use super::*;

#[test]
fn what_cannot_be_worked_with_is_refused() {
    let build = |expected: Vec<f64>, actual: Vec<f64>| {
        let (dimensions, _) = dimensions(&[2, 2]);
        Leaves::new(dimensions, Figures::Sums { expected, actual })
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
        let found = build(vec![1.0, 2.0, bad, 4.0], vec![1.0; 4]);
        assert_eq!(found, Err(LeavesError::Figure(2)), "{bad}");
    }
    assert_eq!(
        build(vec![1.0; 3], vec![1.0; 4]),
        Err(LeavesError::Length(String::new()))
    );
    assert_eq!(
        build(vec![1.0; 3], vec![1.0; 3]),
        Err(LeavesError::Length("a".into()))
    );
    let counts = |successes, attempts| Counts {
        successes,
        attempts,
    };
    for bad in [
        counts(2.0, 1.0),
        counts(-1.0, 1.0),
        counts(f64::NAN, 1.0),
        counts(0.0, f64::NAN),
    ] {
        let (dimensions, _) = dimensions(&[2, 2]);
        let actual = vec![counts(1.0, 1.0), bad, counts(0.0, 0.0), counts(1.0, 3.0)];
        let figures = Figures::Rates {
            expected: vec![counts(1.0, 2.0); 4],
            actual,
        };
        assert_eq!(
            Leaves::new(dimensions, figures),
            Err(LeavesError::Figure(1)),
            "{bad:?}"
        );
    }
    let (mut columns, _) = dimensions(&[2, 2]);
    columns[1].codes[3] = 2;
    let figures = || Figures::Sums {
        expected: vec![1.0; 4],
        actual: vec![1.0; 4],
    };
    let unknown = Leaves::new(columns.clone(), figures());
    assert_eq!(unknown, Err(LeavesError::UnknownCode("b".into(), 3)));
    columns[1] = columns[0].clone();
    assert_eq!(
        Leaves::new(columns, figures()),
        Err(LeavesError::SameName("a".into()))
    );
    let many = vec![1.0; LEAVES_MAX + 1];
    let figures = Figures::Sums {
        expected: many.clone(),
        actual: many,
    };
    assert_eq!(
        Leaves::new(Vec::new(), figures),
        Err(LeavesError::TooManyLeaves(LEAVES_MAX + 1))
    );
}

#[test]
fn extreme_leaves_are_answered() {
    let options = Options::default();
    let nothing = Figures::Sums {
        expected: Vec::new(),
        actual: Vec::new(),
    };
    assert_eq!(
        explain(&Leaves::new(Vec::new(), nothing).unwrap(), &options).elements,
        []
    );
    let (dimensions_of_one, _) = dimensions(&[1, 1]);
    for (f, v) in [
        (0.0, 0.0),
        (10.0, 1.0),
        (1.0, 10.0),
        (-5.0, 5.0),
        (0.0, 1e290),
        (1e290, 0.0),
    ] {
        let figures = Figures::Sums {
            expected: vec![f],
            actual: vec![v],
        };
        let leaves = Leaves::new(dimensions_of_one.clone(), figures).unwrap();
        assert!(explain(&leaves, &options).score.is_finite(), "{f} {v}");
    }
    let (columns, all) = dimensions(&[4, 5, 1]);
    for scale in [0.0, 1e-300, 1.0, 1e285, -1.0, -1e285] {
        let expected = all
            .iter()
            .map(|c| scale * (1.0 + f64::from(c[1])))
            .collect();
        let actual = all
            .iter()
            .map(|c| scale * (1.0 + f64::from(c[1])) * if c[0] == 1 { 0.3 } else { 1.0 })
            .collect();
        let leaves = Leaves::new(columns.clone(), Figures::Sums { expected, actual }).unwrap();
        let found = explain(&leaves, &options);
        assert!(found.score.is_finite());
        let expected: &[&str] = if scale == 0.0 { &[] } else { &["a=1"] };
        assert_eq!(elements(&found), expected, "{scale}");
    }
    for n in [0.0, 1.0, 1e15, 1e290] {
        let counts = |successes: f64| Counts {
            successes: successes * n,
            attempts: n,
        };
        let figures = Figures::Rates {
            expected: vec![counts(1.0); all.len()],
            actual: all
                .iter()
                .map(|c| counts(if c[0] == 1 { 0.0 } else { 1.0 }))
                .collect(),
        };
        let leaves = Leaves::new(columns.clone(), figures).unwrap();
        let found = explain(&leaves, &options);
        assert!(found.score.is_finite(), "{n}");
        if n > 1.0 {
            assert_eq!(elements(&found), ["a=1"], "{n}");
        }
    }
}

#[test]
fn a_dimension_of_ten_thousand_values_is_searched() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let leaves = 48_000;
    let sizes = [10_000, 5, 4, 3, 2, 2];
    let columns: Vec<Dimension> = sizes
        .iter()
        .zip(["a", "b", "c", "d", "e", "f"])
        .map(|(size, name)| Dimension {
            name: name.to_owned(),
            values: (0..*size).map(|v| Some(v.to_string())).collect(),
            codes: (0..leaves).map(|_| rng.random_range(0..*size)).collect(),
        })
        .collect();
    let expected: Vec<f64> = (0..leaves)
        .map(|_| (3.0 + normal(&mut rng)).exp())
        .collect();
    let broken = |leaf: usize| columns[1].codes[leaf] == 2 && columns[2].codes[leaf] == 1;
    let actual = expected
        .iter()
        .enumerate()
        .map(|(leaf, f)| f * if broken(leaf) { 0.4 } else { 1.0 } * (1.0 + 0.1 * normal(&mut rng)))
        .collect();
    let found = Leaves::new(columns.clone(), Figures::Sums { expected, actual }).unwrap();
    assert_eq!(explained(&found), ["b=2,c=1"]);
}

#[test]
fn options_out_of_range_are_brought_into_it() {
    let leaves = rates(
        &[4, 6],
        1,
        |_| [600, 200],
        |codes| [0.05, if codes[0] == 2 { 0.5 } else { 0.05 }],
    );
    for concentration in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
        let options = Options {
            elements_max: usize::MAX,
            layer_max: usize::MAX,
            alternatives_max: usize::MAX,
            concentration,
            ..Options::default()
        };
        let found = explain(&leaves, &options);
        assert!(
            elements(&found).contains(&"a=2".to_owned()),
            "{concentration}: {found:?}"
        );
    }
}
