//! Decompression with a cap: a bomb ends at the limit, not in memory.

use std::borrow::Cow;
use std::io::Read;

use super::DecodeError;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Not at all.
    #[default]
    Identity,
    /// gzip (RFC 1952), several members allowed.
    Gzip,
    /// Zstandard (RFC 8878), several frames allowed.
    Zstd,
}

impl Encoding {
    /// The encoding that a `Content-Encoding` names.
    ///
    /// # Errors
    /// When it is not known; several encodings on top of each other are not.
    pub fn from_header(value: &str) -> Result<Self, DecodeError> {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(DecodeError::UnknownEncoding(
                value.chars().take(60).collect(),
            )),
        }
    }

    /// The encoding that a file's ending suggests.
    #[must_use]
    pub fn from_file_name(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        match lower.rsplit_once('.') {
            Some((_, "gz")) => Self::Gzip,
            Some((_, "zst")) => Self::Zstd,
            _ => Self::Identity,
        }
    }
}

/// The most memory a zstd frame may ask for its window: 2^23 bytes (8 MiB), what RFC 8878 asks
/// every decoder to support.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Decompresses a body to at most `bytes_max` bytes; a body that is not compressed is borrowed.
///
/// # Errors
/// [`DecodeError::BodyTooLarge`] over the limit, [`DecodeError::Compression`] for damaged bytes.
pub fn decompress(
    encoding: Encoding,
    body: &[u8],
    bytes_max: usize,
) -> Result<Cow<'_, [u8]>, DecodeError> {
    match encoding {
        Encoding::Identity if body.len() > bytes_max => {
            Err(DecodeError::BodyTooLarge { bytes_max })
        }
        Encoding::Identity => Ok(Cow::Borrowed(body)),
        Encoding::Gzip => read_capped(
            "gzip",
            flate2::bufread::MultiGzDecoder::new(body),
            body,
            bytes_max,
        ),
        Encoding::Zstd => {
            let fault = |e: std::io::Error| DecodeError::Compression {
                encoding: "zstd",
                reason: e.to_string(),
            };
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(fault)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(fault)?;
            read_capped("zstd", decoder, body, bytes_max)
        }
    }
}

fn read_capped(
    encoding: &'static str,
    reader: impl Read,
    body: &[u8],
    bytes_max: usize,
) -> Result<Cow<'static, [u8]>, DecodeError> {
    // Most bodies shrink to a quarter or less; the rest grows the buffer a few times.
    let mut out = Vec::with_capacity(body.len().saturating_mul(4).min(bytes_max));
    let limit = (bytes_max as u64).saturating_add(1);
    reader
        .take(limit)
        .read_to_end(&mut out)
        .map_err(|e| DecodeError::Compression {
            encoding,
            reason: e.to_string(),
        })?;
    if out.len() > bytes_max {
        return Err(DecodeError::BodyTooLarge { bytes_max });
    }
    Ok(Cow::Owned(out))
}
