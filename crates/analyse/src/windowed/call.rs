//! The functions as they are called.

use std::sync::Arc;

use datafusion::catalog::{TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::Expr;

use super::kind::Kind;
use super::rows::Zone;
use super::table::WindowTable;
use super::{DIMENSION, FUNCTIONS};
use crate::calendar::{Period, nearest_zone, zone};
use crate::error::{AnalyseError, Fault};
use crate::limits::QueryLimits;
use crate::suggest;
use crate::tables::{CubeTables, length_us, text};

/// The functions over the cubes of one query.
pub(crate) fn functions(cubes: &CubeTables, limits: &QueryLimits) -> Vec<Arc<TableFunction>> {
    let function = |name: &'static str| {
        let call = Call {
            name,
            cubes: cubes.clone(),
            limits: limits.clone(),
        };
        Arc::new(TableFunction::new(name.to_owned(), Arc::new(call)))
    };
    FUNCTIONS.into_iter().map(function).collect()
}

#[derive(Debug)]
struct Call {
    name: &'static str,
    cubes: CubeTables,
    limits: QueryLimits,
}

impl TableFunctionImpl for Call {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let table = self.table(args.exprs());
        table.map_err(|fault| DataFusionError::External(Box::new(fault)))
    }
}

impl Call {
    fn table(&self, args: &[Expr]) -> std::result::Result<Arc<dyn TableProvider>, AnalyseError> {
        let (cube, first, rest) = match args {
            [cube, first, rest @ ..] => (cube, first, rest),
            _ => return Err(self.wrong()),
        };
        let name = text(cube).ok_or_else(|| self.wrong())?;
        let Some(cube) = self.cubes.get(name) else {
            let known = || self.cubes.keys().map(String::as_str);
            let suggestion = suggest::did_you_mean(name, known())
                .or_else(|| Some(format!("the cubes are {}", suggest::listed(known()))));
            return Err(AnalyseError::unknown(
                format!("there is no cube '{name}' for {}", self.name),
                suggestion,
            ));
        };
        let (kind, zones) = match (self.name, first, rest) {
            ("tumble", size, zones) if length_us(size).is_some() => {
                let size_us = self.length(size)?;
                let step_us = size_us;
                (Kind::Hop { step_us, size_us }, zones)
            }
            ("tumble", period, zones) => (Kind::Calendar(self.period(period)?), zones),
            ("hop", step, [size, zones @ ..]) => {
                let (step_us, size_us) = (self.length(step)?, self.length(size)?);
                (Kind::Hop { step_us, size_us }, zones)
            }
            ("cumulate", step, [period, zones @ ..]) => {
                let (step_us, period) = (self.length(step)?, self.period(period)?);
                (Kind::Cumulate { step_us, period }, zones)
            }
            _ => return Err(self.wrong()),
        };
        self.check(kind, cube.bucket_us())?;
        let zone = match zones {
            [] => Zone::Named(jiff::tz::TimeZone::UTC),
            [zone] if kind.has_calendar() => self.zone(zone, &cube.dimensions())?,
            _ => return Err(self.wrong()),
        };
        let rows_max = self.limits.window_panes_max;
        Ok(Arc::new(WindowTable::new(
            Arc::clone(cube),
            kind,
            zone,
            rows_max,
        )?))
    }

    /// What is called wrongly, with how it is called rightly.
    fn wrong(&self) -> AnalyseError {
        let usage = match self.name {
            "tumble" => {
                "tumble(cube, interval '5 minutes') or tumble(cube, 'month', 'Europe/Berlin')"
            }
            "hop" => {
                "hop(cube, interval '10 seconds', interval '5 minutes'), the step before the size"
            }
            _ => "cumulate(cube, interval '10 minutes', 'day', 'Europe/Berlin')",
        };
        let fault = Fault::new(format!("{}() cannot be called like this", self.name));
        AnalyseError::Invalid(fault.suggest(Some(format!("write {usage}"))))
    }

    fn length(&self, expr: &Expr) -> std::result::Result<i64, AnalyseError> {
        length_us(expr).ok_or_else(|| self.wrong())
    }

    fn period(&self, expr: &Expr) -> std::result::Result<Period, AnalyseError> {
        let name = text(expr).ok_or_else(|| self.wrong())?;
        Period::parse(name).ok_or_else(|| {
            let known = || Period::ALL.into_iter().map(Period::name);
            let suggestion = suggest::did_you_mean(name, known())
                .or_else(|| Some(format!("there are {}", suggest::listed(known()))));
            AnalyseError::unknown(format!("'{name}' is no period"), suggestion)
        })
    }

    fn zone(&self, expr: &Expr, dimensions: &[String]) -> std::result::Result<Zone, AnalyseError> {
        let name = text(expr).ok_or_else(|| self.wrong())?;
        if let Some(dimension) = name.strip_prefix(DIMENSION) {
            if dimensions.iter().any(|known| known == dimension) {
                return Ok(Zone::Dimension(dimension.to_owned()));
            }
            let known = || dimensions.iter().map(String::as_str);
            let suggestion = suggest::did_you_mean(dimension, known())
                .or_else(|| Some("a zone's name stands in quotes".to_owned()));
            return Err(AnalyseError::unknown(
                format!("there is no dimension '{dimension}' to tell the zone"),
                suggestion,
            ));
        }
        let found = zone(name).map(Zone::Named);
        found.ok_or_else(|| {
            let nearest = nearest_zone(name);
            AnalyseError::unknown(
                format!("there is no time zone '{name}'"),
                nearest.map(|nearest| format!("did you mean '{nearest}'?")),
            )
        })
    }

    fn check(&self, kind: Kind, bucket_us: i64) -> std::result::Result<(), AnalyseError> {
        let (step_us, size_us) = match kind {
            Kind::Hop { step_us, size_us } => (step_us, size_us),
            Kind::Cumulate { step_us, .. } => (step_us, step_us),
            Kind::Calendar(_) => return Ok(()),
        };
        if step_us % bucket_us != 0 || size_us % step_us != 0 {
            return Err(AnalyseError::invalid(format!(
                "{}() needs a size that is a multiple of the step, and a step that is one of the cube's \
                 bucket of {:?}",
                self.name,
                std::time::Duration::from_micros(bucket_us.unsigned_abs())
            )));
        }
        let max = i64::try_from(self.limits.bucket_windows_max).unwrap_or(i64::MAX);
        if kind.windows_max() > max {
            return Err(AnalyseError::TooLarge(
                Fault::new(format!(
                    "every bucket would be in {} windows; at most {max} are allowed",
                    kind.windows_max()
                ))
                .suggest(Some("use a wider step".to_owned())),
            ));
        }
        Ok(())
    }
}
