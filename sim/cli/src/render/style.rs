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

/// The style of a success share.
pub(crate) fn of_share(share: f64) -> Style {
    match share {
        s if s >= 1.0 => GOOD,
        s if s >= 0.99 => ODD,
        _ => BAD,
    }
}

/// The text in a style; as it is in the plain one, and where there is none.
pub(crate) fn paint(style: Style, text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    if style.is_plain() || text.trim().is_empty() {
        return text.to_owned();
    }
    format!("{style}{text}{style:#}")
}

/// Characters, each in its style; neighbours of one style share their colour codes.
pub(crate) fn paint_each(characters: impl IntoIterator<Item = (char, Style)>) -> String {
    let characters: Vec<(char, Style)> = characters.into_iter().collect();
    let same = characters.chunk_by(|(_, a), (_, b)| a == b);
    same.map(|run| paint(run[0].1, run.iter().map(|(character, _)| character).collect::<String>())).collect()
}
