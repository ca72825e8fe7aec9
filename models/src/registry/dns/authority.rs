//! An authoritative server: it answers from its zone file, which lists the instances as they are configured.

use schism_core::{Draws, NodeId};

use super::Config;
use super::api::{Msg, Timer};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::{Seat, Server};

/// One of the servers of the zone.
#[derive(Clone, Debug)]
pub struct Member {
    seat: Seat<Config>,
    luck: Draws,
}

impl Member {
    /// It starts, and reads its zone file.
    pub fn boot(seat: &Seat<Config>, (): &(), ctx: &mut Ctx<'_>) -> Member {
        for listing in &seat.layout.services {
            ctx.observe(Observation::View(listing.clone()));
        }
        Member { seat: seat.clone(), luck: ctx.luck("answers").draw().many() }
    }
}

impl Server for Member {
    type Msg = Msg;
    type Timer = Timer;

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match msg {
            Msg::Query { number, service, zone } => {
                let listing = &self.seat.layout.services[service.0 as usize];
                let answer = self.seat.config.rules.answer(listing, zone, self.luck.draw());
                ctx.observe(Observation::Read);
                ctx.send(from, Msg::Answer { number, answer }.into());
            }
            Msg::Check => ctx.send(from, Msg::Checked.into()),
            Msg::Answer { .. } | Msg::Checked => {}
        }
    }

    fn on_timer(&mut self, _: &mut Ctx<'_>, _: Timer) {}

    fn on_reset(&mut self, _: &mut Ctx<'_>, _: NodeId) {}

    fn on_plight(&mut self, _: &mut Ctx<'_>) {}

    fn peers(&self) -> Vec<NodeId> {
        Vec::new()
    }
}
