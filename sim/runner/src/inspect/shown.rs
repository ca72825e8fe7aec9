//! What a machine of the models shows of itself, trimmed to what a reader wants to see first.

/// How deep a machine's fields are shown.
const DEPTH: usize = 3;
/// How many lines of it are shown.
const LINES: usize = 60;
/// The indentation of one level in Rust's pretty form.
const INDENT: usize = 4;

/// The pretty form without what lies deeper, and without what would make it long.
pub(super) fn trimmed(pretty: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut lines = pretty.lines().peekable();
    while let Some(line) = lines.next() {
        let depth = indent(line);
        let opens = line.ends_with(['{', '[', '(']);
        if depth < DEPTH || !opens {
            if depth <= DEPTH {
                shown.push(line.to_owned());
            }
            continue;
        }
        let mut inside = 0;
        let close = loop {
            match lines.next() {
                Some(line) if indent(line) <= depth => break line.trim_start().to_owned(),
                Some(_) => inside += 1,
                None => break String::new(),
            }
        };
        let dots = if inside > 0 { " .. " } else { "" };
        shown.push(format!("{line}{dots}{close}"));
    }
    let more = shown.len().saturating_sub(LINES);
    shown.truncate(LINES);
    if more > 0 {
        shown.push(format!("and {more} more lines; -v shows all"));
    }
    shown.join("\n")
}

fn indent(line: &str) -> usize {
    (line.len() - line.trim_start().len()) / INDENT
}

/// A task without its own number, so that many of a kind are one.
pub(super) fn plain(task: &str) -> String {
    let words = task.split(' ').filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_deep_is_left_out() {
        let deep = Some(vec![Some(vec![Some(1)]), None]);
        let shown = trimmed(&format!("{deep:#?}"));
        assert_eq!(
            shown,
            "Some(\n    [\n        Some(\n            [ .. ],\n        ),\n        None,\n    ],\n)"
        );
    }

    #[test]
    fn a_long_one_ends_with_a_count() {
        let shown = trimmed(&format!("{:#?}", (0..100).collect::<Vec<u32>>()));
        assert_eq!(shown.lines().count(), LINES + 1);
        assert!(shown.ends_with("and 42 more lines; -v shows all"), "{shown}");
    }

    #[test]
    fn tasks_of_a_kind_are_one() {
        assert_eq!(plain("request 12"), "request");
        assert_eq!(plain("call 3 of #17"), "call of #17");
    }
}
