//! Who calls and what they may do.

use serde::Serialize;
use utoipa::ToSchema;

/// Who calls, by their token, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessDocument {
    /// Whether the server asks for a token.
    pub required: bool,
    /// The token's name; null without one, and of one of the environment.
    pub name: Option<String>,
    /// The token's role: `ingest`, `read`, `operate` or `admin`. Without tokens everybody is `admin`.
    pub role: String,
    /// What the role may do: of `read`, `ingest`, `operate`, `define` and `administer`.
    pub may: Vec<String>,
    /// When the token is over, RFC 3339; null when it lasts.
    pub expires_at: Option<String>,
}
