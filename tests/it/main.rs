//! One integration binary; each module is a room or a promise.

// Figures of made-up traces against their closed forms, every measuring trap, hostile traces.
mod waveform;
// Links over real sockets and a real pty, and everything that goes wrong on them.
mod link;
