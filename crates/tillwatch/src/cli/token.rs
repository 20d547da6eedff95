//! `token` on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use tillwatch_monitor::catalogue::TokenRole;

use crate::definitions::scalar::parse_duration;

/// Options of `token`.
#[derive(Debug, Clone, Args)]
pub struct Token {
    /// What to do with tokens.
    #[command(subcommand)]
    pub action: TokenAction,
}

/// What is done with tokens.
#[derive(Debug, Clone, Subcommand)]
pub enum TokenAction {
    /// Make a token. It is printed once, on standard output, and only its hash is kept.
    #[command(
        after_help = "Example:\n  tillwatch token create --name shop --role ingest --data ./data\n  tillwatch token create --name ann --role admin --expires 90d --data ./data\n\nRoles:\n  ingest   sends events, and nothing else\n  read     looks at everything\n  operate  reads, sends events, acts on incidents, saves boards, replays the quarantine\n  admin    may do everything\n\nA server that runs on the data folder knows the token within seconds. Once a token was made, the server asks for one."
    )]
    Create(CreateToken),
    /// Show the tokens there are: never the tokens themselves.
    #[command(after_help = "Example:\n  tillwatch token list --data ./data")]
    List(ListTokens),
    /// Revoke a token. A server that runs on the data folder refuses it within seconds, and ends live streams that were opened with it.
    #[command(after_help = "Example:\n  tillwatch token revoke shop --data ./data")]
    Revoke(RevokeToken),
}

/// Options of `token create`.
#[derive(Debug, Clone, Args)]
pub struct CreateToken {
    /// Whose it is, or what for: letters, digits and -_.@. It stands beside what is done with the token.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// What it may do.
    #[arg(long, value_parser = role())]
    pub role: TokenRole,
    /// How long it lasts, such as 90d; until it is revoked when absent.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub expires: Option<Duration>,
    /// The data folder; made when it is not there.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_DATA")]
    pub data: PathBuf,
    /// The folder with the definitions, for its limits (limits.http.tokens_max and token_name_chars_max); the defaults
    /// when absent.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Options of `token list`.
#[derive(Debug, Clone, Args)]
pub struct ListTokens {
    /// The data folder.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_DATA")]
    pub data: PathBuf,
    /// Print them as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `token revoke`.
#[derive(Debug, Clone, Args)]
pub struct RevokeToken {
    /// The token's name.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The data folder.
    #[arg(long, value_name = "DIR", env = "TILLWATCH_DATA")]
    pub data: PathBuf,
}

fn role() -> impl TypedValueParser<Value = TokenRole> {
    PossibleValuesParser::new(TokenRole::ALL.map(TokenRole::name))
        .try_map(|name| TokenRole::from_name(&name).ok_or("there is no such role"))
}
