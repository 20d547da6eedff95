//! The signature of a webhook: `Tillwatch-Signature: t=<seconds>,v1=<hex>`, where the hex is
//! HMAC-SHA256 of the time, a dot and the body, under the channel's secret.
//!
//! Signing the time with the body keeps an old message from being sent again by somebody else.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::definition::Secret;

/// Name of the header.
pub const HEADER: &str = "Tillwatch-Signature";
/// How far the time in a signature may be off, in seconds: the default for receivers.
pub const TOLERANCE_S: i64 = 300;
/// Signatures in one header that are looked at.
const SIGNATURES_MAX: usize = 8;

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header has no readable time or no `v1`.
    #[error("the signature header is malformed")]
    Malformed,
    /// The time is too far from the receiver's.
    #[error("the signature's time is out of tolerance")]
    Expired,
    /// No signature of the header fits the body.
    #[error("the signature does not fit the body")]
    Mismatch,
}

/// The header's value for `body` at `at_s`, seconds since the epoch.
#[must_use]
pub fn sign(secret: &Secret, at_s: i64, body: &[u8]) -> String {
    let Some(mac) = mac(secret, at_s, body) else {
        return format!("t={at_s}");
    };
    let bytes = mac.finalize().into_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at_s},v1={hex}")
}

/// Checks the header's value against the body as it was received. `now_s` is the receiver's time.
/// The comparison takes the same time wherever the first difference is.
///
/// # Errors
/// The header is malformed, its time is out of tolerance, or it does not fit the body.
pub fn verify(
    secret: &Secret,
    header: &str,
    body: &[u8],
    now_s: i64,
    tolerance_s: i64,
) -> Result<(), SignatureError> {
    let parts = || {
        header
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
    };
    let at_s = parts()
        .find_map(|(key, value)| (key == "t").then(|| value.parse::<i64>().ok())?)
        .ok_or(SignatureError::Malformed)?;
    let given: Vec<Vec<u8>> = parts()
        .filter(|(key, _)| *key == "v1")
        .take(SIGNATURES_MAX)
        .filter_map(|(_, hex)| from_hex(hex))
        .collect();
    if given.is_empty() {
        return Err(SignatureError::Malformed);
    }
    if now_s.abs_diff(at_s) > tolerance_s.unsigned_abs() {
        return Err(SignatureError::Expired);
    }
    let fits = |given: &Vec<u8>| {
        mac(secret, at_s, body).is_some_and(|mac| mac.verify_slice(given).is_ok())
    };
    if given.iter().any(fits) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// HMAC takes a key of any length, so this is always some.
fn mac(secret: &Secret, at_s: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).ok()?;
    mac.update(at_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..32)
        .map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::from_bytes(text).unwrap()
    }

    #[test]
    fn the_signature_is_the_documented_hmac() {
        // Computed with Python's hmac module.
        let header = sign(&secret("0123456789abcdef"), 1_700_000_000, b"{\"a\":1}");
        let hex = include_str!("signature_example.txt").trim();
        assert_eq!(header, format!("t=1700000000,v1={hex}"));
    }

    #[test]
    fn a_signature_fits_only_its_own_body_time_and_secret() {
        let key = secret("0123456789abcdef");
        let header = sign(&key, 1000, b"body");
        let check = |key: &Secret, header: &str, body: &[u8], now| {
            verify(key, header, body, now, TOLERANCE_S)
        };
        assert_eq!(check(&key, &header, b"body", 1000), Ok(()));
        assert_eq!(check(&key, &header, b"body", 1300), Ok(()));
        assert_eq!(
            check(&key, &header, b"body", 1301),
            Err(SignatureError::Expired)
        );
        assert_eq!(
            check(&key, &header, b"body", 699),
            Err(SignatureError::Expired)
        );
        assert_eq!(
            check(&key, &header, b"bodY", 1000),
            Err(SignatureError::Mismatch)
        );
        let other = secret("0123456789abcdeF");
        assert_eq!(
            check(&other, &header, b"body", 1000),
            Err(SignatureError::Mismatch)
        );
        let moved = header.replace("t=1000", "t=1001");
        assert_eq!(
            check(&key, &moved, b"body", 1000),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn one_of_several_signatures_is_enough_while_a_secret_is_changed() {
        let (old, new) = (secret("0123456789abcdef"), secret("fedcba9876543210"));
        let second = sign(&new, 1000, b"body").replace("t=1000,", "");
        let header = format!("{},{second}", sign(&old, 1000, b"body"));
        assert_eq!(verify(&old, &header, b"body", 1000, 300), Ok(()));
        assert_eq!(verify(&new, &header, b"body", 1000, 300), Ok(()));
    }

    #[test]
    fn malformed_headers_are_refused() {
        let key = secret("0123456789abcdef");
        let long = format!("t=1,v1={}", "é".repeat(32));
        for header in [
            "",
            "t=1",
            "v1=00",
            "t=x,v1=00",
            "t=1,v1=zz",
            "t=1;v1=00",
            &long,
        ] {
            let refused = verify(&key, header, b"", 1, 300);
            assert_eq!(refused, Err(SignatureError::Malformed), "{header}");
        }
    }
}
