//! What the machine tells about memory.
//!
//! Linux tells in files. Elsewhere nothing is known: limits that depend on it have fixed defaults there.

use std::fs;
use std::path::{Path, PathBuf};

/// Where control groups are.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes of memory this process may use at most: the machine's, or what its control group allows if that is
/// less.
#[must_use]
pub fn memory_bytes() -> Option<usize> {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| kibibytes(&text, "MemTotal:"));
    let group = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| group_limit(&text, Path::new(GROUPS)));
    machine.into_iter().chain(group).min()
}

/// Bytes of memory that this process has in use.
#[must_use]
pub fn resident_bytes() -> Option<usize> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&text, "VmRSS:")
}

/// The figure of a line such as `MemTotal:  24689764 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number = line.split_whitespace().next()?;
    number.parse::<usize>().ok()?.checked_mul(1 << 10)
}

/// The least limit of a control group and all those around it, of either version.
fn group_limit(own: &str, groups: &Path) -> Option<usize> {
    own.lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let (root, file) = match controllers {
                "" => (groups.to_owned(), "memory.max"),
                "memory" => (groups.join("memory"), "memory.limit_in_bytes"),
                _ => return None,
            };
            limit_of(&root, path, file)
        })
        .min()
}

fn limit_of(root: &Path, path: &str, file: &str) -> Option<usize> {
    let folder: PathBuf = root.join(path.trim_start_matches('/'));
    folder
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| fs::read_to_string(folder.join(file)).ok())
        // A group without a limit says `max`, or a number near the largest.
        .filter_map(|text| text.trim().parse::<usize>().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_system_are_read_in_bytes() {
        let text = "MemTotal:       24689764 kB\nMemFree:  1 kB\n";
        assert_eq!(kibibytes(text, "MemTotal:"), Some(24_689_764 << 10));
        assert_eq!(kibibytes(text, "VmRSS:"), None);
        assert_eq!(kibibytes("VmRSS: many kB", "VmRSS:"), None);
    }

    #[test]
    fn the_least_limit_of_a_group_and_those_around_it_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let limit = |own: &str| group_limit(own, root.path());
        assert_eq!(limit("0::/a/b\n"), None);
        write("a/b/memory.max", "max\n");
        assert_eq!(limit("0::/a/b\n"), None);
        write("a/memory.max", "1000\n");
        assert_eq!(limit("0::/a/b\n"), Some(1_000));
        write("a/b/memory.max", "700\n");
        assert_eq!(limit("0::/a/b\n"), Some(700));
        write("memory/c/memory.limit_in_bytes", "500\n");
        assert_eq!(limit("4:memory:/c\n0::/a/b\n5:cpu:/c\n"), Some(500));
        assert_eq!(limit("nothing of the kind"), None);
    }
}
