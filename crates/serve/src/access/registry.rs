//! The tokens of the catalogue, as the running server knows them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use subtle::ConstantTimeEq;
use tillwatch_monitor::catalogue::{KeptToken, TokenRole};
use tokio_util::sync::CancellationToken;

use super::rights::Caller;
use crate::ports::Tokens;
use crate::problem::{Problem, Slug};
use crate::request::time::rfc3339;

/// When a token was used last is written down this often at most.
const USE_NOTED_EVERY_US: i64 = 60_000_000;

/// A token and what the server notes of it while it runs.
struct Known {
    kept: KeptToken,
    /// When it was used last, in microseconds since the epoch; 0 for not yet.
    used_at_us: AtomicI64,
    /// Cancelled when it is revoked or over.
    over: CancellationToken,
}

impl Known {
    fn is_valid(&self, now_us: i64) -> bool {
        self.kept.revoked_at_us.is_none() && !self.kept.is_expired(now_us)
    }
}

/// The tokens, read anew every now and then: another process makes and revokes them.
pub(crate) struct Registry {
    tokens: Arc<dyn Tokens>,
    known: ArcSwap<BTreeMap<i64, Arc<Known>>>,
    /// One reads at a time; whether the last reading failed, which is told once.
    reading: Mutex<bool>,
}

impl Registry {
    /// Of these tokens, read once.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn new(tokens: Arc<dyn Tokens>, now_us: i64) -> Result<Self, String> {
        let registry = Self {
            known: ArcSwap::default(),
            reading: Mutex::new(false),
            tokens,
        };
        registry.read(now_us)?;
        Ok(registry)
    }

    /// Whether a token was ever made. Then one is asked for, also when all are revoked or over: with the last of them the
    /// server must not fall open.
    pub(crate) fn any(&self) -> bool {
        !self.known.load().is_empty()
    }

    /// Whether there is one that may do everything.
    pub(crate) fn any_admin(&self, now_us: i64) -> bool {
        let known = self.known.load();
        known
            .values()
            .any(|one| one.is_valid(now_us) && one.kept.token.role == TokenRole::Admin)
    }

    /// Whether a token with this hash was ever made.
    pub(crate) fn knows(&self, hash: &[u8; 32]) -> bool {
        let known = self.known.load();
        known.values().any(|one| one.kept.token.hash == *hash)
    }

    /// Whose token has this hash, if it is one of these.
    pub(crate) fn find(&self, hash: &[u8; 32], now_us: i64) -> Option<Result<Caller, Problem>> {
        let known = self.known.load();
        // All are compared, each in constant time, so that the time taken tells nothing.
        let mut found = None;
        for one in known.values() {
            if bool::from(one.kept.token.hash.ct_eq(hash)) {
                found = Some(one);
            }
        }
        let one = found?;
        let name = &one.kept.token.name;
        if let Some(at_us) = one.kept.revoked_at_us {
            let detail = format!("The token '{name}' was revoked at {}.", rfc3339(at_us));
            return Some(Err(Problem::new(Slug::TokenRevoked, detail)));
        }
        if let (true, Some(at_us)) = (one.kept.is_expired(now_us), one.kept.token.expires_at_us) {
            let detail = format!("The token '{name}' expired at {}.", rfc3339(at_us));
            return Some(Err(Problem::new(Slug::TokenExpired, detail)));
        }
        one.used_at_us.fetch_max(now_us, Ordering::Relaxed);
        Some(Ok(Caller {
            required: true,
            name: Some(name.clone()),
            role: one.kept.token.role,
            expires_at_us: one.kept.token.expires_at_us,
            over: one.over.clone(),
        }))
    }

    /// Looks again: what was made is known from now on, what lasts with a token that is over ends, and when tokens were
    /// used is written down. May wait for the disk. Where the catalogue cannot be read, what was known stays.
    pub(crate) fn refresh(&self, now_us: i64) {
        // Held all the while: of two that look at a time, the one that looked first must not have the last word.
        let mut failing = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        match self.read(now_us).and_then(|()| self.note_use()) {
            Err(cause) if !*failing => {
                tracing::error!(%cause, "the tokens could not be read again; those known so far stay");
                *failing = true;
            }
            Err(_) => {}
            Ok(()) => *failing = false,
        }
    }

    fn read(&self, now_us: i64) -> Result<(), String> {
        let before = self.known.load_full();
        let mut known = BTreeMap::new();
        for kept in self.tokens.all()? {
            let old = before.get(&kept.id);
            let one = Known {
                used_at_us: AtomicI64::new(
                    old.map_or(0, |old| old.used_at_us.load(Ordering::Relaxed)),
                ),
                // One that was over and is valid again: the clock was turned back.
                over: old
                    .map(|old| old.over.clone())
                    .filter(|over| !over.is_cancelled())
                    .unwrap_or_default(),
                kept,
            };
            if !one.is_valid(now_us) {
                one.over.cancel();
            }
            known.insert(one.kept.id, Arc::new(one));
        }
        for (id, gone) in before.iter() {
            if !known.contains_key(id) {
                gone.over.cancel();
            }
        }
        self.known.store(Arc::new(known));
        Ok(())
    }

    fn note_use(&self) -> Result<(), String> {
        let known = self.known.load();
        let used = known.values().filter_map(|one| {
            let at_us = one.used_at_us.load(Ordering::Relaxed);
            let noted = one.kept.last_used_at_us.unwrap_or(0);
            (at_us.saturating_sub(noted) >= USE_NOTED_EVERY_US).then_some((one.kept.id, at_us))
        });
        let used: Vec<_> = used.collect();
        if used.is_empty() {
            return Ok(());
        }
        self.tokens.used(&used)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.known.load().len();
        f.debug_struct("Registry").field("known", &known).finish()
    }
}
