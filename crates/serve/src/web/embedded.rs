//! The files of the built web.

use rust_embed::RustEmbed;

/// `web/packed` as it was when this crate was compiled, texts gzipped under their name and `.gz`; empty when
/// the web had not been built.
#[derive(RustEmbed)]
#[folder = "../../web/packed"]
#[allow_missing = true]
pub(super) struct Embedded;

/// Served when the web has not been built.
pub(super) const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Tillwatch</title></head>\n\
<body>\n<h1>Tillwatch is running</h1>\n<p>This binary was built without its web pages. Build them with <code>make web</code>, then build \
the binary again.</p>\n<p>The API answers: <a href=\"/v1/status\">status</a>, <a href=\"/openapi.json\">OpenAPI document</a>.</p>\n\
</body>\n</html>\n";
