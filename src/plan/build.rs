//! Rig and profile to plan.
