//! What ails an instance: requests that fail, work that takes longer, slots that are gone.

use schism_core::{Draw, Duration, FaultId, Ratio, Time};

use super::{Instance, Work};
use crate::node::{Ctx, Reply, Timer};
use crate::plight::{Ailment, Answers, Errors, Harm, Leak, LeakEnd, Plight, Pushed};

/// A wait by a clock that may be fast is looked at again no sooner than this: 1 ms, ours. It lets time pass.
const LEAST_WATCH: Duration = Duration::from_millis(1);

impl Instance {
    /// Answers for another, or fails, where what ails the instance says so. Whether that was all.
    pub(super) fn falters(&mut self, ctx: &mut Ctx<'_>, work: Work) -> bool {
        if let Some((by, answers)) = ctx.plight().and_then(Plight::stranger) {
            ctx.touch(by);
            self.reply(ctx, work, answers.reply());
            return true;
        }
        let Some((by, Errors { latency, harm, .. })) = hit(ctx, work) else { return false };
        ctx.touch(by);
        match harm {
            Harm::ToRequest => self.fail_after(ctx, work, latency),
            Harm::Fatal => {
                // What is under way fails with the process: its host resets all who wait.
                self.waiting.push_back(work);
                ctx.exit(by);
            }
        }
        true
    }

    /// A request that fails is answered after a while, and occupies no slot until then.
    fn fail_after(&mut self, ctx: &mut Ctx<'_>, work: Work, latency: Duration) {
        let place = self.failures;
        self.failures = self.failures.wrapping_add(1);
        self.failing.insert(place, work);
        ctx.after(latency, Timer::Failed { place });
    }

    /// It is time to answer with an error.
    pub fn on_failed(&mut self, ctx: &mut Ctx<'_>, place: u32) {
        let work = self.failing.remove(&place).expect("what fails was kept");
        self.reply(ctx, work, Reply::Failed);
    }

    /// Whether a slot is free, of those that what ails the instance has left.
    pub(super) fn has_room(&self, ctx: &Ctx<'_>) -> bool {
        self.slots(ctx).is_none_or(|slots| self.busy < slots)
    }

    /// A request finds no slot; what has taken some is to blame, if there would have been one.
    pub(super) fn blame(&self, ctx: &mut Ctx<'_>) {
        if self.busy < self.post.config.slots {
            for (by, _) in capacities(ctx) {
                ctx.touch(by);
            }
        }
    }

    /// The slots that are left, one at least; `None` without a bound.
    fn slots(&self, ctx: &Ctx<'_>) -> Option<u32> {
        let all = self.post.config.slots;
        let left = |slots: u32, share: Ratio| {
            let part = u128::from(slots) * u128::from(share.numerator()) / u128::from(share.denominator());
            u32::try_from(part).expect("a share of something is no more").max(1)
        };
        (all > 0).then(|| {
            ctx.plight()
                .map_or(all, |plight| plight.capacities().fold(all, |slots, (_, share)| left(slots, share)))
        })
    }

    /// By how much longer what ails the instance makes it work on something of this demand.
    pub(super) fn delay(&self, ctx: &mut Ctx<'_>, work: Work, demand: Duration) -> Duration {
        let Some(plight) = ctx.plight() else { return Duration::ZERO };
        let mut delays: Vec<_> = plight.delays(demand, work.client, self.booted, ctx.moment()).collect();
        if self.post.config.slots == 0 {
            delays.extend(plight.starvation(demand));
        }
        delays.iter().for_each(|&(by, _)| ctx.touch(by));
        delays.iter().fold(Duration::ZERO, |sum, &(_, delay)| sum + delay)
    }

    /// Sees when the process will have leaked all its memory, and dies if it has.
    pub fn on_leaked(&mut self, ctx: &mut Ctx<'_>) {
        for (by, since, leak) in deadly_leaks(ctx) {
            let end = Leak::began(self.booted, since) + leak.reaches();
            if end <= ctx.moment() {
                ctx.touch(by);
                return ctx.exit(by);
            }
            ctx.after(end.since(ctx.moment()).max(LEAST_WATCH), Timer::Leaked);
        }
    }

    /// The weight to register with: what was pushed last, or what was given.
    pub(super) fn weigh(&mut self, ctx: &mut Ctx<'_>) {
        let given = self.post.config.weight;
        let (by, weight) = pushed_weight(ctx).map_or((None, given), |(by, weight)| (Some(by), weight));
        if let Some(registrar) = &mut self.registrar
            && registrar.weigh(ctx, weight)
            && let Some(by) = by
        {
            ctx.touch(by);
        }
    }
}

impl Answers {
    fn reply(self) -> Reply {
        match self {
            Answers::Error => Reply::Failed,
            Answers::Success => Reply::Done,
        }
    }
}

/// The first of the ways in which requests fail that hits this one. Each rolls luck of its own and the attempt's, so they
/// are independent, and none changes what another hits.
fn hit(ctx: &Ctx<'_>, work: Work) -> Option<(FaultId, Errors)> {
    let rolled = |ailment: &Ailment| -> Draw { ailment.luck.derive(work.luck.word()) };
    let mut errors = ctx.plight()?.errors();
    let found =
        errors.find(|(ailment, errors)| errors.hits(work.client) && rolled(ailment).chance(errors.rate));
    found.map(|(ailment, errors)| (ailment.by, errors.clone()))
}

fn capacities(ctx: &Ctx<'_>) -> Vec<(FaultId, Ratio)> {
    ctx.plight().into_iter().flat_map(Plight::capacities).collect()
}

/// The leaks that the process will die of, each with the moment at which its fault began.
fn deadly_leaks(ctx: &Ctx<'_>) -> Vec<(FaultId, Time, Leak)> {
    let leaks = ctx.plight().into_iter().flat_map(Plight::leaks);
    let deadly = leaks.filter(|(_, leak)| leak.end == LeakEnd::Dies);
    deadly.map(|(ailment, leak)| (ailment.by, ailment.since, leak)).collect()
}

fn pushed_weight(ctx: &Ctx<'_>) -> Option<(FaultId, u32)> {
    ctx.plight()?.pushed().rev().find_map(|(by, pushed)| match pushed {
        Pushed::Weight(weight) => Some((by, weight)),
        Pushed::Timeout(_) => None,
    })
}
