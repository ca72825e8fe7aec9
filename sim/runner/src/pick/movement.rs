//! Movement: how many of the keys that were picked for go elsewhere once the list has changed.

use std::collections::BTreeSet;

use schism_core::{Draw, Time};
use schism_models::dice::Dice;
use schism_models::listing::{Endpoint, InFlight};
use schism_models::picker::Picker;
use schism_scenario::pick::{About, Ask, Many, Op, Script};

use super::outcome::Moved;
use super::{call, subject};

/// The keys and hashes that first attempts were about, each once; none if no update would ask for them.
pub(super) struct Movement {
    known: Option<BTreeSet<About>>,
}

/// Where each of them goes, by ordinal.
pub(super) type Homes = Vec<Option<u32>>;

impl Movement {
    pub(super) fn of(script: &Script) -> Movement {
        let has_updates = script.ops.iter().any(|op| matches!(op, Op::Update(_)));
        Movement { known: has_updates.then(BTreeSet::new) }
    }

    pub(super) fn note(&mut self, ask: &Ask) {
        if let (Some(known), 0) = (&mut self.known, ask.attempt)
            && ask.about != About::Nothing
        {
            known.insert(ask.about.clone());
        }
    }

    pub(super) fn note_many(&mut self, many: &Many) {
        if let (Some(known), Some(keys), 0) = (&mut self.known, &many.keys, many.attempt) {
            known.extend((0..many.count).map(|number| About::Key(keys.key(number))));
        }
    }

    /// Where each of them would go now, if nothing more were in flight than is: a question asked of a copy.
    pub(super) fn homes(&self, script: &Script, picker: &Picker, now: Time, in_flight: &InFlight) -> Homes {
        let mut picker = picker.clone();
        let mut home = |(number, about): (usize, &About)| {
            let mut dice = Dice::new(Draw::new(number as u64).many());
            let call = call(script, subject(about), 0);
            picker.pick(now, in_flight, &call, &mut dice).map(|endpoint| endpoint.ordinal)
        };
        self.known.iter().flatten().enumerate().map(&mut home).collect()
    }
}

/// What an update has changed: where the keys went before and go after it, between these two lists.
pub(super) fn moved(
    op: usize,
    before: &Homes,
    after: &Homes,
    old: &[Endpoint],
    new: &[Endpoint],
) -> Option<Moved> {
    if before.is_empty() {
        return None;
    }
    let [old, new] = [old, new].map(|list| list.iter().map(|it| it.ordinal).collect::<BTreeSet<u32>>());
    let movers = || before.iter().zip(after).filter(|(before, after)| before != after);
    let stays = |home: &Option<u32>| home.is_some_and(|home| old.contains(&home) && new.contains(&home));
    Some(Moved {
        op,
        came: new.difference(&old).copied().collect(),
        went: old.difference(&new).copied().collect(),
        keys: before.len(),
        moved: movers().count(),
        between_old: movers().filter(|(before, after)| stays(before) && stays(after)).count(),
    })
}
