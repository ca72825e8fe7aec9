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
use crate::options::{Clash, options};
use crate::state::State;

options! {
    /// The options of `jsq`.
    pub struct Config {
        choices: Option<u32> = None, "choices", CountOr(1, 1_000, "all"),
            "How many endpoints are drawn, each from all, instead of a look at all of them";
        board: Option<Duration> = None, "board", TimeOr("none"),
            "How often the board is brought up to date that shows everyone's queues; without it, a client goes by its own requests in flight";
    }
}

/// The shortest time between two boards: no poll of a fleet is quicker, and each costs a message to everyone.
const QUICKEST: Duration = Duration::from_millis(1);

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

    fn check(config: &Config) -> Result<(), Clash> {
        if config.board.is_some_and(|every| every < QUICKEST) {
            return Err(Clash {
                option: "board",
                message: format!("a board cannot be written more often than every {QUICKEST}"),
                help: format!(
                    "write at least \"{QUICKEST}\": each time every endpoint is asked for its queue"
                ),
            });
        }
        Ok(())
    }

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

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::*;

    const PERIOD: Duration = Duration::from_millis(500);

    #[test]
    fn the_shortest_of_all_is_found_and_ties_are_drawn_by_one_word() {
        let mut rig = Rig::<Jsq>::new(&Config::default(), &[1; 5], &[0, 1, 2, 3]);
        rig.load(&[4, 3, 2, 1, 5]);
        assert_eq!((rig.pick(), rig.words_left()), (3, 4), "nothing ties");
        rig.load(&[1, 2, 1, 2, 1]);
        assert_eq!(rig.picks(4), [0, 2, 4, 0]);
        assert_eq!(rig.words_left(), 0);
    }

    #[test]
    fn choices_are_drawn_with_replacement() {
        let config = Config { choices: Some(3), ..Config::default() };
        let mut rig = Rig::<Jsq>::new(&config, &[1; 4], &[0, 5, 0, 3, 3, 7]);
        rig.load(&[4, 3, 2, 5]);
        assert_eq!(rig.picks(2), [1, 3]);
    }

    #[test]
    fn a_board_is_the_same_for_everyone_until_its_next_moment() {
        let mut rig = Rig::<Jsq>::new(&Config { board: Some(PERIOD), ..Config::default() }, &[1; 3], &[]);
        rig.advance(Duration::from_millis(499));
        assert!(rig.answer_probes(|_| 9).is_empty(), "it is not time yet");
        rig.advance(Duration::from_millis(1));
        assert_eq!(rig.answer_probes(|ordinal| 3 - ordinal), [0, 1, 2], "everyone is asked");
        // One's own requests in flight do not count, however many: all go to the same, which is the herd.
        assert_eq!((0..5).map(|_| rig.send()).collect::<Vec<_>>(), [2; 5]);
        rig.advance(Duration::from_millis(499));
        assert_eq!(rig.pick(), 2);
        rig.advance(Duration::from_millis(1));
        rig.answer_probes(|ordinal| ordinal);
        assert_eq!(rig.pick(), 0);
    }

    #[test]
    fn who_begins_in_between_is_on_the_same_grid() {
        let board = Board::new(PERIOD);
        for (now, next) in [(0, 500), (1, 500), (499, 500), (500, 1_000), (1_700, 2_000)] {
            let now = Time::from_nanos(now * 1_000_000);
            assert_eq!(board.next_after(now), Time::from_nanos(next * 1_000_000));
        }
    }

    #[test]
    fn who_has_left_is_asked_no_more_and_forgotten() {
        let mut rig = Rig::<Jsq>::new(&Config { board: Some(PERIOD), ..Config::default() }, &[1; 3], &[]);
        rig.advance(PERIOD);
        rig.answer_probes(|ordinal| ordinal);
        rig.update(Update::Members, &[(1, 1), (2, 1)]);
        assert_eq!(rig.pick(), 1);
        rig.update(Update::Members, &[(0, 1), (1, 1)]);
        assert_eq!(rig.pick(), 0, "it comes back without a past");
        rig.advance(PERIOD);
        assert_eq!(rig.answer_probes(|_| 1), [0, 1]);
    }
}
