//! Whatever happens to a run, the outputs are off when it is over, and it says so truly. The whole stack runs on the
//! simulated bench; the judge is the bench's physics, not what any instrument says.

#[cfg(target_os = "linux")]
mod back;
mod cut;
#[cfg(target_os = "linux")]
mod deadman;
#[cfg(target_os = "linux")]
mod deaths;
#[cfg(target_os = "linux")]
mod drill;
#[cfg(target_os = "linux")]
mod hangup;
mod holds;
mod instruments;
#[cfg(target_os = "linux")]
mod kills;
#[cfg(target_os = "linux")]
mod numbers;
mod order;
#[cfg(unix)]
pub(crate) mod process;
mod soak;
pub(crate) mod stage;
#[cfg(target_os = "linux")]
mod standing;
#[cfg(unix)]
mod unattended;
mod wire;
