//! Static stride: gRPC's weighted round robin, in the flavours of its C++ core and of grpc-go.
//!
//! A sequence number runs on, one for each look: its remainder says whose turn it is, and its quotient (the generation)
//! whether that one skips its turn. Who weighs the most never does. Sources: `static_stride_scheduler.cc` of grpc/grpc
//! at 0723509 and `balancer/weightedroundrobin/scheduler.go` of grpc/grpc-go at 4793ad0.

/// The scaled weights; who picks keeps the sequence number, which outlives the scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stride {
    scaled: Vec<u16>,
}

/// What the largest weight is scaled to.
const MOST: u16 = u16::MAX;

/// How far the turns of neighbours are apart, so that they do not skip together.
const OFFSET: u16 = MOST / 2;

/// In C++ no weight counts more than so many times the mean: a pick looks at fewer than these rounds on average.
const MOST_BY_MEAN: f64 = 10.0;

/// In C++ no weight counts less than this share of the mean.
const LEAST_BY_MEAN: f64 = 0.01;

impl Stride {
    /// As gRPC's C++ core: in single precision, with the largest held to ten times the mean and the smallest to a
    /// hundredth. A weight of zero is unknown and counts as the mean. `None` where it takes turns instead: of fewer than
    /// two, or when none is known.
    pub(crate) fn cpp(weights: &[f32]) -> Option<Stride> {
        let known = weights.iter().filter(|&&weight| weight > 0.0).count();
        if weights.len() < 2 || known == 0 {
            return None;
        }
        let sum: f64 = weights.iter().copied().map(f64::from).sum();
        let mean = sum / known as f64;
        let largest = weights.iter().copied().fold(0.0, f32::max);
        let largest =
            if f64::from(largest) / mean > MOST_BY_MEAN { (MOST_BY_MEAN * mean) as f32 } else { largest };
        // The quotient of a `uint16_t` and a `float` is a float in C++, whatever it is assigned to.
        let scale = f64::from(f32::from(MOST) / largest);
        let mean = (scale * mean).round() as u16;
        let least = ((f64::from(mean) * LEAST_BY_MEAN).round() as u16).max(1);
        let scaled = |&weight: &f32| match weight > 0.0 {
            true => ((f64::from(weight.min(largest)) * scale).round() as u16).max(least),
            false => mean,
        };
        Some(Stride { scaled: weights.iter().map(scaled).collect() })
    }

    /// As grpc-go: in double precision, and nothing is held to anything. A weight of zero is unknown and counts as the
    /// mean. `None` where it takes turns instead: when fewer than two are known, or all are as good as equal.
    pub(crate) fn go(weights: &[f64]) -> Option<Stride> {
        let known = weights.iter().filter(|&&weight| weight > 0.0).count();
        if known < 2 {
            return None;
        }
        let sum: f64 = weights.iter().sum();
        let scale = f64::from(MOST) / weights.iter().copied().fold(0.0, f64::max);
        let mean = (scale * (sum / known as f64)).round() as u16;
        let scaled = |&weight: &f64| if weight > 0.0 { (scale * weight).round() as u16 } else { mean };
        let scaled: Vec<u16> = weights.iter().map(scaled).collect();
        scaled.iter().any(|&weight| weight != mean).then_some(Stride { scaled })
    }

    /// Whose turn it is; the sequence number goes on past every look, and around at its 32 bits.
    pub(crate) fn pick(&self, sequence: &mut u32) -> u32 {
        let count = self.scaled.len() as u64;
        loop {
            let look = u64::from(*sequence);
            *sequence = sequence.wrapping_add(1);
            let (turn, generation) = (look % count, look / count);
            let weight = u64::from(self.scaled[turn as usize]);
            let phase = (weight * generation + turn * u64::from(OFFSET)) % u64::from(MOST);
            if phase >= u64::from(MOST) - weight {
                return turn as u32;
            }
        }
    }

    /// The weights as they are scaled.
    pub(crate) fn scaled(&self) -> &[u16] {
        &self.scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpp(weights: &[u32]) -> Option<Stride> {
        Stride::cpp(&weights.iter().map(|&weight| weight as f32).collect::<Vec<_>>())
    }

    fn go(weights: &[u32]) -> Option<Stride> {
        Stride::go(&weights.iter().map(|&weight| f64::from(weight)).collect::<Vec<_>>())
    }

    fn picks(stride: &Stride, sequence: &mut u32, count: usize) -> Vec<u32> {
        (0..count).map(|_| stride.pick(sequence)).collect()
    }

    fn counts(stride: &Stride, count: usize) -> Vec<u32> {
        let mut counts = vec![0; stride.scaled.len()];
        picks(stride, &mut 0, count).iter().for_each(|&turn| counts[turn as usize] += 1);
        counts
    }

    /// One of the weight 81 among nineteen of the weight 1.
    fn skewed() -> Vec<u32> {
        [vec![81], vec![1; 19]].concat()
    }

    /// static_stride_scheduler_test.cc of grpc/grpc at 6574c82: `PicksAreWeightedExactly` and `MaxIsClampedForHighRatio`.
    #[test]
    fn cpp_scales_and_counts_as_its_own_tests_say() {
        let stride = cpp(&[1, 2, 3]).expect("three are known");
        assert_eq!(stride.scaled, [21_845, 43_690, 65_535]);
        assert_eq!(counts(&stride, 6), [1, 2, 3]);

        let stride = cpp(&skewed()).expect("all are known");
        assert_eq!(stride.scaled, [vec![65_535], vec![1_311; 19]].concat());
        assert_eq!(counts(&stride, 69), [vec![50], vec![1; 19]].concat());
    }

    /// Where C++ gives fifty to one, Go gives eighty-one.
    #[test]
    fn go_holds_nothing_to_anything() {
        let stride = go(&skewed()).expect("all are known");
        assert_eq!(stride.scaled, [vec![65_535], vec![809; 19]].concat());
        let counts = counts(&stride, 100_000);
        assert!(
            counts[1..].iter().all(|&count| counts[0] / count == 81 || counts[0] / count == 80),
            "{counts:?}"
        );
    }

    /// `UnmeasuredWeightsAreAssignedMean` and its neighbours: who is unknown counts as the mean, and equals take turns.
    #[test]
    fn equals_take_turns() {
        let stride = cpp(&[300, 300, 0]).expect("two are known");
        assert_eq!(picks(&stride, &mut 0, 9), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(go(&[300, 300, 0]), None, "grpc-go has no scheduler for that");
    }

    #[test]
    fn there_is_no_scheduler_of_fewer_than_two_or_of_none_known() {
        for weights in [&[][..], &[0], &[0, 0, 0, 0], &[1]] {
            assert_eq!(cpp(weights), None);
            assert_eq!(go(weights), None);
        }
        assert!(cpp(&[0, 5]).is_some(), "C++ schedules with one that is known");
        assert_eq!(go(&[0, 5]), None, "Go wants two");
    }

    /// Computed from the cited sources, the same for both: scaled weights, thirty picks from zero, looks that they took.
    #[test]
    fn sequences_are_those_of_the_reference() {
        let six = [1, 2, 2, 0, 1, 2].repeat(5);
        let four = [[1, 2, 0, 2].repeat(7), vec![1, 2]].concat();
        let long = [1, 2, 3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 2, 3, 1, 3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 3, 1];
        let weights: [&[u32]; 3] = [&[1, 2, 3], &[1, 1, 2], &[1, 10, 2, 20]];
        let scaled: [&[u16]; 3] =
            [&[21_845, 43_690, 65_535], &[32_768, 32_768, 65_535], &[3_277, 32_768, 6_554, 65_535]];
        let sequences: [(&[u32], u32); 3] = [(&six, 45), (&four, 45), (&long, 74)];
        for ((weights, scaled), (expected, looks)) in weights.into_iter().zip(scaled).zip(sequences) {
            for stride in [cpp(weights), go(weights)] {
                let stride = stride.expect("all are known");
                assert_eq!(stride.scaled, scaled);
                let mut sequence = 0;
                assert_eq!(picks(&stride, &mut sequence, 30), expected, "{weights:?}");
                assert_eq!(sequence, looks);
            }
        }
    }

    #[test]
    fn the_sequence_goes_around() {
        let stride = go(&[1, 2, 3]).expect("all are known");
        let mut sequence = u32::MAX;
        picks(&stride, &mut sequence, 2);
        assert!(sequence < 10);
    }
}
