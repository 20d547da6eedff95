//! When a message that could not be delivered is tried again.

use std::time::Duration;

/// How often and how long a message is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Pause after the first failure; doubled after each further one.
    pub pause: Duration,
    /// Longest pause.
    pub pause_max: Duration,
    /// Attempts after which a message is given up.
    pub attempts_max: u32,
    /// Age at which a message is given up.
    pub age_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            pause: Duration::from_secs(5),
            pause_max: Duration::from_secs(3600),
            attempts_max: 12,
            age_max: Duration::from_secs(24 * 3600),
        }
    }
}

impl RetryPolicy {
    /// When to try again, in microseconds since the epoch, after `attempts` failures of a message
    /// written at `created_at_us`. `None` where it is to be given up.
    ///
    /// `jitter`, from 0 to 1, spreads the pause between its half and its full length, so that many
    /// messages that failed together do not come back together. A receiver's `retry_after` is not
    /// undercut, except that a pause beyond `age_max` ends there with a last attempt: who asks for
    /// a day of rest is still told once more.
    #[must_use]
    pub fn next_at_us(
        &self,
        attempts: u32,
        created_at_us: i64,
        now_us: i64,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Option<i64> {
        if attempts >= self.attempts_max {
            return None;
        }
        let doublings = attempts.saturating_sub(1).min(30);
        let pause = self
            .pause
            .saturating_mul(1 << doublings)
            .min(self.pause_max);
        let pause = pause.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
        let pause = pause.max(retry_after.unwrap_or_default());
        let last_at_us = created_at_us.saturating_add(micros(self.age_max));
        let next_at_us = now_us.saturating_add(micros(pause)).min(last_at_us);
        (next_at_us > now_us).then_some(next_at_us)
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: i64 = 1_000_000;

    fn pause_s(attempts: u32, retry_after_s: Option<u64>, jitter: f64) -> Option<i64> {
        let retry_after = retry_after_s.map(Duration::from_secs);
        let next = RetryPolicy::default().next_at_us(attempts, 0, 0, retry_after, jitter)?;
        Some(next / SECOND_US)
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses: Vec<i64> = (1..12)
            .map(|attempts| pause_s(attempts, None, 1.0).unwrap())
            .collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]);
        assert_eq!(pause_s(3, None, 0.0), Some(10));
    }

    #[test]
    fn a_receiver_that_asks_for_a_longer_pause_gets_it_and_a_shorter_one_not() {
        assert_eq!(pause_s(1, Some(90), 1.0), Some(90));
        assert_eq!(pause_s(6, Some(1), 1.0), Some(160));
    }

    #[test]
    fn a_message_is_given_up_after_twelve_attempts_or_a_day() {
        assert_eq!(pause_s(12, None, 1.0), None);
        let day_us = 24 * 3600 * SECOND_US;
        let policy = RetryPolicy::default();
        assert_eq!(policy.next_at_us(2, 0, day_us, None, 0.5), None);
        assert!(
            policy
                .next_at_us(2, 0, day_us - 60 * SECOND_US, None, 0.5)
                .is_some()
        );
    }

    #[test]
    fn a_receiver_that_asks_for_a_day_or_more_gets_a_last_attempt_at_its_end() {
        let day_us = 24 * 3600 * SECOND_US;
        let policy = RetryPolicy::default();
        let day = Some(Duration::from_secs(24 * 3600));
        // Asked a second after the message was written, and later again.
        for asked_at_us in [SECOND_US, day_us - SECOND_US] {
            let next = policy.next_at_us(1, 0, asked_at_us, day, 0.5);
            assert_eq!(next, Some(day_us), "asked at {asked_at_us}");
        }
        assert_eq!(policy.next_at_us(2, 0, day_us, day, 0.5), None);
    }
}
