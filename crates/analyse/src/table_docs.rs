//! The functions of ours that are tables, for the page on functions.

/// A function that stands in `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableDoc {
    /// How it is called.
    pub signature: &'static str,
    /// What its rows are.
    pub description: &'static str,
    /// A question with it.
    pub example: &'static str,
}

/// All of them.
#[must_use]
pub fn table_docs() -> [TableDoc; 4] {
    [
        TableDoc {
            signature: "tumble(cube, size | period, zone)",
            description: "A cube's rows with the window of that length, or the calendar's period, that each lies in.",
            example: "select window_start, measure(average_order) from tumble(order_totals, 'month', 'Europe/Berlin') group by all",
        },
        TableDoc {
            signature: "hop(cube, step, size)",
            description: "A cube's rows once for each window of that length which ends with a step and holds them.",
            example: "select window_end, measure(average_order) from hop(order_totals, interval '10 seconds', interval '5 minutes') group by window_end",
        },
        TableDoc {
            signature: "cumulate(cube, step, period, zone)",
            description: "A cube's rows once for each window since the start of the period which ends with a step and holds them.",
            example: "select window_end, measure(average_order) from cumulate(order_totals, interval '10 minutes', 'day') group by window_end",
        },
        TableDoc {
            signature: "forecast(metric, horizon, step, zone)",
            description: "A row for each step to come with `start`, the expected `value` and the ends of the intervals that hold 80 and 95 of 100 values: `lower_80`, `upper_80`, `lower_95`, `upper_95`. The horizon is an interval, or a period for the rest of it; all but the metric may be left out: a day, in steps of an hour. No rows while history is too short.",
            example: "select * from forecast('orders', interval '7 days', interval '1 hour') order by start",
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::FORECAST;
    use crate::windowed::FUNCTIONS;

    #[test]
    fn every_function_is_told_of_under_its_name() {
        let told: Vec<&str> = table_docs()
            .iter()
            .filter_map(|doc| doc.signature.split('(').next())
            .collect();
        let called: Vec<&str> = FUNCTIONS.into_iter().chain([FORECAST]).collect();
        assert_eq!(told, called);
    }
}
