//! `convert(amount, currency, target)`: exact currency conversion with the table in [`Rates`].

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array, StringViewArray};
use datafusion::arrow::datatypes::Field;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::rates::{Factor, Rates, minor_digits};

/// Digits the result gets above the amount's, since a rate can multiply by up to a million.
const HEADROOM_DIGITS: u8 = 6;
/// Above this precision the sum of many rows could leave 38 digits, so headroom stops here.
const PRECISION_MAX: u8 = 28;

#[derive(Debug)]
pub(super) struct Convert {
    rates: Arc<Rates>,
    signature: Signature,
}

impl PartialEq for Convert {
    fn eq(&self, other: &Self) -> bool {
        self.rates == other.rates
    }
}

impl Eq for Convert {}

impl Hash for Convert {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rates.hash(state);
    }
}

impl Convert {
    pub(super) fn new(rates: Arc<Rates>) -> Self {
        Self {
            rates,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn check_target(&self, target: &str) -> Result<()> {
        if self.rates.knows(target) {
            return Ok(());
        }
        let known = self.rates.currencies().collect::<Vec<_>>().join(", ");
        let hint = if known.is_empty() {
            "no rates are defined".to_owned()
        } else {
            format!("the rates have {known}")
        };
        Err(DataFusionError::Plan(format!(
            "convert: no rate for '{target}'; {hint}"
        )))
    }
}

fn result_type(amount: &DataType) -> Result<DataType> {
    match amount {
        DataType::Decimal128(precision, scale) => {
            let wide = precision.saturating_add(HEADROOM_DIGITS).min(PRECISION_MAX);
            Ok(DataType::Decimal128(wide.max(*precision), *scale))
        }
        other => Err(DataFusionError::Plan(format!(
            "convert takes a decimal amount, got {other}"
        ))),
    }
}

impl ScalarUDFImpl for Convert {
    fn name(&self) -> &'static str {
        "convert"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        result_type(arg_types.first().unwrap_or(&DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        if let Some(Some(target)) = args.scalar_arguments.get(2)
            && let Some(Some(target)) = target.try_as_str()
        {
            self.check_target(target)?;
        }
        let amount = args
            .arg_fields
            .first()
            .map_or(&DataType::Null, |f| f.data_type());
        Ok(Arc::new(Field::new(
            self.name(),
            result_type(amount)?,
            true,
        )))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [amount, currency, target] = arg_types else {
            return Err(DataFusionError::Plan(format!(
                "convert(amount, currency, target) takes 3 arguments, got {}",
                arg_types.len()
            )));
        };
        let amount = match amount {
            DataType::Decimal128(_, _) => amount.clone(),
            t if t.is_integer() => DataType::Decimal128(20, 0),
            t if t.is_floating() => {
                return Err(DataFusionError::Plan(
                    "convert takes a decimal amount; money is never a float".to_owned(),
                ));
            }
            other => {
                return Err(DataFusionError::Plan(format!(
                    "convert takes a decimal amount, got {other}"
                )));
            }
        };
        for text in [currency, target] {
            if !text.is_string() && !text.is_null() {
                return Err(DataFusionError::Plan(format!(
                    "convert takes currency codes as text, got {text}"
                )));
            }
        }
        Ok(vec![amount, DataType::Utf8View, DataType::Utf8View])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let out_type = args.return_field.data_type().clone();
        let [amount, currency, target] = args.args.as_slice() else {
            return Err(DataFusionError::Plan(
                "convert takes 3 arguments".to_owned(),
            ));
        };
        let amount = amount.to_array(rows)?;
        let amount = amount.as_primitive::<Decimal128Type>();
        let currency: ArrayRef = currency.to_array(rows)?;
        let currency = currency.as_string_view();
        let target: ArrayRef = target.to_array(rows)?;
        let out = convert(
            &self.rates,
            amount,
            currency,
            target.as_string_view(),
            &out_type,
        )?;
        Ok(ColumnarValue::Array(Arc::new(out)))
    }
}

thread_local! {
    /// Processing runs on one thread, so what this thread counted between two readings belongs to
    /// the stream it worked on; queries count on threads of their own, where nobody asks.
    static UNCONVERTED: Cell<u64> = const { Cell::new(0) };
}

/// Amounts that this thread could not convert so far, though nothing of them was null.
pub(crate) fn unconverted() -> u64 {
    UNCONVERTED.get()
}

/// Takes the count back to an earlier reading, for work that is done again.
pub(crate) fn set_unconverted(count: u64) {
    UNCONVERTED.set(count);
}

/// Looks a pair of currencies up once and remembers it, because neighbours mostly share it.
struct Lookup<'a> {
    rates: &'a Rates,
    known: Vec<(&'a str, &'a str, Pair)>,
}

#[derive(Clone, Copy)]
enum Pair {
    Same,
    Unknown,
    Rate { factor: Factor, drop: u32 },
}

/// Distinct pairs remembered per batch; hostile data may name more, which are looked up anew.
const PAIRS_MAX: usize = 64;

impl<'a> Lookup<'a> {
    fn pair(&mut self, from: &'a str, to: &'a str, scale: i8) -> Pair {
        if let Some((_, _, pair)) = self.known.iter().find(|(f, t, _)| *f == from && *t == to) {
            return *pair;
        }
        let pair = if from == to {
            Pair::Same
        } else {
            self.rates.factor(from, to).map_or(Pair::Unknown, |factor| {
                let scale = u32::try_from(scale).unwrap_or(0);
                Pair::Rate {
                    factor,
                    drop: scale.saturating_sub(minor_digits(to)),
                }
            })
        };
        if self.known.len() < PAIRS_MAX {
            self.known.push((from, to, pair));
        }
        pair
    }
}

fn convert(
    rates: &Rates,
    amount: &Decimal128Array,
    currency: &StringViewArray,
    target: &StringViewArray,
    out_type: &DataType,
) -> Result<Decimal128Array> {
    let DataType::Decimal128(precision, scale) = *out_type else {
        return Err(DataFusionError::Internal(format!(
            "convert cannot give {out_type}"
        )));
    };
    let limit = 10_i128
        .checked_pow(u32::from(precision))
        .unwrap_or(i128::MAX);
    let mut lookup = Lookup {
        rates,
        known: Vec::new(),
    };
    let mut unknown = 0;
    let out: Decimal128Array = (amount.iter().zip(currency.iter()).zip(target.iter()))
        .map(|((amount, currency), target)| {
            let amount = amount?;
            let value = match lookup.pair(currency?, target?, scale) {
                Pair::Same => Some(amount),
                Pair::Unknown => None,
                Pair::Rate { factor, drop } => factor.apply(amount, drop),
            };
            let value = value.filter(|v| v.unsigned_abs() < limit.unsigned_abs());
            unknown += u64::from(value.is_none());
            value
        })
        .collect();
    set_unconverted(unconverted() + unknown);
    Ok(out.with_precision_and_scale(precision, scale)?)
}
