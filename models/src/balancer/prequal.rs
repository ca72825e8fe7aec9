//! x
mod pool;
