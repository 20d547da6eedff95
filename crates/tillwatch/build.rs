//! Makes the program smaller where the linker and the system can: functions of the same code are kept once, and the
//! addresses that are set at start take a bit each in place of 24 bytes.

use std::process::Command;

/// The first version of the C library that understands the short form of addresses.
const SHORT_ADDRESSES_FROM: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=TILLWATCH_PLAIN_LINK");
    let is = |name: &str, value: &str| std::env::var(name).as_deref() == Ok(value);
    // Only there Rust brings a linker that can do it, LLD; whoever takes another sets the variable.
    if !is("TARGET", "x86_64-unknown-linux-gnu") || is("TILLWATCH_PLAIN_LINK", "1") {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    // What is built for other machines (`make dist`) must start with an older library, too.
    if !is("PROFILE", "release") {
        return;
    }
    let library = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let version = library
        .ok()
        .and_then(|told| version(&String::from_utf8_lossy(&told.stdout)));
    if version.is_some_and(|version| version >= SHORT_ADDRESSES_FROM) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// From `glibc 2.36` to (2, 36).
fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
