//! A fault at every step of a scenario.

/// No scenario of a test has so many steps; one that seems to never reports that it met no fault.
const STEPS_MAX: u64 = 100_000;

/// Runs `scenario` with 0, 1, 2, … operations before the fault, until it says that it met none any more, and gives how many
/// steps it has. A scenario arms a [`Disk`](super::disk::Disk) with
/// [`power_off_after`](super::disk::Disk::power_off_after) or [`fail_once_after`](super::disk::Disk::fail_once_after), does the
/// work, checks what is left, and gives whether the fault was met ([`Disk::met_fault`](super::disk::Disk::met_fault)).
///
/// The first run without a fault ends it, so a scenario must do the same operations each time.
pub fn at_every_step(mut scenario: impl FnMut(u64) -> bool) -> u64 {
    (0..STEPS_MAX)
        .find(|step| !scenario(*step))
        .unwrap_or(STEPS_MAX)
}
