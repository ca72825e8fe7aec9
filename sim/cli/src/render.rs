//! Rendering: reports and plans as text. Pure functions from data to lines; colours are in the text as ANSI
//! sequences, and whoever writes it removes them where they do not belong.

mod axis;
mod beliefs;
mod detail;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod gantt;
mod github;
pub(crate) mod hunt;
pub(crate) mod inspect;
mod junit;
pub(crate) mod outcomes;
pub(crate) mod pick;
pub(crate) mod plan;
mod recovery;
mod registry;
pub(crate) mod replay;
pub(crate) mod shrink;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod text;
mod timeline;
pub(crate) mod verify;
pub(crate) mod words;

#[cfg(test)]
mod tests;
