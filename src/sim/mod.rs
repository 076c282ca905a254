//! The simulated bench: one world behind real SCPI bytes; instruments written from manuals, never from our dialect files.
