//! An attempt as an event.

use super::{Attempt, Channel, Ending, Instrument, Request};
use crate::simulate::line::Line;
use crate::simulate::world::Psp;

#[expect(clippy::too_many_arguments, reason = "one event has that many sources")]
pub(super) fn write_attempt(
    line: &mut Line<'_>,
    id: u64,
    request: &Request,
    instrument: &Instrument,
    psp: &Psp,
    number: i64,
    attempt: &Attempt,
    payment_status: Option<&str>,
) {
    line.id("payment_id", "pay_", id);
    if let Some(order) = request.order {
        line.id("order_id", "ord_", order);
    }
    line.id("customer_id", "cus_", request.customer);
    line.text("channel", request.channel.name());
    line.text(
        "initiator",
        if request.channel == Channel::Subscription {
            "merchant"
        } else {
            "customer"
        },
    );
    line.int("attempt", number);
    line.money("amount", request.amount_minor, &request.country.currency);
    line.text("currency", request.country.currency.code);
    line.text("psp", psp.name);
    line.text("method", instrument.method.name());
    line.text_if("network", instrument.network.map(|(name, _)| name));
    line.text("issuer", instrument.issuer.name);
    let lender = instrument.issuer.country.is_empty();
    line.text(
        "issuer_country",
        if lender {
            request.country.code
        } else {
            instrument.issuer.country
        },
    );
    line.text("country", request.country.code);
    if let Some((_, digit)) = instrument.network {
        line.joined("card_bin", digit, instrument.issuer.bin);
    }
    line.text_if("three_ds", attempt.three_ds);
    line.text_if("three_ds_result", attempt.three_ds_result);
    if let Some((exemption, accepted)) = attempt.exemption {
        line.text("exemption", exemption);
        line.bool("exemption_accepted", accepted);
    }
    let (status, decline) = match attempt.ending {
        Ending::Approved => ("approved", None),
        Ending::Declined(decline) => ("declined", Some(decline)),
        Ending::Blocked => ("blocked", None),
        Ending::Abandoned => ("abandoned", None),
        Ending::Error => ("error", None),
    };
    line.text("status", status);
    if let Some(decline) = decline {
        line.text("decline_code", decline.code);
        line.text("decline_kind", if decline.hard { "hard" } else { "soft" });
    }
    line.text_if("payment_status", payment_status);
    if let Some(latency_ms) = attempt.latency_ms {
        line.int("latency_ms", latency_ms);
    }
}
