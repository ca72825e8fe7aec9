//! stub
use schism_core::Duration;
/// stub
pub fn phases_text(_: &crate::Report, _: Duration) -> String {
    String::new()
}
