//! Syncs: what has changed goes to a log's disk by one sync at a time, each for all that has come up meanwhile.

use schism_core::{Duration, FaultId};

use crate::failpoint::{Pass, Passes, Point};
use crate::node::Ctx;
use crate::plight::{BadDisk, Plight};

/// What is being written, and what waits for it. Beside the log a state `S` is saved, such as a term and a vote; `L` is a
/// place in the log, and `M` what may leave only once all that has changed is on disk.
#[derive(Clone, Debug)]
pub(crate) struct Syncs<S, L, M> {
    saved: S,
    under_way: Option<Sync<L, M>>,
    /// Whether the sync under way should have ended, and the disk does not let it.
    stuck: bool,
    held: Vec<M>,
}

/// One sync.
#[derive(Clone, Debug)]
pub(crate) struct Sync<L, M> {
    /// The last entry in it.
    pub(crate) last: L,
    /// What may leave when it has ended.
    pub(crate) held: Vec<M>,
}

/// What becomes of it when something has changed.
pub(crate) enum Begun<M> {
    /// Nothing yet, for the disk is busy; or nothing any more, for the process ends.
    Nothing,
    /// All is on disk: what was held may leave.
    Clean(Vec<M>),
    /// It is to be written, which takes so much longer than it would, for a failpoint.
    Write(Duration),
}

impl<S: Copy + PartialEq, L, M> Syncs<S, L, M> {
    /// Nothing is under way: what the disk holds is all there is.
    pub(crate) fn new(saved: S) -> Syncs<S, L, M> {
        Syncs { saved, under_way: None, stuck: false, held: Vec::new() }
    }

    /// Whether a sync is waited for that does not end.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// This may leave only once what has changed is on disk.
    pub(crate) fn hold(&mut self, what: M) {
        self.held.push(what);
    }

    /// There is nobody any more to tell.
    pub(crate) fn forget_held(&mut self) {
        self.held.clear();
        if let Some(sync) = &mut self.under_way {
            sync.held.clear();
        }
    }

    /// Sees whether there is something to write: the state, or entries of the log. A full disk ends the process.
    pub(crate) fn begin(
        &mut self,
        ctx: &mut Ctx<'_>,
        passes: &mut Passes,
        state: S,
        is_log_handed_over: bool,
    ) -> Begun<M> {
        if self.under_way.is_some() {
            return Begun::Nothing;
        }
        if state == self.saved && is_log_handed_over {
            return Begun::Clean(std::mem::take(&mut self.held));
        }
        if let Some(by) = full(ctx) {
            ctx.touch(by);
            ctx.exit(by);
            return Begun::Nothing;
        }
        match passes.pass(ctx, Point::RegistryFsync) {
            Pass::Clear => self.write(state, Duration::ZERO),
            Pass::Late(by) => self.write(state, by),
            Pass::Fails(by) => {
                ctx.exit(by);
                Begun::Nothing
            }
            Pass::Ends => Begun::Nothing,
        }
    }

    fn write(&mut self, state: S, late: Duration) -> Begun<M> {
        self.saved = state;
        Begun::Write(late)
    }

    /// What there is has been written up to an entry, and is synced now, which would take this long: how long it takes.
    pub(crate) fn start(&mut self, ctx: &mut Ctx<'_>, last: L, takes: Duration) -> Duration {
        self.under_way = Some(Sync { last, held: std::mem::take(&mut self.held) });
        takes + delay(ctx, takes)
    }

    /// The sync has ended, unless the disk is stalled.
    pub(crate) fn end(&mut self, ctx: &mut Ctx<'_>) -> Option<Sync<L, M>> {
        if let Some(by) = stall(ctx) {
            self.stuck = true;
            ctx.touch(by);
            return None;
        }
        let sync = self.under_way.take()?;
        ctx.sync();
        Some(sync)
    }

    /// The disk may be well again, or ill: whether a sync that was stuck can end.
    pub(crate) fn come_free(&mut self, ctx: &Ctx<'_>) -> bool {
        let free = self.stuck && stall(ctx).is_none();
        self.stuck &= !free;
        free
    }
}

/// All that is bad about the disk, and by which fault.
fn bad(ctx: &Ctx<'_>) -> Vec<(FaultId, BadDisk)> {
    ctx.plight().into_iter().flat_map(Plight::disk).collect()
}

/// Which fault lets no sync end, if one does.
fn stall(ctx: &Ctx<'_>) -> Option<FaultId> {
    bad(ctx).into_iter().find(|(_, bad)| *bad == BadDisk::Stalled).map(|(by, _)| by)
}

/// Which fault lets no write succeed, if one does.
fn full(ctx: &Ctx<'_>) -> Option<FaultId> {
    bad(ctx).into_iter().find(|(_, bad)| *bad == BadDisk::Full).map(|(by, _)| by)
}

/// By how much longer a sync takes that would take this long. What several faults add is the sum.
fn delay(ctx: &mut Ctx<'_>, takes: Duration) -> Duration {
    let mut sum = Duration::ZERO;
    for (by, bad) in bad(ctx) {
        let extra = match bad {
            BadDisk::Slow(factor) => factor.extra(takes),
            BadDisk::Stalled | BadDisk::Full => Duration::ZERO,
        };
        if extra > Duration::ZERO {
            ctx.touch(by);
        }
        sum += extra;
    }
    sum
}
