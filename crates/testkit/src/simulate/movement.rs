//! What becomes of the money after the authorisation: captures, voids, refunds, disputes.

use super::Stream;
use super::entity::{Entity, Part};
use super::outbox::Outbox;
use super::payment::Payment;
use super::random::{mix, unit};
use super::visit::{Purchase, order_head};

/// Orders are captured when they are shipped, in one of this many classes of [`CAPTURE_STEP_HOURS`].
pub(crate) const CAPTURE_CLASSES: i64 = 8;
/// Hours from one class of captures to the next.
pub(crate) const CAPTURE_STEP_HOURS: i64 = 3;
/// Refunds come one to so many days after the payment.
pub(crate) const REFUND_DAYS: i64 = 21;
/// Disputes come in one of this many classes.
pub(crate) const DISPUTE_CLASSES: i64 = 12;

const REFUND_SHARE_ORDERS: f64 = 0.05;
const REFUND_SHARE_OTHERS: f64 = 0.012;
const DISPUTE_SHARE: f64 = 0.0015;
const VOID_SHARE: f64 = 0.02;
const PARTIAL_CAPTURE_SHARE: f64 = 0.03;

/// What will happen to a payment, should it succeed. It follows from the bits the arrival was announced with, so that
/// the few arrivals with a refund in some later hour are found without playing all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate(u64);

impl Fate {
    pub(crate) fn of(key: u64) -> Self {
        Self(mix(key ^ 0xfa7e_0000_0000_0001))
    }

    fn roll(self, which: u64) -> f64 {
        unit(mix(self.0 ^ which))
    }

    /// Class of the capture, 1 to [`CAPTURE_CLASSES`].
    pub(crate) fn capture_class(self) -> i64 {
        1 + i64::try_from(self.0 & 7).unwrap_or(0)
    }

    fn voided(self) -> bool {
        self.roll(1) < VOID_SHARE
    }

    /// Day of the refund after the payment, early days more often.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "0 to REFUND_DAYS"
    )]
    pub(crate) fn refund_day(self, order: bool) -> Option<i64> {
        let share = if order {
            REFUND_SHARE_ORDERS
        } else {
            REFUND_SHARE_OTHERS
        };
        let point = self.roll(2) / share;
        (point < 1.0).then(|| 1 + (point * point * REFUND_DAYS as f64) as i64)
    }

    /// Class of the dispute, 0 to [`DISPUTE_CLASSES`] - 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "0 to DISPUTE_CLASSES"
    )]
    pub(crate) fn dispute_class(self) -> Option<i64> {
        let point = self.roll(3) / DISPUTE_SHARE;
        (point < 1.0).then_some((point * DISPUTE_CLASSES as f64) as i64)
    }
}

/// A succeeded payment, with its order if it has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    pub(crate) payment: Payment,
    pub(crate) purchase: Option<Purchase>,
    pub(crate) fate: Fate,
}

impl Settled {
    fn write(
        &self,
        outbox: &mut Outbox,
        at_us: i64,
        id: u64,
        kind: &str,
        minor: i64,
        reason: Option<&str>,
    ) {
        let Payment {
            id: payment,
            order,
            country,
            psp,
            method,
            ..
        } = self.payment;
        let currency = &country.currency;
        outbox.emit(
            Stream::PaymentMovements,
            at_us,
            id,
            Some(psp.name),
            |line| {
                line.id("payment_id", "pay_", payment);
                if let Some(order) = order {
                    line.id("order_id", "ord_", order);
                }
                line.text("kind", kind);
                line.money("amount", minor, currency);
                line.text("currency", currency.code);
                if kind == "captured" {
                    line.money(
                        "fee",
                        minor * psp.fee_bps / 10_000 + currency.minor(psp.fee_cents / 100.0),
                        currency,
                    );
                }
                line.text("psp", psp.name);
                line.text("method", method.name());
                line.text("country", country.code);
                line.text_if("reason", reason);
            },
        );
    }

    /// The authorisation, and the capture of what is handed over at once.
    pub(crate) fn now(&self, outbox: &mut Outbox, entity: &mut Entity) {
        let told_us = self.payment.end_us + 150_000;
        self.write(
            outbox,
            told_us,
            entity.next_event(),
            "authorised",
            self.payment.amount_minor,
            None,
        );
        if self.purchase.is_none() {
            let captured_us = told_us + 450_000;
            self.write(
                outbox,
                captured_us,
                entity.id(Part::Captured),
                "captured",
                self.payment.amount_minor,
                None,
            );
        }
    }

    /// The capture of a shipped order, or the release of the money when it is not shipped.
    pub(crate) fn capture(&self, outbox: &mut Outbox, entity: &Entity, at_us: i64) {
        let (id, whole) = (entity.id(Part::Captured), self.payment.amount_minor);
        if self.fate.voided() {
            self.write(outbox, at_us, id, "voided", whole, Some("order_cancelled"));
            return;
        }
        self.write(outbox, at_us, id, "captured", self.captured_minor(), None);
    }

    fn captured_minor(&self) -> i64 {
        let whole = self.payment.amount_minor;
        let partial = self.purchase.is_some() && self.fate.roll(4) < PARTIAL_CAPTURE_SHARE;
        if partial {
            (whole * 9 / 10).max(1)
        } else {
            whole
        }
    }

    /// The refund, and what it means for the order.
    pub(crate) fn refund(&self, outbox: &mut Outbox, entity: &Entity, at_us: i64) {
        if self.purchase.is_some() && self.fate.voided() {
            return;
        }
        let whole = self.fate.roll(5) < 0.6;
        let permille = if whole {
            1000
        } else {
            part_permille(self.fate.roll(6))
        };
        let reason = match self.fate.roll(7) {
            r if r < 0.55 => "returned",
            r if r < 0.8 => "defective",
            r if r < 0.95 => "not_received",
            _ => "duplicate",
        };
        let minor = match &self.purchase {
            Some(purchase) => (purchase.net_goods + purchase.tax) * permille / 1000,
            None => self.payment.amount_minor * permille / 1000,
        };
        let minor = minor.clamp(1, self.captured_minor());
        self.write(
            outbox,
            at_us,
            entity.id(Part::Refunded),
            "refunded",
            minor,
            Some(reason),
        );
        let Some(purchase) = &self.purchase else {
            return;
        };
        let currency = &self.payment.country.currency;
        outbox.emit(
            Stream::Orders,
            at_us,
            entity.id(Part::OrderRefunded),
            None,
            |line| {
                order_head(line, entity.id(Part::Order), "refunded", purchase);
                line.int("items", 0);
                for field in ["value", "goods", "discount", "tax", "shipping"] {
                    line.money(field, 0, currency);
                }
                line.money("refund", purchase.net_goods * permille / 1000, currency);
            },
        );
    }

    /// The dispute of a captured payment.
    pub(crate) fn dispute(&self, outbox: &mut Outbox, entity: &Entity, at_us: i64) {
        if self.purchase.is_some() && self.fate.voided() {
            return;
        }
        let reason = if self.fate.roll(8) < 0.6 {
            "fraudulent"
        } else {
            "not_received"
        };
        self.write(
            outbox,
            at_us,
            entity.id(Part::Disputed),
            "disputed",
            self.captured_minor(),
            Some(reason),
        );
    }
}

#[expect(clippy::cast_possible_truncation, reason = "200 to 799")]
fn part_permille(roll: f64) -> i64 {
    200 + (roll * 600.0) as i64
}
