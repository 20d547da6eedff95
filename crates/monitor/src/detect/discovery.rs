//! Many slices at once: the Benjamini–Hochberg procedure.
//!
//! A monitor over a thousand slices makes a thousand tests at every step, so the smallest p-value
//! of a quiet minute is around 0.001 without any meaning. The procedure rejects so few that the
//! expected share of false ones among the rejected stays below `q`; where nothing is wrong
//! anywhere, the probability of any rejection stays below `q`.
//! Y. Benjamini, Y. Hochberg (1995), *Controlling the False Discovery Rate*, J. R. Statist. Soc. B 57.

/// The largest p-value that is rejected at false discovery rate `q`, or `None` where none is.
///
/// With p₍₁₎ ≤ … ≤ p₍ₖ₎ it is the p₍ᵢ₎ of the largest i that satisfies p₍ᵢ₎ ≤ q·i/k.
#[must_use]
pub fn cut_off(p_values: &[f64], q: f64) -> Option<f64> {
    let k = p_values.len() as f64;
    let mut sorted: Vec<f64> = p_values.iter().copied().filter(|p| !p.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let passed = |(i, p): &(usize, f64)| *p <= q * (*i as f64 + 1.0) / k;
    sorted.into_iter().enumerate().rfind(passed).map(|(_, p)| p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_off_is_that_of_the_published_example() {
        // The fifteen p-values of the paper's section 3.2: four are rejected at q = 0.05.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        assert_eq!(cut_off(&p, 0.05), Some(0.0095));
    }

    #[test]
    fn a_larger_p_value_within_its_own_line_carries_smaller_ones_with_it() {
        assert_eq!(cut_off(&[0.04, 0.03, 0.05], 0.05), Some(0.05));
        assert_eq!(cut_off(&[0.04, 0.03, 0.06], 0.05), None);
    }

    #[test]
    fn nothing_is_rejected_among_nothing() {
        assert_eq!(cut_off(&[], 0.5), None);
        assert_eq!(cut_off(&[f64::NAN], 0.5), None);
    }
}
