//! `backup` and `restore`: all of a data folder at one moment, and back.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use super::client::ServerClient;
use crate::cli::{Backup, Restore};
use crate::engine::backup::{BackupReport, back_up_offline, restore as restored};
use crate::terminal::{self, thousands};

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
    let request = serde_json::json!({ "name": name });
    let backup = client.wait_for("/v1/backup", "backup", &request, &|_| ());
    let backup = backup.await?;
    let number = |key: &str| backup.get(key).and_then(Value::as_u64).unwrap_or(0);
    let report = BackupReport {
        files: number("files"),
        bytes: number("bytes"),
    };
    let path = backup.get("path").and_then(Value::as_str);
    told(path.unwrap_or_default(), &report);
    Ok(ExitCode::SUCCESS)
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
