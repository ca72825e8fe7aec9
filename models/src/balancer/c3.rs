//! x
mod score;
mod rate;
