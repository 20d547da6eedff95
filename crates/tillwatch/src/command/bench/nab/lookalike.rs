//! Generated series that look like the kinds of real ones in NAB, each with what was put into it
//! as its windows. They check a detector on data that nobody tuned it to; another seed, other series.

use super::corpus::Series;

/// Small, fast and the same everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// In [0, 1).
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
    fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
    /// 1 or more, with P(X > x) = x^−power.
    fn pareto(&mut self, power: f64) -> f64 {
        (1.0 - self.unit()).powf(-1.0 / power)
    }
    fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
    /// Gamma-mixed Poisson, approximated by a rounded normal beyond 30.
    fn count(&mut self, mean: f64, dispersion: f64) -> f64 {
        let mean = mean * (1.0 + dispersion * self.normal()).max(0.05);
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let limit = (-mean).exp();
        let (mut product, mut count) = (self.unit(), 0.0);
        while product > limit {
            product *= self.unit();
            count += 1.0;
        }
        count
    }
}

const MINUTE_US: i64 = 60_000_000;
/// Wednesday, 2014-04-02 00:00 UTC.
const START_US: i64 = 1_396_396_800_000_000;

/// One series of each kind, many of some, as NAB has them.
#[must_use]
pub fn corpus(seed: u64) -> Vec<Series> {
    let mut series = Vec::new();
    let dice = |kind: u64, number: u64| {
        Dice(
            seed.wrapping_mul(1_000_003)
                .wrapping_add(kind * 1000 + number),
        )
    };
    for number in 0..8 {
        series.push(tweets(number, dice(1, number)));
    }
    for number in 0..3 {
        series.push(speed(number, dice(2, number)));
    }
    for number in 0..2 {
        series.push(travel_time(number, dice(3, number)));
    }
    for number in 0..2 {
        series.push(occupancy(number, dice(8, number)));
    }
    series.push(machine_temperature(dice(4, 0)));
    series.push(ambient_temperature(dice(5, 0)));
    series.push(taxi(dice(6, 0)));
    for number in 0..2 {
        series.push(latency(number, dice(7, number)));
    }
    series.push(key_hold(dice(9, 0)));
    series.push(cpu_schedule(dice(10, 0)));
    series
}

/// Windows as NAB makes them: a tenth of the series in all, centred.
fn finish(
    name: String,
    step_minutes: f64,
    values: Vec<f64>,
    anomalies: &[usize],
    dice: &mut Dice,
    uneven: bool,
) -> Series {
    let points = values.len();
    let half = points / 20 / anomalies.len().max(1);
    let windows = anomalies
        .iter()
        .map(|at| (at.saturating_sub(half), (at + half).min(points - 1)))
        .collect();
    let mut time = START_US;
    let mut times_us = Vec::with_capacity(points);
    for _ in 0..points {
        times_us.push(time);
        let steps = if uneven && dice.chance(0.15) {
            f64::from(2 + u8::try_from(dice.bits() % 6).unwrap_or(0))
        } else {
            1.0
        };
        time += (steps * step_minutes) as i64 * MINUTE_US;
    }
    let mut series = Series {
        name,
        timestamps: Vec::new(),
        times_us,
        values,
        windows,
    };
    series.timestamps = series
        .times_us
        .iter()
        .map(|time| {
            jiff::Timestamp::from_microsecond(*time)
                .map(|t| t.strftime("%Y-%m-%d %H:%M:%S").to_string())
                .unwrap_or_default()
        })
        .collect();
    series.windows.sort_unstable();
    series
}

/// Moments well apart and behind the probationary part.
fn moments(dice: &mut Dice, points: usize, count: usize) -> Vec<usize> {
    let first = points * 22 / 100;
    let room = (points * 95 / 100 - first) / count.max(1);
    (0..count)
        .map(|number| first + number * room + (room as f64 * dice.between(0.2, 0.8)) as usize)
        .collect()
}

fn day_share(point: usize, per_day: f64) -> f64 {
    (point as f64 / per_day).fract()
}
fn day_number(point: usize, per_day: f64) -> usize {
    (point as f64 / per_day) as usize
}
/// Days 3 and 4 after the start, a Wednesday, are the week-end.
fn weekend(day: usize) -> bool {
    matches!((day + 2) % 7, 5 | 6)
}

fn tweets(number: u64, mut dice: Dice) -> Series {
    let points = 15_840;
    let base = 3.0 * 25_f64.powf(dice.unit());
    let depth = dice.between(0.3, 0.7);
    let count = 3 + usize::try_from(dice.bits() % 2).unwrap_or(0);
    let anomalies = moments(&mut dice, points, count);
    let mut values = Vec::new();
    let mut burst = 0.0;
    let mut decay = 0.5;
    let mut largest: f64 = 3.0;
    for point in 0..points {
        burst *= decay;
        if dice.chance(1.0 / 150.0) {
            let size = 0.7 * dice.pareto(1.4).min(12.0);
            burst += size;
            largest = largest.max(size);
            decay = dice.between(0.3, 0.85);
        }
        if anomalies.contains(&point) {
            if dice.chance(0.75) {
                burst += largest * dice.between(1.2, 3.0);
                decay = dice.between(0.5, 0.95);
            } else {
                burst += dice.between(2.0, 4.0);
                decay = 0.99;
            }
        }
        let share = day_share(point, 288.0);
        let season = 1.0 + depth * (std::f64::consts::TAU * (share - 0.4)).sin();
        let week = if weekend(day_number(point, 288.0)) {
            0.7
        } else {
            1.0
        };
        values.push(dice.count(base * season * week * (1.0 + burst), 0.25));
    }
    finish(
        format!("likeTweets/tweets_{number}.csv"),
        5.0,
        values,
        &anomalies,
        &mut dice,
        false,
    )
}

fn speed(number: u64, mut dice: Dice) -> Series {
    let points = 2_000;
    let count = 1 + usize::try_from(dice.bits() % 4).unwrap_or(0);
    let anomalies = moments(&mut dice, points, count);
    let mut values = Vec::new();
    let mut dip = 0.0;
    let mut wave = 0.0;
    for point in 0..points {
        let share = day_share(point, 180.0);
        let rush = (-((share - 0.33) / 0.04).powi(2)).exp()
            + 0.6 * (-((share - 0.72) / 0.05).powi(2)).exp();
        let rush = if weekend(day_number(point, 180.0)) {
            0.0
        } else {
            rush
        };
        dip *= 0.85;
        wave = 0.8 * wave + 1.5 * dice.normal();
        if anomalies.contains(&point) {
            dip = dice.between(35.0, 50.0);
        }
        if dice.chance(0.004) {
            dip += 8.0 * dice.exponential();
        }
        values.push(
            (67.0 - 14.0 * rush * dice.between(0.5, 1.2) - dip + wave + 2.0 * dice.normal())
                .max(3.0)
                .round(),
        );
    }
    finish(
        format!("likeTraffic/speed_{number}.csv"),
        5.0,
        values,
        &anomalies,
        &mut dice,
        true,
    )
}

fn travel_time(number: u64, mut dice: Dice) -> Series {
    let points = 2_400;
    let count = 1 + usize::try_from(dice.bits() % 3).unwrap_or(0);
    let anomalies = moments(&mut dice, points, count);
    let mut values = Vec::new();
    let mut jam = 0.0;
    for point in 0..points {
        let share = day_share(point, 160.0);
        let day = 1.0 + 0.5 * (std::f64::consts::TAU * (share - 0.35)).sin().max(0.0);
        jam *= 0.7;
        if dice.chance(0.02) {
            jam += 90.0 * dice.pareto(1.8);
        }
        if anomalies.contains(&point) {
            jam += dice.between(2500.0, 5000.0);
        }
        values.push((150.0 * day * (0.25 * dice.normal()).exp() + jam).round());
    }
    finish(
        format!("likeTraffic/TravelTime_{number}.csv"),
        10.0,
        values,
        &anomalies,
        &mut dice,
        true,
    )
}

fn occupancy(number: u64, mut dice: Dice) -> Series {
    let points = 2_400;
    let count = 1 + usize::try_from(dice.bits() % 2).unwrap_or(0);
    let anomalies = moments(&mut dice, points, count);
    let mut values = Vec::new();
    let mut jam = 0.0;
    for point in 0..points {
        let share = day_share(point, 180.0);
        let bump =
            (-((share - 0.33) / 0.06).powi(2)).exp() + (-((share - 0.7) / 0.08).powi(2)).exp();
        let bump = if weekend(day_number(point, 180.0)) {
            0.3 * bump
        } else {
            bump
        };
        jam *= 0.8;
        if anomalies.contains(&point) {
            jam += dice.between(18.0, 30.0);
        }
        if dice.chance(0.005) {
            jam += 5.0 * dice.exponential();
        }
        values.push(((1.0 + 9.0 * bump) * (0.3 * dice.normal()).exp() + jam).max(0.0));
    }
    finish(
        format!("likeTraffic/occupancy_{number}.csv"),
        5.0,
        values,
        &anomalies,
        &mut dice,
        true,
    )
}

fn machine_temperature(mut dice: Dice) -> Series {
    let points = 22_000;
    let anomalies = moments(&mut dice, points, 4);
    let (mut slow, mut fast, mut fall) = (0.0, 0.0, 0.0);
    let values = (0..points)
        .map(|point| {
            slow = 0.9995 * slow + 0.12 * dice.normal();
            fast = 0.9 * fast + 0.5 * dice.normal();
            fall *= 0.995;
            if let Some(which) = anomalies.iter().position(|at| *at == point) {
                fall = if which == 2 {
                    14.0
                } else {
                    dice.between(30.0, 55.0)
                };
            }
            88.0 + slow + fast + 0.8 * (std::f64::consts::TAU * day_share(point, 288.0)).sin()
                - fall
        })
        .collect();
    finish(
        "likeKnownCause/machine_temperature.csv".to_owned(),
        5.0,
        values,
        &anomalies,
        &mut dice,
        false,
    )
}

fn ambient_temperature(mut dice: Dice) -> Series {
    let points = 7_200;
    let anomalies = moments(&mut dice, points, 2);
    let (mut weather, mut fall) = (0.0, 0.0);
    let values = (0..points)
        .map(|point| {
            weather = 0.98 * weather + 0.45 * dice.normal();
            fall *= 0.93;
            if anomalies.contains(&point) {
                fall = dice.between(7.0, 11.0);
            }
            let year = 3.0 * (point as f64 / 7_200.0 * 5.0).sin();
            71.0 + year
                + weather
                + 2.0 * (std::f64::consts::TAU * (day_share(point, 24.0) - 0.4)).sin()
                + 0.4 * dice.normal()
                - fall
        })
        .collect();
    finish(
        "likeKnownCause/ambient_temperature.csv".to_owned(),
        60.0,
        values,
        &anomalies,
        &mut dice,
        false,
    )
}

fn taxi(mut dice: Dice) -> Series {
    let points = 10_320;
    let anomalies = moments(&mut dice, points, 5);
    let mut level = 0.0;
    let values = (0..points)
        .map(|point| {
            level = 0.995 * level + 0.008 * dice.normal();
            let day = day_number(point, 48.0);
            let share = day_share(point, 48.0);
            let night = (-((share - 0.2) / 0.1).powi(2)).exp();
            let late = if weekend(day) { 0.5 } else { 0.9 };
            let mut demand = 16_000.0
                * (1.0 + 0.3 * (std::f64::consts::TAU * (share - 0.55)).sin())
                * (1.0 - late * 0.85 * night);
            for (which, at) in anomalies.iter().enumerate() {
                if (*at..at + 40).contains(&point) {
                    demand *= if which == 0 {
                        1.5
                    } else if which == 4 {
                        0.15
                    } else {
                        0.55
                    };
                }
            }
            (demand * (level + 0.03 * dice.normal()).exp()).round()
        })
        .collect();
    finish(
        "likeKnownCause/taxi.csv".to_owned(),
        30.0,
        values,
        &anomalies,
        &mut dice,
        false,
    )
}

fn latency(number: u64, mut dice: Dice) -> Series {
    let points = 4_032;
    let anomalies = moments(&mut dice, points, 3);
    let mut high = 0.0;
    let values = (0..points)
        .map(|point| {
            high *= 0.8;
            if dice.chance(0.003) {
                high = 4.0 * dice.exponential();
            }
            if anomalies.contains(&point) {
                high = dice.between(25.0, 50.0);
            }
            45.0 + 2.0 * dice.normal() + high
        })
        .collect();
    finish(
        format!("likeKnownCause/latency_{number}.csv"),
        5.0,
        values,
        &anomalies,
        &mut dice,
        false,
    )
}

fn key_hold(mut dice: Dice) -> Series {
    let points = 1_880;
    let anomalies = moments(&mut dice, points, 2);
    let values = (0..points)
        .map(|point| {
            let active = anomalies.iter().any(|at| (*at..at + 20).contains(&point));
            let work = (0.3..0.8).contains(&day_share(point, 144.0));
            if active {
                0.15 + 0.1 * dice.unit()
            } else if dice.chance(if work { 0.5 } else { 0.1 }) {
                0.03 + 0.03 * dice.pareto(2.5).min(5.0)
            } else {
                0.0
            }
        })
        .collect();
    finish(
        "likeKnownCause/key_hold.csv".to_owned(),
        5.0,
        values,
        &anomalies,
        &mut dice,
        true,
    )
}

fn cpu_schedule(mut dice: Dice) -> Series {
    let points = 18_000;
    let anomalies = moments(&mut dice, points, 1);
    let changed = anomalies.first().copied().unwrap_or(points);
    let values = (0..points)
        .map(|point| {
            let share = day_share(point, 288.0);
            let busy = (0.25..0.9).contains(&share)
                && !(weekend(day_number(point, 288.0)) && dice.chance(0.8));
            let job = if point % 36 < 3 { 12.0 } else { 0.0 };
            let stuck = (changed..changed + 300).contains(&point);
            let level = if stuck {
                24.0
            } else if busy {
                55.0
            } else {
                30.0
            };
            (level + job + if stuck { 2.0 } else { 8.0 } * dice.normal()).clamp(0.0, 100.0)
        })
        .collect();
    finish(
        "likeKnownCause/cpu_schedule.csv".to_owned(),
        5.0,
        values,
        &anomalies,
        &mut dice,
        false,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_series_and_windows_lie_in_the_scored_part() {
        let (first, second, other) = (corpus(1), corpus(1), corpus(2));
        for ((a, b), c) in first.iter().zip(&second).zip(&other) {
            assert_eq!(a.values, b.values);
            assert_ne!(a.values, c.values);
            assert!(
                a.windows
                    .iter()
                    .all(|(from, to)| *from >= a.probation() && to < &a.values.len()),
                "{}",
                a.name
            );
        }
    }
}
