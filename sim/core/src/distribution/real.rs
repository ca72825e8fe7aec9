//! The few functions of a real number that sampling needs, equal to the last bit on every machine.
//!
//! Only `+ - * /`, the square root (all exact by IEEE 754) and `libm`, which is made of the same.

/// The natural logarithm of a positive normal number, within 1e-15 of its magnitude or of one, whichever is greater.
///
/// A table and a short polynomial (Tang, "Table-driven implementation of the logarithm function in IEEE floating-point
/// arithmetic", ACM TOMS 16(4), 1990): `x = 2^e * z` with `z` in one of 128 cells from 11/16 to 11/8, and `ln z` is
/// `ln c + ln(1 + r)` for a `c` in the cell. An exponential sample takes 5.5 ns so, and 8.7 by `libm::log`.
#[inline]
pub(super) fn ln(x: f64) -> f64 {
    let above = x.to_bits().wrapping_sub(LEAST);
    let exponent = (above as i64) >> MANTISSA_BITS;
    let z = f64::from_bits(x.to_bits().wrapping_sub((exponent as u64) << MANTISSA_BITS));
    let (inverse, ln_c) = CELLS[(above >> CELL_BITS) as usize % CELLS.len()];

    let r = z * inverse - 1.0;
    let r2 = r * r;
    let low = r2 * (r * (1.0 / 3.0) - 0.5);
    let high = r2 * r2 * (r * (1.0 / 5.0) - 1.0 / 4.0 - r2 * (1.0 / 6.0));
    exponent as f64 * std::f64::consts::LN_2 + (ln_c + (r + (low + high)))
}

const MANTISSA_BITS: u32 = 52;
const CELL_BITS: u32 = MANTISSA_BITS - 7;
const LEAST: u64 = (11.0_f64 / 16.0).to_bits();
const ONE: u64 = 1.0_f64.to_bits();

/// For each cell, `1 / c` as rounded, and the logarithm of what its reciprocal is.
static CELLS: [(f64, f64); 128] = {
    let mut cells = [(0.0, 0.0); 128];
    let mut i = 0;
    while i < 128 {
        cells[i] = cell(i as u64);
        i += 1;
    }
    cells
};

const fn cell(i: u64) -> (f64, f64) {
    let (from, to) = (LEAST + (i << CELL_BITS), LEAST + ((i + 1) << CELL_BITS));
    // Both neighbours of one take one itself: there `r` is exact, and a small logarithm keeps all its digits.
    if from == ONE || to == ONE {
        return (1.0, 0.0);
    }
    let inverse = 2.0 / (f64::from_bits(from) + f64::from_bits(to));
    (inverse, -ln_by_series(inverse))
}

/// `2 artanh((x - 1) / (x + 1))`; for `x` from 8/11 to 16/11, fourteen terms leave less than 1e-19.
const fn ln_by_series(x: f64) -> f64 {
    let s = (x - 1.0) / (x + 1.0);
    let mut sum = 0.0;
    let mut odd = 27.0;
    while odd > 1.0 {
        sum = (sum + 1.0 / odd) * (s * s);
        odd -= 2.0;
    }
    2.0 * (s + s * sum)
}

/// The exponential of a number, within 1e-15 of its magnitude; beyond 700 from zero, that of 700.
///
/// A table and a short polynomial again (Tang, "Table-driven implementation of the exponential function in IEEE
/// floating-point arithmetic", ACM TOMS 15(2), 1989): `x = k ln(2) / 128 + r`, and the power of two is put together
/// from the whole part of `k / 128`, in the exponent, and the rest, from the table. A lognormal sample takes 16 ns so,
/// and 26 by `libm::exp`.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    // Adding a number with no bits left for a fraction rounds to the nearest integer, and leaves it in the low bits.
    let shifted = x * (POWERS.len() as f64 / std::f64::consts::LN_2) + ROUNDING;
    let (k, whole) = (shifted.to_bits(), shifted - ROUNDING);
    let r = (x - whole * STEP_HIGH) - whole * STEP_LOW;

    let r2 = r * r;
    let tail = r2 * (0.5 + r * (1.0 / 6.0)) + r2 * r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    let power = POWERS[k as usize % POWERS.len()];
    let scale = f64::from_bits(power.to_bits().wrapping_add((k >> 7) << MANTISSA_BITS));
    scale + scale * (r + tail)
}

const ROUNDING: f64 = 1.5 * (1_u64 << MANTISSA_BITS) as f64;

/// `ln(2) / 128` in two parts: the first has 32 bits, so that its product with a `k` of 18 bits is exact.
const STEP_HIGH: f64 = f64::from_bits((std::f64::consts::LN_2 / 128.0).to_bits() & !((1 << 21) - 1));
const STEP_LOW: f64 = (std::f64::consts::LN_2 / 128.0 - STEP_HIGH) + LN_2_REST / 128.0;
/// What `LN_2` lacks to the logarithm of two.
const LN_2_REST: f64 = 2.319_046_813_846_299_6e-17;

/// Two to the power of `i / 128`.
static POWERS: [f64; 128] = {
    let mut powers = [0.0; 128];
    let mut i = 0;
    while i < 128 {
        powers[i] = exp_by_series(i as f64 / 128.0 * std::f64::consts::LN_2);
        i += 1;
    }
    powers
};

/// Taylor's series; for `x` from zero to `ln 2`, twenty terms leave less than 1e-21.
const fn exp_by_series(x: f64) -> f64 {
    let mut sum = 0.0;
    let mut n = 20.0;
    while n > 0.0 {
        sum = (sum + 1.0) * (x / n);
        n -= 1.0;
    }
    1.0 + sum
}

/// The value that a standard normal variable stays below with probability `p`, strictly between zero and one.
///
/// Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37(3), 1988:
/// PPND16, about one part in 10^16. Seven draws in eight need no logarithm.
#[inline]
pub(super) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.425 * 0.425 - q * q;
        return q * polynomial(&A, r) / polynomial(&B, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-ln(tail));
    let distance = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    if q < 0.0 { -distance } else { distance }
}

/// The probability that a standard normal variable stays below `x`.
pub(super) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The density of a standard normal variable at `x`.
pub(super) fn normal_density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) * (0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2)
}

/// By Horner's rule, on the even and the odd terms at once: two short chains are sooner done than a long one.
#[inline]
fn polynomial(terms: &[f64; 8], x: f64) -> f64 {
    let x2 = x * x;
    let even = ((terms[6] * x2 + terms[4]) * x2 + terms[2]) * x2 + terms[0];
    let odd = ((terms[7] * x2 + terms[5]) * x2 + terms[3]) * x2 + terms[1];
    odd * x + even
}

const A: [f64; 8] = [
    3.387_132_872_796_366_6,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const B: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const C: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const D: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const E: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const F: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draw, Seed};

    #[test]
    fn the_logarithm_agrees_with_libm() {
        let mut luck = Seed(1).luck("anyone", "logarithm", 0);
        for _ in 0..200_000 {
            let draw = luck.draw();
            check_ln(draw.unit());
            check_ln(1.0 / draw.unit());
            // Near one from below, where the shortest times are.
            check_ln(1.0 - draw.unit() / 256.0);
        }
        for edge in [0, 1, u64::MAX / 2, u64::MAX] {
            check_ln(Draw::new(edge).unit());
        }
        check_ln(1.0);
        check_ln(f64::MIN_POSITIVE);
        check_ln(f64::MAX);
    }

    fn check_ln(x: f64) {
        let (ours, theirs) = (ln(x), libm::log(x));
        assert!((ours - theirs).abs() <= 1e-15 * theirs.abs().max(1.0), "ln({x:e}): {ours} for {theirs}");
        let close = (x - 1.0).abs() < 1.0 / 256.0;
        assert!(!close || (ours - theirs).abs() <= 4e-15 * theirs.abs(), "ln({x:e}): {ours} for {theirs}");
    }

    #[test]
    fn the_exponential_agrees_with_libm() {
        let mut luck = Seed(1).luck("anyone", "exponential", 0);
        for _ in 0..200_000 {
            let unit = luck.draw().unit();
            check_exp(2.0 * unit - 1.0);
            check_exp(100.0 * unit - 50.0);
            check_exp(1400.0 * unit - 700.0);
        }
        for i in -1000..=1000 {
            // The borders between two entries of the table.
            check_exp((f64::from(i) + 0.5) * (STEP_HIGH + STEP_LOW));
        }
    }

    fn check_exp(x: f64) {
        let (ours, theirs) = (exp(x), libm::exp(x));
        assert!((ours - theirs).abs() <= 1e-15 * theirs, "exp({x}): {ours:e} for {theirs:e}");
    }

    #[test]
    fn the_exponential_is_exact_at_zero_and_holds_at_its_ends() {
        assert!(exp(0.0).to_bits() == 1.0_f64.to_bits());
        assert!(exp(1e300) > 1e304 && exp(f64::INFINITY) > 1e304);
        assert!(exp(f64::NEG_INFINITY) < 1e-304);
    }

    #[test]
    fn the_logarithm_never_falls_from_one_cell_to_the_next() {
        for (i, _) in CELLS.iter().enumerate() {
            let edge = LEAST + ((i as u64) << CELL_BITS);
            assert!(ln(f64::from_bits(edge - 8)) <= ln(f64::from_bits(edge)), "cell {i}");
        }
    }

    #[test]
    fn the_normal_quantile_undoes_the_distribution_function() {
        let mut luck = Seed(1).luck("anyone", "normal", 0);
        for _ in 0..100_000 {
            check_normal(luck.draw().unit());
        }
        // Both borders of the middle, both borders of the far tail (e^-25), and both ends.
        for p in [0.5, 0.075, 0.925, 1.389e-11, 1.388e-11, 1e-15, Draw::new(0).unit()] {
            check_normal(p);
        }
    }

    fn check_normal(p: f64) {
        let again = normal_cdf(normal_quantile(p));
        let less = p.min(1.0 - p);
        assert!((again - p).abs() <= 1e-13 * less + 1e-15 * p, "{p:e} came back as {again:e}");
    }

    /// Table values as in Wichura's paper, and the one by which p99 is met.
    #[test]
    fn the_normal_quantile_meets_published_values() {
        let close = |p, z: f64| assert!((normal_quantile(p) - z).abs() < 2e-15 * z.abs(), "{p}");
        close(0.25, -0.674_489_750_196_081_7);
        close(0.001, -3.090_232_306_167_813_5);
        close(1e-20, -9.262_340_089_798_408);
        close(0.99, 2.326_347_874_040_841);
    }
}
