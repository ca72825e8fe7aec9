//! Join the shortest queue: of all endpoints, or of some that are drawn, the one with the fewest requests.
//!
//! The queues are the client's own requests in flight, or those that a bulletin board shows. The board is the periodic
//! update model of Mitzenmacher, "How useful is old information?", IEEE TPDS 11(1), 2000: it is brought up to date at
//! the multiples of a period, at the same moments for everyone, and all go by it until the next. Here each client asks
//! every endpoint for its load at those moments, so the news takes a round trip to arrive.

use schism_core::{Duration, Time};

use super::{Balancer, Call, PerHost, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Load;
use crate::options::options;
use crate::state::State;

options! {
    /// The options of `jsq`.
    pub struct Config {
        choices: Option<u32> = None, "choices", CountOr(1, 1_000_000, "all"),
            "How many endpoints are drawn, each from all, instead of a look at all of them";
        board: Option<Duration> = None, "board", TimeOr("none"),
            "How often the board is brought up to date that shows everyone's queues; without it, a client goes by its own requests in flight";
    }
}

/// What the board says, if there is one.
#[derive(Clone, Debug)]
pub struct Jsq {
    choices: Option<u32>,
    board: Option<Board>,
}

/// A client's copy of the board.
#[derive(Clone, Debug)]
struct Board {
    period: Duration,
    /// When it is next brought up to date; `None` before there is anyone on it.
    due: Option<Time>,
    /// Who is still to be asked, the first last.
    asks: Vec<u32>,
    /// Requests that each has, as it said.
    queues: PerHost<u32>,
}

impl Balancer for Jsq {
    type Config = Config;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> Jsq {
        let board = config.board.map(Board::new);
        Jsq { choices: config.choices, board }
    }

    fn on_update(&mut self, view: View<'_>, _: Update, _: &mut Dice<'_>) {
        if let Some(board) = &mut self.board {
            board.queues.retain(view);
            board.due = board.due.or_else(|| Some(board.next_after(view.now())));
        }
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let queue = |place| match &self.board {
            Some(board) => board.queue(view.endpoint(place).ordinal),
            None => view.in_flight(place),
        };
        match self.choices {
            Some(choices) => draw(choices, view.len(), queue, dice),
            None => shortest(view.len(), queue, dice),
        }
    }

    fn due(&self) -> Option<Time> {
        self.board.as_ref()?.due
    }

    fn on_due(&mut self, view: View<'_>, _: &mut Dice<'_>) {
        if let Some(board) = &mut self.board {
            board.due = Some(board.next_after(view.now()));
            board.asks.clear();
            board.asks.extend((0..view.len()).rev().map(|place| view.endpoint(place).ordinal));
        }
    }

    fn next_probe(&mut self) -> Option<u32> {
        self.board.as_mut()?.asks.pop()
    }

    fn on_probed(&mut self, _: Time, ordinal: u32, load: &Load) {
        if let Some(board) = &mut self.board {
            *board.queues.touch(ordinal, || 0) = load.in_flight;
        }
    }

    fn state(&self, view: View<'_>) -> State {
        let Some(board) = &self.board else { return State::empty() };
        let shown = |place| {
            let queue = board.queue(view.endpoint(place).ordinal);
            (view.name(place), State::from(queue))
        };
        State::table([("board", State::table((0..view.len()).map(shown)))])
    }
}

impl Board {
    fn new(period: Duration) -> Board {
        Board { period, due: None, asks: Vec::new(), queues: PerHost::default() }
    }

    /// The next multiple of the period. What is not on the board yet has, as far as one knows, no queue.
    fn next_after(&self, now: Time) -> Time {
        let period = self.period.as_nanos();
        Time::from_nanos((now.as_nanos() / period + 1) * period)
    }

    #[inline]
    fn queue(&self, ordinal: u32) -> u32 {
        self.queues.get(ordinal).copied().unwrap_or(0)
    }
}

/// Of so many, each drawn from all, the one with the shortest queue; the first drawn wins a tie.
pub(super) fn draw(choices: u32, places: u32, queue: impl Fn(u32) -> u32, dice: &mut Dice<'_>) -> u32 {
    let first = dice.below(places);
    let mut best = (queue(first), first);
    for _ in 1..choices {
        let drawn = dice.below(places);
        let queue = queue(drawn);
        if queue < best.0 {
            best = (queue, drawn);
        }
    }
    best.1
}

/// Of all, the one with the shortest queue: each of several as likely, by one word.
fn shortest(places: u32, queue: impl Fn(u32) -> u32, dice: &mut Dice<'_>) -> u32 {
    let (mut least, mut tied) = (u32::MAX, 0);
    for place in 0..places {
        let queue = queue(place);
        if queue < least {
            (least, tied) = (queue, 0);
        }
        tied += u32::from(queue == least);
    }
    let which = if tied > 1 { dice.below(tied) } else { 0 };
    let mut of_them = (0..places).filter(|&place| queue(place) == least);
    of_them.nth(which as usize).expect("someone has the shortest")
}
