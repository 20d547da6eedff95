//! Starting, reloading and stopping on a data folder of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use tillwatch_collect::{Format, SubmitMeta};
use tillwatch_serve::ports::{Health, Verification};

use super::keeper::{ByHand, ByHandReport, KeeperHandle};
use super::*;
use crate::definitions::{Folder, finish};

const CUBE: &str = "
cubes:
  per_minute: {from: payments, bucket: 1m, measures: {payments: count(*)}}
";

/// A stream without ids, so that an event that is taken twice counts twice.
fn stream(fields: &str) -> String {
    format!("streams:\n  payments: {{time: at, fields: {{at: timestamp, {fields}}}}}\n{CUBE}")
}

fn loaded(text: &str) -> Arc<Loaded> {
    let mut folder = Folder::default();
    folder.add("test.yaml".into(), text, true);
    let loaded = finish(folder, &|_| Some("set".to_owned()));
    Arc::new(loaded.unwrap_or_else(|faults| panic!("{faults:#?}")))
}

async fn started(data: &Path, text: &str) -> Arc<Engine> {
    let options = Options {
        data: data.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tokens: Vec::new(),
        hosts: Vec::new(),
        links: Links::None,
        backups: None,
        definitions: DefinitionsSource::BuiltIn(text.to_owned()),
    };
    let definitions = loaded(text);
    let (engine, journal) = Engine::start(options, &definitions).await.unwrap();
    engine.recover(journal, definitions).await.unwrap();
    engine
}

async fn send(engine: &Engine, line: &str) -> u64 {
    let generation = engine.generation().await.unwrap();
    let decoder = generation.decoder("payments").unwrap();
    let decoded = decoder.decode(&Format::Ndjson, line.as_bytes()).unwrap();
    let intake = engine.intake().await.unwrap();
    let receipt = intake.submit("payments", decoded, SubmitMeta::default());
    receipt.await.unwrap().accepted
}

/// Events by the status, which is what people see.
fn events(engine: &Engine) -> u64 {
    let streams = engine.health.streams();
    streams.iter().map(|stream| stream.events).sum()
}

async fn stopped(engine: Arc<Engine>) {
    engine.stop().await;
    engine.finished().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_older_events_do_not_fit_is_refused_and_the_running_one_stays() {
    let data = tempfile::tempdir().unwrap();
    let engine = started(data.path(), &stream("amount: float64, note: string?")).await;
    for n in 0..3 {
        let line = format!("{{\"at\":\"2026-01-01T00:00:0{n}Z\",\"amount\":1.5}}");
        assert_eq!(send(&engine, &line).await, 1);
    }
    for (fields, reason) in [
        (
            "amount: float64, note: string?, country: string",
            "the field 'country' was written as nothing and cannot be read as string: it is required, but older events do not have it; write `string?`",
        ),
        (
            "amount: float64, note: string",
            "the field 'note' was written as Utf8View and cannot be read as string: it is required, but older events without a value exist; write `string?`",
        ),
        (
            "amount: int64, note: string?",
            "the field 'amount' was written as Float64 and cannot be read as int64: a type may only become wider",
        ),
    ] {
        let refused = engine.reload(loaded(&stream(fields))).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("stream 'payments': 3 events in the journal cannot be counted: {reason}")
        );
        assert_eq!(events(&engine), 3);
        assert!(engine.health.definitions().errors.is_empty());
    }
    let line = "{\"at\":\"2026-01-01T00:00:09Z\",\"amount\":2.5}";
    assert_eq!(send(&engine, line).await, 1);
    assert_eq!(events(&engine), 4);
    stopped(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_schema_keeps_every_event() {
    let data = tempfile::tempdir().unwrap();
    let engine = started(data.path(), &stream("amount: int64, psp: string")).await;
    let line = "{\"at\":\"2026-01-01T00:00:00Z\",\"amount\":7,\"psp\":\"a\"}";
    assert_eq!(send(&engine, line).await, 1);
    for amount in ["float64", "\"decimal(21,2)\""] {
        let fields = format!("amount: {amount}, psp: string?, country: string?");
        engine.reload(loaded(&stream(&fields))).await.unwrap();
        assert_eq!(events(&engine), 1);
    }
    stopped(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_restart_cannot_count_stand_in_the_status() {
    let data = tempfile::tempdir().unwrap();
    let engine = started(data.path(), &stream("amount: int64")).await;
    let line = "{\"at\":\"2026-01-01T00:00:00Z\",\"amount\":7}";
    assert_eq!(send(&engine, line).await, 1);
    stopped(engine).await;
    let engine = started(data.path(), &stream("amount: int64, country: string")).await;
    assert_eq!(
        engine.health.definitions().errors,
        [
            "stream 'payments': 1 events in the journal cannot be counted: the field 'country' was written as nothing and cannot be read as string: it is required, but older events do not have it; write `string?`"
        ]
    );
    let failed: Vec<u64> = (engine.health.streams().iter())
        .map(|stream| stream.failed)
        .collect();
    assert_eq!((events(&engine), failed), (0, vec![1]));
    // What is no worse than before is taken.
    let same = loaded(&stream("amount: int64, country: string, note: string?"));
    engine.reload(same).await.unwrap();
    // What is better takes the note away.
    let better = loaded(&stream("amount: int64, country: string?"));
    engine.reload(better).await.unwrap();
    assert!(engine.health.definitions().errors.is_empty());
    assert_eq!(events(&engine), 1);
    stopped(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reloading_while_events_come_counts_each_once() {
    let data = tempfile::tempdir().unwrap();
    let engine = started(data.path(), &stream("amount: int64")).await;
    let done = Arc::new(AtomicBool::new(false));
    let feeders: Vec<_> = (0..4)
        .map(|_| {
            let (engine, done) = (Arc::clone(&engine), Arc::clone(&done));
            tokio::spawn(async move {
                let intake = engine.intake().await.unwrap();
                let decoder = engine.generation().await.unwrap().decoder("payments");
                let decoder = decoder.unwrap();
                let line = b"{\"at\":\"2026-01-01T00:00:00Z\",\"amount\":7}";
                let mut sent = 0;
                while !done.load(Ordering::Relaxed) {
                    let decoded = decoder.decode(&Format::Ndjson, line).unwrap();
                    let receipt = intake.submit("payments", decoded, SubmitMeta::default());
                    sent += receipt.await.unwrap().accepted;
                }
                sent
            })
        })
        .collect();
    for round in 0..6 {
        let fields = format!("amount: int64, extra_{round}: string?");
        engine.reload(loaded(&stream(&fields))).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let mut sent = 0;
    for feeder in feeders {
        sent += feeder.await.unwrap();
    }
    assert!(sent > 0);
    assert_eq!(events(&engine), sent);
    stopped(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_at_the_last_step_leaves_the_old_definitions_at_work() {
    let data = tempfile::tempdir().unwrap();
    let engine = started(data.path(), &stream("amount: int64")).await;
    let line = "{\"at\":\"2026-01-01T00:00:00Z\",\"amount\":7}";
    assert_eq!(send(&engine, line).await, 1);
    let intake = engine.intake().await.unwrap();
    tokio::task::spawn_blocking(move || intake.stop())
        .await
        .unwrap();
    let before = engine.generation().await.unwrap();
    let changed = loaded(&stream("amount: int64, note: string?"));
    let refused = engine.reload(changed).await.unwrap_err();
    assert_eq!(refused.to_string(), "the server is stopping");
    let after = engine.generation().await.unwrap();
    assert!(Arc::ptr_eq(before.processor(), after.processor()));
    assert_eq!(events(&engine), 1);
    {
        let running = engine.running.lock().await;
        assert!(running.ticker.as_ref().unwrap().is_at_work());
    }
    stopped(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_started_and_limits_that_wait_stand_in_the_status() {
    let data = tempfile::tempdir().unwrap();
    let text = stream("amount: int64");
    let engine = started(data.path(), &text).await;
    // The check was told that the variable is set; the process does not have it.
    let changed = format!(
        "{text}sources:\n  shop: {{kind: http_poll, url: \"https://example.com\", stream: payments, headers: {{X-Token: \"env:TILLWATCH_TEST_UNSET\"}}}}\nlimits: {{intake: {{queue_batches_max: 9}}}}\n"
    );
    engine.reload(loaded(&changed)).await.unwrap();
    let sources = engine.sources.statuses();
    let told: Vec<_> = sources
        .iter()
        .map(|s| (s.name.as_str(), s.state.as_str(), s.last_error.as_deref()))
        .collect();
    assert_eq!(
        told,
        [(
            "shop",
            "failing",
            Some(
                "not started: source 'shop': the header 'X-Token' needs the environment variable TILLWATCH_TEST_UNSET, which is not set"
            )
        )]
    );
    assert_eq!(
        engine.health.definitions().errors,
        ["limits.intake was changed; what the server read at its start stays until the next start"]
    );
    engine.reload(loaded(&text)).await.unwrap();
    assert!(engine.sources.statuses().is_empty());
    assert!(engine.health.definitions().errors.is_empty());
    stopped(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_boards_outlive_reloads_and_the_folder_wins_a_name() {
    use tillwatch_serve::documents::BoardPlace;
    use tillwatch_serve::ports::{BoardCondition, BoardText, Boards};
    let data = tempfile::tempdir().unwrap();
    let plain = stream("amount: int64");
    let metrics = "metrics: {payments_count: {of: per_minute, expr: payments}}\n";
    let text = format!("{plain}{metrics}");
    let engine = started(data.path(), &text).await;
    let boards = async |engine: &Engine| -> Arc<dyn Boards> {
        engine.generation().await.unwrap().services().boards
    };
    let written = "title: {en: Mine}\ntiles: [{metric: payments_count}]\n";
    let sent = BoardText::Yaml(written.to_owned());
    let always = BoardCondition::Always;
    let kept = boards(&engine).await;
    let (first, ..) = kept.save("mine", &sent, None, &always).unwrap();
    kept.save("other", &sent, None, &always).unwrap();

    // The metric goes: what names it stays readable, and cannot be saved anew.
    engine.reload(loaded(&plain)).await.unwrap();
    let kept = boards(&engine).await;
    assert_eq!(kept.one("mine", None).unwrap().0, first);
    let refused = kept.save("mine", &sent, None, &always).unwrap_err();
    assert!(
        refused
            .detail()
            .contains("tiles[0].metric: there is no metric"),
        "{refused:?}"
    );

    // The folder takes the name: its board is shown, the saved one is still there.
    let ours = "boards: {mine: {title: {en: Ours}}}\n";
    engine
        .reload(loaded(&format!("{text}{ours}")))
        .await
        .unwrap();
    let kept = boards(&engine).await;
    let list = kept.list().unwrap();
    let names: Vec<_> = list
        .boards
        .iter()
        .map(|one| (one.name.as_str(), one.from))
        .collect();
    assert_eq!(
        names,
        [
            ("mine", BoardPlace::Folder),
            ("other", BoardPlace::Catalogue)
        ]
    );
    assert_eq!(list.shadowed.len(), 1);
    assert_eq!(
        (list.shadowed[0].name.as_str(), list.shadowed[0].version),
        ("mine", first.version)
    );
    assert_eq!(kept.one("mine", None).unwrap().0.title.en, "Ours");
    assert_eq!(
        kept.one("mine", Some(BoardPlace::Catalogue)).unwrap().0,
        first
    );
    let (yaml, _) = kept.written("mine", Some(BoardPlace::Catalogue)).unwrap();
    assert!(yaml.contains("en: Mine"), "{yaml}");
    kept.save("mine", &sent, None, &always).unwrap_err();
    stopped(engine).await;

    // Over a restart it is the same; what is removed is the saved one, and then the folder's stays.
    let engine = started(data.path(), &format!("{text}{ours}")).await;
    let kept = boards(&engine).await;
    assert_eq!(kept.list().unwrap(), list);
    kept.remove("mine", &always).unwrap();
    assert!(kept.list().unwrap().shadowed.is_empty());
    kept.remove("mine", &always).unwrap_err();
    assert_eq!(kept.one("mine", None).unwrap().0.title.en, "Ours");

    // Gone from the folder, the name is free again.
    kept.save("third", &sent, None, &always).unwrap();
    engine.reload(loaded(&text)).await.unwrap();
    let kept = boards(&engine).await;
    assert!(
        kept.save("mine", &sent, None, &BoardCondition::Absent)
            .unwrap()
            .2
    );
    stopped(engine).await;
}

/// Whatever is waited for must come within this time.
const DEADLINE: Duration = Duration::from_secs(60);

type Ended = (ByHandReport, Result<(), String>);

/// Asks for maintenance; its end comes through the channel.
fn maintain(keeper: &KeeperHandle) -> std::sync::mpsc::Receiver<Ended> {
    let (told, ends) = std::sync::mpsc::sync_channel(1);
    keeper.maintain(ByHand::new(move |report, ended| {
        if let Some(ended) = ended {
            let _ = told.send((*report, ended));
        }
    }));
    ends
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_by_hand_deletes_nothing_that_somebody_reads() {
    let data = tempfile::tempdir().unwrap();
    let engine = started(data.path(), &stream("amount: int64")).await;
    let line = "{\"at\":\"2026-01-01T00:00:00Z\",\"amount\":7}";
    assert_eq!(send(&engine, line).await, 1);
    let keeper = engine
        .running
        .lock()
        .await
        .keeper
        .as_ref()
        .unwrap()
        .handle();
    // What no checkpoint names is deleted without a delay.
    let left_over = data.path().join(STATE).join("0-0.ids");
    let (held, ended) = {
        let (keeper, left_over) = (keeper.clone(), left_over.clone());
        on_a_thread(move || {
            let held = keeper.hold_deletions(&|| true).unwrap();
            std::fs::write(&left_over, "x").unwrap();
            // The keeper's own clean-up waits as well.
            let ended = maintain(&keeper).recv_timeout(DEADLINE).unwrap();
            (held, ended)
        })
        .await
    };
    assert_eq!((ended.1, ended.0.deletion_deferred), (Ok(()), true));
    assert_eq!(ended.0.flushed_events, 1);
    assert!(left_over.exists());
    // Definitions that change meanwhile do not wait for whoever reads.
    engine
        .reload(loaded(&stream("amount: int64, note: string?")))
        .await
        .unwrap();
    let (report, ended, in_force) = on_a_thread(move || {
        let in_force = held.is_in_force();
        drop(held);
        let (report, ended) = maintain(&keeper).recv_timeout(DEADLINE).unwrap();
        (report, ended, in_force)
    })
    .await;
    assert_eq!(
        (ended, report.deletion_deferred, in_force),
        (Ok(()), false, false)
    );
    assert!(!left_over.exists());
    stopped(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_definitions_ends_with_the_server() {
    let data = tempfile::tempdir().unwrap();
    let engine = started(data.path(), &stream("amount: int64")).await;
    let keeper = Arc::clone(engine.running.lock().await.keeper.as_ref().unwrap());
    let intake = engine.intake().await.unwrap();
    let handle = keeper.handle();
    // As while definitions are changed.
    on_a_thread(move || keeper.pause(&intake)).await.unwrap();
    let ends = maintain(&handle);
    let verifications = Arc::clone(engine.upkeep.verifications());
    let request = tillwatch_serve::documents::VerifyRequest::default();
    assert_eq!(verifications.start(&request).unwrap().state, "running");
    let second = verifications.start(&request).unwrap_err();
    assert_eq!(second.slug(), tillwatch_serve::Slug::Conflict);
    stopped(engine).await;
    let (report, ended) = on_a_thread(move || ends.recv_timeout(DEADLINE).unwrap()).await;
    assert_eq!(report, ByHandReport::default());
    assert_eq!(ended, Err("the server is stopping".to_owned()));
    let last = verifications.last().unwrap();
    let told = (last.state.as_str(), last.fault.as_deref());
    assert_eq!(told, ("failed", Some("the server is stopping")));
    assert!(verifications.start(&request).is_err());
}
