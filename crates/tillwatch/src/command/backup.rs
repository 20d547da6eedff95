//! `backup` and `restore`: all of a data folder at one moment, and back.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::client::ServerClient;
use crate::cli::{Backup, Restore};
use crate::engine::backup::{BackupReport, back_up_offline, restore as restored};
use crate::terminal::{self, thousands};

/// Between two looks at how far a server is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Backs up.
pub async fn run(options: Backup) -> Result<ExitCode> {
    let (Some(config), Some(data), Some(out)) = (options.config, options.data, options.out) else {
        return of_server(&ServerClient::new(&options.server)?, options.name).await;
    };
    let Some(loaded) = super::load(&config) else {
        return Ok(ExitCode::from(1));
    };
    let place = out.display().to_string();
    let report = tokio::task::spawn_blocking(move || back_up_offline(&data, &loaded, &out));
    told(&place, &report.await.context("backing up panicked")??);
    Ok(ExitCode::SUCCESS)
}

/// Asks a server for a backup and waits for it.
async fn of_server(client: &ServerClient, name: Option<String>) -> Result<ExitCode> {
    let request = client
        .post("/v1/backup")?
        .json(&serde_json::json!({ "name": name }));
    let begun: Value = serde_json::from_str(&client.send(request).await?.text().await?)?;
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text(&begun, "name").context("the server's answer is none of ours")?;
    loop {
        let answer = client.send(client.get("/v1/backup")?).await?;
        let answer: Value = serde_json::from_str(&answer.text().await?)?;
        let backup = answer.get("backup").cloned().unwrap_or_default();
        if text(&backup, "name").as_ref() != Some(&name) {
            bail!("the server was started anew before the backup ended");
        }
        match text(&backup, "state").as_deref() {
            Some("running") => tokio::time::sleep(LOOK_EVERY).await,
            Some("done") => {
                let number = |key: &str| backup.get(key).and_then(Value::as_u64).unwrap_or(0);
                let report = BackupReport {
                    files: number("files"),
                    bytes: number("bytes"),
                };
                told(&text(&backup, "path").unwrap_or(name), &report);
                return Ok(ExitCode::SUCCESS);
            }
            _ => bail!(
                "{}",
                text(&backup, "fault").unwrap_or_else(|| "the backup failed".to_owned())
            ),
        }
    }
}

/// Makes a data folder from a backup.
pub async fn restore(options: Restore) -> Result<ExitCode> {
    let place = options.data.display().to_string();
    let report = tokio::task::spawn_blocking(move || {
        let bar = terminal::bytes_bar("  restoring", 0);
        let report = restored(&options.from, &options.data, &|done, all| {
            bar.set_length(all);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        report
    });
    told(&place, &report.await.context("restoring panicked")??);
    Ok(ExitCode::SUCCESS)
}

fn told(place: &str, report: &BackupReport) {
    terminal::line(format!(
        "{place}: {} files, {} bytes",
        thousands(report.files),
        thousands(report.bytes)
    ));
}
