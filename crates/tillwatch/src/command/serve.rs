//! `serve`: run the server.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use reqwest::Url;

use crate::cli::Serve;
use crate::engine::editing::DefinitionsSource;
use crate::engine::{Engine, Links, Options, watch_folder};
use crate::terminal;

/// Runs until stopped.
pub async fn run(options: Serve) -> Result<ExitCode> {
    let Some(loaded) = super::load(&options.folders.config) else {
        return Ok(ExitCode::from(1));
    };
    let mut hosts = options.allow_host;
    // Behind a proxy on this machine, browsers ask for the public name. Beyond loopback any name
    // will do as long as none is listed.
    if options.listen.ip().is_loopback()
        && let Some(host) = options.public_url.as_ref().and_then(Url::host_str)
    {
        hosts.push(host.to_owned());
    }
    let start = Options {
        data: options.folders.data,
        listen: options.listen,
        tokens: tokens(),
        hosts,
        links: options.public_url.map_or(Links::None, Links::To),
        backups: options.backups,
        definitions: DefinitionsSource::Folder {
            dir: options.folders.config.clone(),
            read_only: options.read_only_definitions,
        },
    };
    let (engine, journal) = Engine::start(start, &loaded).await?;
    terminal::line(format!("tillwatch listens on http://{}", engine.address()));
    for (channel, variable) in &loaded.inactive_channels {
        terminal::line(format!(
            "channel '{channel}' is inactive: {variable} is not set"
        ));
    }
    let stop = super::stop::requested(None);
    tokio::pin!(stop);
    tokio::select! {
        recovered = engine.recover(journal, Arc::clone(&loaded)) => {
            recovered?;
            terminal::line("ready");
            watch_folder(&engine, options.folders.config, loaded.digest)?;
            stop.await?;
        }
        stopped = &mut stop => stopped?,
    }
    terminal::line("stopping");
    engine.stop().await;
    engine.finished().await;
    Ok(ExitCode::SUCCESS)
}

/// The tokens of the environment; several are separated by commas, for rotation.
pub fn tokens() -> Vec<String> {
    let text = std::env::var("TILLWATCH_TOKEN").unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Reads an address to listen on: an IP address or the name of a host, and a port. Of a name's
/// addresses the first of version 4 is taken, as `127.0.0.1` for `localhost`, else the first.
///
/// # Errors
/// The text is no such thing, or the name does not resolve; the reason says what to write.
pub fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let hint = "write an address or a host name, and a port, such as 127.0.0.1:7878";
    let found: Vec<_> = text
        .to_socket_addrs()
        .map_err(|cause| format!("{cause}; {hint}"))?
        .collect();
    let version_4 = found.iter().find(|address| address.is_ipv4());
    version_4
        .or(found.first())
        .copied()
        .ok_or_else(|| format!("the name has no address; {hint}"))
}
