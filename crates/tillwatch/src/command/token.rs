//! `token`: make, list and revoke access tokens of a data folder, also while a server runs on it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_event::time::rfc3339;
use tillwatch_monitor::catalogue::{KeptToken, NewToken, TokenCreation};
use tillwatch_serve::{IssuedToken, Limits, check_token_name};

use crate::cli::{CreateToken, ListTokens, RevokeToken, Token, TokenAction};
use crate::engine::{catalogue_of, open_catalogue};
use crate::terminal;

/// Does it.
pub fn run(options: Token) -> Result<ExitCode> {
    match options.action {
        TokenAction::Create(options) => create(&options),
        TokenAction::List(options) => list(&options),
        TokenAction::Revoke(options) => revoke(&options),
    }
}

/// Prints the token alone on standard output, so that a script can take it, and what there is to say on the other.
fn create(options: &CreateToken) -> Result<ExitCode> {
    let limits = match &options.config {
        Some(config) => match super::load(config) {
            Some(loaded) => loaded.limits.http.clone(),
            None => return Ok(ExitCode::from(1)),
        },
        None => Limits::default(),
    };
    let name = &options.name;
    check_token_name(name, limits.token_name_chars_max)
        .with_context(|| format!("'{name}' is no name for a token"))?;
    let now_us = SystemClock.now_us();
    let expires_at_us = match options.expires {
        Some(lasting) => Some(end(now_us, lasting)?),
        None => None,
    };
    let issued = IssuedToken::make()?;
    let new = NewToken {
        name: name.clone(),
        role: options.role,
        hash: issued.hash(),
        expires_at_us,
    };
    match open_catalogue(&options.data)?.create_token(&new, limits.tokens_max, now_us)? {
        TokenCreation::Created => {}
        TokenCreation::Taken => {
            bail!("there is a token '{name}'; revoke it first, or take another name")
        }
        TokenCreation::Full => bail!(
            "there are {} tokens, which is the limit (limits.http.tokens_max); revoke one first",
            limits.tokens_max
        ),
    }
    let lasting = expires_at_us.map_or_else(
        || "until it is revoked".to_owned(),
        |at_us| format!("until {}", time(at_us)),
    );
    terminal::line(issued.reveal());
    terminal::complain(format!(
        "The token '{name}' has the role '{}' and lasts {lasting}. Keep it now: it is not shown again.",
        options.role.name()
    ));
    Ok(ExitCode::SUCCESS)
}

fn end(now_us: i64, lasting: Duration) -> Result<i64> {
    if lasting.is_zero() {
        bail!("a token that lasts no time is of no use; write --expires 90d, say");
    }
    i64::try_from(lasting.as_micros())
        .ok()
        .and_then(|us| now_us.checked_add(us))
        .filter(|at_us| rfc3339(*at_us).is_some())
        .context("--expires is too long; leave it out for a token that lasts until it is revoked")
}

fn list(options: &ListTokens) -> Result<ExitCode> {
    let tokens = catalogue_of(&options.data)?.tokens()?;
    let now_us = SystemClock.now_us();
    if options.json {
        let tokens: Vec<_> = tokens
            .iter()
            .map(|kept| {
                json!({
                    "name": kept.token.name,
                    "role": kept.token.role.name(),
                    "state": state(kept, now_us),
                    "created_at": time(kept.created_at_us),
                    "expires_at": kept.token.expires_at_us.map(time),
                    "last_used_at": kept.last_used_at_us.map(time),
                    "revoked_at": kept.revoked_at_us.map(time),
                })
            })
            .collect();
        terminal::line(json!({ "tokens": tokens }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if tokens.is_empty() {
        terminal::line("there are no tokens; `tillwatch token create` makes one");
        return Ok(ExitCode::SUCCESS);
    }
    let header = ["name", "role", "state", "created", "expires", "last used"];
    let or_dash = |at_us: Option<i64>| at_us.map_or_else(|| "-".to_owned(), time);
    let rows: Vec<Vec<String>> = tokens
        .iter()
        .map(|kept| {
            vec![
                kept.token.name.clone(),
                kept.token.role.name().to_owned(),
                state(kept, now_us).to_owned(),
                time(kept.created_at_us),
                or_dash(kept.token.expires_at_us),
                or_dash(kept.last_used_at_us),
            ]
        })
        .collect();
    terminal::table(&header.map(str::to_owned), &rows);
    Ok(ExitCode::SUCCESS)
}

fn revoke(options: &RevokeToken) -> Result<ExitCode> {
    let catalogue = catalogue_of(&options.data)?;
    let (name, now_us) = (&options.name, SystemClock.now_us());
    if !catalogue.revoke_token(name, now_us)? {
        let tokens = catalogue.tokens()?;
        let names: Vec<_> = tokens
            .iter()
            .filter(|kept| kept.revoked_at_us.is_none())
            .map(|kept| kept.token.name.as_str())
            .collect();
        match names.as_slice() {
            [] => bail!("there is no token '{name}', nor any other that is not revoked"),
            _ => bail!(
                "there is no token '{name}'; there are: {}",
                names.join(", ")
            ),
        }
    }
    terminal::line(format!(
        "the token '{name}' is revoked; a running server refuses it within seconds"
    ));
    Ok(ExitCode::SUCCESS)
}

fn state(kept: &KeptToken, now_us: i64) -> &'static str {
    if kept.revoked_at_us.is_some() {
        "revoked"
    } else if kept.is_expired(now_us) {
        "expired"
    } else {
        "valid"
    }
}

/// A time to the second: nobody asks for more of a token.
fn time(at_us: i64) -> String {
    rfc3339(at_us - at_us.rem_euclid(1_000_000)).unwrap_or_else(|| at_us.to_string())
}
