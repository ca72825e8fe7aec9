//! A chance, as measured: so many of so many runs failed, and what that says.

use serde::Serialize;

use crate::figures::share;

/// How many of some runs failed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Chance {
    /// Runs that failed.
    pub failed: u32,
    /// Of so many; not zero.
    pub of: u32,
    /// Their share, from 0 to 1.
    pub share: f64,
    /// The lower end of the interval in which the true share lies, at a confidence of 95%.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The 97.5% quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

impl Chance {
    /// The interval is Wilson's ("Probable inference, the law of succession, and statistical inference", JASA 22(158),
    /// 1927), which makes sense also where none failed, or all.
    ///
    /// # Panics
    ///
    /// If nothing was run.
    pub fn new(failed: u32, of: u32) -> Chance {
        assert!(of > 0 && failed <= of, "{failed} of {of} runs cannot have failed");
        let (n, p) = (f64::from(of), f64::from(failed) / f64::from(of));
        let middle = p + Z * Z / (2.0 * n);
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        let low = if failed == 0 { 0.0 } else { (middle - reach) / scale };
        let high = if failed == of { 1.0 } else { (middle + reach) / scale };
        let share = share(failed.into(), of.into()).expect("it is not of nothing");
        Chance { failed, of, share, low: rounded(low), high: rounded(high) }
    }

    /// Of the runs that these are the answers of, whether each failed.
    pub(super) fn of(failed: impl Iterator<Item = bool>) -> Chance {
        let (failed, of) = failed.fold((0, 0), |(failed, of), it| (failed + u32::from(it), of + 1));
        Chance::new(failed, of)
    }
}

/// To six decimals, which is more than anyone believes.
fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wilson's formula by hand, with z = 1.959964.
    #[test]
    fn the_interval_is_wilsons() {
        let ends = |failed, of| (Chance::new(failed, of).low, Chance::new(failed, of).high);
        assert_eq!(ends(0, 64), (0.0, 0.056_624));
        assert_eq!(ends(64, 64), (0.943_376, 1.0));
        assert_eq!(ends(32, 64), (0.381_021, 0.618_979));
    }
}
