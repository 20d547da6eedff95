//! Tokens of the catalogue.

use std::sync::Arc;

use tillwatch_monitor::catalogue::{Catalogue, KeptToken};

use crate::ports::Tokens;

/// Tokens in the catalogue of the data folder.
pub struct KeptTokens {
    catalogue: Arc<Catalogue>,
}

impl KeptTokens {
    /// Of this catalogue.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        Self { catalogue }
    }
}

impl Tokens for KeptTokens {
    fn all(&self) -> Result<Vec<KeptToken>, String> {
        self.catalogue.tokens().map_err(|fault| fault.to_string())
    }

    fn used(&self, used: &[(i64, i64)]) -> Result<(), String> {
        let noted = self.catalogue.tokens_used(used);
        noted.map_err(|fault| fault.to_string())
    }
}
