//! "Did you mean": the known name closest to one that is not known.

/// `did you mean 'x'?` for the closest of `known`, when one is close enough to be a typing error.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    closest(name, known).map(|found| format!("did you mean '{found}'?"))
}

/// The known name with the smallest edit distance, if that is at most a third of the name.
pub(crate) fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let allowed = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(far, _)| *far <= allowed)
        .min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)))
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    datafusion::common::utils::datafusion_strsim::levenshtein(a, b)
}

/// Names in a sentence: `'a', 'b' and 'c'`, cut after ten.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("'{name}'")).collect();
    if names.len() > 10 {
        let head = names
            .iter()
            .take(10)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        return format!("{head} and {} more", names.len() - 10);
    }
    match names.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, head)) => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_matched_and_a_different_word_is_not() {
        let known = ["authorization_rate", "payment_volume"];
        assert_eq!(
            did_you_mean("authorisation_rate", known).as_deref(),
            Some("did you mean 'authorization_rate'?")
        );
        assert_eq!(did_you_mean("shipments", known), None);
    }

    #[test]
    fn names_are_listed_as_a_sentence() {
        assert_eq!(listed([]), "none");
        assert_eq!(listed(["a"]), "'a'");
        assert_eq!(listed(["a", "b", "c"]), "'a', 'b' and 'c'");
        let many: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert!(listed(many.iter().map(String::as_str)).ends_with("and 2 more"));
    }
}
