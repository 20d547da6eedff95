//! An aggregate over kept partial states.
//!
//! DataFusion's aggregates can hand out their state and merge it again. [`MergeUdaf`] turns that
//! second half into an aggregate function of its own: its input columns are the state columns of
//! another aggregate, and its result is that aggregate's result. Roll-ups, final reads and SQL over
//! cubes are then ordinary aggregations and need no engine of ours.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::scalar::ScalarValue;

/// `<aggregate>_merge(state columns…)`: merges and finishes the kept states of one measure.
pub struct MergeUdaf {
    name: String,
    inner: Arc<AggregateFunctionExpr>,
    state_types: Vec<DataType>,
    signature: Signature,
}

impl MergeUdaf {
    /// Wraps the aggregate whose states are kept.
    ///
    /// # Errors
    /// When the aggregate cannot name its state fields.
    pub fn new(inner: Arc<AggregateFunctionExpr>) -> Result<Self> {
        let state_types: Vec<DataType> = inner
            .state_fields()?
            .iter()
            .map(|f| f.data_type().clone())
            .collect();
        Ok(Self {
            name: format!("{}_merge", inner.fun().name()),
            signature: Signature::exact(state_types.clone(), Volatility::Immutable),
            state_types,
            inner,
        })
    }

    /// The same, ready to be called in a plan.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn udaf(inner: Arc<AggregateFunctionExpr>) -> Result<Arc<AggregateUDF>> {
        Ok(Arc::new(AggregateUDF::from(Self::new(inner)?)))
    }
}

impl fmt::Debug for MergeUdaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergeUdaf")
            .field("name", &self.name)
            .field("of", &self.inner.name())
            .finish()
    }
}

impl PartialEq for MergeUdaf {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) || self.inner == other.inner
    }
}

impl Eq for MergeUdaf {}

impl Hash for MergeUdaf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.inner.name().hash(state);
        self.state_types.hash(state);
    }
}

impl AggregateUDFImpl for MergeUdaf {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.inner.field().data_type().clone())
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        self.inner
            .fun()
            .default_value(self.inner.field().data_type())
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.inner.state_fields()
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return Err(DataFusionError::Plan(format!(
                "{}(distinct …) has no meaning",
                self.name
            )));
        }
        Ok(Box::new(MergeAccumulator(self.inner.create_accumulator()?)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct && self.inner.groups_accumulator_supported()
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(MergeGroups {
            groups: self.inner.create_groups_accumulator()?,
            inner: Arc::clone(&self.inner),
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct MergeAccumulator(Box<dyn Accumulator>);

impl Accumulator for MergeAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

struct MergeGroups {
    groups: Box<dyn GroupsAccumulator>,
    inner: Arc<AggregateFunctionExpr>,
}

/// The states and groups of the rows a filter keeps: merging itself takes no filter.
fn kept(
    values: &[ArrayRef],
    groups: impl Iterator<Item = usize>,
    keep: &BooleanArray,
) -> Result<(Vec<ArrayRef>, Vec<usize>)> {
    let values = values
        .iter()
        .map(|v| Ok(filter(v, keep)?))
        .collect::<Result<Vec<_>>>()?;
    let groups = groups
        .zip(keep.iter())
        .filter_map(|(g, keep)| (keep == Some(true)).then_some(g))
        .collect();
    Ok((values, groups))
}

impl GroupsAccumulator for MergeGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let Some(keep) = opt_filter else {
            return self
                .groups
                .merge_batch(values, group_indices, total_num_groups);
        };
        let (values, groups) = kept(values, group_indices.iter().copied(), keep)?;
        self.groups.merge_batch(&values, &groups, total_num_groups)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups
            .merge_batch(values, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.groups.evaluate(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.groups.state(emit_to)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        // The input is state already. Rows left out become the state of a group that saw nothing.
        let Some(keep) = opt_filter else {
            return Ok(values.to_vec());
        };
        let (values, groups) = kept(values, 0..keep.len(), keep)?;
        let mut each = self.inner.create_groups_accumulator()?;
        each.merge_batch(&values, &groups, keep.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.groups.size()
    }
}
