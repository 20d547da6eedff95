//! Why an attempt is declined, and whether another one follows.

use super::{Attempt, Ending, Request};
use crate::simulate::random::Dice;

/// A reason to decline: its code, whether a retry is forbidden, and what a retry's chance is against the first one's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decline {
    pub(super) code: &'static str,
    pub(super) hard: bool,
    pub(super) retry_factor: f64,
}

pub(super) const fn soft(code: &'static str, retry_factor: f64) -> Decline {
    Decline {
        code,
        hard: false,
        retry_factor,
    }
}

pub(super) const fn hard(code: &'static str) -> Decline {
    Decline {
        code,
        hard: true,
        retry_factor: 0.0,
    }
}

pub(super) const DO_NOT_HONOR: Decline = soft("do_not_honor", 0.5);
pub(super) const AUTHENTICATION_REQUIRED: Decline = soft("authentication_required", 1.0);

/// A further attempt: when, whether at another PSP, and with which prospects.
pub(super) struct Retry {
    pub(super) wait_us: i64,
    pub(super) elsewhere: bool,
    pub(super) factor: f64,
    pub(super) authenticate: bool,
}

/// What follows an attempt. Hard declines are never retried.
pub(super) fn retry(dice: &mut Dice, request: &Request, attempt: &Attempt) -> Option<Retry> {
    let (again, elsewhere) = (dice.unit(), dice.unit());
    let (quick_us, slow_us) = (
        dice.between(800_000, 3_000_000),
        dice.between(15_000_000, 90_000_000),
    );
    if request.test_of.is_some() {
        return None;
    }
    match attempt.ending {
        Ending::Approved | Ending::Blocked => None,
        Ending::Error => (again < 0.9).then_some(Retry {
            wait_us: quick_us,
            elsewhere: true,
            factor: 1.0,
            authenticate: false,
        }),
        Ending::Abandoned => (again < 0.3).then_some(Retry {
            wait_us: slow_us,
            elsewhere: false,
            factor: 1.0,
            authenticate: true,
        }),
        Ending::Declined(decline) if decline.hard => None,
        Ending::Declined(decline) if decline.code == AUTHENTICATION_REQUIRED.code => {
            let online = request.channel.online();
            (online && again < 0.95).then_some(Retry {
                wait_us: quick_us,
                elsewhere: false,
                factor: 1.0,
                authenticate: true,
            })
        }
        Ending::Declined(decline) => {
            let elsewhere = elsewhere < 0.5;
            let wait_us = if elsewhere { quick_us } else { slow_us };
            (again < 0.6).then_some(Retry {
                wait_us,
                elsewhere,
                factor: decline.retry_factor,
                authenticate: false,
            })
        }
    }
}
