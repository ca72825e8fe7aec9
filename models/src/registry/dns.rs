//! DNS: the list of another registry, or of a zone file, as answers with a time to live, and what clients make of them.

pub mod answer;
pub mod cache;
pub mod forward;
pub mod resolver;
pub mod srv;
pub mod stub;
pub mod zone;
