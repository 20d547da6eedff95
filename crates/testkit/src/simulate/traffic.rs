//! All arrivals of a minute and all late movements of an hour: everything that happens, from the seed and the clock.

use super::config::SimulatorConfig;
use super::entity::{ARRIVALS_PER_MINUTE_MAX, Entity, Source};
use super::movement::{
    CAPTURE_CLASSES, CAPTURE_STEP_HOURS, DISPUTE_CLASSES, Fate, REFUND_DAYS, Settled,
};
use super::outbox::Outbox;
use super::payment::{Channel, Payments, Request};
use super::random::{Dice, Poisson, mix, unit};
use super::scenario::{IncidentKind, Incidents};
use super::season::{self, HOUR_US, MINUTE_US, Season};
use super::visit::{Arrival, PAYMENT_MAX, Visits, customer, depth};
use super::world::{COUNTRIES, Country, ISSUERS, Issuer, Method, PSPS, World, route_weight};
use super::{SliceLoad, config};

/// Share of direct payments that are subscriptions; the others are made in stores.
const SUBSCRIPTION_SHARE: f64 = 0.58;
/// Arrivals played to learn how many events one causes.
const CALIBRATION_ARRIVALS: u64 = 6000;
const MINUTES_PER_DAY: f64 = 1440.0;

/// Everything that decides what happens.
#[derive(Debug)]
pub(crate) struct Traffic {
    seed: u64,
    pub(crate) incidents: Incidents,
    payments: Payments,
    visits: Visits,
    shop: Season,
    store: Season,
    subscription: Season,
    orders_per_day: f64,
    direct_per_day: f64,
    arrivals: Arrivals,
    /// The first minute of the season's floor, and the arrivals from then on.
    raised: Option<(u64, Arrivals)>,
    /// For each incident, the arrivals of its card tests a minute.
    test_arrivals: Vec<Option<Poisson>>,
}

/// How many arrivals knock in a minute.
#[derive(Debug)]
struct Arrivals {
    visits: Poisson,
    direct: Poisson,
}

impl Traffic {
    pub(crate) fn new(config: &SimulatorConfig, seed: u64, incidents: Incidents) -> Self {
        let test_arrivals = incidents
            .0
            .iter()
            .map(|i| match &i.kind {
                IncidentKind::CardTesting { per_minute, .. } => {
                    Some(Poisson::new(f64::from(*per_minute)))
                }
                _ => None,
            })
            .collect();
        let mut traffic = Self {
            seed,
            incidents,
            payments: Payments::new(World::new()),
            visits: Visits::new(),
            shop: season::shop().with_floor(config.season_floor),
            store: season::store().with_floor(config.season_floor),
            subscription: season::subscription().with_floor(config.season_floor),
            orders_per_day: 0.0,
            direct_per_day: 0.0,
            arrivals: Arrivals {
                visits: Poisson::new(0.0),
                direct: Poisson::new(0.0),
            },
            raised: None,
            test_arrivals,
        };
        traffic.calibrate(config);
        traffic
    }

    /// Finds how many arrivals make `events_per_day`, by playing some thousands of each source, always the same ones.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    fn calibrate(&mut self, config: &SimulatorConfig) {
        let ordinary = Incidents::default();
        let mut outbox = Outbox::new(i64::MAX, config::Delivery::perfect(), ordinary.clone());
        let (mut settled, mut events) = ([0_u64; 2], [0_u64; 2]);
        for (source, (paid, sent)) in [Source::Visit, Source::Direct]
            .into_iter()
            .zip(settled.iter_mut().zip(events.iter_mut()))
        {
            let before = outbox.emitted();
            for index in 0..CALIBRATION_ARRIVALS {
                let entity = Entity::new(0, source, 0, index);
                let key = mix(index);
                if let Some(done) =
                    self.play_accepted(source, entity, key, &ordinary, Some(&mut outbox))
                {
                    *paid += 1;
                    // Captures of orders come later; so do refunds, each of which tells two streams.
                    *sent += if done.purchase.is_some() { 1 } else { 0 };
                }
            }
            *sent += outbox.emitted() - before;
        }
        let [visit_events, direct_events] = events.map(|e| e as f64 / CALIBRATION_ARRIVALS as f64);
        let [visit_paid, direct_paid] = settled.map(|s| s as f64 / CALIBRATION_ARRIVALS as f64);
        let payments_per_day = config.events_per_day as f64
            / (config.online_share * visit_events / visit_paid
                + (1.0 - config.online_share) * direct_events / direct_paid);
        let visits_per_day = payments_per_day * config.online_share / visit_paid;
        self.orders_per_day = payments_per_day * config.online_share;
        self.direct_per_day = payments_per_day * (1.0 - config.online_share) / direct_paid;
        let arrivals = |at_us| {
            let per_minute =
                |per_day: f64, peak: f64| Poisson::new(per_day * peak / MINUTES_PER_DAY);
            Arrivals {
                visits: per_minute(visits_per_day, self.shop.peak_at(at_us)),
                direct: per_minute(self.direct_per_day, self.direct_peak_at(at_us)),
            }
        };
        let raised = config.season_floor.and_then(|floor| {
            let minute = u64::try_from(floor.from_us.div_euclid(MINUTE_US)).ok()?;
            Some((minute, arrivals(floor.from_us)))
        });
        self.arrivals = arrivals(i64::MIN);
        self.raised = raised;
    }

    fn direct_peak_at(&self, at_us: i64) -> f64 {
        self.store
            .peak_at(at_us)
            .max(self.subscription.peak_at(at_us))
    }

    /// The arrivals of a source that knock in a minute, as index and key; thinning by the season comes after.
    fn knocks(&self, source: Source, minute: u64) -> impl Iterator<Item = (u64, u64)> + use<> {
        let of_minute = match &self.raised {
            Some((from, raised)) if minute >= *from => raised,
            _ => &self.arrivals,
        };
        let arrivals = match source {
            Source::Visit => Some(&of_minute.visits),
            Source::Direct => Some(&of_minute.direct),
            Source::CardTest(incident) => self
                .test_arrivals
                .get(usize::from(incident))
                .and_then(Option::as_ref),
        };
        let mut dice = Dice::new(self.seed, source.code(), minute, u64::MAX);
        let count = arrivals
            .map_or(0, |a| a.draw(dice.unit()))
            .min(ARRIVALS_PER_MINUTE_MAX);
        (0..count).map(move |index| (index, dice.bits()))
    }

    /// Everything that begins in a minute.
    pub(crate) fn minute(&self, minute: u64, outbox: &mut Outbox) {
        for source in [Source::Visit, Source::Direct] {
            for (index, key) in self.knocks(source, minute) {
                self.play(
                    source,
                    Entity::new(self.seed, source, minute, index),
                    minute,
                    key,
                    Some(outbox),
                );
            }
        }
        self.card_tests(minute, outbox);
    }

    /// Every movement of an hour that belongs to a payment of an earlier hour.
    pub(crate) fn late_hour(&self, hour: i64, outbox: &mut Outbox) {
        for class in 1..=CAPTURE_CLASSES {
            self.later(
                hour,
                hour - class * CAPTURE_STEP_HOURS,
                &[Source::Visit],
                outbox,
                |_, fate| fate.capture_class() == class,
                Settled::capture,
            );
        }
        for day in 1..=REFUND_DAYS {
            // Five hours on top put the first day's refunds behind the last captures.
            self.later(
                hour,
                hour - day * 24 - 5,
                &[Source::Visit, Source::Direct],
                outbox,
                |source, fate| fate.refund_day(source == Source::Visit) == Some(day),
                Settled::refund,
            );
        }
        for class in 0..DISPUTE_CLASSES {
            self.later(
                hour,
                hour - (9 + 3 * class) * 24 - 17,
                &[Source::Visit, Source::Direct],
                outbox,
                |_, fate| fate.dispute_class() == Some(class),
                Settled::dispute,
            );
        }
    }

    /// Lives again through the arrivals of `of_hour` that have something coming in `hour`.
    fn later(
        &self,
        hour: i64,
        of_hour: i64,
        sources: &[Source],
        outbox: &mut Outbox,
        wanted: impl Fn(Source, Fate) -> bool,
        happens: impl Fn(&Settled, &mut Outbox, &Entity, i64),
    ) {
        let Ok(first) = u64::try_from(of_hour * 60) else {
            return;
        };
        for (minute, source) in
            (first..first + 60).flat_map(|m| sources.iter().map(move |s| (m, *s)))
        {
            for (index, key) in self.knocks(source, minute) {
                let pays = source != Source::Visit || depth(key) < PAYMENT_MAX;
                if !pays || !wanted(source, Fate::of(key)) {
                    continue;
                }
                let entity = Entity::new(self.seed, source, minute, index);
                if let Some(settled) = self.play(source, entity, minute, key, None) {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_precision_loss,
                        reason = "within an hour"
                    )]
                    let within_us = (unit(mix(settled.payment.id)) * HOUR_US as f64) as i64;
                    happens(&settled, outbox, &entity, hour * HOUR_US + within_us);
                }
            }
        }
    }

    /// Plays an arrival, unless the season turns it away.
    fn play(
        &self,
        source: Source,
        entity: Entity,
        minute: u64,
        key: u64,
        outbox: Option<&mut Outbox>,
    ) -> Option<Settled> {
        let mut dice = entity.dice();
        let start = self.arrive(
            source,
            &mut dice,
            i64::try_from(minute).ok()? * MINUTE_US,
            key,
        )?;
        self.act(
            source,
            entity,
            &mut dice,
            start,
            key,
            &self.incidents,
            outbox,
        )
    }

    /// Plays an arrival that comes for certain; for calibration.
    fn play_accepted(
        &self,
        source: Source,
        entity: Entity,
        key: u64,
        incidents: &Incidents,
        outbox: Option<&mut Outbox>,
    ) -> Option<Settled> {
        let mut dice = entity.dice();
        let country = self.payments.world.countries.pick(dice.unit())?;
        let channel = channel(source, &mut dice);
        let start = Arrival {
            at_us: 0,
            country,
            channel,
            depth: depth(key),
        };
        self.act(source, entity, &mut dice, start, key, incidents, outbox)
    }

    /// Thinning: arrivals knock at the peak's rate all week and are let in by the season of their country.
    fn arrive(&self, source: Source, dice: &mut Dice, minute_us: i64, key: u64) -> Option<Arrival> {
        let country = self.payments.world.countries.pick(dice.unit())?;
        let channel = channel(source, dice);
        let at_us = minute_us + dice.between(0, MINUTE_US);
        let (season, peak) = match channel {
            Channel::Web | Channel::App => (&self.shop, self.shop.peak_at(at_us)),
            Channel::Store => (&self.store, self.direct_peak_at(at_us)),
            Channel::Subscription => (&self.subscription, self.direct_peak_at(at_us)),
        };
        let open = dice.chance(season.at(at_us, country.offset_minutes) / peak);
        open.then_some(Arrival {
            at_us,
            country,
            channel,
            depth: depth(key),
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call per arrival, kept apart from how it is let in"
    )]
    fn act(
        &self,
        source: Source,
        mut entity: Entity,
        dice: &mut Dice,
        start: Arrival,
        key: u64,
        incidents: &Incidents,
        mut outbox: Option<&mut Outbox>,
    ) -> Option<Settled> {
        let settled = match source {
            Source::Visit => {
                let purchase = self.visits.play(
                    &self.payments,
                    &mut entity,
                    dice,
                    start,
                    incidents,
                    outbox.as_deref_mut(),
                )?;
                Settled {
                    payment: purchase.payment,
                    purchase: Some(purchase),
                    fate: Fate::of(key),
                }
            }
            _ => {
                let returning = dice.chance(0.92);
                let request = Request {
                    start_us: start.at_us,
                    country: start.country,
                    channel: start.channel,
                    amount_minor: start
                        .country
                        .currency
                        .minor(amount_euro(dice, start.channel)),
                    customer: customer(dice, &entity, returning),
                    order: None,
                    test_of: None,
                };
                let (_, payment) = self.payments.pay(
                    &mut entity,
                    dice,
                    &request,
                    incidents,
                    outbox.as_deref_mut(),
                );
                Settled {
                    payment: payment?,
                    purchase: None,
                    fate: Fate::of(key),
                }
            }
        };
        if let Some(outbox) = outbox {
            settled.now(outbox, &mut entity);
        }
        Some(settled)
    }

    /// The stolen cards tried in a minute.
    fn card_tests(&self, minute: u64, outbox: &mut Outbox) {
        let Ok(minute_us) = i64::try_from(minute).map(|m| m * MINUTE_US) else {
            return;
        };
        for (place, incident) in (0_u8..).zip(&self.incidents.0) {
            let IncidentKind::CardTesting {
                country, issuer, ..
            } = &incident.kind
            else {
                continue;
            };
            let Some(country) = COUNTRIES.iter().find(|c| c.code == country) else {
                continue;
            };
            if incident.to_us <= minute_us || incident.from_us >= minute_us + MINUTE_US {
                continue;
            }
            let bank = ISSUERS.iter().find(|i| Some(i.name) == issuer.as_deref());
            let source = Source::CardTest(place);
            for (index, _) in self.knocks(source, minute) {
                let mut entity = Entity::new(self.seed, source, minute, index);
                let mut dice = entity.dice();
                let start_us = minute_us + dice.between(0, MINUTE_US);
                let Some(test_of) =
                    bank.or_else(|| self.payments.world.issuers(country.code).pick(dice.unit()))
                else {
                    continue;
                };
                if (incident.from_us..incident.to_us).contains(&start_us) {
                    self.card_test(&mut entity, &mut dice, start_us, country, test_of, outbox);
                }
            }
        }
    }

    fn card_test(
        &self,
        entity: &mut Entity,
        dice: &mut Dice,
        start_us: i64,
        country: &'static Country,
        test_of: &'static Issuer,
        outbox: &mut Outbox,
    ) {
        let request = Request {
            start_us,
            country,
            channel: Channel::Web,
            amount_minor: country.currency.minor(0.5 + 2.0 * dice.unit()),
            customer: customer(dice, entity, false),
            order: None,
            test_of: Some(test_of),
        };
        self.payments
            .pay(entity, dice, &request, &self.incidents, Some(outbox));
    }

    /// Expected first attempts a minute of each PSP and bank, cards and wallets only, most first; at an instant, or
    /// when the week is as busy as on average.
    pub(crate) fn loads(&self, at_us: Option<i64>) -> Vec<SliceLoad> {
        let mut loads = Vec::new();
        for (share, country) in self.payments.world.countries.shares() {
            let season = |s: &Season| at_us.map_or(1.0, |at| s.at(at, country.offset_minutes));
            let direct = self.direct_per_day * share;
            let rates = [
                (
                    Channel::Web,
                    self.orders_per_day * share * season(&self.shop),
                ),
                (
                    Channel::Subscription,
                    direct * SUBSCRIPTION_SHARE * season(&self.subscription),
                ),
                (
                    Channel::Store,
                    direct * (1.0 - SUBSCRIPTION_SHARE) * season(&self.store),
                ),
            ];
            let cards: f64 = rates
                .iter()
                .map(|(channel, rate)| {
                    let methods = self.payments.methods(*channel).shares();
                    let cards = methods
                        .filter(|(_, m)| matches!(m, Method::Card | Method::Wallet))
                        .map(|(s, _)| s);
                    rate * cards.sum::<f64>()
                })
                .sum();
            let routed: f64 = PSPS
                .iter()
                .map(|p| route_weight(p, Method::Card, country))
                .sum();
            for (of_bank, issuer) in self.payments.world.issuers(country.code).shares() {
                for psp in &PSPS {
                    let of_psp = route_weight(psp, Method::Card, country) / routed;
                    let attempts_per_minute = cards * of_bank * of_psp / MINUTES_PER_DAY;
                    loads.push(SliceLoad {
                        psp: psp.name,
                        issuer: issuer.name,
                        attempts_per_minute,
                    });
                }
            }
        }
        loads.sort_by(|a, b| b.attempts_per_minute.total_cmp(&a.attempts_per_minute));
        loads
    }
}

/// Where an arrival of a source pays.
fn channel(source: Source, dice: &mut Dice) -> Channel {
    let roll = dice.unit();
    match source {
        Source::Visit if roll < 0.6 => Channel::Web,
        Source::Visit => Channel::App,
        _ if roll < SUBSCRIPTION_SHARE => Channel::Subscription,
        _ => Channel::Store,
    }
}

/// Heavy-tailed amounts: price points for subscriptions; in stores a log-normal body with a Pareto tail.
fn amount_euro(dice: &mut Dice, channel: Channel) -> f64 {
    if channel == Channel::Subscription {
        return match dice.unit() {
            u if u < 0.34 => 9.99,
            u if u < 0.62 => 14.99,
            u if u < 0.8 => 4.99,
            u if u < 0.93 => 29.99,
            u if u < 0.99 => 99.0,
            _ => 299.0,
        };
    }
    let tail = dice.chance(0.02);
    let body = dice.log_normal(26.0, 0.9);
    let tail_euro = dice.pareto(150.0, 1.5);
    if tail {
        tail_euro.min(20_000.0)
    } else {
        body.clamp(0.5, 2_000.0)
    }
}
