//! A metric as a scalar function over finished measures, which is how SQL computes it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use tillwatch_process::compute;

/// The function behind one metric.
#[derive(Debug)]
pub(super) struct MetricFunction {
    name: String,
    signature: Signature,
    schema: SchemaRef,
    result_type: DataType,
    value: Arc<dyn PhysicalExpr>,
}

impl MetricFunction {
    pub(super) fn new(
        name: String,
        schema: SchemaRef,
        result_type: DataType,
        value: Arc<dyn PhysicalExpr>,
    ) -> Self {
        let kinds = schema
            .fields()
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let signature = Signature::exact(kinds, Volatility::Immutable);
        Self {
            name,
            signature,
            schema,
            result_type,
            value,
        }
    }
}

// The name and the expression say everything; the rest follows from them.
impl PartialEq for MetricFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value.as_ref() == other.value.as_ref()
    }
}

impl Eq for MetricFunction {}

impl Hash for MetricFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for MetricFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result_type.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args
            .args
            .iter()
            .map(|arg| arg.to_array(args.number_rows))
            .collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)?;
        let (values, _) = compute(&self.value, &batch, &self.result_type)?;
        Ok(ColumnarValue::Array(values))
    }
}
