//! One alert per episode: what goes on after it is no news until it grows clearly worse.

use serde::{Deserialize, Serialize};

/// Days in which an announced surprise fades to a third.
const FADES_DAYS: f64 = 1.0;
/// To be news, a surprise must exceed the one announced by this much in −log₁₀ p: be three times rarer.
const MARGIN: f64 = 0.5;
/// Surprises up to here leave nothing behind: they are everyday.
const EVERYDAY: f64 = 1.0;

/// The surprise that was last announced, fading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    held: f64,
}

impl Episode {
    /// The surprise that is new: all of it where it exceeds what was announced before, else nothing.
    /// What was announced does not fade while the surprise lasts.
    pub fn news(&mut self, surprise: f64, buckets_per_day: f64) -> f64 {
        let announced = self.held;
        let faded = announced * (-1.0 / (FADES_DAYS * buckets_per_day)).exp();
        let margin = if faded > EVERYDAY { MARGIN } else { 0.0 };
        if surprise < faded + margin {
            self.held = faded.max(announced.min(surprise));
            return 0.0;
        }
        self.held = surprise;
        surprise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_is_announced_once_and_again_when_it_grows_or_returns_later() {
        let mut episode = Episode::default();
        assert_eq!(episode.news(5.0, 288.0), 5.0);
        for _ in 0..2000 {
            assert_eq!(episode.news(4.9, 288.0), 0.0, "it lasts");
        }
        assert_eq!(episode.news(6.0, 288.0), 6.0, "it grows");
        for _ in 0..288 {
            episode.news(0.0, 288.0);
        }
        assert_eq!(episode.news(5.0, 288.0), 5.0, "it returns after a day");
    }
}
