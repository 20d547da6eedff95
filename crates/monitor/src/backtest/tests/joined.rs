//! A past whose older buckets have been joined.

use super::*;

/// Buckets before a time are an hour long, later ones ten seconds.
struct Joined {
    behind: Traffic,
    border_us: i64,
}

impl FigureSource for Joined {
    fn facts(&self, metric: &str) -> Result<MetricFacts, String> {
        self.behind.facts(metric)
    }

    fn width_us(&self, _: &str, from_us: i64) -> Result<i64, String> {
        Ok(if from_us < self.border_us {
            HOUR
        } else {
            10_000_000
        })
    }

    fn widths_us(&self, _: &str) -> Result<Vec<(i64, i64)>, String> {
        Ok(vec![(self.border_us, 10_000_000), (BEGIN, HOUR)])
    }

    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        let mut found = self.behind.figures(query)?;
        if self.behind.facts(&query.metric)?.is_rate {
            return Ok(found);
        }
        // Of what is no share a step that is no whole older bucket is not known.
        let is_cut = |start_us: i64| start_us < self.border_us && query.step_us % HOUR != 0;
        for bucket in found.iter_mut().flat_map(|figures| &mut figures.buckets) {
            bucket.value = bucket.value.filter(|_| !is_cut(bucket.start_us));
        }
        Ok(found)
    }

    fn revised(&self, _: &str, _: i64, _: i64) -> Result<Option<Revised>, String> {
        Ok(None)
    }
}

/// Six days of hours and one of ten seconds. The share breaks for three hours on the fourth day and for one on the last.
fn joined(is_count: bool) -> Arc<dyn FigureSource> {
    let traffic = Traffic::new(91);
    if is_count {
        traffic.is_count();
    }
    let border_us = BEGIN + 6 * DAY;
    for (name, share) in [("a", 0.9), ("b", 0.8)] {
        for hour in 0..6 * 24 {
            let is_broken = name == "a" && (4 * 24 + 9..4 * 24 + 12).contains(&hour);
            // About as much as it is steadily, with its ups and downs.
            let attempts = 1_800.0 + f64::from(hour % 7 * 12 - 36);
            let share = share + f64::from(hour % 5 - 2) * 0.004;
            let (attempts, share) = match (is_broken, is_count) {
                (true, true) => (200.0, 1.0),
                (true, false) => (attempts, 0.4),
                (false, _) => (attempts, share),
            };
            let at_us = BEGIN + i64::from(hour) * HOUR;
            traffic.count(&psp(name), at_us, (attempts * share).round(), attempts);
        }
        let broken = border_us + DAY / 2;
        let is_a = name == "a";
        let amount = if is_a && is_count { 2.0 } else { 30.0 };
        let bad = if is_a && !is_count { 0.4 } else { share };
        traffic.steady(&psp(name), border_us, broken, 30.0, share);
        traffic.steady(&psp(name), broken, broken + HOUR, amount, bad);
        traffic.steady(&psp(name), broken + HOUR, BEGIN + 7 * DAY, 30.0, share);
    }
    traffic.complete_upto(BEGIN + 7 * DAY);
    Arc::new(Joined {
        behind: traffic,
        border_us,
    })
}

/// When the slice that breaks is said to have been bad.
fn bad_times(report: &BacktestReport) -> Vec<(i64, i64)> {
    let of_a = report.found.iter().map(|one| &one.incident);
    let of_a = of_a.filter(|one| one.slice == psp("a"));
    let times = |one: &Incident| (one.started_at_us - BEGIN, one.opened_at_us - BEGIN);
    of_a.map(times).collect()
}

#[test]
fn steps_are_as_long_as_the_buckets_that_are_left() {
    let count = Detect::Count(CountDetect {
        history: Duration::from_secs(3 * 24 * 3600),
        ..CountDetect::default()
    });
    let rate = rate(Sensitivity::Normal);
    for (detect, is_count) in [(rate.detect.clone(), false), (count, true)] {
        let monitor = MonitorDefinition {
            detect,
            ..rate.clone()
        };
        let test = Backtest::new(monitor, BEGIN + 3 * DAY, BEGIN + 7 * DAY);
        let report = run(&test, joined(is_count), &[], &mut |_| true).unwrap();
        let steps: Vec<f64> = report.resolution.iter().map(|one| one.step_s).collect();
        assert_eq!(steps, [3600.0, 10.0], "{:?}", report.resolution);
        // Ten seconds from when all that is looked at is of ten seconds.
        let from: jiff::Timestamp = report.resolution[1].from.parse().unwrap();
        let from_us = from.as_microsecond() - BEGIN - 6 * DAY;
        assert!((HOUR..4 * HOUR).contains(&from_us), "{from}");
        let found = bad_times(&report);
        assert_eq!(found.len(), 2, "{report:?}");
        let (started, opened) = found[0];
        let broken = 4 * DAY + 9 * HOUR;
        assert!((started - broken).abs() <= HOUR, "{found:?}");
        assert!((broken + HOUR..broken + 4 * HOUR).contains(&opened));
        let (started, opened) = found[1];
        let broken = 6 * DAY + DAY / 2;
        assert!((started - broken).abs() < 5 * MINUTE, "{found:?}");
        assert!(
            (broken..broken + 15 * MINUTE).contains(&opened),
            "{found:?}"
        );
    }
}

#[test]
fn a_window_shorter_than_the_buckets_becomes_one_of_them() {
    let threshold = |over: Option<u64>| {
        Detect::Threshold(ThresholdDetect {
            below: Some(0.6),
            min_samples: 20,
            over: over.map(Duration::from_secs),
            ..ThresholdDetect::default()
        })
    };
    for (over, steps) in [(Some(300), vec![3600.0]), (None, vec![3600.0, 60.0])] {
        let monitor = MonitorDefinition {
            detect: threshold(over),
            ..rate(Sensitivity::Normal)
        };
        let test = Backtest::new(monitor, BEGIN + 3 * DAY, BEGIN + 7 * DAY);
        let report = run(&test, joined(false), &[], &mut |_| true).unwrap();
        let judged: Vec<f64> = report.resolution.iter().map(|one| one.step_s).collect();
        assert_eq!(judged, steps);
        assert_eq!(bad_times(&report).len(), 2, "{report:?}");
        if let Detect::Threshold(detect) = &report.monitor.detect {
            assert_eq!(detect.over, over.map(|_| Duration::from_secs(3600)));
        }
    }
}
