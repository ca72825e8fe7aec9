//! x
mod circuit;
