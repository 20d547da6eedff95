//! Firing and resolving at different levels, each only after a while.

use serde::{Deserialize, Serialize};

/// What a detector says of one step of one slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Beyond the level that fires.
    Anomalous,
    /// Behind the level that fires, but not yet behind the level that resolves; or there is too
    /// little to judge. Breaks a run of anomalous steps and a run of normal ones alike.
    Between,
    /// Behind the level that resolves.
    Normal,
}

/// The state of one slice between steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hysteresis {
    /// Nothing is wrong.
    #[default]
    Idle,
    /// Anomalous without a break since this step, but not yet for long enough.
    Pending {
        /// Begin of the first anomalous step, in microseconds since the epoch.
        since_us: i64,
    },
    /// Firing.
    Firing {
        /// Begin of the first of the latest unbroken normal steps, in microseconds since the epoch.
        normal_since_us: Option<i64>,
    },
}

/// What a step changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that matters outside.
    None,
    /// The slice began to fire.
    Fired,
    /// The slice ceased to fire.
    Resolved,
}

/// How long a state must last before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Anomalous for this long before it fires, in microseconds.
    pub hold_us: i64,
    /// Normal for this long before it resolves, in microseconds.
    pub resolve_after_us: i64,
}

impl Hysteresis {
    /// Takes the verdict on the step from `start_us` to `end_us`.
    pub fn advance(
        &mut self,
        verdict: Verdict,
        start_us: i64,
        end_us: i64,
        patience: Patience,
    ) -> Change {
        match (*self, verdict) {
            (Self::Idle, Verdict::Anomalous) => self.hold(start_us, end_us, patience),
            (Self::Pending { since_us }, Verdict::Anomalous) => {
                self.hold(since_us, end_us, patience)
            }
            (Self::Pending { .. }, _) => {
                *self = Self::Idle;
                Change::None
            }
            (Self::Firing { normal_since_us }, Verdict::Normal) => {
                let since = normal_since_us.unwrap_or(start_us);
                if end_us - since >= patience.resolve_after_us {
                    *self = Self::Idle;
                    return Change::Resolved;
                }
                *self = Self::Firing {
                    normal_since_us: Some(since),
                };
                Change::None
            }
            (Self::Firing { .. }, _) => {
                *self = Self::Firing {
                    normal_since_us: None,
                };
                Change::None
            }
            (Self::Idle, _) => Change::None,
        }
    }

    /// Whether the slice fires.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        matches!(self, Self::Firing { .. })
    }

    /// Begin of the first of the latest unbroken normal steps of a slice that fires, in microseconds
    /// since the epoch.
    #[must_use]
    pub fn normal_since_us(&self) -> Option<i64> {
        match self {
            Self::Firing { normal_since_us } => *normal_since_us,
            _ => None,
        }
    }

    fn hold(&mut self, since_us: i64, end_us: i64, patience: Patience) -> Change {
        if end_us - since_us >= patience.hold_us {
            *self = Self::Firing {
                normal_since_us: None,
            };
            return Change::Fired;
        }
        *self = Self::Pending { since_us };
        Change::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        hold_us: 30,
        resolve_after_us: 20,
    };

    /// Feeds steps of 10 µs, one letter each: A(nomalous), B(etween), N(ormal).
    fn changes(state: &mut Hysteresis, letters: &str, from: i64) -> Vec<(i64, Change)> {
        let step = |(i, letter): (usize, char)| {
            let verdict = match letter {
                'A' => Verdict::Anomalous,
                'B' => Verdict::Between,
                _ => Verdict::Normal,
            };
            let start = from + i as i64 * 10;
            (start, state.advance(verdict, start, start + 10, PATIENCE))
        };
        letters
            .chars()
            .enumerate()
            .map(step)
            .filter(|(_, c)| *c != Change::None)
            .collect()
    }

    #[test]
    fn it_fires_only_after_the_hold_without_a_break() {
        let mut state = Hysteresis::default();
        assert_eq!(changes(&mut state, "AANAABAAA", 0), [(80, Change::Fired)]);
    }

    #[test]
    fn it_resolves_only_after_normal_steps_without_a_break() {
        let mut state = Hysteresis::Firing {
            normal_since_us: None,
        };
        assert_eq!(
            changes(&mut state, "NANBNBANN", 0),
            [(80, Change::Resolved)]
        );
        assert_eq!(state, Hysteresis::Idle);
    }

    #[test]
    fn without_a_hold_the_first_anomalous_step_fires() {
        let mut state = Hysteresis::default();
        let patience = Patience {
            hold_us: 0,
            resolve_after_us: 0,
        };
        assert_eq!(
            state.advance(Verdict::Anomalous, 0, 10, patience),
            Change::Fired
        );
        assert_eq!(
            state.advance(Verdict::Between, 10, 20, patience),
            Change::None
        );
        assert_eq!(
            state.advance(Verdict::Normal, 20, 30, patience),
            Change::Resolved
        );
    }

    #[test]
    fn the_state_survives_being_written_down() {
        for state in [
            Hysteresis::Idle,
            Hysteresis::Pending { since_us: 5 },
            Hysteresis::Firing {
                normal_since_us: Some(7),
            },
        ] {
            let text = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<Hysteresis>(&text).unwrap(), state);
        }
    }
}
