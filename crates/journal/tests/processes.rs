//! Two processes and one journal.

use std::process::Command;
use std::sync::Arc;

use tillwatch_journal::{DiskStorage, Journal, JournalError, JournalOptions};

const FOLDER: &str = "JOURNAL_TEST_FOLDER";

/// Not a test by itself: what the second process of the test below does.
#[test]
fn second_process_tries_the_journal_of_the_first() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let storage = Arc::new(DiskStorage::open(folder).unwrap());
    match Journal::open(storage, JournalOptions::default()) {
        Ok((mut journal, recovery)) => {
            journal.append(b"from the second").unwrap();
            journal.sync().unwrap();
            println!("opened with {} frames", recovery.frames);
        }
        Err(error @ JournalError::Locked { .. }) => println!("refused: {error}"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_second_process_is_refused_while_the_first_lives_and_let_in_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let second = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            "processes::second_process_tries_the_journal_of_the_first",
        ]);
        let output = command
            .arg("--nocapture")
            .env(FOLDER, folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let storage = Arc::new(DiskStorage::open(folder.path()).unwrap());
    let (mut journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
    journal.append(b"from the first").unwrap();
    journal.sync().unwrap();
    let said = second();
    let refusal = format!(
        "is in use by process {}; stop that process first",
        std::process::id()
    );
    assert!(said.contains(&refusal), "{said}");
    drop(journal);
    let said = second();
    assert!(said.contains("opened with 1 frames"), "{said}");
}
