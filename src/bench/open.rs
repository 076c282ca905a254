//! Rig to bench.
