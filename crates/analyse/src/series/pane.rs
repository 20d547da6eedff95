//! The pane of a bucket, as a function in a plan.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::division::{Divisions, PerZone};

/// The pane of a bucket that lies in none of its zone's windows.
pub(super) const OUTSIDE: i64 = -1;

/// The function's name, which no query can write.
pub(crate) const PANE: &str = "pane#";

/// `pane#(bucket)`, or `pane#(bucket, zone)` where each zone has its own panes: the number of the pane,
/// [`OUTSIDE`], or nothing where there is no such zone.
pub(super) fn pane_of(divisions: &Arc<Divisions>) -> ScalarUDF {
    ScalarUDF::from(PaneOf {
        divisions: Arc::clone(divisions),
        signature: Signature::any(
            match divisions.as_ref() {
                Divisions::One(_) => 1,
                Divisions::PerZone(_) => 2,
            },
            Volatility::Immutable,
        ),
    })
}

#[derive(Debug)]
struct PaneOf {
    divisions: Arc<Divisions>,
    signature: Signature,
}

impl PartialEq for PaneOf {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.divisions, &other.divisions)
    }
}

impl Eq for PaneOf {}

impl Hash for PaneOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.divisions).hash(state);
    }
}

impl ScalarUDFImpl for PaneOf {
    fn name(&self) -> &'static str {
        PANE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let wrong = || DataFusionError::Internal("pane# of no bucket".to_owned());
        let buckets = arrays
            .first()
            .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(wrong)?;
        let panes: Int64Array = match self.divisions.as_ref() {
            Divisions::One(division) => buckets
                .iter()
                .map(|at| at.map(|at_us| number(division.pane(at_us))))
                .collect(),
            Divisions::PerZone(zones) => {
                let names = arrays.get(1).ok_or_else(wrong)?;
                in_zones(zones, buckets.iter(), names)?
            }
        };
        Ok(ColumnarValue::Array(Arc::new(panes)))
    }
}

fn in_zones(
    zones: &PerZone,
    buckets: impl Iterator<Item = Option<i64>>,
    names: &ArrayRef,
) -> Result<Int64Array> {
    let names = names
        .as_string_view_opt()
        .ok_or_else(|| DataFusionError::Internal("pane# of no zone".to_owned()))?;
    // Rows of a zone come in runs.
    let mut last = None;
    let panes = buckets.zip(names.iter()).map(|(at_us, name)| {
        let (at_us, name) = (at_us?, name?);
        let known = last.as_ref().filter(|(known, _)| *known == name);
        let division = match known {
            Some((_, division)) => Option::clone(division),
            None => {
                let division = zones.of(name);
                last = Some((name, division.clone()));
                division
            }
        };
        division.map(|division| number(division.pane(at_us)))
    });
    Ok(panes.collect())
}

fn number(pane: Option<usize>) -> i64 {
    pane.and_then(|pane| i64::try_from(pane).ok())
        .unwrap_or(OUTSIDE)
}
