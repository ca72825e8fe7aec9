//! A kube-proxy at work: what it has been told, what it is writing, and when it may.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::Proxy;
use super::super::backoff::Draws;
use super::super::runner::{self, Runner};
use super::Timer;
use crate::listing::{Change, Listing};
use crate::node::Ctx;
use crate::registry::{News, Origin};

/// A kube-proxy at work.
#[derive(Clone, Debug)]
pub(super) struct Programming {
    config: Proxy,
    runner: Runner,
    luck: Draws,
    /// What it has been told, and not begun to write.
    wanted: Option<Told>,
    /// What it is writing.
    pub(super) writing: Option<Told>,
    reminded: Reminded,
}

/// A list, and how it came about since the one before.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) listing: Arc<Listing>,
    pub(super) since: Since,
}

#[derive(Clone, Debug)]
pub(super) enum Since {
    Listed,
    Changed(Vec<Change>),
}

/// Whether there is a timer for the next sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reminded {
    Yes,
    No,
}

impl Programming {
    /// One that has been told nothing.
    pub(super) fn new(config: Proxy, ctx: &Ctx<'_>) -> Programming {
        Programming {
            runner: Runner::new(config.min_sync),
            config,
            luck: Draws::new(ctx.luck("kube-proxy")),
            wanted: None,
            writing: None,
            reminded: Reminded::No,
        }
    }

    /// It is told of a list, and writes it as soon as it may.
    pub(super) fn take(&mut self, ctx: &mut Ctx<'_>, told: Told) {
        let before = self.wanted.take();
        self.wanted = Some(told.after(before));
        self.sync(ctx);
    }

    /// It may write, as far as its runner is concerned.
    pub(super) fn on_sync(&mut self, ctx: &mut Ctx<'_>) {
        self.reminded = Reminded::No;
        self.sync(ctx);
    }

    /// Writes what is wanted, if the runner says so and nothing is being written.
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        if self.wanted.is_none() || self.writing.is_some() || self.reminded == Reminded::Yes {
            return;
        }
        match self.runner.ask(ctx.now()) {
            runner::Answer::Run => {
                self.writing = self.wanted.take();
                let takes = self.config.takes.sample(self.luck.draw());
                ctx.after(takes, Timer::Programmed.into());
            }
            runner::Answer::Wait(wait) => {
                self.reminded = Reminded::Yes;
                ctx.after(wait, Timer::Sync.into());
            }
        }
    }
}

impl Told {
    /// The same, if what came before was never written.
    fn after(self, before: Option<Told>) -> Told {
        let Some(Told { since: earlier, .. }) = before else { return self };
        let since = match (earlier, self.since) {
            (Since::Changed(mut earlier), Since::Changed(later)) => {
                earlier.extend(later);
                Since::Changed(earlier)
            }
            (Since::Listed, _) | (Since::Changed(_), Since::Listed) => Since::Listed,
        };
        Told { listing: self.listing, since }
    }

    pub(super) fn into_news(self) -> News<'static> {
        let from = match self.since {
            Since::Listed => Origin::Listed,
            Since::Changed(changes) => Origin::Changed(Cow::Owned(changes)),
        };
        News { listing: self.listing, from }
    }
}
