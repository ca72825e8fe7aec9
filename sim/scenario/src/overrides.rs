//! `--set clients.web.timeout=100ms`: values from the command line, put over those of the file.
use crate::diagnostics::Report; use crate::source::Sources; use crate::tree::Tree;
/// One value from the command line, as `path=value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// The whole text.
    pub text: String,
}
pub(crate) fn apply(_tree: &mut Tree, _overrides: &[Override], _sources: &mut Sources, _report: &Report) {}
