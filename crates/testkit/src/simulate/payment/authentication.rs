//! 3-D Secure and the exemptions from it.

use super::{Attempt, Channel, Instrument, Request, Try, euro};
use crate::simulate::random::Dice;
use crate::simulate::world::Method;

/// 3-D Secure or an exemption from it; a challenge takes the customer's time.
pub(super) fn authentication(
    dice: &mut Dice,
    request: &Request,
    instrument: &Instrument,
    this: &Try,
    attempt: &mut Attempt,
) {
    if instrument.method != Method::Card
        || request.channel == Channel::Store
        || request.test_of.is_some()
    {
        return;
    }
    let strong = request.country.strong_authentication;
    let (asked, accepted) = (dice.unit(), dice.unit());
    if !request.channel.online() {
        if strong {
            attempt.exemption = Some(("recurring", accepted < 0.985));
        }
        return;
    }
    if !this.authenticate && asked >= if strong { 0.72 } else { 0.12 } {
        if strong {
            let which = if euro(request) < 30.0 {
                "low_value"
            } else {
                "risk_analysis"
            };
            attempt.exemption = Some((which, accepted < 0.9));
        }
        return;
    }
    if dice.chance(0.68) {
        attempt.three_ds = Some("frictionless");
        attempt.three_ds_result = Some("authenticated");
        attempt.end_us += dice.between(300, 1500) * 1000;
        return;
    }
    attempt.three_ds = Some("challenge");
    let result = dice.unit();
    attempt.three_ds_result = Some(match result {
        r if r < 0.86 => "authenticated",
        r if r < 0.91 => "failed",
        _ => "abandoned",
    });
    let seconds = if result < 0.91 {
        dice.between(8, 60)
    } else {
        dice.between(60, 120)
    };
    attempt.end_us += seconds * 1_000_000;
}
