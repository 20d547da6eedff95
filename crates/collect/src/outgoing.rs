//! Clients for calls to other machines.

/// Builds a client of what `prepare` says.
///
/// A bare container has no certificates of authorities. Its client still reaches plain `http`, and refuses every `https`.
///
/// # Errors
/// The client cannot be built.
pub fn http_client(
    prepare: impl Fn() -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, reqwest::Error> {
    // Of several in one process the first stays, and all are the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    prepare().build().or_else(|error| {
        tracing::warn!(%error, "no certificates of authorities: https will be refused");
        prepare().tls_certs_only(None).build()
    })
}
