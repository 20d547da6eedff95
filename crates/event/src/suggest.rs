//! "Did you mean …?": the candidate nearest to a misspelt word.

/// The candidate nearest to `word`, when it is near enough to be a likely slip.
///
/// The distance is Damerau-Levenshtein restricted to adjacent swaps, on lower-cased characters. A
/// third of the word's length (at least one edit) is taken as near enough.
#[must_use]
pub fn closest<'a, I>(word: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    let lower = word.to_lowercase();
    let limit = (lower.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(edits, _)| *edits <= limit)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions, substitutions and adjacent swaps from `a` to `b`.
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (i, ca) in a.chars().enumerate() {
        let mut row = Vec::with_capacity(previous.len());
        row.push(i + 1);
        let mut last_b = None;
        for (j, cb) in b.iter().copied().enumerate() {
            let at = |cells: &[usize], k: usize| cells.get(k).copied().unwrap_or(usize::MAX / 2);
            let substituted = at(&previous, j) + usize::from(ca != cb);
            let mut best = substituted
                .min(at(&previous, j + 1) + 1)
                .min(at(&row, j) + 1);
            if last_a == Some(cb) && last_b == Some(ca) && j > 0 {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
            last_b = Some(cb);
        }
        before = std::mem::replace(&mut previous, row);
        last_a = Some(ca);
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits_and_adjacent_swaps() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("string", "strnig", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} -> {b}");
        }
    }

    #[test]
    fn closest_finds_a_slip_and_leaves_a_stranger_alone() {
        let types = ["string", "int64", "decimal", "timestamp"];
        assert_eq!(closest("decimel", types), Some("decimal"));
        assert_eq!(closest("Timestmap", types), Some("timestamp"));
        assert_eq!(closest("banana", types), None);
    }
}
