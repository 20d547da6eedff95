//! Small helpers over slices of numbers.

/// The value at an index that the caller knows to be inside.
#[inline]
pub(crate) fn at(values: &[f64], index: usize) -> f64 {
    debug_assert!(index < values.len(), "{index} of {}", values.len());
    values.get(index).copied().unwrap_or(0.0)
}

/// The median, of the two middle ones the mean; `None` of nothing. Orders the slice anew.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !even {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(lower + (upper - lower) / 2.0)
}

/// The mean; 0 of nothing.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// The value below which a share `p` of sorted values lies, linear between them.
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = (p * last as f64).clamp(0.0, last as f64);
    let lower = place.floor() as usize;
    let [a, b] = [lower, (lower + 1).min(last)].map(|i| sorted.get(i).copied().unwrap_or(0.0));
    a + (b - a) * (place - lower as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_quantiles_are_those_of_the_textbook() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(quantile(&[0.0, 10.0, 20.0], 0.25), 5.0);
        assert_eq!(quantile(&[5.0], 0.9), 5.0);
        assert_eq!(mean([1.0, 2.0, 6.0]), 3.0);
    }
}
