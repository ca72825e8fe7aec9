//! Which colour means what.

use anstyle::{AnsiColor, Style};

/// As the terminal writes by itself.
pub(crate) const PLAIN: Style = Style::new();
/// Headings.
pub(crate) const HEAD: Style = Style::new().bold();
/// Less important.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// As it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Not as it should be.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Worth a look.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
/// A fault.
pub(crate) const FAULT: Style = AnsiColor::Magenta.on_default();
/// Something that can be typed.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();

/// The text in a style; as it is in the plain one, and where there is none.
pub(crate) fn paint(style: Style, text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    if style.is_plain() || text.trim().is_empty() {
        return text.to_owned();
    }
    format!("{style}{text}{style:#}")
}
