//! One payment: routing, 3-D Secure, the issuer's decision, retries.

mod authentication;
mod event;
mod retry;

use self::authentication::authentication;
use self::event::write_attempt;
use self::retry::{AUTHENTICATION_REQUIRED, DO_NOT_HONOR, Decline, hard, retry, soft};
use super::Stream;
use super::entity::{Entity, Part};
use super::outbox::Outbox;
use super::random::{Dice, Weighted};
use super::scenario::Incidents;
use super::world::{Country, Issuer, Method, Psp, World, route};

/// Most attempts per payment, well inside the schemes' limits for retries.
const ATTEMPTS_MAX: i64 = 4;
/// A PSP's answer that takes longer is given up, milliseconds.
const LATENCY_MS_MAX: f64 = 90_000.0;

/// Where the customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Web,
    App,
    Subscription,
    Store,
}

impl Channel {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::App => "app",
            Self::Subscription => "subscription",
            Self::Store => "store",
        }
    }

    fn online(self) -> bool {
        matches!(self, Self::Web | Self::App)
    }
}

/// What is to be paid, by whom and where.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) start_us: i64,
    pub(crate) country: &'static Country,
    pub(crate) channel: Channel,
    pub(crate) amount_minor: i64,
    pub(crate) customer: u64,
    pub(crate) order: Option<u64>,
    /// A stolen card being tried out, of this bank.
    pub(crate) test_of: Option<&'static Issuer>,
}

/// A payment that succeeded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment {
    pub(crate) end_us: i64,
    pub(crate) id: u64,
    pub(crate) order: Option<u64>,
    pub(crate) country: &'static Country,
    pub(crate) amount_minor: i64,
    pub(crate) psp: &'static Psp,
    pub(crate) method: Method,
}

/// What the customer pays with.
struct Instrument {
    method: Method,
    /// Name and leading digit of the card network.
    network: Option<(&'static str, &'static str)>,
    issuer: &'static Issuer,
}

/// How one attempt ended.
struct Attempt {
    end_us: i64,
    latency_ms: Option<i64>,
    ending: Ending,
    three_ds: Option<&'static str>,
    three_ds_result: Option<&'static str>,
    exemption: Option<(&'static str, bool)>,
}

enum Ending {
    Approved,
    Declined(Decline),
    Blocked,
    Abandoned,
    Error,
}

/// The tables payments are drawn from.
#[derive(Debug)]
pub(crate) struct Payments {
    pub(crate) world: World,
    declines: Weighted<Decline>,
    networks: Weighted<(&'static str, &'static str)>,
    methods_online: Weighted<Method>,
    methods_subscription: Weighted<Method>,
    methods_store: Weighted<Method>,
}

impl Payments {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            declines: Weighted::new([
                (38.0, soft("insufficient_funds", 0.25)),
                (27.0, DO_NOT_HONOR),
                (8.0, soft("issuer_unavailable", 0.9)),
                (6.0, soft("velocity_exceeded", 0.2)),
                (7.0, hard("invalid_account")),
                (6.0, hard("expired_card")),
                (4.0, hard("suspected_fraud")),
                (2.0, hard("stolen_card")),
                (2.0, hard("lost_card")),
            ]),
            networks: Weighted::new([
                (55.0, ("visa", "4")),
                (39.0, ("mastercard", "5")),
                (6.0, ("amex", "3")),
            ]),
            methods_online: Weighted::new([
                (62.0, Method::Card),
                (22.0, Method::Wallet),
                (8.0, Method::BankTransfer),
                (8.0, Method::Bnpl),
            ]),
            methods_subscription: Weighted::new([
                (74.0, Method::Card),
                (14.0, Method::Wallet),
                (12.0, Method::BankTransfer),
            ]),
            methods_store: Weighted::new([(68.0, Method::Card), (32.0, Method::Wallet)]),
        }
    }

    /// The share of payments of a channel by card or wallet, which is what banks' card systems decide on.
    pub(crate) fn methods(&self, channel: Channel) -> &Weighted<Method> {
        match channel {
            Channel::Web | Channel::App => &self.methods_online,
            Channel::Subscription => &self.methods_subscription,
            Channel::Store => &self.methods_store,
        }
    }

    /// Plays one payment to its end. The events go to `outbox`; without one they are only lived through.
    /// Gives the end of the last attempt, and the payment if it succeeded.
    pub(crate) fn pay(
        &self,
        entity: &mut Entity,
        dice: &mut Dice,
        request: &Request,
        incidents: &Incidents,
        mut outbox: Option<&mut Outbox>,
    ) -> (i64, Option<Payment>) {
        let Some(instrument) = self.instrument(dice, request) else {
            return (request.start_us, None);
        };
        let id = entity.id(Part::Payment);
        let (mut start_us, mut without, mut factor, mut reached) =
            (request.start_us, None, 1.0, false);
        let mut authenticate = false;
        for number in 1..=ATTEMPTS_MAX {
            let roll = dice.unit();
            let Some(psp) = route(roll, instrument.method, request.country, without) else {
                break;
            };
            let chance = factor * psp.approval_factor;
            let attempt = self.attempt(
                dice,
                request,
                &instrument,
                incidents,
                &Try {
                    psp,
                    number,
                    start_us,
                    chance,
                    authenticate,
                },
            );
            reached |= matches!(attempt.ending, Ending::Approved | Ending::Declined(_));
            let retry = retry(dice, request, &attempt).filter(|_| number < ATTEMPTS_MAX);
            let approved = matches!(attempt.ending, Ending::Approved);
            let payment_status = retry.is_none().then(|| payment_status(approved, reached));
            if let Some(outbox) = outbox.as_deref_mut() {
                let event = entity.next_event();
                outbox.emit(
                    Stream::Payments,
                    attempt.end_us,
                    event,
                    Some(psp.name),
                    |line| {
                        write_attempt(
                            line,
                            id,
                            request,
                            &instrument,
                            psp,
                            number,
                            &attempt,
                            payment_status,
                        );
                    },
                );
            }
            if approved {
                let payment = Payment {
                    end_us: attempt.end_us,
                    id,
                    order: request.order,
                    country: request.country,
                    amount_minor: request.amount_minor,
                    psp,
                    method: instrument.method,
                };
                return (attempt.end_us, Some(payment));
            }
            let Some(retry) = retry else {
                return (attempt.end_us, None);
            };
            start_us = attempt.end_us + retry.wait_us;
            without = retry.elsewhere.then_some(psp.name);
            factor *= retry.factor;
            authenticate |= retry.authenticate;
        }
        (start_us, None)
    }

    fn instrument(&self, dice: &mut Dice, request: &Request) -> Option<Instrument> {
        let method = self.methods(request.channel).pick(dice.unit())?;
        let (bank, abroad, network) = (
            dice.unit(),
            dice.chance(0.04),
            self.networks.pick(dice.unit()),
        );
        if let Some(issuer) = request.test_of {
            return Some(Instrument {
                method: Method::Card,
                network,
                issuer,
            });
        }
        let issuers = match method {
            Method::Bnpl => &self.world.lenders,
            Method::Card | Method::Wallet if abroad => self.world.issuers_abroad(),
            _ => self.world.issuers(request.country.code),
        };
        let issuer = issuers.pick(bank)?;
        let network = if matches!(method, Method::Card | Method::Wallet) {
            network
        } else {
            None
        };
        Some(Instrument {
            method,
            network,
            issuer,
        })
    }

    fn attempt(
        &self,
        dice: &mut Dice,
        request: &Request,
        instrument: &Instrument,
        incidents: &Incidents,
        this: &Try,
    ) -> Attempt {
        let mut attempt = Attempt {
            end_us: this.start_us,
            latency_ms: None,
            ending: Ending::Error,
            three_ds: None,
            three_ds_result: None,
            exemption: None,
        };
        let outage = incidents
            .outage(this.start_us, this.psp.name)
            .unwrap_or(0.0);
        if dice.chance(outage.max(this.psp.error_share)) {
            // Half of the errors are refused connections, the others never answer.
            let answered = dice.chance(0.5);
            let ms = if answered {
                dice.between(20, 400)
            } else {
                dice.between(10_000, 30_000)
            };
            attempt.latency_ms = answered.then_some(ms);
            attempt.end_us += ms * 1000;
            return attempt;
        }
        let ms = latency_ms(dice, request, instrument, this.psp)
            * incidents.slowness(this.start_us, this.psp.name);
        let blocked = if request.test_of.is_some() {
            0.05
        } else if request.channel.online() {
            0.012
        } else {
            0.001
        };
        if this.number == 1 && dice.chance(blocked) {
            attempt.ending = Ending::Blocked;
            attempt.finish(ms * 0.4);
            return attempt;
        }
        authentication(dice, request, instrument, this, &mut attempt);
        attempt.ending = match (attempt.three_ds_result, attempt.exemption) {
            (Some("failed" | "abandoned"), _) => {
                attempt.finish(0.0); // the PSP is not asked any more
                attempt.latency_ms = None;
                return Attempt {
                    ending: Ending::Abandoned,
                    ..attempt
                };
            }
            (_, Some((_, false))) => Ending::Declined(AUTHENTICATION_REQUIRED),
            (result, _) => {
                self.decision(dice, request, instrument, incidents, this, result.is_some())
            }
        };
        attempt.finish(ms);
        attempt
    }

    fn decision(
        &self,
        dice: &mut Dice,
        request: &Request,
        instrument: &Instrument,
        incidents: &Incidents,
        this: &Try,
        authenticated: bool,
    ) -> Ending {
        let usual = if request.test_of.is_some() {
            0.08
        } else {
            let by_method = match instrument.method {
                Method::Card => 1.0,
                Method::Wallet => 1.03,
                Method::BankTransfer => 1.02,
                Method::Bnpl => 1.0,
            };
            let by_channel = match request.channel {
                Channel::Web | Channel::App => 1.0,
                Channel::Subscription => 0.985,
                Channel::Store => 1.04,
            };
            let by_authentication = if authenticated { 1.02 } else { 1.0 };
            let by_size = if euro(request) > 250.0 { 0.95 } else { 1.0 };
            (instrument.issuer.approval * by_method * by_channel * by_authentication * by_size)
                .min(0.985)
                * this.chance
        };
        let incident = incidents.approval(this.start_us, this.psp.name, instrument.issuer.name);
        let (roll, reason, which) = (dice.unit(), dice.unit(), dice.unit());
        if roll < incident.unwrap_or(usual) {
            return Ending::Approved;
        }
        if incident.is_some() && reason < 0.8 {
            return Ending::Declined(DO_NOT_HONOR);
        }
        self.declines
            .pick(which)
            .map_or(Ending::Error, Ending::Declined)
    }
}

/// One attempt as it is asked for.
struct Try {
    psp: &'static Psp,
    number: i64,
    start_us: i64,
    /// What earlier declines and the PSP make of the issuer's usual approval.
    chance: f64,
    /// 3-D Secure is asked for whatever the rules say.
    authenticate: bool,
}

impl Attempt {
    /// Ends the attempt after so many more milliseconds at the PSP.
    #[expect(clippy::cast_possible_truncation, reason = "at most LATENCY_MS_MAX")]
    fn finish(&mut self, ms: f64) {
        let us = (ms.clamp(15.0, LATENCY_MS_MAX) * 1000.0) as i64;
        self.latency_ms = Some(us / 1000);
        self.end_us += us;
    }
}

/// What the payment came to, told with its last attempt.
fn payment_status(approved: bool, reached_issuer: bool) -> &'static str {
    match (approved, reached_issuer) {
        (true, _) => "succeeded",
        (false, true) => "failed",
        (false, false) => "dropped",
    }
}

/// The amount in euro, roughly: for thresholds only.
fn euro(request: &Request) -> f64 {
    let currency = &request.country.currency;
    #[expect(
        clippy::cast_precision_loss,
        reason = "only compared with thresholds, never summed"
    )]
    let minor = request.amount_minor as f64;
    minor / f64::from(10_u32.pow(currency.exponent)) / currency.per_euro
}

fn latency_ms(dice: &mut Dice, request: &Request, instrument: &Instrument, psp: &Psp) -> f64 {
    let by_method = match instrument.method {
        Method::Card => 1.0,
        Method::Wallet => 0.85,
        Method::BankTransfer => 2.1,
        Method::Bnpl => 1.6,
    };
    let by_channel = if request.channel == Channel::Store {
        0.7
    } else {
        1.0
    };
    dice.log_normal(psp.latency_ms_median * by_method * by_channel, 0.42)
}
