//! Traces: each event with what it came of, each message that never arrived; and that following a run changes nothing.

#[path = "trace/causes.rs"]
mod causes;
#[path = "trace/recorder.rs"]
mod recorder;
