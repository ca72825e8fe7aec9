//! Throttles: requests beyond a rate are refused.

use std::collections::BTreeMap;

use schism_core::FaultId;

use super::{Ill, ills, lasting};
use crate::node::Ctx;
use crate::registry::bucket::Bucket;

/// What is left of the requests that throttles let through, by fault.
#[derive(Clone, Debug, Default)]
pub(crate) struct Throttles {
    buckets: BTreeMap<FaultId, Bucket>,
}

impl Throttles {
    /// What ails the member has changed: what is over is forgotten.
    pub(crate) fn mind(&mut self, ctx: &Ctx<'_>) {
        let lasting = lasting(ctx);
        self.buckets.retain(|by, _| lasting.contains(by));
    }

    /// Whether one more request is too many. Every bucket of several is asked, and one that is empty refuses.
    pub(crate) fn refuse(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let mut refused = false;
        for (ailment, ill) in ills(ctx) {
            if let Ill::Throttled { gap, burst } = *ill {
                let bucket = self.buckets.entry(ailment.by).or_insert_with(|| Bucket::new(gap, burst));
                if !bucket.take(ctx.now()) {
                    ctx.touch(ailment.by);
                    refused = true;
                }
            }
        }
        refused
    }
}
