//! The cube that is proposed: what to slice by, what to measure, and metrics over it.

use tillwatch_event::FieldType;

use super::names::{self, Namer, in_sql};
use super::plan::{Part, Plan, PlannedField};
use super::survey::Survey;

/// Distinct values up to which a field is something to slice by.
const DIMENSION_VALUES_MAX: usize = 50;
const DIMENSIONS_MAX: usize = 6;
/// Combinations of dimension values of which a cube may have at most this many, in the worst case.
const COMBINATIONS_MAX: u64 = 100_000;
const MEASURED_MAX: usize = 6;

/// A measure of the cube.
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) expr: String,
}

/// A metric over the cube.
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) expr: String,
    pub(super) unit: String,
    pub(super) description: String,
    pub(super) formula: String,
}

/// A dimension of the cube.
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) values: usize,
    pub(super) shown: Vec<String>,
}

/// A proposed cube with its metrics.
pub(super) struct Roles {
    pub(super) cube: String,
    pub(super) bucket: &'static str,
    pub(super) dimensions: Vec<Dimension>,
    /// Fields that could be dimensions too.
    pub(super) more_dimensions: Vec<String>,
    pub(super) measures: Vec<Measure>,
    pub(super) metrics: Vec<Metric>,
    /// Of dimensions and measures.
    columns: Namer,
    metric_names: Namer,
}

impl Roles {
    pub(super) fn of(survey: &Survey, plan: &Plan) -> Self {
        let daily = plan
            .field(&plan.time)
            .is_some_and(|time| time.field.kind == FieldType::Date);
        let (bucket, word) = if daily { ("1d", "day") } else { ("1h", "hour") };
        let (dimensions, more_dimensions) = dimensions(survey, plan);
        let mut columns = Namer::new();
        for dimension in &dimensions {
            columns.taken(&dimension.name);
        }
        let mut roles = Self {
            cube: Namer::new().made(&format!("{}_by_{word}", plan.stream)),
            bucket,
            dimensions,
            more_dimensions,
            measures: Vec::new(),
            metrics: Vec::new(),
            columns,
            metric_names: Namer::new(),
        };
        let events = roles.measure("events", "count(*)");
        roles.metric(
            plan,
            "events",
            &events,
            "count",
            "Number of events.",
            "number of events",
        );
        roles.add_share_on_time(plan);
        roles.add_amounts(survey, plan);
        roles.add_subjects(survey, plan);
        roles
    }

    /// Adds a measure and gives its name, which is `name` unless a dimension has that.
    fn measure(&mut self, name: &str, expr: &str) -> String {
        let name = self.columns.made(name);
        self.measures.push(Measure {
            name: name.clone(),
            expr: expr.to_owned(),
        });
        in_sql(&name)
    }

    fn metric(
        &mut self,
        plan: &Plan,
        name: &str,
        expr: &str,
        unit: &str,
        description: &str,
        formula: &str,
    ) {
        self.metrics.push(Metric {
            name: self.metric_names.made(&format!("{}_{name}", plan.stream)),
            expr: expr.to_owned(),
            unit: unit.to_owned(),
            description: description.to_owned(),
            formula: formula.to_owned(),
        });
    }

    /// A day something was planned for and the day it was done make a share.
    fn add_share_on_time(&mut self, plan: &Plan) {
        let dates = || plan.fields.iter().filter(|p| is_time(&p.field.kind));
        let planned = dates().find(|p| names::is_plan(&p.field.name));
        let done =
            dates().find(|p| names::is_done(&p.field.name) && !names::is_plan(&p.field.name));
        let (Some(planned), Some(done)) = (planned, done) else {
            return;
        };
        let (plan_name, done_name) = (&planned.field.name, &done.field.name);
        let (plan_sql, done_sql) = (in_sql(plan_name), in_sql(done_name));
        let both = format!("{done_sql} is not null and {plan_sql} is not null");
        let planned = self.measure("planned", &format!("count(*) filter (where {both})"));
        let on_time = self.measure(
            "on_time",
            &format!("count(*) filter (where {done_sql} <= {plan_sql})"),
        );
        let description = format!("Share of events whose {done_name} is not after {plan_name}.");
        let formula = format!("events with {done_name} ≤ {plan_name} ÷ events with both");
        self.metric(
            plan,
            "on_time_share",
            &format!("{on_time} / {planned}"),
            "percent",
            &description,
            &formula,
        );
    }

    /// Sums, averages and quantiles of amounts.
    fn add_amounts(&mut self, survey: &Survey, plan: &Plan) {
        let mut amounts: Vec<&PlannedField> = plan
            .fields
            .iter()
            .filter(|p| self.is_amount(survey, plan, p))
            .collect();
        amounts.sort_by_key(|p| {
            let name = &p.field.name;
            (
                !names::is_money(name),
                !matches!(p.field.kind, FieldType::Decimal { .. }),
            )
        });
        amounts.truncate(MEASURED_MAX);
        // What was read may be of one currency; what comes later need not be.
        let mut firsts: Vec<(usize, String)> = Vec::new();
        for amount in amounts {
            let currency = currency_of(plan, amount);
            let alone = currency.map(|currency| {
                let known = firsts.iter().find(|(column, _)| *column == currency.column);
                known.map(|(_, alone)| alone.clone()).unwrap_or_else(|| {
                    let alone = self.add_currency(plan, currency);
                    firsts.push((currency.column, alone.clone()));
                    alone
                })
            });
            self.add_amount(plan, amount, alone.as_deref());
        }
    }

    /// Measures from which a metric sees that a slice has but one currency, and that comparison.
    fn add_currency(&mut self, plan: &Plan, currency: &PlannedField) -> String {
        let name = in_sql(&currency.field.name);
        let only = currencies(plan).count() == 1;
        let stem = if only {
            "currency"
        } else {
            &currency.field.name
        };
        let first = self.measure(&format!("{stem}_first"), &format!("min({name})"));
        let last = self.measure(&format!("{stem}_last"), &format!("max({name})"));
        format!("{first} = {last}")
    }

    fn add_amount(&mut self, plan: &Plan, amount: &PlannedField, one_currency: Option<&str>) {
        let name = &amount.field.name;
        let column = in_sql(name);
        let unit = unit_of(name);
        let count = if amount.field.optional {
            self.measure(&format!("{name}_count"), &format!("count({column})"))
        } else {
            // The first measure of every cube.
            let events = self.measures.first().map(|measure| measure.name.as_str());
            in_sql(events.unwrap_or("events"))
        };
        if names::is_duration(name) {
            let spread = self.measure(
                &format!("{name}_spread"),
                &format!("quantile({})", as_double(amount)),
            );
            let expr = format!("quantile_at({spread}, 0.95)");
            let description = format!("The {name} that 95 % of events stay below.");
            self.metric(
                plan,
                &format!("{name}_p95"),
                &expr,
                unit,
                &description,
                &format!("95th percentile of {name}"),
            );
            return;
        }
        let sum = self.measure(&format!("{name}_sum"), &format!("sum({column})"));
        let adds_up = !names::is_ratio(name);
        // Amounts in several currencies do not add up, so such a slice has no sum.
        let is_money =
            names::is_money(name) || matches!(amount.field.kind, FieldType::Decimal { .. });
        let one_currency = one_currency.filter(|_| is_money);
        let of_one_currency = |expr: String| match one_currency {
            Some(alone) => format!("case when {alone} then {expr} end"),
            None => expr,
        };
        let suffix = if one_currency.is_some() {
            ", in slices of one currency"
        } else {
            ""
        };
        let total = of_one_currency(sum.clone());
        let average = of_one_currency(format!("{sum} / {count}"));
        let words = name.replace('_', " ");
        if adds_up {
            let description = format!("Sum of {words}{suffix}.");
            let formula = format!("Σ {name}");
            self.metric(
                plan,
                &format!("{name}_total"),
                &total,
                unit,
                &description,
                &formula,
            );
        }
        self.metric(
            plan,
            &format!("{name}_average"),
            &average,
            unit,
            &format!("Average {words}{suffix}."),
            &format!("Σ {name} ÷ number of events that have one"),
        );
    }

    /// How many different customers, orders and the like there are.
    fn add_subjects(&mut self, survey: &Survey, plan: &Plan) {
        let subjects = plan.fields.iter().filter(|planned| {
            let Some(column) = survey.columns.get(planned.column) else {
                return false;
            };
            let name = &planned.field.name;
            let kind = matches!(planned.field.kind, FieldType::String | FieldType::Int64)
                && planned.part == Part::Field;
            let repeats = column.distinct() > DIMENSION_VALUES_MAX && !column.unique();
            let named = column.source.is_none() && planned.field.kind == FieldType::String
                || names::is_id(name)
                || names::is_subject(name) && planned.field.kind == FieldType::String;
            kind && repeats && named
        });
        for subject in subjects.take(3) {
            let name = &subject.field.name;
            let distinct = self.measure(
                &format!("{name}_distinct"),
                &format!("distinct({})", in_sql(name)),
            );
            let words = name.replace('_', " ");
            self.metric(
                plan,
                &format!("{name}_count"),
                &distinct,
                "count",
                &format!("Number of different values of {words}, estimated within 2 %."),
                &format!("distinct {name}"),
            );
        }
    }

    fn is_amount(&self, survey: &Survey, plan: &Plan, planned: &PlannedField) -> bool {
        let name = &planned.field.name;
        let Some(column) = survey.columns.get(planned.column) else {
            return false;
        };
        let sliced = self.dimensions.iter().any(|d| d.name == *name);
        let position = [
            "latitude",
            "longitude",
            "lat",
            "lon",
            "lng",
            "zip",
            "port",
            "version",
            "index",
            "idx",
        ];
        let not_added_up = name
            .split('_')
            .any(|word| position.contains(&word) || word.ends_with("idx"));
        let id = names::is_id(name) || Some(name) == plan.id.as_ref();
        // A number per unit does not add up, but its average and quantiles say something.
        super::is_number(&planned.field.kind)
            && !sliced
            && !id
            && !not_added_up
            && column.distinct() > 1
    }
}

fn dimensions(survey: &Survey, plan: &Plan) -> (Vec<Dimension>, Vec<String>) {
    let mut able: Vec<(u8, usize, &PlannedField)> = plan
        .fields
        .iter()
        .filter(|planned| planned.part == Part::Field)
        .filter_map(|planned| {
            let column = survey.columns.get(planned.column)?;
            let values = column.distinct();
            let few = (2..=DIMENSION_VALUES_MAX).contains(&values) && !column.many();
            // A column almost every value of which is its own is no group, however short the file.
            let groups = (values as u64) * 3 <= column.filled;
            let rank = match planned.field.kind {
                FieldType::Currency => 0,
                FieldType::String if names::is_slice(&planned.field.name) => 1,
                FieldType::String => 2,
                FieldType::Bool => 3,
                _ => return None,
            };
            let filled = column.filled * 2 >= survey.rows;
            (few && groups).then_some((rank + if filled { 0 } else { 4 }, values, planned))
        })
        .collect();
    able.sort_by_key(|(rank, values, _)| (*rank, *values));
    let mut combinations = 1_u64;
    let mut chosen = Vec::new();
    let mut more = Vec::new();
    for (_, values, planned) in able {
        let column = survey.columns.get(planned.column);
        let with_null = values as u64 + u64::from(planned.field.optional);
        // There are never more combinations than lines.
        let fits = combinations.saturating_mul(with_null).min(survey.rows) <= COMBINATIONS_MAX;
        if fits && chosen.len() < DIMENSIONS_MAX {
            combinations = combinations.saturating_mul(with_null);
            let shown = column.map(|c| c.shown.clone()).unwrap_or_default();
            chosen.push(Dimension {
                name: planned.field.name.clone(),
                values,
                shown,
            });
        } else {
            more.push(planned.field.name.clone());
        }
    }
    (chosen, more)
}

fn currencies(plan: &Plan) -> impl Iterator<Item = &PlannedField> {
    plan.fields
        .iter()
        .filter(|p| p.field.kind == FieldType::Currency)
}

/// The currency an amount is in: of several the one with a word of the amount's name, or the one that
/// stands nearest.
fn currency_of<'p>(plan: &'p Plan, amount: &PlannedField) -> Option<&'p PlannedField> {
    currencies(plan).min_by_key(|currency| {
        let mut words = currency.field.name.split('_');
        let shared = words.any(|word| amount.field.name.split('_').any(|other| other == word));
        (!shared, currency.column.abs_diff(amount.column))
    })
}

fn is_time(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Date | FieldType::Timestamp)
}

fn as_double(planned: &PlannedField) -> String {
    let column = in_sql(&planned.field.name);
    match planned.field.kind {
        FieldType::Decimal { .. } => format!("cast({column} as double)"),
        _ => column,
    }
}

/// The unit a name says.
fn unit_of(name: &str) -> &'static str {
    for word in name.split('_') {
        match word {
            "ms" | "millis" | "latency" => return "ms",
            "seconds" => return "s",
            "usd" => return "USD",
            "eur" => return "EUR",
            "gbp" => return "GBP",
            "kilograms" | "kg" => return "kg",
            _ => {}
        }
    }
    "amount"
}
