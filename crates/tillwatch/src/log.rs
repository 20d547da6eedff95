//! The log: lines on the standard error, none of which shows a card number.
//!
//! Callers mask what they know to come from outside. What libraries log of a request nobody knows
//! before, such as the literals of a query at the level `debug`; so every line is masked once more
//! on its way out.

use std::io::{self, IsTerminal, Write};

use tillwatch_event::guard::mask_line;
use tracing_subscriber::EnvFilter;

/// Starts the log with a filter such as `warn` or `info,tillwatch_serve=debug`; one that cannot be
/// read is `warn`.
pub fn start(filter: &str) {
    let chosen = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    // It logs each error that it also gives back, such as that a table does not exist yet.
    let filter = match "buoyant_kernel=off".parse() {
        Ok(silent) if !filter.contains("buoyant_kernel") => chosen.add_directive(silent),
        _ => chosen,
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Masked(io::stderr()))
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
}

/// Masks what is written; each write is a whole line.
struct Masked<W>(W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(mask_line(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_logged_line_shows_a_card_number() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(move || Masked(writer.clone()))
            .finish();
        tracing::subscriber::with_default(log, || {
            let span = tracing::error_span!("request", id = "4111111111111111");
            let _in = span.enter();
            tracing::debug!(sql = "select '5555 5555 5555 4444'", "planned");
            tracing::warn!("Utf8(\"4111-1111-1111-1111\") is no number");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        for shown in [
            "411111******1111",
            "5555 55** **** 4444",
            "4111-11**-****-1111",
        ] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }
}
