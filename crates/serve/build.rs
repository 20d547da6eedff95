//! Lets the crate be built anew when the web has been.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    let dist = web.join("dist");
    // Cargo looks at every file below a watched folder, so as little as possible is watched; a path that does not exist
    // would have the crate built anew every time.
    let watched = if dist.is_dir() {
        dist
    } else {
        web.join("package.json")
    };
    if watched.exists() {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
}
