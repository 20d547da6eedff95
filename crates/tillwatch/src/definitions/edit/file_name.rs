//! Names of files that are made in the definitions folder.

/// Characters of a path in the folder.
const PATH_CHARS_MAX: usize = 200;
/// Folders and the file of a path.
const STEPS_MAX: usize = 5;

/// Whether a file of that path may be made: names of letters, digits, `-`, `_` and `.` between slashes, none of them hidden, the
/// last with the end of a definitions file. Letters beyond ASCII are not made, as some file systems write one name in two ways.
///
/// # Errors
/// What is wrong with it.
pub fn check(path: &str) -> Result<(), String> {
    if path.is_empty() || path.len() > PATH_CHARS_MAX {
        return Err(format!("a path has 1 to {PATH_CHARS_MAX} characters"));
    }
    let steps: Vec<&str> = path.split('/').collect();
    if steps.len() > STEPS_MAX {
        return Err(format!("a path has at most {STEPS_MAX} names"));
    }
    for step in &steps {
        if step.is_empty() {
            return Err("a path is relative, with one slash between two names".to_owned());
        }
        if step.starts_with('.') {
            return Err(format!(
                "'{step}' begins with a dot, and what is hidden is not read"
            ));
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if let Some(other) = step.chars().find(|c| !legal(*c)) {
            return Err(format!(
                "names have letters of ASCII, digits, -, _ and ., and not {other:?}"
            ));
        }
    }
    let file = steps.last().copied().unwrap_or_default();
    match file.rsplit_once('.') {
        Some((stem, "yaml" | "yml")) if !stem.is_empty() => Ok(()),
        _ => Err("the name of a definitions file ends with .yaml or .yml".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else_and_is_read() {
        for path in ["a.yaml", "teams/shop/monitors.yml", "A-b_1.2.yaml"] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
        let long = format!("{}.yaml", "x".repeat(200));
        for path in [
            "",
            "/etc/a.yaml",
            "../a.yaml",
            "a/../b.yaml",
            "a//b.yaml",
            "a/",
            "./a.yaml",
            ".a.yaml",
            ".git/a.yaml",
            "a.txt",
            "a.YAML",
            "yaml",
            ".yaml",
            "a b.yaml",
            "ä.yaml",
            "a\0.yaml",
            "a\\b.yaml",
            "C:a.yaml",
            "a.yaml/",
            "a.yaml\n",
            "e\u{301}.yaml",
            "a/b/c/d/e/f.yaml",
            &long,
        ] {
            assert!(check(path).is_err(), "{path:?}");
        }
    }
}
