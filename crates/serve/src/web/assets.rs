//! Serving files: kept compressed, cached by browsers for as long as that is right.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::problem::{Problem, Slug};
use crate::web::embedded::{Embedded, NOT_BUILT};

/// The page that is served for every address of the web that is no file; the web routes by itself.
const INDEX: &str = "index.html";

/// Where the build puts files whose names contain a hash of what is in them.
const HASHED: &str = "assets/";

/// The files of the web.
#[derive(Clone, Default)]
pub struct Assets {
    files: Arc<HashMap<String, File>>,
}

struct File {
    content_type: HeaderValue,
    etag: HeaderValue,
    content: Content,
}

enum Content {
    /// Sent as it is.
    Plain(Bytes),
    /// Sent as it is to those who take gzip.
    Packed {
        gzip: Bytes,
        /// For those who do not, unpacked when the first asks.
        plain: OnceLock<Bytes>,
    },
}

impl Assets {
    /// The files built into this binary.
    #[must_use]
    pub fn embedded() -> Self {
        Self::from_files(Embedded::iter().filter_map(|path| {
            let file = Embedded::get(&path)?;
            Some((path.into_owned(), file.data.into_owned()))
        }))
    }

    /// Any files, by their path without a leading slash; what ends in `.gz` is gzipped, and served
    /// under the name before that.
    #[must_use]
    pub fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut all = HashMap::new();
        for (path, content) in files {
            let (path, content) = match path.strip_suffix(".gz") {
                Some(name) => (name.to_owned(), Content::packed(content)),
                None => (path, Content::Plain(content.into())),
            };
            let file = File::new(&path, content);
            all.insert(path, file);
        }
        all.entry(INDEX.to_owned())
            .or_insert_with(|| File::new(INDEX, Content::Plain(NOT_BUILT.as_bytes().into())));
        Self {
            files: Arc::new(all),
        }
    }

    /// Answers a request for the web.
    pub(crate) fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return Problem::new(Slug::MethodNotAllowed, "Pages can only be read.").into_response();
        }
        let path = path.trim_start_matches('/');
        if let Some(file) = self.files.get(path) {
            return file.answer(headers, path.starts_with(HASHED));
        }
        // A missing script must not be answered with a page, or browsers report nonsense.
        let looks_like_a_file = path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.contains('.'));
        if path.starts_with(HASHED) || looks_like_a_file {
            return Problem::new(Slug::NotFound, "There is no such file.").into_response();
        }
        match self.files.get(INDEX) {
            Some(index) => index.answer(headers, false),
            None => Problem::new(Slug::NotFound, "There is no such page.").into_response(),
        }
    }
}

impl File {
    fn new(path: &str, content: Content) -> Self {
        let content_type = content_type(path);
        let hash = Sha256::digest(content.stored());
        let mut etag = String::from("W/\"");
        for byte in hash.iter().take(16) {
            // Writing to a String cannot fail.
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        Self {
            content_type: HeaderValue::from_static(content_type),
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("W/\"0\"")),
            content,
        }
    }

    fn answer(&self, request: &HeaderMap, hashed: bool) -> Response {
        let (content, is_gzip) = self.content.to_send(accepts_gzip(request));
        let fresh = request
            .get(header::IF_NONE_MATCH)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|known| self.matches(known));
        let mut response = if fresh {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            content.into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let caching = if hashed {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        if is_gzip && !fresh {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn matches(&self, known: &str) -> bool {
        known
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag.as_bytes() == self.etag.as_bytes())
    }
}

impl Content {
    fn packed(gzip: Vec<u8>) -> Self {
        Self::Packed {
            gzip: gzip.into(),
            plain: OnceLock::new(),
        }
    }

    fn stored(&self) -> &[u8] {
        match self {
            Self::Plain(content) | Self::Packed { gzip: content, .. } => content,
        }
    }

    /// What to send, and whether that is gzipped.
    fn to_send(&self, accepts_gzip: bool) -> (Bytes, bool) {
        match self {
            Self::Plain(content) => (content.clone(), false),
            Self::Packed { gzip, .. } if accepts_gzip => (gzip.clone(), true),
            Self::Packed { gzip, plain } => {
                let unpacked = plain.get_or_init(|| {
                    let mut content = Vec::new();
                    // The build packed it, so it unpacks.
                    let _ = GzDecoder::new(gzip.as_ref()).read_to_end(&mut content);
                    content.into()
                });
                (unpacked.clone(), false)
            }
        }
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
    else {
        return false;
    };
    accepted.split(',').any(|part| {
        let mut parts = part.split(';').map(str::trim);
        let gzip = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|p| {
            p.strip_prefix("q=")
                .and_then(|q| q.parse::<f32>().ok())
                .is_some_and(|q| q <= 0.0)
        });
        gzip && !refused
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
