//! The protection threshold: with too few healthy instances, all are offered as if they were healthy.

use schism_core::Ratio;

/// Whether so few are healthy that all are offered: `healthy / total <= threshold`, so that with the default of 0.0 a
/// service of which *nobody* is healthy is offered whole (naming/utils/ServiceUtil.java, 3.0.3,
/// `selectInstancesWithHealthyProtection`; naming/controllers/InstanceController.java, 1.4.6, line 750; the default:
/// api/common/Constants.java, 3.0.3, line 161). Of no instances none are offered: 0/0 is not a number, and compares with
/// nothing.
pub fn protects(healthy: usize, total: usize, threshold: Ratio) -> bool {
    let (healthy, total) = (healthy as u128, total as u128);
    total > 0 && healthy * u128::from(threshold.denominator()) <= u128::from(threshold.numerator()) * total
}

#[cfg(test)]
mod tests {
    use schism_core::ratio;

    use super::*;

    #[test]
    fn at_the_default_only_a_service_without_anybody_healthy_is_offered_whole() {
        assert!(protects(0, 5, Ratio::ZERO));
        assert!(!protects(1, 5, Ratio::ZERO));
        assert!(!protects(0, 0, Ratio::ZERO));
    }

    #[test]
    fn the_threshold_itself_is_too_few() {
        assert!(protects(2, 5, ratio(2, 5)));
        assert!(!protects(3, 5, ratio(2, 5)));
    }
}
