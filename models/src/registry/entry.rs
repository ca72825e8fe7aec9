//! Entries: what an instance has a registry list, when it begins to, and what of its host its registrar knows.

use schism_core::{Duration, FaultId};

use crate::listing::{Endpoint, ServiceId};
use crate::node::Ctx;
use crate::plight::Plight;
use crate::service::ReRegister;

/// What an instance has the registry list.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// On the list of this service.
    pub service: ServiceId,
    /// As this.
    pub endpoint: Endpoint,
    /// Whether it registers anew when its registration is lost.
    pub re_register: ReRegister,
}

/// Instances are not started in the same instant, but within half a second. Ours.
const START: u32 = 500_000_000;

/// How long an instance takes to start before it registers.
pub(crate) fn start(ctx: &Ctx<'_>) -> Duration {
    Duration::from_nanos(ctx.luck("start").below(START).into())
}

/// By which fault the instance takes its registration for good, does nothing for it, and hears nothing of it.
pub(crate) fn zombie(ctx: &Ctx<'_>) -> Option<FaultId> {
    ctx.plight().and_then(Plight::zombie)
}

/// For which fault whatever checks the instance's health finds it not well.
pub(crate) fn failing_probe(ctx: &Ctx<'_>) -> Option<FaultId> {
    ctx.plight().and_then(Plight::failing_probe)
}
