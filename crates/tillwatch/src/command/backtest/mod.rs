//! `backtest`: what a monitor, existing or proposed, would have found in the past.

mod files;
mod report;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use tillwatch_serve::documents::BacktestRequest;
use tillwatch_serve::ports::Backtests;
use tokio::runtime::Handle;

use super::client::{ServerClient, problem_text};
use crate::cli::Backtest;
use crate::definitions::names::check_name;
use crate::engine::backtesting::of_folder;
use crate::terminal;
use files::{Proposed, labels, proposed};

/// An answer, or the problem document of a refusal.
type Answer = Result<Value, Value>;

/// Tests and prints what was found.
pub async fn run(options: Backtest) -> Result<ExitCode> {
    if let Err(reason) = check_name(&options.monitor) {
        bail!("{reason}");
    }
    let proposal = options.proposed.as_deref();
    let proposal = proposal.map(|path| proposed(path, &options.monitor));
    let labelled = options.labels.as_deref().map(labels);
    let (proposal, labelled) = match (proposal.transpose(), labelled.transpose()) {
        (Ok(proposal), Ok(labelled)) => (proposal, labelled),
        (proposal, labelled) => {
            let faults = [proposal.err(), labelled.err()];
            let faults: Vec<_> = faults.into_iter().flatten().flatten().collect();
            super::report(&faults);
            return Ok(ExitCode::from(1));
        }
    };
    let request = request(&options, proposal.as_ref(), labelled);
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    bar.set_message("judging the past");
    let answer = match (&options.config, &options.data) {
        (Some(_), Some(_)) => of_data(&options, request, &bar).await,
        _ => of_server(&options, &request).await.map(Some),
    };
    bar.finish_and_clear();
    match answer? {
        None => Ok(ExitCode::from(1)),
        Some(Ok(answer)) => {
            if options.json {
                terminal::line(serde_json::to_string_pretty(&answer)?);
            } else {
                report::print(&answer);
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(problem)) => {
            refused(&problem, proposal.as_ref())?;
            Ok(ExitCode::from(1))
        }
    }
}

/// What is asked for, as the server takes it.
fn request(options: &Backtest, proposal: Option<&Proposed>, labelled: Option<Value>) -> Value {
    let mut request = Map::new();
    let times = [("from", &options.from), ("to", &options.to)];
    for (key, time) in times {
        if let Some(time) = time {
            request.insert(key.to_owned(), time.clone().into());
        }
    }
    if let Some(proposal) = proposal {
        request.insert("monitor".to_owned(), proposal.written());
    }
    if let Some(labelled) = labelled {
        request.insert("labels".to_owned(), labelled);
    }
    Value::Object(request)
}

/// Asks a server, which answers when all is judged.
async fn of_server(options: &Backtest, request: &Value) -> Result<Answer> {
    let client = ServerClient::new(&options.server)?;
    let path = format!("/v1/monitors/{}/backtest", options.monitor);
    let answer = client.ask(client.post(&path)?.json(request)).await?;
    let status = answer.status();
    let body = answer.text().await?;
    let document: serde_json::Result<Value> = serde_json::from_str(&body);
    if status.is_success() {
        return Ok(Ok(document.context("the server's answer is none of ours")?));
    }
    let unknown = || json!({"detail": format!("the server answered {status}")});
    Ok(Err(document.unwrap_or_else(|_| unknown())))
}

/// Judges the past of a data folder that no server has open; none when its definitions have faults.
async fn of_data(options: &Backtest, request: Value, bar: &ProgressBar) -> Result<Option<Answer>> {
    let (Some(config), Some(data)) = (&options.config, options.data.clone()) else {
        bail!("name --config and --data");
    };
    let Some(loaded) = super::load(config) else {
        return Ok(None);
    };
    let request: BacktestRequest = serde_json::from_value(request)?;
    let (name, bar, runtime) = (options.monitor.clone(), bar.clone(), Handle::current());
    let tested = tokio::task::spawn_blocking(move || -> Result<Answer> {
        let folder = of_folder(&data, &loaded, runtime)?;
        let mut told = |done: f64| {
            bar.set_message(format!("judging the past, {:.0} %", done * 100.0));
            true
        };
        Ok(match folder.monitors.run(&name, &request, &mut told) {
            Ok(answer) => Ok(serde_json::to_value(answer)?),
            Err(problem) => Err(problem.document()),
        })
    });
    tested.await.context("the back-test panicked")?.map(Some)
}

/// Says why there is no answer: what is wrong with a proposed monitor at its place in the file.
fn refused(problem: &Value, proposal: Option<&Proposed>) -> Result<()> {
    let faults = problem.get("faults").and_then(Value::as_array);
    if let (Some(faults), Some(proposal)) = (faults, proposal) {
        let faults: Vec<_> = faults.iter().map(|fault| proposal.fault(fault)).collect();
        super::report(&faults);
        return Ok(());
    }
    match problem_text(&problem.to_string()) {
        Some(text) => bail!("{text}"),
        None => bail!("the server's answer is none of ours"),
    }
}
