//! What a client does under strain: requests beyond its own, requests about one key, and what it does once.
//!
//! Its own requests stay what they were: what is added has luck of the fault's, numbers and timers of its own.

use schism_core::{Distribution, Draw, Draws, Duration, FaultId, Time};

use super::arrivals::{Added, share};
use super::requests::{Origin, Stage};
use super::{Client, GAP};
use crate::factor::Factor;
use crate::node::{Attempt, Ctx, Timer};
use crate::observation::Observation;
use crate::plight::{Rush, Strain};

/// What strains one client, as far as it has begun to feel it.
#[derive(Clone, Debug, Default)]
pub(super) struct Strains {
    felt: Vec<Felt>,
    surges: Vec<Surge>,
    /// How many surges there have been.
    begun: u32,
    /// How many requests they have added.
    added: u32,
}

/// One strain: the fault that it comes from, the true moment since when, and its luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Felt {
    by: FaultId,
    since: Time,
    luck: Draw,
    strain: Strain,
}

/// More requests, for a while.
#[derive(Clone, Debug)]
struct Surge {
    of: Felt,
    /// Tells its timers from those of others.
    number: u32,
    /// When it began, by the client's own clock.
    began: Time,
    factor: Factor,
    over: Duration,
    /// One draw for each request that it adds.
    luck: Draws,
}

/// Labels of what is derived from a strain's luck, from that of a request that it adds, and from one loop's.
const MOMENT: u64 = 0;
const REQUESTS: u64 = 1;
const LOOPS: u64 = 2;
const THINNING: u64 = 3;

/// The numbers of requests that are added lie apart from those of the client's own.
const ADDED: u32 = 1 << 31;

impl Surge {
    /// Whether a request that would come at full height comes now: while the surge rises, a share of them does. This is
    /// thinning (Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", 1979).
    fn admits(&self, now: Time, request: Draw) -> bool {
        share(self.over, request.derive(THINNING)) <= now.since(self.began)
    }

    /// How many closed loops it adds to one: a fraction of a loop is there by chance.
    fn loops(&self, luck: Draw) -> u64 {
        const ONE: Duration = Duration::from_secs(1);
        let (added, one) = (self.factor.extra(ONE).as_nanos(), ONE.as_nanos());
        added / one + u64::from(share(ONE, luck).as_nanos() < added % one)
    }
}

impl Client {
    /// What ails the process is not what it was.
    pub fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        let strains = ctx.plight().into_iter().flat_map(|plight| plight.strains());
        let strains: Vec<Felt> =
            strains.map(|(of, strain)| Felt { by: of.by, since: of.since, luck: of.luck, strain }).collect();
        self.strains.felt.retain(|felt| strains.contains(felt));
        self.strains.surges.retain(|surge| strains.contains(&surge.of));
        for felt in strains {
            if !self.strains.felt.contains(&felt) {
                self.strains.felt.push(felt);
                self.begin_strain(ctx, felt);
            }
        }
    }

    /// A request may come that a surge adds.
    pub fn on_surge(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        let Some(surge) = self.strains.surges.iter_mut().find(|surge| surge.number == number) else { return };
        let luck = surge.luck.draw();
        let surge = surge.clone();
        let comes = match self.pace.next_added(ctx.now(), surge.factor, luck.derive(GAP)) {
            Added::After(gap) => {
                ctx.after(gap, Timer::Surge { number });
                surge.admits(ctx.now(), luck)
            }
            Added::Loops(_) => true,
        };
        if comes {
            ctx.touch(surge.of.by);
            self.strains.added = (self.strains.added + 1) % ADDED;
            self.offer(ctx, luck, ADDED | self.strains.added, Origin::Surge(number));
        }
    }

    /// A request is over that a surge had added as one of a closed loop, which goes on while the surge lasts.
    pub(super) fn on_surge_end(&mut self, ctx: &mut Ctx<'_>, number: u32, pause: Duration) {
        if self.strains.surges.iter().any(|surge| surge.number == number) {
            ctx.after(pause, Timer::Surge { number });
        }
    }

    /// It is time to do what a fault has the client do once.
    pub fn on_rush(&mut self, ctx: &mut Ctx<'_>, by: FaultId) {
        let rushes: Vec<(Felt, Rush)> = (self.strains.felt.iter())
            .filter(|felt| felt.by == by)
            .filter_map(|felt| match felt.strain {
                Strain::Rush { what, .. } => Some((*felt, what)),
                Strain::Surge { .. } | Strain::HotKey { .. } => None,
            })
            .collect();
        rushes.into_iter().for_each(|(felt, what)| self.rush(ctx, felt, what));
    }

    /// The key that a fault gives to a request of this luck, if one does.
    #[inline]
    pub(super) fn hot_key(&self, ctx: &mut Ctx<'_>, request: Draw) -> Option<u64> {
        let hot = ctx.plight()?.strains().find_map(|(of, strain)| match strain {
            Strain::HotKey { share, key } => {
                of.luck.derive(request.word()).chance(share).then_some((of.by, key))
            }
            Strain::Surge { .. } | Strain::Rush { .. } => None,
        });
        let (by, key) = hot?;
        ctx.touch(by);
        Some(key)
    }

    fn begin_strain(&mut self, ctx: &mut Ctx<'_>, felt: Felt) {
        match felt.strain {
            Strain::Surge { factor, over } => self.begin_surge(ctx, felt, factor, over),
            Strain::HotKey { .. } => {}
            Strain::Rush { what, within: Duration::ZERO } => self.rush(ctx, felt, what),
            Strain::Rush { within, .. } => {
                ctx.after(share(within, felt.luck.derive(MOMENT)), Timer::Rush { by: felt.by });
            }
        }
    }

    fn begin_surge(&mut self, ctx: &mut Ctx<'_>, of: Felt, factor: Factor, over: Duration) {
        // A process that starts anew feels the same surge again, with other luck.
        let luck = of.luck.derive(ctx.moment().as_nanos());
        let number = self.strains.begun;
        self.strains.begun += 1;
        let surge = Surge { of, number, began: ctx.now(), factor, over, luck: luck.derive(REQUESTS).many() };
        match self.pace.first_added(ctx.now(), factor, luck.derive(MOMENT)) {
            Added::After(gap) => ctx.after(gap, Timer::Surge { number }),
            Added::Loops(think) => begin_loops(ctx, &surge, &think, luck.derive(LOOPS)),
        }
        self.strains.surges.push(surge);
    }

    fn rush(&mut self, ctx: &mut Ctx<'_>, felt: Felt, what: Rush) {
        match what {
            Rush::Retry => self.send_again(ctx, felt),
            Rush::Refresh | Rush::Reconnect | Rush::Forget => {
                if self.rush_discovery(ctx, what) {
                    ctx.touch(felt.by);
                }
            }
        }
    }

    /// Sends every attempt that is under way once more, to whom it was sent. The first answer counts.
    fn send_again(&mut self, ctx: &mut Ctx<'_>, felt: Felt) {
        for slot in self.requests.at(|stage| matches!(stage, Stage::Trying(_))) {
            let request = self.requests.get(slot);
            let Stage::Trying(endpoint) = request.stage else {
                unreachable!("it has just been found trying")
            };
            let attempt = Attempt { slot, request: request.number };
            ctx.touch(felt.by);
            ctx.observe(Observation::Attempt { to: endpoint.node, request: request.number, key: None });
            self.deliver(ctx, endpoint.node, attempt, felt.luck.derive(request.luck.word()));
        }
    }
}

/// While a surge rises, its loops begin one after another: each when the factor is half-way through adding it.
fn begin_loops(ctx: &mut Ctx<'_>, surge: &Surge, think: &Distribution, luck: Draw) {
    let mut draws = luck.many();
    let loops = surge.loops(draws.draw());
    for at in 0..loops {
        let risen = u128::from(surge.over.as_nanos()) * u128::from(2 * at + 1) / u128::from(2 * loops);
        let rises = Duration::from_nanos(risen as u64);
        ctx.after(rises + think.sample(draws.draw()), Timer::Surge { number: surge.number });
    }
}
