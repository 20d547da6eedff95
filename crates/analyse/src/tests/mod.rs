//! Tests over a real processor and journal with made-up traffic.

mod audit;
mod chains;
mod exact;
mod fixture;
mod forecast;
mod hostile;
mod measures;
mod memory;
mod metrics;
mod oracle;
mod reuse;
mod sales;
mod slices;
mod slt;
mod windowed;
mod windows;
