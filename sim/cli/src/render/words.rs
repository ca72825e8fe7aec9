//! Numbers and names in words: times, shares, counts, and text that somebody else wrote.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A moment of the run: `40s`, `41.3s`, `12m05s`.
pub(crate) fn moment(seconds: f64) -> String {
    match seconds {
        s if s < 600.0 => decimals(s, 1) + "s",
        s => clock(s),
    }
}

/// A moment to the millisecond, for what lies close together: `26.529s`.
pub(crate) fn instant(seconds: f64) -> String {
    decimals(seconds, 3) + "s"
}

/// A sentence with its times to the millisecond; times of a few milliseconds keep a digit more. What tells runs apart to
/// the nanosecond is for programs.
pub(crate) fn calm(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let is_of_word = rest[..start].ends_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        let end =
            rest[start..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(rest.len(), |at| start + at);
        let (number, after) = (&rest[start..end], &rest[end..]);
        let unit: &str = &after[..after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len())];
        let time = number.parse::<f64>().ok().filter(|_| !is_of_word && number.contains('.'));
        told.push_str(&rest[..start]);
        match (time, unit) {
            (Some(seconds), "s") => told.push_str(&decimals(seconds, 3)),
            (Some(ms), "ms") if ms >= 10.0 => told.push_str(&decimals(ms, 0)),
            (Some(short), "ms" | "us") => told.push_str(&decimals(short, 1)),
            (Some(_) | None, _) => told.push_str(number),
        }
        rest = after;
    }
    told + rest
}

/// From one moment to another, or from one on.
pub(crate) fn span(from_s: f64, to_s: Option<f64>) -> String {
    match to_s {
        Some(to) => format!("{}..{}", moment(from_s), moment(to)),
        None => format!("from {}", moment(from_s)),
    }
}

/// A length of time: `250us`, `1.5ms`, `10.4s`, `12m05s`.
pub(crate) fn length(seconds: f64) -> String {
    match seconds {
        0.0 => "0s".to_owned(),
        s if s < 0.001 => decimals(s * 1e6, 0) + "us",
        s if s < 0.01 => decimals(s * 1e3, 2) + "ms",
        s if s < 1.0 => decimals(s * 1e3, 0) + "ms",
        s => moment(s),
    }
}

/// A latency given in milliseconds, with about three digits.
pub(crate) fn latency(ms: f64) -> String {
    match ms {
        0.0 => "0ms".to_owned(),
        ms if ms < 1.0 => decimals(ms * 1e3, 0) + "us",
        ms if ms < 10.0 => decimals(ms, 2) + "ms",
        ms if ms < 100.0 => decimals(ms, 1) + "ms",
        ms if ms < 1_000.0 => decimals(ms, 0) + "ms",
        ms => decimals(ms / 1e3, 2) + "s",
    }
}

/// A share in percent: rounded down, so that only all is 100%, and up where that would be nothing.
pub(crate) fn percent(share: f64) -> String {
    // The nudge undoes what binary fractions take from decimal ones.
    let hundredths = (share * 1e4 + 1e-6).floor();
    if hundredths < 1.0 && share > 0.0 {
        return "<0.01%".to_owned();
    }
    decimals(hundredths / 100.0, 2) + "%"
}

/// A part of a whole in percent; nothing of nothing is a dash.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { percent(part as f64 / whole as f64) }
}

/// A count with its thousands apart.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count of things: `1 fault`, `2 faults`.
pub(crate) fn many(n: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(n), if n == 1 { "" } else { "s" })
}

/// What there is of several things, with commas: those of which there are none are left out.
pub(crate) fn parts(of: &[(u64, &str)]) -> String {
    let some: Vec<String> =
        of.iter().filter(|(n, _)| *n > 0).map(|(n, name)| format!("{} {name}", count(*n))).collect();
    some.join(", ")
}

/// The group of a node: its name without the number.
pub(crate) fn group(node: &str) -> &str {
    match node.rsplit_once('-') {
        Some((group, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => group,
        Some(_) | None => node,
    }
}

/// With so many decimals at most, and no zeros at the end.
fn decimals(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

/// Minutes and seconds; hours and days where there are some.
fn clock(seconds: f64) -> String {
    let all = seconds.round() as u64;
    let (days, hours, minutes, seconds) = (all / 86_400, all / 3_600 % 24, all / 60 % 60, all % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m{seconds:02}s"),
        (0, hours) => format!("{hours}h{minutes:02}m{seconds:02}s"),
        (days, hours) => format!("{days}d{hours:02}h{minutes:02}m"),
    }
}

/// Columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A text without line breaks and control characters: what somebody wrote must not steer the terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The text in so many columns at most; what is cut off leaves an ellipsis.
pub(crate) fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let fits = c.width().unwrap_or(0) <= left;
        left = left.saturating_sub(c.width().unwrap_or(0));
        fits
    });
    kept.chain(['…']).collect()
}

/// The text in so many columns at most; what is left out of its middle leaves an ellipsis, so that names which differ in
/// their last letters still do.
pub(crate) fn elide(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns / 2;
    let mut tail: Vec<char> = Vec::new();
    for c in text.chars().rev() {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        tail.push(c);
    }
    let taken = columns / 2 - left;
    clip(text, columns - taken).chars().chain(tail.into_iter().rev()).collect()
}

/// The text in lines of so many columns at most, broken between words; a longer word is clipped.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in clean(text).split_whitespace() {
        let word = clip(word, columns);
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            Some(_) | None => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_short_as_they_can_be() {
        assert_eq!([0.0, 0.4, 40.0, 41.26, 599.9].map(moment), ["0s", "0.4s", "40s", "41.3s", "599.9s"]);
        assert_eq!([725.0, 3_725.4, 90_000.0].map(moment), ["12m05s", "1h02m05s", "1d01h00m"]);
        assert_eq!([0.000_25, 0.0015, 0.25, 10.4].map(length), ["250us", "1.5ms", "250ms", "10.4s"]);
        assert_eq!(
            [0.31, 4.256, 38.04, 412.0, 1_234.0].map(latency),
            ["310us", "4.26ms", "38ms", "412ms", "1.23s"]
        );
    }

    #[test]
    fn sentences_have_times_to_the_millisecond() {
        let why = "worker-2 has believed in it since 28.544756915s (token 54), wrongly for 3.905215ms, of 1.5 and 20s";
        let told = "worker-2 has believed in it since 28.545s (token 54), wrongly for 3.9ms, of 1.5 and 20s";
        assert_eq!(calm(why), told);
        assert_eq!(calm("orders-1.5s after 812.4064ms at 0.1.2"), "orders-1.5s after 812ms at 0.1.2");
        assert_eq!([26.5297, 60.0, 0.000_4].map(instant), ["26.53s", "60s", "0s"]);
    }

    #[test]
    fn only_all_is_a_hundred_percent_and_only_none_is_nothing() {
        assert_eq!([1.0, 0.999_999, 0.931, 0.29, 0.0].map(percent), ["100%", "99.99%", "93.1%", "29%", "0%"]);
        assert_eq!(percent(0.000_001), "<0.01%");
        assert_eq!(share(0, 0), "-");
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(many(1, "fault") + " " + &many(2, "fault"), "1 fault 2 faults");
    }

    #[test]
    fn a_group_is_a_name_without_its_number() {
        assert_eq!(
            ["web-3", "blue-web-12", "registry", "a-b"].map(group),
            ["web", "blue-web", "registry", "a-b"]
        );
    }

    #[test]
    fn text_is_clipped_and_wrapped_by_columns() {
        assert_eq!(clip("registry", 8), "registry");
        assert_eq!(clip("registry", 7), "regist…");
        assert_eq!(clip("漢字漢字", 5), "漢字…");
        assert_eq!(elide("registry", 8), "registry");
        assert_eq!(elide("payments-canary-rollout-2", 20), "payments-…-rollout-2");
        assert_eq!(elide("漢字漢字", 5), "漢…字");
        assert_eq!(wrap("one two\nthree \u{1b}[31m", 7), ["one two", "three", "[31m"]);
        assert_eq!(wrap("", 7), Vec::<String>::new());
    }
}
