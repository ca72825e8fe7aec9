//! Loading: a server that has started asks the others, one after another, for all that they have.

/// Whether a server that has started has what another has.
#[derive(Clone, Debug)]
pub(super) struct Loading {
    me: usize,
    members: usize,
    stage: Stage,
    /// How often it has waited for an answer, or for its next round.
    attempt: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It has asked this member.
    Asked(usize),
    /// All have been asked in vain.
    Resting,
    /// It has.
    Done,
}

/// What is done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Attempt {
    /// The timer that ends it.
    pub(super) number: u32,
    /// The member that is asked, or nobody for a while.
    pub(super) from: Option<usize>,
}

impl Loading {
    /// A server that knows nothing of so many members.
    pub(super) fn new(me: usize, members: usize) -> Loading {
        let stage = if members > 1 { Stage::Resting } else { Stage::Done };
        Loading { me, members, stage, attempt: 0 }
    }

    /// Whether it has what another has.
    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// The first of the others is asked, if there is one.
    pub(super) fn begin(&mut self) -> Option<Attempt> {
        self.others().next().map(|first| self.turn_to(Some(first)))
    }

    /// An attempt has taken long enough.
    pub(super) fn on_timer(&mut self, number: u32) -> Option<Attempt> {
        match self.stage {
            Stage::Asked(member) if number == self.attempt => Some(self.turn_to_next(member)),
            Stage::Resting if number == self.attempt => self.begin(),
            Stage::Asked(_) | Stage::Resting | Stage::Done => None,
        }
    }

    /// The connection to a member is gone.
    pub(super) fn on_unreachable(&mut self, member: usize) -> Option<Attempt> {
        (self.stage == Stage::Asked(member)).then(|| self.turn_to_next(member))
    }

    /// A member has told what it has: whether it was asked for that.
    pub(super) fn on_loaded(&mut self, member: usize) -> bool {
        let asked = self.stage == Stage::Asked(member);
        if asked {
            self.stage = Stage::Done;
        }
        asked
    }

    /// The next is asked, or, after the last, nobody for a while.
    fn turn_to_next(&mut self, after: usize) -> Attempt {
        let next = self.others().find(|&member| member > after);
        self.turn_to(next)
    }

    fn turn_to(&mut self, from: Option<usize>) -> Attempt {
        self.stage = from.map_or(Stage::Resting, Stage::Asked);
        self.attempt += 1;
        Attempt { number: self.attempt, from }
    }

    fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let me = self.me;
        (0..self.members).filter(move |&member| member != me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(attempt: Option<Attempt>) -> Option<usize> {
        attempt.expect("something is to be done").from
    }

    #[test]
    fn all_are_asked_and_then_nobody_for_a_while() {
        let mut loading = Loading::new(1, 3);
        assert_eq!(loading.begin(), Some(Attempt { number: 1, from: Some(0) }));
        assert_eq!(loading.on_timer(0), None, "that was another attempt");
        assert_eq!(from(loading.on_timer(1)), Some(2));
        assert_eq!(loading.on_unreachable(0), None, "it is not asked any more");
        assert_eq!(from(loading.on_unreachable(2)), None);
        assert_eq!(from(loading.on_timer(3)), Some(0));
    }

    #[test]
    fn what_nobody_was_asked_for_is_not_taken() {
        let mut loading = Loading::new(0, 3);
        loading.begin();
        assert!(!loading.on_loaded(2) && !loading.is_done());
        assert!(loading.on_loaded(1) && loading.is_done());
        assert!(!loading.on_loaded(1));
        assert!(Loading::new(0, 1).is_done(), "who is alone has all");
    }
}
