//! The world that is simulated: countries, banks, payment service providers and goods. All of it is invented,
//! with proportions as they are found in the field.

use super::random::Weighted;

/// A currency and what one euro buys of it.
#[derive(Debug)]
pub(crate) struct Currency {
    /// ISO 4217 code.
    pub(crate) code: &'static str,
    /// Digits after the point, ISO 4217.
    pub(crate) exponent: u32,
    /// Units per euro. Only shapes amounts; reports convert at their own table of rates.
    pub(crate) per_euro: f64,
}

impl Currency {
    /// An amount in euro as whole minor units of this currency, at least one.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "amounts are capped far below 2^52"
    )]
    pub(crate) fn minor(&self, euro: f64) -> i64 {
        let scale = [1.0, 10.0, 100.0, 1000.0]
            .get(self.exponent as usize)
            .copied()
            .unwrap_or(100.0);
        (libm::floor(euro * self.per_euro * scale + 0.5) as i64).max(1)
    }
}

const EUR: Currency = Currency {
    code: "EUR",
    exponent: 2,
    per_euro: 1.0,
};

/// A country customers pay from.
#[derive(Debug)]
pub(crate) struct Country {
    pub(crate) code: &'static str,
    pub(crate) weight: f64,
    pub(crate) currency: Currency,
    pub(crate) offset_minutes: i64,
    pub(crate) tax_permille: i64,
    /// Whether the law asks for strong customer authentication.
    pub(crate) strong_authentication: bool,
}

const fn country(
    code: &'static str,
    weight: f64,
    currency: Currency,
    offset_minutes: i64,
    tax_permille: i64,
    strong_authentication: bool,
) -> Country {
    Country {
        code,
        weight,
        currency,
        offset_minutes,
        tax_permille,
        strong_authentication,
    }
}

const fn currency(code: &'static str, exponent: u32, per_euro: f64) -> Currency {
    Currency {
        code,
        exponent,
        per_euro,
    }
}

pub(crate) static COUNTRIES: [Country; 13] = [
    country("DE", 45.0, EUR, 60, 190, true),
    country("FR", 9.0, EUR, 60, 200, true),
    country("GB", 9.0, currency("GBP", 2, 0.874), 0, 200, true),
    country("US", 11.0, currency("USD", 2, 1.156), -360, 70, false),
    country("NL", 5.0, EUR, 60, 210, true),
    country("PL", 5.0, currency("PLN", 2, 4.245), 60, 230, true),
    country("SE", 3.0, currency("SEK", 2, 10.945), 60, 250, true),
    country("CH", 3.0, currency("CHF", 2, 0.931), 60, 81, false),
    country("BR", 3.0, currency("BRL", 2, 6.24), -180, 170, false),
    country("JP", 3.0, currency("JPY", 0, 177.4), 540, 100, false),
    country("KR", 1.5, currency("KRW", 0, 1655.0), 540, 100, false),
    country("AU", 1.5, currency("AUD", 2, 1.765), 600, 100, false),
    country("KW", 1.0, currency("KWD", 3, 0.3545), 180, 0, false),
];

/// A bank or lender that decides.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) name: &'static str,
    pub(crate) country: &'static str,
    pub(crate) weight: f64,
    /// Share of card attempts it approves on an ordinary day.
    pub(crate) approval: f64,
    /// First six digits of its cards, without the network's leading digit.
    pub(crate) bin: &'static str,
}

const fn issuer(
    name: &'static str,
    country: &'static str,
    weight: f64,
    approval: f64,
    bin: &'static str,
) -> Issuer {
    Issuer {
        name,
        country,
        weight,
        approval,
        bin,
    }
}

pub(crate) static ISSUERS: [Issuer; 20] = [
    issuer("bank_01", "FR", 55.0, 0.92, "97010"),
    issuer("bank_02", "GB", 60.0, 0.93, "54313"),
    issuer("bank_03", "DE", 25.0, 0.93, "16420"),
    issuer("bank_04", "US", 45.0, 0.89, "14709"),
    issuer("bank_05", "NL", 100.0, 0.95, "23550"),
    issuer("bank_06", "PL", 100.0, 0.92, "25125"),
    issuer("bank_07", "SE", 100.0, 0.94, "58109"),
    issuer("bank_08", "DE", 20.0, 0.90, "90762"),
    issuer("bank_09", "GB", 40.0, 0.91, "65902"),
    issuer("bank_10", "CH", 100.0, 0.94, "39589"),
    issuer("bank_11", "US", 35.0, 0.87, "00022"),
    issuer("bank_12", "FR", 45.0, 0.89, "97407"),
    issuer("bank_13", "US", 20.0, 0.92, "37812"),
    issuer("bank_14", "BR", 60.0, 0.83, "11111"),
    issuer("bank_15", "BR", 40.0, 0.80, "22054"),
    issuer("bank_16", "JP", 100.0, 0.93, "80112"),
    issuer("bank_17", "DE", 55.0, 0.92, "71027"),
    issuer("bank_18", "KR", 100.0, 0.93, "36420"),
    issuer("bank_19", "AU", 100.0, 0.92, "62263"),
    issuer("bank_20", "KW", 100.0, 0.87, "50206"),
];

pub(crate) static LENDERS: [Issuer; 2] = [
    issuer("lender_01", "", 65.0, 0.84, ""),
    issuer("lender_02", "", 35.0, 0.78, ""),
];

/// How the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Card,
    Wallet,
    BankTransfer,
    Bnpl,
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Wallet => "wallet",
            Self::BankTransfer => "bank_transfer",
            Self::Bnpl => "bnpl",
        }
    }
}

/// A payment service provider.
#[derive(Debug)]
pub(crate) struct Psp {
    pub(crate) name: &'static str,
    /// Share of the traffic it is routed; the second is for the Americas.
    pub(crate) weights: (f64, f64),
    /// Whether it also does bank transfers and pay-later.
    pub(crate) all_methods: bool,
    /// Its influence on approval, by its connections and data quality.
    pub(crate) approval_factor: f64,
    pub(crate) error_share: f64,
    pub(crate) latency_ms_median: f64,
    /// Price: basis points, and euro cents per capture.
    pub(crate) fee_bps: i64,
    pub(crate) fee_cents: f64,
}

pub(crate) static PSPS: [Psp; 4] = [
    Psp {
        name: "adyen",
        weights: (50.0, 30.0),
        all_methods: true,
        approval_factor: 1.0,
        error_share: 0.003,
        latency_ms_median: 380.0,
        fee_bps: 95,
        fee_cents: 11.0,
    },
    Psp {
        name: "stripe",
        weights: (28.0, 50.0),
        all_methods: true,
        approval_factor: 0.99,
        error_share: 0.004,
        latency_ms_median: 450.0,
        fee_bps: 140,
        fee_cents: 25.0,
    },
    Psp {
        name: "worldpay",
        weights: (16.0, 13.0),
        all_methods: false,
        approval_factor: 0.98,
        error_share: 0.006,
        latency_ms_median: 620.0,
        fee_bps: 110,
        fee_cents: 14.0,
    },
    Psp {
        name: "nuvei",
        weights: (6.0, 7.0),
        all_methods: false,
        approval_factor: 0.97,
        error_share: 0.009,
        latency_ms_median: 540.0,
        fee_bps: 88,
        fee_cents: 12.0,
    },
];

/// Something the shop sells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    /// Four digits, written after `sku-`.
    pub(crate) number: u32,
    pub(crate) category: &'static str,
    pub(crate) price_euro: f64,
    /// What the shop pays for it, of the list price.
    pub(crate) cost_permille: i64,
}

/// Category, lowest price in euro, growth from one product to the next, cost of the list price in permille.
const CATEGORIES: [(&str, f64, f64, i64); 6] = [
    ("books", 7.9, 1.18, 620),
    ("clothing", 14.9, 1.28, 440),
    ("electronics", 29.0, 1.55, 740),
    ("garden", 11.5, 1.36, 560),
    ("home", 16.0, 1.33, 520),
    ("toys", 9.5, 1.24, 580),
];
const PRODUCTS_PER_CATEGORY: u32 = 8;

/// All goods, the often bought ones first.
pub(crate) fn products() -> Vec<Product> {
    let mut products = Vec::new();
    for rank in 0..PRODUCTS_PER_CATEGORY {
        for (number, (category, price, growth, cost_permille)) in (1..).zip(CATEGORIES) {
            let steps = f64::from((rank * 3) % PRODUCTS_PER_CATEGORY);
            products.push(Product {
                number: number * 1000 + rank + 1,
                category,
                price_euro: price * libm::pow(growth, steps),
                cost_permille,
            });
        }
    }
    products
}

/// The tables that are picked from, built once.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) countries: Weighted<&'static Country>,
    pub(crate) products: Weighted<Product>,
    issuers_by_country: Vec<(&'static str, Weighted<&'static Issuer>)>,
    issuers: Weighted<&'static Issuer>,
    pub(crate) lenders: Weighted<&'static Issuer>,
}

impl World {
    pub(crate) fn new() -> Self {
        let domestic = |code: &'static str| {
            Weighted::new(
                ISSUERS
                    .iter()
                    .filter(move |i| i.country == code)
                    .map(|i| (i.weight, i)),
            )
        };
        Self {
            countries: Weighted::new(COUNTRIES.iter().map(|c| (c.weight, c))),
            products: Weighted::new(
                (2_u32..)
                    .zip(products())
                    .map(|(rank, p)| (1.0 / f64::from(rank), p)),
            ),
            issuers_by_country: COUNTRIES
                .iter()
                .map(|c| (c.code, domestic(c.code)))
                .collect(),
            issuers: Weighted::new(ISSUERS.iter().map(|i| (i.weight, i))),
            lenders: Weighted::new(LENDERS.iter().map(|i| (i.weight, i))),
        }
    }

    /// The banks of a country; all banks for a country without one.
    pub(crate) fn issuers(&self, country: &str) -> &Weighted<&'static Issuer> {
        self.issuers_by_country
            .iter()
            .find(|(code, _)| *code == country)
            .map_or(&self.issuers, |(_, table)| table)
    }

    /// All banks, for cards used abroad.
    pub(crate) fn issuers_abroad(&self) -> &Weighted<&'static Issuer> {
        &self.issuers
    }
}

/// The weight a PSP is routed with for this method from this country; 0 when it does not take it.
pub(crate) fn route_weight(psp: &Psp, method: Method, country: &Country) -> f64 {
    if !psp.all_methods && !matches!(method, Method::Card | Method::Wallet) {
        return 0.0;
    }
    if matches!(country.code, "US" | "BR") {
        psp.weights.1
    } else {
        psp.weights.0
    }
}

/// The PSP at this point of [0, 1) of the routing table, leaving one out.
pub(crate) fn route(
    unit: f64,
    method: Method,
    country: &Country,
    without: Option<&str>,
) -> Option<&'static Psp> {
    let open = || {
        PSPS.iter()
            .filter(|p| Some(p.name) != without)
            .map(|p| (route_weight(p, method, country), p))
    };
    let mut rest = unit * open().map(|(weight, _)| weight).sum::<f64>();
    let mut last = None;
    for (weight, psp) in open().filter(|(weight, _)| *weight > 0.0) {
        last = Some(psp);
        if rest < weight {
            break;
        }
        rest -= weight;
    }
    last
}
