//! `distinct(x)`: how many different values, by HyperLogLog.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use datasketches::hash::value::raw_bytes;
use datasketches::hll::{Coupon, HllSketch, HllType, HllUnion};

/// 2¹² registers: a relative standard error of 1.04 / √4096 = 1.6 %, at most 4 KiB per cell.
const LG_REGISTERS: u8 = 12;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Distinct {
    signature: Signature,
    aliases: Vec<String>,
}

impl Distinct {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            // `select distinct(x)` is read as `select distinct (x)`, so queries need another name.
            aliases: vec!["count_distinct".to_owned()],
        }
    }
}

impl AggregateUDFImpl for Distinct {
    fn name(&self) -> &'static str {
        "distinct"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [one] = arg_types else {
            return Err(DataFusionError::Plan(format!(
                "distinct(x) takes one argument, got {}",
                arg_types.len()
            )));
        };
        Ok(vec![match one {
            DataType::UInt64 => DataType::Utf8View,
            t if t.is_integer() => DataType::Int64,
            t if t.is_floating() => DataType::Float64,
            // Text of every other type is as different as its values are.
            _ => DataType::Utf8View,
        }])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(
            format!("{}[hll]", args.name),
            DataType::Binary,
            true,
        ))])
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneDistinct(Cell::default())))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(DistinctGroups::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The sketch of one group. A union is only made once a second sketch arrives, since most cells
/// of a batch are made from rows alone and most merges copy one state.
#[derive(Debug, Default)]
enum Cell {
    #[default]
    Empty,
    Sketch(Box<HllSketch>),
    Union(Box<HllUnion>),
}

fn library(error: impl std::fmt::Display) -> DataFusionError {
    DataFusionError::Execution(format!("distinct: {error}"))
}

impl Cell {
    fn add(&mut self, coupon: Coupon) -> Result<()> {
        if matches!(self, Self::Empty) {
            let sketch = HllSketch::new(LG_REGISTERS, HllType::Hll8).map_err(library)?;
            *self = Self::Sketch(Box::new(sketch));
        }
        match self {
            Self::Sketch(sketch) => sketch.update_with_coupon(coupon),
            Self::Union(union) => {
                let mut one = HllSketch::new(LG_REGISTERS, HllType::Hll8).map_err(library)?;
                one.update_with_coupon(coupon);
                union.update(&one);
            }
            Self::Empty => {}
        }
        Ok(())
    }

    fn merge(&mut self, bytes: &[u8]) -> Result<()> {
        let other = HllSketch::deserialize(bytes).map_err(library)?;
        *self = match std::mem::take(self) {
            Self::Empty => Self::Sketch(Box::new(other)),
            Self::Sketch(mine) => {
                let mut union = HllUnion::new(LG_REGISTERS).map_err(library)?;
                union.update(&mine);
                union.update(&other);
                Self::Union(Box::new(union))
            }
            Self::Union(mut union) => {
                union.update(&other);
                Self::Union(union)
            }
        };
        Ok(())
    }

    /// Changes the cell and what the memory of many comes to.
    fn counted<T>(&mut self, bytes: &mut usize, change: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.size();
        let changed = change(self);
        *bytes = (*bytes + self.size()).saturating_sub(before);
        changed
    }

    fn sketch(self) -> Option<HllSketch> {
        match self {
            Self::Empty => None,
            Self::Sketch(sketch) => Some(*sketch),
            Self::Union(union) => Some(union.to_sketch(HllType::Hll8)),
        }
    }

    /// The estimate that does not depend on the order of insertion, as a whole number.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an estimate of a 64-bit count"
    )]
    fn estimate(self) -> i64 {
        self.sketch()
            .map_or(0, |s| s.composite_estimate().round() as i64)
    }

    fn size(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Sketch(sketch) => sketch.estimated_size(),
            // A union is a sketch with registers of a byte.
            Self::Union(_) => 1 << LG_REGISTERS,
        }
    }
}

/// Calls `each` with the row and the hashed value of every value that is not null.
fn coupons(column: &ArrayRef, mut each: impl FnMut(usize, Coupon) -> Result<()>) -> Result<()> {
    match column.data_type() {
        DataType::Utf8View => {
            for (row, value) in column.as_string_view().iter().enumerate() {
                if let Some(value) = value {
                    each(row, Coupon::from_value(raw_bytes::from_str(value)))?;
                }
            }
        }
        DataType::Int64 => {
            for (row, value) in column.as_primitive::<Int64Type>().iter().enumerate() {
                if let Some(value) = value {
                    each(
                        row,
                        Coupon::from_value(raw_bytes::from_slice(&value.to_le_bytes())),
                    )?;
                }
            }
        }
        DataType::Float64 => {
            for (row, value) in column.as_primitive::<Float64Type>().iter().enumerate() {
                if let Some(value) = value {
                    // Zero has two signs and NaN many bit patterns; each is one value.
                    let value = if value == 0.0 { 0.0 } else { value };
                    let value = if value.is_nan() { f64::NAN } else { value };
                    each(
                        row,
                        Coupon::from_value(raw_bytes::from_slice(&value.to_le_bytes())),
                    )?;
                }
            }
        }
        other => return Err(DataFusionError::Internal(format!("distinct over {other}"))),
    }
    Ok(())
}

fn only(values: &[ArrayRef]) -> Result<&ArrayRef> {
    values
        .first()
        .ok_or_else(|| DataFusionError::Internal("distinct got no column".to_owned()))
}

#[derive(Debug, Default)]
struct DistinctGroups {
    cells: Vec<Cell>,
    /// Memory of the cells' sketches. It is asked for after every few thousand rows, however many cells there are.
    bytes: usize,
}

impl DistinctGroups {
    fn grow(&mut self, groups: usize) {
        if groups > self.cells.len() {
            self.cells.resize_with(groups, Cell::default);
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Cell> {
        let cells = emit_to.take_needed(&mut self.cells);
        self.bytes = self.cells.iter().map(Cell::size).sum();
        cells
    }
}

impl GroupsAccumulator for DistinctGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let Self { cells, bytes } = self;
        coupons(only(values)?, |row, coupon| {
            let kept = opt_filter.is_none_or(|f| f.is_valid(row) && f.value(row));
            match group_indices
                .get(row)
                .and_then(|group| cells.get_mut(*group))
            {
                Some(cell) if kept => cell.counted(bytes, |cell| cell.add(coupon)),
                _ => Ok(()),
            }
        })
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        for (bytes, group) in only(values)?.as_binary::<i32>().iter().zip(group_indices) {
            if let (Some(bytes), Some(cell)) = (bytes, self.cells.get_mut(*group)) {
                cell.counted(&mut self.bytes, |cell| cell.merge(bytes))?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let cells = self.take(emit_to);
        Ok(Arc::new(
            cells
                .into_iter()
                .map(|cell| Some(cell.estimate()))
                .collect::<Int64Array>(),
        ))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut out = BinaryBuilder::new();
        for cell in self.take(emit_to) {
            out.append_option(cell.sketch().map(|s| s.serialize()));
        }
        Ok(vec![Arc::new(out.finish())])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut each = Self::default();
        let rows = only(values)?.len();
        let groups: Vec<usize> = (0..rows).collect();
        each.update_batch(values, &groups, opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>() + self.bytes
    }
}

/// The same sketch for a query without groups.
#[derive(Debug)]
struct OneDistinct(Cell);

impl Accumulator for OneDistinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        coupons(only(values)?, |_, coupon| self.0.add(coupon))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for bytes in only(states)?.as_binary::<i32>().iter().flatten() {
            self.0.merge(bytes)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(
            std::mem::take(&mut self.0).estimate(),
        )))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sketch = std::mem::take(&mut self.0).sketch();
        Ok(vec![ScalarValue::Binary(sketch.map(|s| s.serialize()))])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.0.size()
    }
}
