//! The program: command line, definitions folder, wiring. What it wires has its logic elsewhere.

mod cli;
mod command;
mod definitions;
mod engine;
mod log;
mod machine;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Clap ends the process itself: 0 after --help, 2 for wrong use.
    let cli = Cli::parse();
    log::start(&cli.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(format!("error: the system refuses threads: {error}"));
            return ExitCode::from(1);
        }
    };
    let done = runtime.block_on(run(cli.command));
    // Nothing that matters is left: what was acknowledged is on disk.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(error) => {
            terminal::complain(format!("error: {}", terminal::with_causes(&error)));
            ExitCode::from(1)
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(options) => command::demo::run(options).await,
        Command::Serve(options) => command::serve::run(options).await,
        Command::Check(options) => command::check::run(&options),
        Command::Schema => command::check::schema(),
        Command::Propose(options) => command::propose::run(&options),
        Command::Ingest(options) => command::ingest::run(options).await,
        Command::Sql(options) => command::sql::run(options).await,
        Command::Simulate(options) => command::simulate::run(options).await,
        Command::Backtest(options) => command::backtest::run(options).await,
        Command::Verify(options) => command::verify::run(options).await,
        Command::Backup(options) => command::backup::run(options).await,
        Command::Restore(options) => command::backup::restore(options).await,
        Command::Token(options) => command::token::run(options),
        Command::Maintain(place) => command::maintain::run(place).await,
        Command::Bench(options) => command::bench::run(options).await,
    }
}
