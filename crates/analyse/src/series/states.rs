//! A merge aggregate that hands its state on instead of finishing it.
//!
//! What a window shares with others is merged once and stays a partial state until the window's own
//! Final phase. The merging is the measure's merge aggregate, nothing else.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature,
};

/// The merged state, as a struct of its parts.
pub(super) fn kept_states(merge: &Arc<AggregateUDF>, parts: Fields) -> AggregateUDF {
    AggregateUDF::from(KeptStates {
        name: format!("{}_states", merge.name()),
        merge: Arc::clone(merge),
        parts,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct KeptStates {
    name: String,
    merge: Arc<AggregateUDF>,
    parts: Fields,
}

impl AggregateUDFImpl for KeptStates {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        self.merge.signature()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(self.parts.clone()))
    }

    fn state_fields(
        &self,
        args: StateFieldsArgs,
    ) -> Result<Vec<datafusion::arrow::datatypes::FieldRef>> {
        self.merge.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One {
            merge: self.merge.accumulator(args)?,
            parts: self.parts.clone(),
        }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.merge.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups {
            merge: self.merge.create_groups_accumulator(args)?,
            parts: self.parts.clone(),
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct One {
    merge: Box<dyn Accumulator>,
    parts: Fields,
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.merge.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.merge.merge_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let parts = self.merge.state()?;
        let arrays = parts.iter().map(ScalarValue::to_array);
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let state = StructArray::try_new(self.parts.clone(), arrays, None)?;
        Ok(ScalarValue::Struct(Arc::new(state)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.merge.state()
    }

    fn size(&self) -> usize {
        self.merge.size()
    }
}

struct Groups {
    merge: Box<dyn GroupsAccumulator>,
    parts: Fields,
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.merge
            .update_batch(values, group_indices, opt_filter, total_num_groups)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.merge
            .merge_batch(values, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let parts = self.merge.state(emit_to)?;
        Ok(Arc::new(StructArray::try_new(
            self.parts.clone(),
            parts,
            None,
        )?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.merge.state(emit_to)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.merge.convert_to_state(values, opt_filter)
    }

    fn size(&self) -> usize {
        self.merge.size()
    }
}
