//! A visit of the shop: product, cart, checkout, payment, order.

use super::Stream;
use super::entity::{Entity, Part};
use super::line::Line;
use super::outbox::Outbox;
use super::payment::{Channel, Payment, Payments, Request};
use super::random::{Dice, Weighted, mix, unit};
use super::scenario::Incidents;
use super::world::{Country, Product};

/// Returning customers there are.
const CUSTOMERS: f64 = 200_000.0;
/// Share of visits that reach each step, for an average device and source.
const PRODUCT: f64 = 0.62;
const CART: f64 = 0.21;
const CHECKOUT: f64 = 0.11;
const PAYMENT: f64 = 0.092;
/// No visit whose depth is beyond this pays: the share for the keenest device and source.
pub(crate) const PAYMENT_MAX: f64 = 0.16;
const LINES_MAX: usize = 8;
/// Goods worth less than this are charged for shipping, euro.
const FREE_SHIPPING_EURO: f64 = 60.0;
const SHIPPING_EURO: f64 = 4.9;

/// The tables visits are drawn from.
#[derive(Debug)]
pub(crate) struct Visits {
    devices: Weighted<(&'static str, f64)>,
    sources: Weighted<(&'static str, f64)>,
}

/// A visit as it begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) at_us: i64,
    pub(crate) country: &'static Country,
    pub(crate) channel: Channel,
    /// How far the visit goes, as a point of [0, 1): the lower, the farther.
    pub(crate) depth: f64,
}

/// A paid order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purchase {
    pub(crate) payment: Payment,
    pub(crate) customer: u64,
    pub(crate) returning: bool,
    pub(crate) channel: Channel,
    /// Goods less discount, minor units.
    pub(crate) net_goods: i64,
    pub(crate) tax: i64,
}

struct OrderLine {
    product: Product,
    quantity: i64,
    unit_price: i64,
    cost: i64,
}

struct Basket {
    lines: Vec<OrderLine>,
    goods: i64,
    discount: i64,
    tax: i64,
    shipping: i64,
}

impl Basket {
    fn value(&self) -> i64 {
        self.goods - self.discount + self.tax + self.shipping
    }
}

/// What the steps of one visit have in common.
struct Walk {
    arrival: Arrival,
    device: &'static str,
    source: &'static str,
    customer: Option<u64>,
    product: Product,
    in_stock: bool,
}

impl Visits {
    pub(crate) fn new() -> Self {
        Self {
            devices: Weighted::new([
                (58.0, ("phone", 0.86)),
                (36.0, ("desktop", 1.2)),
                (6.0, ("tablet", 1.0)),
            ]),
            sources: Weighted::new([
                (30.0, ("direct", 1.15)),
                (32.0, ("search", 1.05)),
                (18.0, ("ads", 0.75)),
                (12.0, ("email", 1.3)),
                (8.0, ("social", 0.55)),
            ]),
        }
    }

    /// Plays one visit to its end.
    pub(crate) fn play(
        &self,
        payments: &Payments,
        entity: &mut Entity,
        dice: &mut Dice,
        arrival: Arrival,
        incidents: &Incidents,
        mut outbox: Option<&mut Outbox>,
    ) -> Option<Purchase> {
        let (device, by_device) = match arrival.channel {
            Channel::App => ("phone", 1.1),
            _ => self.devices.pick(dice.unit())?,
        };
        let (source, by_source) = self.sources.pick(dice.unit())?;
        let keenness = by_device * by_source;
        let returning = dice.chance(0.7);
        let customer = customer(dice, entity, returning);
        let product = payments.world.products.pick(dice.unit())?;
        let in_stock = dice.chance(0.96);
        let known = (returning && dice.chance(0.6)).then_some(customer);
        let walk = Walk {
            arrival,
            device,
            source,
            customer: known,
            product,
            in_stock,
        };
        let mut at_us = arrival.at_us;
        walk.step("visit", at_us, entity, outbox.as_deref_mut());
        let steps = [
            ("product", PRODUCT, 40.0),
            ("cart", if in_stock { CART * keenness } else { 0.0 }, 70.0),
            ("checkout", CHECKOUT * keenness, 60.0),
            ("payment", PAYMENT * keenness, 45.0),
        ];
        for (step, share, seconds_median) in steps {
            if arrival.depth >= share {
                return None;
            }
            at_us += pause_us(dice, seconds_median);
            walk.step(step, at_us, entity, outbox.as_deref_mut());
        }

        let basket = fill(dice, payments, &walk, at_us, incidents);
        let request = Request {
            start_us: at_us + dice.between(200_000, 2_000_000),
            country: arrival.country,
            channel: arrival.channel,
            amount_minor: basket.value(),
            customer,
            order: Some(entity.id(Part::Order)),
            test_of: None,
        };
        let (_, payment) = payments.pay(entity, dice, &request, incidents, outbox.as_deref_mut());
        let payment = payment?;
        let purchase = Purchase {
            payment,
            customer,
            returning,
            channel: arrival.channel,
            net_goods: basket.goods - basket.discount,
            tax: basket.tax,
        };
        if let Some(outbox) = outbox {
            let ordered_us = payment.end_us + dice.between(50_000, 600_000);
            walk.step("order", ordered_us, entity, Some(outbox));
            write_order(outbox, entity, ordered_us, &purchase, &basket);
        }
        Some(purchase)
    }
}

impl Walk {
    fn step(
        &self,
        step: &'static str,
        at_us: i64,
        entity: &mut Entity,
        outbox: Option<&mut Outbox>,
    ) {
        let Some(outbox) = outbox else {
            return;
        };
        let visit = entity.id(Part::Visit);
        outbox.emit(Stream::Visits, at_us, entity.next_event(), None, |line| {
            line.id("visit_id", "vis_", visit);
            if let Some(customer) = self.customer {
                line.id("customer_id", "cus_", customer);
            }
            line.text("step", step);
            line.text("device", self.device);
            line.text("source", self.source);
            line.text("country", self.arrival.country.code);
            line.text("channel", self.arrival.channel.name());
            if step == "product" {
                line.numbered("product", "sku-", self.product.number.into());
                line.text("category", self.product.category);
                line.bool("in_stock", self.in_stock);
            }
        });
    }
}

/// A customer: one of the returning ones, of whom few come often, or somebody new.
pub(crate) fn customer(dice: &mut Dice, entity: &Entity, returning: bool) -> u64 {
    let roll = dice.unit();
    if !returning {
        return entity.id(Part::Customer);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to CUSTOMERS"
    )]
    let rank = (roll * roll * roll * CUSTOMERS) as u64;
    mix(rank ^ 0x0c05_7033_0000_0001)
}

/// Time until the next step, at most five minutes.
#[expect(clippy::cast_possible_truncation, reason = "at most 300 seconds")]
fn pause_us(dice: &mut Dice, seconds_median: f64) -> i64 {
    (dice.log_normal(seconds_median, 0.8).clamp(1.0, 300.0) * 1e6) as i64
}

fn fill(
    dice: &mut Dice,
    payments: &Payments,
    walk: &Walk,
    at_us: i64,
    incidents: &Incidents,
) -> Basket {
    let currency = &walk.arrival.country.currency;
    let mut lines: Vec<OrderLine> = Vec::new();
    let mut product = walk.product;
    loop {
        let quantity = match dice.unit() {
            u if u < 0.82 => 1,
            u if u < 0.95 => 2,
            _ => dice.between(3, 7),
        };
        let right = currency.minor(product.price_euro);
        let unit_price = match incidents.price_factor(at_us, product.number) {
            Some(factor) => currency.minor(product.price_euro * factor),
            None => right,
        };
        // The shop pays for the goods whatever it sells them for.
        let cost = (right * quantity * product.cost_permille / 1000).max(1);
        lines.push(OrderLine {
            product,
            quantity,
            unit_price,
            cost,
        });
        let (more, next) = (dice.chance(0.38), payments.world.products.pick(dice.unit()));
        match next {
            Some(next) if more && lines.len() < LINES_MAX => product = next,
            _ => break,
        }
    }
    let goods: i64 = lines.iter().map(|l| l.unit_price * l.quantity).sum();
    let discount_permille = if dice.chance(0.25) {
        dice.between(1, 5) * 50
    } else {
        0
    };
    let discount = goods * discount_permille / 1000;
    let tax = (goods - discount) * walk.arrival.country.tax_permille / 1000;
    let shipping = if goods < currency.minor(FREE_SHIPPING_EURO) {
        currency.minor(SHIPPING_EURO)
    } else {
        0
    };
    Basket {
        lines,
        goods,
        discount,
        tax,
        shipping,
    }
}

fn write_order(
    outbox: &mut Outbox,
    entity: &mut Entity,
    at_us: i64,
    purchase: &Purchase,
    basket: &Basket,
) {
    let country = purchase.payment.country;
    let currency = &country.currency;
    let order = entity.id(Part::Order);
    outbox.emit(Stream::Orders, at_us, entity.next_event(), None, |line| {
        order_head(line, order, "placed", purchase);
        line.int("items", basket.lines.iter().map(|l| l.quantity).sum());
        line.money("value", basket.value(), currency);
        line.money("goods", basket.goods, currency);
        line.money("discount", basket.discount, currency);
        line.money("tax", basket.tax, currency);
        line.money("shipping", basket.shipping, currency);
        line.money("refund", 0, currency);
    });
    for (number, l) in (1..).zip(&basket.lines) {
        outbox.emit(
            Stream::OrderLines,
            at_us,
            entity.next_event(),
            None,
            |line| {
                line.id("order_id", "ord_", order);
                line.int("line", number);
                line.numbered("product", "sku-", l.product.number.into());
                line.text("category", l.product.category);
                line.text("country", country.code);
                line.int("quantity", l.quantity);
                line.money("unit_price", l.unit_price, currency);
                line.money("amount", l.unit_price * l.quantity, currency);
                line.money("cost", l.cost, currency);
                line.text("currency", currency.code);
            },
        );
    }
}

/// The fields that all events of an order share.
pub(crate) fn order_head(line: &mut Line<'_>, order: u64, kind: &str, purchase: &Purchase) {
    line.id("order_id", "ord_", order);
    line.id("customer_id", "cus_", purchase.customer);
    line.text("kind", kind);
    line.text(
        "customer_type",
        if purchase.returning {
            "returning"
        } else {
            "new"
        },
    );
    line.text("channel", purchase.channel.name());
    line.text("country", purchase.payment.country.code);
    line.text("currency", purchase.payment.country.currency.code);
}

/// How far a visit goes, from the bits it was announced with.
pub(crate) fn depth(key: u64) -> f64 {
    unit(key)
}
