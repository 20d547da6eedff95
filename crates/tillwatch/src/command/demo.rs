//! `demo`: two weeks of traffic, then live, with an incident in the first minute.

mod receiver;
mod traffic;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow};

use crate::cli::Demo;
use crate::definitions::{Folder, Loaded, load::finish};
use crate::engine::editing::DefinitionsSource;
use crate::engine::{Engine, Links, Options};
use crate::terminal;
use receiver::Receiver;
use traffic::Traffic;

/// The definitions of the demo.
const TEXT: &str =
    "packs: [payments, commerce]\nlimits: {process: {lateness_ms: 5s, source_idle_ms: 5s}}\n";

/// Runs the demo until stopped.
pub async fn run(options: Demo) -> Result<ExitCode> {
    let receiver = Receiver::start().await?;
    let loaded = Arc::new(definitions(&receiver)?);
    terminal::line("Tillwatch demo: an online shop with four payment providers.");
    let start = Options {
        data: options.data.clone(),
        listen: options.listen,
        tokens: super::serve::tokens(),
        hosts: Vec::new(),
        links: Links::Address,
        backups: None,
        definitions: DefinitionsSource::BuiltIn(TEXT.to_owned()),
    };
    let (engine, journal) = Engine::start(start, &loaded).await?;
    let address = engine.address();
    let stop = super::stop::requested(None);
    tokio::pin!(stop);
    let story = async {
        engine.recover(journal, Arc::clone(&loaded)).await?;
        let mut traffic = Traffic::new(&engine, &options).await?;
        traffic.fill().await?;
        terminal::line(format!("  board     http://{address}/"));
        terminal::line(format!(
            "  SQL       tillwatch sql --server http://{address} \"select psp, measure(authorization_rate) from payment_attempts group by psp\""
        ));
        terminal::line("  stop      Ctrl-C; the next start goes on from here");
        traffic.live(options.stop_after).await
    };
    tokio::select! {
        told = story => told?,
        stopped = &mut stop => stopped?,
    }
    terminal::line("stopping");
    engine.stop().await;
    engine.finished().await;
    terminal::line(format!(
        "stopped; the data is in {}",
        options.data.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Both packs, with the channel led to the built-in receiver and figures judged soon.
fn definitions(receiver: &Receiver) -> Result<Loaded> {
    let mut folder = Folder::default();
    folder.add(Path::new("demo.yaml").to_owned(), TEXT, true);
    for channel in &mut folder.channels {
        channel.value.url = Some(receiver.url());
        channel.value.allow_private = true;
    }
    let environment = |name: &str| name.ends_with("_SECRET").then(|| receiver.secret());
    finish(folder, &environment).map_err(|faults| {
        let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
        anyhow!("the built-in packs are at fault:\n{}", lines.join("\n"))
    })
}
