//! Quantities with their units, as they are written: `"250ms"`, `"15%"`, `"100/s"`.

use schism_core::{Duration, Ratio};
use schism_models::nemesis::Offset;
use schism_models::plight::Factor;

use crate::limits;

/// A rate, kept as the time between two events, which is what a simulation needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Rate {
    /// The mean time between two.
    pub(crate) gap: Duration,
}

/// Why a text is no such quantity, and what to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UnitError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// The units of time, in nanoseconds; the longest spelling of a letter goes first.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Other spellings that are common elsewhere.
const ELSEWHERE: &[(&str, &str)] = &[
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("usec", "us"),
    ("nanos", "ns"),
];

/// The regular expression of a duration, for the JSON Schema.
pub(crate) const DURATION_PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$";
/// The regular expression of a time that may be negative, for the JSON Schema.
pub(crate) const OFFSET_PATTERN: &str = r"^-?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$";
/// The regular expression of a share, for the JSON Schema.
pub(crate) const SHARE_PATTERN: &str = r"^[0-9]+(\.[0-9]+)?%$";
/// The regular expression of a rate, for the JSON Schema.
pub(crate) const RATE_PATTERN: &str = r"^[0-9]+(\.[0-9]+)?/(s|min|h)$";

/// The regular expression of a capacity, for the JSON Schema.
pub(crate) const BIT_RATE_PATTERN: &str = r"^[0-9]+(\.[0-9]+)?(bit|kbit|Mbit|Gbit)/s$";
/// The regular expression of a size, for the JSON Schema.
pub(crate) const SIZE_PATTERN: &str = r"^[0-9]+(\.[0-9]+)?(B|kB|KiB|MB|MiB|GB|GiB)$";

/// A time: a number and a unit, or several as in `"1m30s"`.
pub(crate) fn duration(text: &str) -> Result<Duration, UnitError> {
    if let Some(positive) = text.strip_prefix('-') {
        let help = duration(positive).is_ok().then(|| format!("write \"{positive}\""));
        return Err(UnitError::new("a duration cannot be negative", help));
    }
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() || total == 0 {
        let (nanos, after) = one_duration(rest, text)?;
        total = total.saturating_add(nanos);
        if total > u128::from(limits::DURATION.as_nanos()) {
            let most = limits::DURATION.as_nanos() / 86_400_000_000_000;
            return Err(UnitError::new(
                "the duration is too long",
                Some(format!("the limit is {most} days")),
            ));
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    Ok(Duration::from_nanos(total as u64))
}

/// A time as a message says it: from an hour on in days, hours and minutes, if it is whole minutes.
pub(crate) fn said(duration: Duration) -> String {
    const MINUTE: u64 = 60_000_000_000;
    let minutes = duration.as_nanos() / MINUTE;
    if minutes < 60 || !duration.as_nanos().is_multiple_of(MINUTE) {
        return duration.to_string();
    }
    let parts = [(minutes / 1440, "d"), (minutes / 60 % 24, "h"), (minutes % 60, "m")];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}

/// A time that may be negative: `"200ms"`, `"-5s"`.
pub(crate) fn offset(text: &str) -> Result<Offset, UnitError> {
    match text.strip_prefix('-') {
        Some(behind) => duration(behind).map(Offset::Behind),
        None => duration(text).map(Offset::Ahead),
    }
}

/// A number of at least one, as it was written.
pub(crate) fn factor(text: &str) -> Result<Factor, UnitError> {
    let shape = || {
        UnitError::new("not a factor", Some("write a number of at least 1, without quotes: 1.5".to_owned()))
    };
    let Decimal { digits, divisor, .. } = Decimal::parse(text).ok_or_else(shape)?;
    if digits > u128::from(limits::FACTOR.most) * divisor {
        return Err(UnitError::new(
            "the factor is too large",
            Some(format!("the limit is {}", limits::FACTOR.most)),
        ));
    }
    // A factor within the limit of nine decimals or fewer fits.
    let parts = |of: u128| u64::try_from(of).ok();
    let whole = parts(digits).zip(parts(divisor)).filter(|(_, divisor)| *divisor <= FACTOR_PARTS);
    let Some((digits, divisor)) = whole else {
        return Err(UnitError::new("a factor has at most 9 decimals", None));
    };
    Factor::checked(digits, divisor).ok_or_else(|| {
        UnitError::new("a factor is at least 1", Some("what makes things quicker is no fault".to_owned()))
    })
}

/// The decimals of a factor, as a divisor.
const FACTOR_PARTS: u64 = 1_000_000_000;

/// One number and unit at the front of `rest`, in nanoseconds, and what follows.
fn one_duration<'t>(rest: &'t str, whole: &str) -> Result<(u128, &'t str), UnitError> {
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, rest) = rest.split_at(digits);
    let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at(letters);
    let shape = || UnitError::new("not a duration", Some(duration_help(whole)));
    let decimal = Decimal::parse(number).ok_or_else(shape)?;
    let Some((_, per)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(match unit {
            "" if after.is_empty() => UnitError::new("a duration needs a unit", Some(duration_help(whole))),
            _ => shape(),
        });
    };
    let Some(scaled) = decimal.digits.checked_mul(u128::from(*per)) else {
        return Ok((u128::MAX, after));
    };
    let nanos = scaled / decimal.divisor;
    if nanos * decimal.divisor != scaled {
        return Err(UnitError::new(
            "the duration is not a whole number of nanoseconds",
            Some("time is kept in whole nanoseconds".into()),
        ));
    }
    Ok((nanos, after))
}

/// What to write instead, as near to what was written as can be told.
fn duration_help(text: &str) -> String {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let digits = squeezed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(squeezed.len());
    let (number, unit) = squeezed.split_at(digits);
    let lower = unit.to_lowercase();
    let known = UNITS.iter().map(|(name, _)| *name).find(|name| *name == lower);
    let elsewhere = || ELSEWHERE.iter().find(|(name, _)| *name == lower).map(|(_, name)| *name);
    match known.or_else(elsewhere) {
        Some(unit) if Decimal::parse(number).is_some() => format!("write \"{number}{unit}\""),
        None if unit.is_empty() && Decimal::parse(number).is_some() => unit_help(number),
        Some(_) | None => {
            "write a number and a unit: \"250ms\", \"1.5s\", \"2m\"; units are ns, us, ms, s, m, h, d"
                .to_owned()
        }
    }
}

/// For a bare number where a duration belongs.
pub(crate) fn unit_help(number: &str) -> String {
    format!("write it with a unit: \"{number}ms\" or \"{number}s\" (ns, us, ms, s, m, h, d)")
}

/// A share: a number from 0 to 100 and a percent sign.
pub(crate) fn ratio(text: &str) -> Result<Ratio, UnitError> {
    let decimal = percent(text)?;
    let divisor = decimal.divisor as u64 * 100;
    let digits = u64::try_from(decimal.digits).unwrap_or(u64::MAX);
    Ratio::checked(digits, divisor).ok_or_else(|| UnitError::new("a share cannot exceed 100%", None))
}

/// A share as the float nearest to it, for a bound that an expectation sets.
pub(crate) fn share(text: &str) -> Result<f64, UnitError> {
    let decimal = percent(text)?;
    if decimal.digits > decimal.divisor * 100 {
        return Err(UnitError::new("a share cannot exceed 100%", None));
    }
    Ok(format!("{}e-{}", decimal.digits, decimal.decimals + 2).parse().expect("digits make a float"))
}

/// A share in parts of a percent, of which `10^decimals` make one; those must be enough for every share.
pub(crate) fn share_parts(text: &str, decimals: u32) -> Option<u64> {
    assert!(decimals >= SHARE_DECIMALS, "no share is finer");
    ratio(text).ok()?;
    let Decimal { digits, divisor, .. } = percent(text).ok()?;
    u64::try_from(digits * 10_u128.pow(decimals) / divisor).ok()
}

/// The decimals that a share may have: one in a hundred thousand million is rarer than any run is long.
const SHARE_DECIMALS: u32 = 9;

fn percent(text: &str) -> Result<Decimal, UnitError> {
    if text.starts_with('-') {
        return Err(UnitError::new("a share cannot be negative", None));
    }
    let number = text.strip_suffix('%');
    let decimal = number.and_then(Decimal::parse).ok_or_else(|| {
        let squeezed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '%').collect();
        let meant = Decimal::parse(&squeezed).map(|_| format!("write \"{squeezed}%\""));
        UnitError::new("not a share", meant.or_else(|| Some(share_help(""))))
    })?;
    if decimal.decimals > SHARE_DECIMALS {
        return Err(UnitError::new(format!("a share has at most {SHARE_DECIMALS} decimals"), None));
    }
    Ok(decimal)
}

/// For something that may be a number where a share belongs. A fraction such as 0.15 becomes 15%.
pub(crate) fn share_help(number: &str) -> String {
    match Decimal::parse(number) {
        Some(decimal) if decimal.digits <= decimal.divisor && decimal.decimals > 0 => {
            format!("write it in percent: \"{}%\"", decimal.times_hundred())
        }
        Some(_) => format!("write it in percent: \"{number}%\""),
        None => "write it in percent: \"15%\" or \"0.01%\"".to_owned(),
    }
}

/// A rate: a number, a slash and `s`, `min` or `h`.
pub(crate) fn rate(text: &str) -> Result<Rate, UnitError> {
    if text.starts_with('-') {
        return Err(UnitError::new("a rate cannot be negative", None));
    }
    let help = || Some(rate_help(text));
    let Some((number, unit)) = text.split_once('/') else {
        return Err(UnitError::new("a rate needs a unit", help()));
    };
    let decimal = Decimal::parse(number).ok_or_else(|| UnitError::new("not a rate", help()))?;
    let per: u128 = match unit {
        "s" => 1_000_000_000,
        "min" | "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(UnitError::new("not a rate", help())),
    };
    if decimal.digits == 0 {
        return Err(UnitError::new(
            "a rate of zero is never",
            Some("write more than that, or leave out whoever has it".into()),
        ));
    }
    let gap = (per * decimal.divisor + decimal.digits / 2) / decimal.digits;
    if decimal.digits > u128::from(limits::RATE) * decimal.divisor * per / 1_000_000_000 {
        let limit = format!("the limit is {}/s for each client; use more clients", limits::RATE);
        return Err(UnitError::new("the rate is too high", Some(limit)));
    }
    if gap > u128::from(limits::GAP.as_nanos()) {
        return Err(UnitError::new("the rate is too low", Some("the limit is one a day".to_owned())));
    }
    Ok(Rate { gap: Duration::from_nanos(gap as u64) })
}

/// A rate as events per second, exactly as written, for a bound.
pub(crate) fn per_second(text: &str) -> Result<f64, UnitError> {
    let wrong = || UnitError::new("not a rate", Some(rate_help(text)));
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let digits = number.bytes().all(|b| b.is_ascii_digit() || b == b'.') && number.len() <= 40;
    let number: f64 = number.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
    match unit {
        "s" => Ok(number),
        "min" | "m" => Ok(number / 60.0),
        "h" => Ok(number / 3600.0),
        _ => Err(wrong()),
    }
}

/// The capacity of a link, kept in bytes per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct BitRate(pub(crate) u64);

/// The units of capacity, in bits per second. Networks count in thousands.
const BIT_RATES: &[(&str, u64)] =
    &[("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000)];

/// How capacities are spelt elsewhere, in lower case.
const BIT_RATES_ELSEWHERE: &[(&str, &str)] = &[
    ("bps", "bit/s"),
    ("kbps", "kbit/s"),
    ("mbps", "Mbit/s"),
    ("gbps", "Gbit/s"),
    ("kbit", "kbit/s"),
    ("mbit", "Mbit/s"),
    ("gbit", "Gbit/s"),
];

/// A capacity: a number and `bit/s`, `kbit/s`, `Mbit/s` or `Gbit/s`, which make whole bytes per second.
pub(crate) fn bit_rate(text: &str) -> Result<BitRate, UnitError> {
    let help = || Some(bit_rate_help(text));
    let bits = scaled(text, BIT_RATES).ok_or_else(|| UnitError::new("not a capacity", help()))?;
    let Some(bits) = bits.filter(|bits| bits % 8 == 0) else {
        let why = "it is kept in whole bytes per second".to_owned();
        return Err(UnitError::new("the capacity is not a whole number of bytes per second", Some(why)));
    };
    let bytes = u64::try_from(bits / 8).unwrap_or(u64::MAX);
    let limit = limits::BYTES_PER_SECOND;
    if bytes < limit.least {
        let help =
            format!("the least is {}; for no capacity at all, write a partition", BitRate(limit.least));
        return Err(UnitError::new("the capacity is too small", Some(help)));
    }
    if bytes > limit.most {
        return Err(UnitError::new(
            "the capacity is too large",
            Some(format!("the limit is {}", BitRate(limit.most))),
        ));
    }
    Ok(BitRate(bytes))
}

/// For something that may be a number where a capacity belongs.
pub(crate) fn bit_rate_help(text: &str) -> String {
    unit_guess(text, BIT_RATES, BIT_RATES_ELSEWHERE, "Mbit/s", "10Mbit/s", "bit/s, kbit/s, Mbit/s, Gbit/s")
}

impl std::fmt::Display for BitRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&in_largest(u128::from(self.0) * 8, BIT_RATES))
    }
}

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Size(pub(crate) u64);

/// The units of size, in bytes: those of the SI and those of IEC 80000-13.
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// How sizes are spelt elsewhere, in lower case.
const SIZES_ELSEWHERE: &[(&str, &str)] =
    &[("bytes", "B"), ("k", "KiB"), ("kib", "KiB"), ("m", "MiB"), ("g", "GiB")];

/// A size: a number and a unit, which make whole bytes.
pub(crate) fn size(text: &str) -> Result<Size, UnitError> {
    let help = || Some(size_help(text));
    let bytes = scaled(text, SIZES).ok_or_else(|| UnitError::new("not a size", help()))?;
    let Some(bytes) = bytes else {
        let why = "bytes are not divided".to_owned();
        return Err(UnitError::new("the size is not a whole number of bytes", Some(why)));
    };
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let limit = limits::BUFFER;
    if bytes < limit.least {
        let help = format!("write at least \"{}\": {}", Size(limit.least), limit.why);
        return Err(UnitError::new("the size is too small", Some(help)));
    }
    if bytes > limit.most {
        return Err(UnitError::new(
            "the size is too large",
            Some(format!("the limit is {}", Size(limit.most))),
        ));
    }
    Ok(Size(bytes))
}

/// For something that may be a number where a size belongs.
pub(crate) fn size_help(text: &str) -> String {
    unit_guess(text, SIZES, SIZES_ELSEWHERE, "KiB", "256KiB", "B, kB, KiB, MB, MiB, GB, GiB")
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&in_largest(u128::from(self.0), SIZES))
    }
}

/// A number and one of these units: how many of the least it is, and `None` within if that is not whole.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<Option<u128>> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, per) = units.iter().find(|(name, _)| *name == unit)?;
    let scaled = Decimal::parse(number)?;
    let whole = scaled.digits.saturating_mul(u128::from(*per));
    Some(whole.is_multiple_of(scaled.divisor).then(|| whole / scaled.divisor))
}

/// A whole number of the least unit in the largest unit that it is a whole number of.
fn in_largest(number: u128, units: &[(&str, u64)]) -> String {
    let fits = |(_, per): &&(&str, u64)| number.is_multiple_of(u128::from(*per));
    let largest = units.iter().filter(fits).max_by_key(|(_, per)| *per);
    let (unit, per) = largest.filter(|_| number > 0).unwrap_or(&units[0]);
    format!("{}{unit}", number / u128::from(*per))
}

/// What to write instead, as near to what was written as can be told.
fn unit_guess(
    text: &str,
    units: &[(&'static str, u64)],
    elsewhere: &[(&str, &'static str)],
    usual: &str,
    example: &str,
    all: &str,
) -> String {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let digits = squeezed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(squeezed.len());
    let (number, unit) = squeezed.split_at(digits);
    let lower = unit.to_lowercase();
    let known = units.iter().map(|(name, _)| *name).find(|name| name.to_lowercase() == lower);
    let other = || elsewhere.iter().find(|(name, _)| *name == lower).map(|(_, name)| *name);
    match known.or_else(other) {
        Some(unit) if Decimal::parse(number).is_some() => format!("write \"{number}{unit}\""),
        None if unit.is_empty() && Decimal::parse(number).is_some() => {
            format!("write it with a unit: \"{number}{usual}\" ({all})")
        }
        Some(_) | None => format!("write a number and a unit: \"{example}\"; units are {all}"),
    }
}

/// For something that may be a number where a rate belongs.
pub(crate) fn rate_help(text: &str) -> String {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    match &text[..digits] {
        number if Decimal::parse(number).is_some() => {
            format!("write it with a unit: \"{number}/s\" (/s, /min, /h)")
        }
        _ => "write a number and a unit: \"100/s\", \"6/min\"".to_owned(),
    }
}

impl std::fmt::Display for Rate {
    /// The shortest rate that reads back as the same gap.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let gap = u128::from(self.gap.as_nanos());
        for decimals in 0..=18 {
            for (unit, per) in [("s", 1_000_000_000_u128), ("min", 60_000_000_000), ("h", 3_600_000_000_000)]
            {
                let scale = 10_u128.pow(decimals);
                let digits = (per * scale + gap / 2) / gap;
                let text = format!("{}/{unit}", Decimal { digits, divisor: scale, decimals });
                if rate(&text).is_ok_and(|read| read == *self) {
                    return f.write_str(&text);
                }
            }
        }
        unreachable!("some number of decimals tells {} from its neighbours", self.gap)
    }
}

/// A number as it was written: digits and where the point goes.
#[derive(Clone, Copy)]
pub(crate) struct Decimal {
    digits: u128,
    divisor: u128,
    decimals: u32,
}

impl Decimal {
    /// Digits, perhaps a point and at most 18 more. A number of more than 18 digits is as large as one of 18 can be:
    /// beyond every limit.
    fn parse(text: &str) -> Option<Decimal> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits_only(whole) || !digits_only(fraction) {
            return None;
        }
        let whole = if whole.trim_start_matches('0').len() > 18 { "999999999999999999" } else { whole };
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 18 {
            return None;
        }
        let decimals = fraction.len() as u32;
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Decimal { digits, divisor: 10_u128.pow(decimals), decimals })
    }

    /// So many parts, of which `10^decimals` make one.
    pub(crate) fn of_parts(parts: u64, decimals: u32) -> Decimal {
        Decimal { digits: parts.into(), divisor: 10_u128.pow(decimals), decimals }
    }

    fn times_hundred(self) -> Decimal {
        match self.decimals {
            0 => Decimal { digits: self.digits * 100, ..self },
            1 => Decimal { digits: self.digits * 10, divisor: 1, decimals: 0 },
            _ => Decimal { digits: self.digits, divisor: self.divisor / 100, decimals: self.decimals - 2 },
        }
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.digits / self.divisor, self.digits % self.divisor);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let width = self.decimals as usize;
        write!(f, "{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
    }
}

/// A share from 0 to 1 in percent, such that it reads back the same.
pub(crate) fn show_share(share: f64) -> String {
    let text = format!("{share}");
    let decimal = Decimal::parse(&text).expect("a bound was written as a short decimal");
    format!("{}%", decimal.times_hundred())
}

/// A probability in percent, exactly.
pub(crate) fn show_ratio(ratio: Ratio) -> String {
    let (n, d) = (u128::from(ratio.numerator()), u128::from(ratio.denominator()));
    let mut decimals = 0;
    let mut divisor = 1_u128;
    while !(n * 100 * divisor).is_multiple_of(d) && decimals < 17 {
        decimals += 1;
        divisor *= 10;
    }
    format!("{}%", Decimal { digits: n * 100 * divisor / d, divisor, decimals })
}

impl UnitError {
    fn new(message: impl Into<String>, help: Option<String>) -> UnitError {
        UnitError { message: message.into(), help }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nanos(text: &str) -> Option<u64> {
        duration(text).ok().map(Duration::as_nanos)
    }

    #[test]
    fn long_times_are_said_in_days_hours_and_minutes() {
        let shown = [0, 180, 3_599, 3_600, 5_400, 77_760_000, 90_061, 1_000_000 * 60]
            .map(|secs| said(Duration::from_secs(secs)));
        assert_eq!(shown, ["0s", "180s", "3599s", "1h", "1h30m", "900d", "90061s", "694d10h40m"]);
        assert!(shown.iter().all(|text| duration(text).is_ok()));
    }

    #[test]
    fn durations_are_read_to_the_nanosecond() {
        let cases = [
            ("0s", 0),
            ("100ns", 100),
            ("30us", 30_000),
            ("30µs", 30_000),
            ("0.000001ms", 1),
            ("1.5s", 1_500_000_000),
            ("1m30s", 90_000_000_000),
            ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1000d", 86_400_000_000_000_000),
        ];
        for (text, expected) in cases {
            assert_eq!(nanos(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "", "s", "1", "1 s", "-1s", "+1s", ".5s", "1.s", "1e3s", "1S", "1sec", "0.1ns", "1000d1ns",
            "1s1", "ns1", "١s",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }

    #[test]
    fn shares_are_read_exactly() {
        assert_eq!(ratio("15%").unwrap(), Ratio::new(3, 20));
        assert_eq!(ratio("0.01%").unwrap(), Ratio::new(1, 10_000));
        assert_eq!(ratio("100%").unwrap(), Ratio::ONE);
        assert_eq!(share("99.95%").unwrap().to_string(), "0.9995");
        for text in ["15", "100.000000001%", "-1%", "%", "1 %", "0.0000000001%"] {
            assert!(ratio(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_of_a_million_is_the_highest() {
        assert_eq!(rate("1000000/s").unwrap().gap, Duration::from_nanos(1_000));
        assert!(rate("1000000.1/s").is_err());
        assert_eq!(rate("6/min").unwrap().gap, Duration::from_secs(10));
        assert!(rate("99999999999999999999/s").is_err());
    }

    #[test]
    fn capacities_and_sizes_are_read_exactly() {
        let bytes = |text: &str| bit_rate(text).ok().map(|rate| rate.0);
        assert_eq!(bytes("10Mbit/s"), Some(1_250_000));
        assert_eq!(bytes("1.5Mbit/s"), Some(187_500));
        assert_eq!(bytes("1000kbit/s"), bytes("1Mbit/s"));
        assert_eq!(bytes("1Gbit/s"), Some(125_000_000));
        assert_eq!(size("256KiB").ok(), Some(Size(262_144)));
        assert_eq!(size("2.5kB").ok(), Some(Size(2_500)));
        assert_eq!(BitRate(187_500).to_string(), "1500kbit/s");
        assert_eq!(Size(262_144).to_string(), "256KiB");
        for text in
            ["", "10", "10Mbps", "10 Mbit/s", "0Mbit/s", "1001bit/s", "-1Mbit/s", "10MB/s", "99999Gbit/s"]
        {
            assert_eq!(bytes(text), None, "{text}");
        }
        for text in ["", "256", "256K", "0B", "2000B", "0.5B", "1.0001KiB", "-1KiB", "9999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_capacity_is_guessed_from_its_other_spellings() {
        let help = |text: &str| bit_rate(text).unwrap_err().help.unwrap();
        assert_eq!(help("10Mbps"), "write \"10Mbit/s\"");
        assert_eq!(help("10 mbit/s"), "write \"10Mbit/s\"");
        assert!(help("10").starts_with("write it with a unit: \"10Mbit/s\""));
        assert_eq!(size("256k").unwrap_err().help.unwrap(), "write \"256KiB\"");
    }

    proptest! {
        #[test]
        fn a_capacity_reads_back_the_same(bytes in limits::BYTES_PER_SECOND.range()) {
            prop_assert_eq!(bit_rate(&BitRate(bytes).to_string()), Ok(BitRate(bytes)));
        }

        #[test]
        fn a_size_reads_back_the_same(bytes in limits::BUFFER.range()) {
            prop_assert_eq!(size(&Size(bytes).to_string()), Ok(Size(bytes)));
        }

        #[test]
        fn a_rate_reads_back_the_same(gap in 1_000..=limits::GAP.as_nanos()) {
            let written = Rate { gap: Duration::from_nanos(gap) };
            prop_assert_eq!(rate(&written.to_string()), Ok(written));
        }

        #[test]
        fn a_share_reads_back_the_same(parts in 0..=100_000_000_000_u64) {
            let written = Ratio::new(parts, 100_000_000_000);
            prop_assert_eq!(ratio(&show_ratio(written)), Ok(written));
            let bound = parts as f64 / 1e11;
            prop_assert_eq!(share(&show_share(bound)).unwrap().to_bits(), bound.to_bits());
        }

        #[test]
        fn a_duration_reads_back_the_same(nanos in 0..=limits::DURATION.as_nanos()) {
            let written = Duration::from_nanos(nanos);
            prop_assert_eq!(duration(&written.to_string()), Ok(written));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-0-9a-zBKMGµ.%/ ]{0,24}") {
            let _ = (duration(&text), ratio(&text), share(&text), rate(&text), per_second(&text));
            let _ = (bit_rate(&text), size(&text));
        }
    }
}
