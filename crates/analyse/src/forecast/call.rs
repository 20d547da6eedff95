//! `forecast()` as it is called in SQL.

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::Expr;

use super::question::plan;
use super::table::ForecastTable;
use super::{FORECAST, ForecastQuery, Horizon};
use crate::calendar::Period;
use crate::engine::Engine;
use crate::error::{AnalyseError, Fault};
use crate::suggest;
use crate::tables::{length_us, text};

/// How far a forecast goes when that is not told.
const HORIZON_US: i64 = 86_400_000_000;

/// The function over the metrics of an engine.
pub(crate) fn function(engine: &Arc<Engine>) -> Arc<dyn TableFunctionImpl> {
    let engine = Arc::clone(engine);
    Arc::new(Call { engine })
}

#[derive(Debug)]
struct Call {
    engine: Arc<Engine>,
}

impl TableFunctionImpl for Call {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        // The same moment that `now()` is in the query.
        let now = args.session().execution_props().query_execution_start_time;
        let table = now
            .ok_or(AnalyseError::Internal)
            .and_then(|now| self.table(args.exprs(), now.timestamp_micros()));
        table.map_err(|fault| DataFusionError::External(Box::new(fault)))
    }
}

impl Call {
    fn table(
        &self,
        args: &[Expr],
        now_us: i64,
    ) -> std::result::Result<Arc<dyn TableProvider>, AnalyseError> {
        let query = query(args, now_us)?;
        // What makes no sense is told before anything is read.
        plan(&self.engine, &query)?;
        Ok(Arc::new(ForecastTable::new(
            Arc::clone(&self.engine),
            query,
        )))
    }
}

fn query(args: &[Expr], at_us: i64) -> std::result::Result<ForecastQuery, AnalyseError> {
    let (metric, ahead, step, zone) = match args {
        [metric] => (metric, None, None, None),
        [metric, ahead] => (metric, Some(ahead), None, None),
        [metric, ahead, step] => (metric, Some(ahead), Some(step), None),
        [metric, ahead, step, zone] => (metric, Some(ahead), Some(step), Some(zone)),
        _ => return Err(wrong()),
    };
    let told = |expr: &Expr| text(expr).map(str::to_owned).ok_or_else(wrong);
    Ok(ForecastQuery {
        metric: told(metric)?,
        at_us,
        step_us: step
            .map(|step| length_us(step).ok_or_else(wrong))
            .transpose()?,
        horizon: ahead.map_or(Ok(Horizon::For(HORIZON_US)), horizon)?,
        zone: zone.map(told).transpose()?,
        by: Vec::new(),
        filters: Vec::new(),
        limit_series: None,
    })
}

fn horizon(expr: &Expr) -> std::result::Result<Horizon, AnalyseError> {
    if let Some(us) = length_us(expr) {
        return Ok(Horizon::For(us));
    }
    let name = text(expr).ok_or_else(wrong)?;
    Period::parse(name).map(Horizon::Until).ok_or_else(|| {
        let known = || Period::ALL.into_iter().map(Period::name);
        let suggestion = suggest::did_you_mean(name, known())
            .or_else(|| Some(format!("there are {}", suggest::listed(known()))));
        AnalyseError::unknown(format!("'{name}' is no period"), suggestion)
    })
}

/// What is called wrongly, with how it is called rightly.
fn wrong() -> AnalyseError {
    let usage = "forecast('metric', interval '24 hours', interval '1 hour'), or with 'day', 'week' or 'month' \
                 for the rest of it and a time zone last";
    let fault = Fault::new(format!("{FORECAST}() cannot be called like this"));
    AnalyseError::Invalid(fault.suggest(Some(format!("write {usage}"))))
}
