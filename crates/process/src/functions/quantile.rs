//! `quantile(x)`, the aggregate that keeps a sketch, and `quantile_at(sketch, q)`, which reads it.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, Float64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, EmitTo, GroupsAccumulator, ScalarFunctionArgs,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::quantile_sketch::{QuantileSketch, bin_of, encode_into};

/// Unsorted entries are folded into the sorted ones when there are this many, at least.
const FOLD_AT: usize = 1 << 16;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Quantile {
    signature: Signature,
}

impl Quantile {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Quantile {
    fn name(&self) -> &'static str {
        "quantile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [t] if t.is_numeric() || t.is_null() => Ok(vec![DataType::Float64]),
            [t] => Err(DataFusionError::Plan(format!(
                "quantile(x) takes numbers, got {t}"
            ))),
            other => Err(DataFusionError::Plan(format!(
                "quantile(x) takes one argument, got {}; ask for a quantile with quantile_at",
                other.len()
            ))),
        }
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(
            format!("{}[sketch]", args.name),
            DataType::Binary,
            true,
        ))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(&args)?;
        Ok(Box::new(OneSketch(QuantileGroups::default())))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(QuantileGroups::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

fn refuse_distinct(args: &AccumulatorArgs) -> Result<()> {
    if args.is_distinct {
        return Err(DataFusionError::Plan(
            "quantile(distinct x) is not supported".to_owned(),
        ));
    }
    Ok(())
}

/// The sketches of all groups: (group, bin) → count, in one sorted list.
///
/// New rows are appended as packed keys and folded in by sorting, which is several times faster
/// than a map per group when a batch touches thousands of groups with a few rows each.
#[derive(Debug, Default)]
struct QuantileGroups {
    /// Smallest and largest value per group; infinite and reversed while it has none.
    extremes: Vec<(f64, f64)>,
    /// One key per row not yet folded.
    rows: Vec<u64>,
    /// Keys with counts from merged sketches, not yet folded.
    counted: Vec<(u64, u64)>,
    /// Sorted by key, keys distinct.
    folded: Vec<(u64, u64)>,
}

/// Group in the upper half, bin shifted to be unsigned in the lower.
fn pack(group: usize, bin: i32) -> u64 {
    ((group as u64) << 32) | u64::from(bin.cast_unsigned() ^ 0x8000_0000)
}

fn group_of(key: u64) -> usize {
    (key >> 32) as usize
}

fn bin_in(key: u64) -> i32 {
    ((key & 0xffff_ffff) as u32 ^ 0x8000_0000).cast_signed()
}

impl QuantileGroups {
    fn grow(&mut self, groups: usize) {
        if groups > self.extremes.len() {
            self.extremes
                .resize(groups, (f64::INFINITY, f64::NEG_INFINITY));
        }
    }

    fn widen(&mut self, group: usize, min: f64, max: f64) {
        if let Some(extremes) = self.extremes.get_mut(group) {
            extremes.0 = extremes.0.min(min);
            extremes.1 = extremes.1.max(max);
        }
    }

    fn add(&mut self, group: usize, value: f64) {
        if let Some(bin) = bin_of(value) {
            self.widen(group, value, value);
            self.rows.push(pack(group, bin));
        }
    }

    fn fold_when_full(&mut self) {
        if self.rows.len() + self.counted.len() > FOLD_AT.max(self.folded.len()) {
            self.fold();
        }
    }

    fn fold(&mut self) {
        if self.rows.is_empty() && self.counted.is_empty() {
            return;
        }
        self.rows.sort_unstable();
        self.counted.extend(
            self.rows
                .chunk_by(|a, b| a == b)
                .filter_map(|run| Some((*run.first()?, run.len() as u64))),
        );
        self.rows.clear();
        // The folded part is already sorted, which the stable sort finds and merges as a run.
        let mut all = std::mem::take(&mut self.folded);
        self.counted.sort_unstable();
        all.append(&mut self.counted);
        all.sort_by_key(|(key, _)| *key);
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        self.folded = all;
    }

    fn take(&mut self, emit_to: EmitTo) -> BinaryArray {
        self.fold();
        let groups = match emit_to {
            EmitTo::All => self.extremes.len(),
            EmitTo::First(n) => n.min(self.extremes.len()),
        };
        let rest = self.extremes.split_off(groups);
        let extremes = std::mem::replace(&mut self.extremes, rest);
        let border = self
            .folded
            .partition_point(|(key, _)| group_of(*key) < groups);
        let mut later = self.folded.split_off(border);
        for (key, _) in &mut later {
            *key -= (groups as u64) << 32;
        }
        let folded = std::mem::replace(&mut self.folded, later);

        let mut builder = BinaryBuilder::with_capacity(groups, folded.len() * 3 + groups * 20);
        let (mut bins, mut bytes) = (Vec::new(), Vec::new());
        let mut at = folded.iter().peekable();
        for (group, (min, max)) in extremes.into_iter().enumerate() {
            bins.clear();
            while let Some((key, count)) = at.next_if(|(key, _)| group_of(*key) == group) {
                bins.push((bin_in(*key), *count));
            }
            if bins.is_empty() {
                builder.append_null();
            } else {
                bytes.clear();
                encode_into(&mut bytes, min, max, &bins);
                builder.append_value(&bytes);
            }
        }
        builder.finish()
    }
}

fn only<'a>(values: &'a [ArrayRef], what: &str) -> Result<&'a ArrayRef> {
    values
        .first()
        .ok_or_else(|| DataFusionError::Internal(format!("{what} got no column")))
}

impl GroupsAccumulator for QuantileGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let values = only(values, "quantile")?.as_primitive::<Float64Type>();
        match opt_filter {
            None if values.null_count() == 0 => {
                for (value, group) in values.values().iter().zip(group_indices) {
                    self.add(*group, *value);
                }
            }
            None => {
                for (value, group) in values.iter().zip(group_indices) {
                    if let Some(value) = value {
                        self.add(*group, value);
                    }
                }
            }
            Some(filter) => {
                for ((value, group), keep) in values.iter().zip(group_indices).zip(filter.iter()) {
                    if let (Some(value), Some(true)) = (value, keep) {
                        self.add(*group, value);
                    }
                }
            }
        }
        self.fold_when_full();
        Ok(())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let sketches = only(values, "quantile")?.as_binary::<i32>();
        for (bytes, group) in sketches.iter().zip(group_indices) {
            let Some(bytes) = bytes else { continue };
            let sketch = QuantileSketch::decode(bytes)
                .map_err(|e| DataFusionError::External(Box::new(e)))?;
            self.widen(*group, sketch.min(), sketch.max());
            self.counted.extend(
                sketch
                    .bins()
                    .iter()
                    .map(|(bin, n)| (pack(*group, *bin), *n)),
            );
        }
        self.fold_when_full();
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(self.take(emit_to)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(self.take(emit_to))])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut each = Self::default();
        let rows = only(values, "quantile")?.len();
        let groups: Vec<usize> = (0..rows).collect();
        each.update_batch(values, &groups, opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.extremes.capacity() * 16
            + self.rows.capacity() * 8
            + (self.counted.capacity() + self.folded.capacity()) * 16
    }
}

/// The same sketch for a query without groups.
#[derive(Debug)]
struct OneSketch(QuantileGroups);

impl OneSketch {
    fn take(&mut self) -> ScalarValue {
        self.0.grow(1);
        let array = self.0.take(EmitTo::All);
        ScalarValue::Binary(array.iter().next().flatten().map(<[u8]>::to_vec))
    }
}

impl Accumulator for OneSketch {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = only(values, "quantile")?.len();
        self.0.update_batch(values, &vec![0; rows], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = only(states, "quantile")?.len();
        self.0.merge_batch(states, &vec![0; rows], 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.take())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.take()])
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

fn check_share(q: f64) -> Result<()> {
    if (0.0..=1.0).contains(&q) {
        return Ok(());
    }
    let reason = format!("quantile_at: q must be from 0 to 1, got {q}");
    Err(DataFusionError::Execution(reason))
}

/// Reads a quantile out of a sketch.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct QuantileAt {
    signature: Signature,
}

impl QuantileAt {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for QuantileAt {
    fn name(&self) -> &'static str {
        "quantile_at"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [DataType::Binary | DataType::BinaryView | DataType::LargeBinary | DataType::Null, q]
                if q.is_numeric() =>
            {
                Ok(vec![DataType::Binary, DataType::Float64])
            }
            _ => Err(DataFusionError::Plan(
                "quantile_at(sketch, q) takes a sketch made by quantile(x) and a number from 0 to 1"
                    .to_owned(),
            )),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [sketches, q] = args.args.as_slice() else {
            return Err(DataFusionError::Plan(
                "quantile_at takes 2 arguments".to_owned(),
            ));
        };
        // A number that is written down is wrong for all rows, also when none has a sketch.
        if let ColumnarValue::Scalar(ScalarValue::Float64(Some(q))) = q {
            check_share(*q)?;
        }
        let sketches = sketches.to_array(args.number_rows)?;
        let q = q.to_array(args.number_rows)?;
        let mut out = Vec::with_capacity(args.number_rows);
        for (bytes, q) in sketches
            .as_binary::<i32>()
            .iter()
            .zip(q.as_primitive::<Float64Type>().iter())
        {
            let (Some(bytes), Some(q)) = (bytes, q) else {
                out.push(None);
                continue;
            };
            check_share(q)?;
            let sketch = QuantileSketch::decode(bytes)
                .map_err(|e| DataFusionError::External(Box::new(e)))?;
            out.push(sketch.quantile(q));
        }
        Ok(ColumnarValue::Array(Arc::new(Float64Array::from(out))))
    }
}
