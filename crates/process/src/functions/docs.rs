//! What every function does, in one list: the reference page and the tests are made from it.

/// The documentation of one SQL function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDoc {
    /// The function's name.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// What it does, in a sentence or two.
    pub description: &'static str,
    /// The formula and where it is from.
    pub formula: &'static str,
    /// A SQL expression that stands alone.
    pub example: &'static str,
    /// What the example gives, as text.
    pub example_result: &'static str,
    /// The error of the result; "exact" when there is none.
    pub error: &'static str,
}

/// The functions a definition may use beyond plain SQL, ours and the least-squares ones.
#[must_use]
pub fn function_docs() -> &'static [FunctionDoc] {
    DOCS
}

const DOCS: &[FunctionDoc] = &[
    FunctionDoc {
        name: "linear",
        signature: "linear(x, a, b)",
        description: "A straight line through x: slope a, intercept b. Null when any input is null.",
        formula: "a·x + b",
        example: "linear(2.0, 3.0, 1.0)",
        example_result: "7.0",
        error: "double precision",
    },
    FunctionDoc {
        name: "logistic",
        signature: "logistic(x, a, b)",
        description: "The logistic curve of a·x + b, between 0 and 1. Null when any input is null.",
        formula: "1 / (1 + e^−(a·x + b))",
        example: "logistic(0.0, 2.0, 0.0)",
        example_result: "0.5",
        error: "double precision",
    },
    FunctionDoc {
        name: "convert",
        signature: "convert(amount, currency, target)",
        description: "The amount in the target currency, by the definitions' `rates`. The amount is \
            a decimal and keeps its scale; the result is rounded half to even to the target's \
            smallest unit (ISO 4217), or to the scale when that is coarser. An amount already in \
            the target passes unchanged; an unknown currency gives null.",
        formula: "amount × rate(target) ÷ rate(currency), rates per one unit of the base",
        example: "convert(arrow_cast(12.34, 'Decimal128(18, 2)'), 'EUR', 'EUR')",
        example_result: "12.34",
        error: "exact before the one rounding",
    },
    FunctionDoc {
        name: "distinct",
        signature: "distinct(x)",
        description: "How many different values x has; nulls do not count. Kept as a sketch of at \
            most 4 KiB, so it merges over buckets and dimensions. In a query that begins with \
            it, write count_distinct(x): `select distinct(x)` means something else in SQL.",
        formula: "HyperLogLog with 4096 registers (Flajolet et al. 2007; Apache DataSketches)",
        example: "(select count_distinct(x) from (values ('a'), ('b'), ('a'), (null)) as t(x))",
        example_result: "2",
        error: "relative standard error 1.6 %; nearly exact below 400 values",
    },
    FunctionDoc {
        name: "quantile",
        signature: "quantile(x)",
        description: "A sketch of the distribution of x, to be read with quantile_at at any \
            quantile later. Nulls and NaN do not count; magnitudes below 1e-9 count as 0 and \
            above 1e18 as 1e18.",
        formula: "DDSketch (Masson, Rim and Lee, VLDB 2019), relative accuracy 0.01",
        example: "(select quantile_at(quantile(x), 0) from (values (3.0), (5.0), (8.0)) as t(x))",
        example_result: "3.0",
        error: "relative 1 % of the value at that rank; smallest and largest exact",
    },
    FunctionDoc {
        name: "quantile_at",
        signature: "quantile_at(sketch, q)",
        description: "The value at quantile q, from 0 to 1, of a sketch made by quantile(x). Null \
            when nothing was seen.",
        formula: "the value of rank ⌊q·(n−1)⌋",
        example: "(select quantile_at(quantile(x), 1) from (values (3.0), (5.0), (8.0)) as t(x))",
        example_result: "8.0",
        error: "relative 1 %",
    },
    FunctionDoc {
        name: "sum",
        signature: "sum(x)",
        description: "The sum of all values that are not null. Integers are summed as decimals and \
            decimals of more than 28 digits in 256 bits, so a sum never wraps around.",
        formula: "Σ x",
        example: "(select sum(x) from (values (9223372036854775807), (1)) as t(x))",
        example_result: "9223372036854775808",
        error: "exact for integers and decimals; double precision for floats",
    },
    FunctionDoc {
        name: "regr_slope",
        signature: "regr_slope(y, x)",
        description: "The slope of the least-squares line of y over x, pairs with a null left out.",
        formula: "Σ(x − x̄)(y − ȳ) ÷ Σ(x − x̄)²",
        example: "(select regr_slope(y, x) from (values (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)) as t(x, y))",
        example_result: "2.0",
        error: "double precision",
    },
    FunctionDoc {
        name: "regr_intercept",
        signature: "regr_intercept(y, x)",
        description: "The intercept of the least-squares line of y over x.",
        formula: "ȳ − slope·x̄",
        example: "(select regr_intercept(y, x) from (values (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)) as t(x, y))",
        example_result: "1.0",
        error: "double precision",
    },
    FunctionDoc {
        name: "corr",
        signature: "corr(y, x)",
        description: "Pearson's correlation of two columns, from −1 to 1.",
        formula: "cov(x, y) ÷ (σx·σy)",
        example: "(select corr(y, x) from (values (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)) as t(x, y))",
        example_result: "1.0",
        error: "double precision",
    },
];
