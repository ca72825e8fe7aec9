//! What the tests share: the repository's scenarios, its recorded digests, and the command as each profile builds it.

pub mod binary;
pub mod repository;
pub mod scenarios;
