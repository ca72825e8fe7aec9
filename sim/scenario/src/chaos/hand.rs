//! The hand that draws: one fault's own luck, and whom it may strike.

use schism_core::{Luck, ratio};

use crate::check::{Role, Stage};
use crate::swarm::quantity::{self, Quantity, Unit};

/// What a kind of chaos draws with.
pub(crate) struct Hand<'p> {
    pub(super) stage: &'p Stage,
    /// Of each group, how many may be down.
    pub(super) most_down: &'p [u32],
    /// The groups that it may strike.
    pub(super) on: &'p [usize],
    pub(super) luck: Luck,
}

/// Whether a fault takes its victims out, so that they count as down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holds {
    Down,
    Up,
}

/// Nodes of one group.
pub(crate) struct Victims {
    /// As targets, in TOML.
    pub(crate) text: String,
    pub(crate) group: usize,
    pub(crate) count: u32,
}

impl Victims {
    /// How many of which group are down.
    pub(crate) fn down(&self) -> Vec<(usize, u32)> {
        vec![(self.group, self.count)]
    }
}

/// As many nodes are named one by one, at most; more of them are picked when the fault begins.
const NAMED: u32 = 10;

impl<'p> Hand<'p> {
    pub(crate) fn stage(&self) -> &'p Stage {
        self.stage
    }

    pub(crate) fn one_of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.luck.below(words.len() as u32) as usize]
    }

    /// A whole percentage.
    pub(crate) fn percent(&mut self, least: u64, most: u64) -> u64 {
        self.number(Unit::Count, least, most)
    }

    /// A whole number, every order of magnitude of which is as likely.
    pub(crate) fn magnitude(&mut self, least: u64, most: u64) -> u64 {
        self.number(Unit::Time, least, most)
    }

    /// The same of milliseconds.
    pub(crate) fn millis(&mut self, least: u64, most: u64) -> u64 {
        self.magnitude(least, most)
    }

    fn number(&mut self, unit: Unit, least: u64, most: u64) -> u64 {
        let of = |parts| Quantity { unit, parts };
        quantity::between(of(least), of(most), self.luck.draw()).parts
    }

    /// How many of a group a fault may hold so.
    pub(super) fn room(&self, group: usize, holds: Holds) -> u32 {
        match holds {
            Holds::Down => self.most_down[group],
            Holds::Up => self.stage.groups[group].size(),
        }
    }

    /// The groups of these roles of which a fault may hold somebody so.
    pub(super) fn groups(&self, roles: &[Role], holds: Holds) -> Vec<usize> {
        let fits =
            |group: &usize| roles.contains(&self.stage.groups[*group].role) && self.room(*group, holds) > 0;
        self.on.iter().copied().filter(fits).collect()
    }

    /// Some nodes of one group: one, half of the time; whoever leads the registry, a third of the time.
    pub(crate) fn victims(&mut self, roles: &[Role], holds: Holds) -> Option<Victims> {
        let groups = self.groups(roles, holds);
        let group = self.any(&groups)?;
        Some(self.some_of(group, holds))
    }

    pub(super) fn any(&mut self, groups: &[usize]) -> Option<usize> {
        (!groups.is_empty()).then(|| groups[self.luck.below(groups.len() as u32) as usize])
    }

    pub(super) fn some_of(&mut self, group: usize, holds: Holds) -> Victims {
        let troupe = &self.stage.groups[group];
        if troupe.role == Role::Member && self.stage.has_leader && self.luck.chance(ratio(1, 3)) {
            return Victims { text: format!("\"{}:leader\"", troupe.name), group, count: 1 };
        }
        let most = self.room(group, holds);
        let count = if self.luck.chance(ratio(1, 2)) { 1 } else { 1 + self.luck.below(most) };
        Victims { text: self.named(group, count), group, count }
    }

    /// So many nodes of a group, by their names if that is not too long.
    pub(super) fn named(&mut self, group: usize, count: u32) -> String {
        let troupe = &self.stage.groups[group];
        if count == troupe.size() {
            return format!("\"{}\"", troupe.name);
        }
        if count > NAMED {
            return format!("\"{}:pick({count})\"", troupe.name);
        }
        let mut numbers: Vec<u32> = Vec::new();
        while numbers.len() < count as usize {
            // Each of those left is as likely: the numbers that are taken already are stepped over.
            let mut number = self.luck.below(troupe.size() - numbers.len() as u32);
            numbers.sort_unstable();
            for &taken in &numbers {
                number += u32::from(taken <= number);
            }
            numbers.push(number);
        }
        numbers.sort_unstable();
        let names: Vec<String> =
            numbers.iter().map(|number| format!("\"{}-{number}\"", troupe.name)).collect();
        if let [one] = &names[..] { one.clone() } else { format!("[{}]", names.join(", ")) }
    }

    /// Links: the ends, and which ways.
    pub(crate) fn ways(&mut self) -> Option<String> {
        let ends = self.ends()?;
        let direction = self.one_of(&["both", "both", "forward", "backward"]);
        Some(format!("{ends}, direction = \"{direction}\""))
    }

    /// Two groups, two zones, or some nodes and everybody else.
    pub(crate) fn ends(&mut self) -> Option<String> {
        let groups = self.stage.groups.len();
        let between_zones = self.whole() && self.stage.zones.len() > 1;
        match self.luck.below(3) {
            0 if groups > 1 => {
                let first = self.any(self.on)?;
                let second = (first + 1 + self.luck.below(groups as u32 - 1) as usize) % groups;
                let name = |group: usize| &self.stage.groups[group].name;
                Some(format!("between = [\"{}\", \"{}\"]", name(first), name(second)))
            }
            1 if between_zones => {
                let zones = self.inhabited();
                let first = self.luck.below(zones.len() as u32) as usize;
                let second = (first + 1 + self.luck.below(zones.len() as u32 - 1) as usize) % zones.len();
                let name = |zone: usize| &self.stage.zones[zones[zone]];
                Some(format!("between = [\"zone:{}\", \"zone:{}\"]", name(first), name(second)))
            }
            _ => {
                let group = self.any(self.on)?;
                Some(format!("target = {}", self.some_of(group, Holds::Up).text))
            }
        }
    }

    /// Whether every group may be struck, as a fault of a zone does.
    pub(super) fn whole(&self) -> bool {
        self.on.len() == self.stage.groups.len()
    }

    /// The zones in which somebody is.
    pub(super) fn inhabited(&self) -> Vec<usize> {
        let has = |zone: &usize| self.stage.groups.iter().any(|troupe| troupe.zones.contains(zone));
        (0..self.stage.zones.len()).filter(has).collect()
    }

    /// Who is down if a zone is.
    pub(super) fn in_zone(&self, zone: usize) -> Vec<(usize, u32)> {
        let there = |group: usize| {
            let zones = &self.stage.groups[group].zones;
            zones.iter().filter(|other| **other == zone).count() as u32
        };
        (0..self.stage.groups.len())
            .map(|group| (group, there(group)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// A zone that may fare so, and who is down with it: one of several, and one whose people may all be struck.
    pub(crate) fn zone(&mut self, holds: Holds) -> Option<(&'p str, Vec<(usize, u32)>)> {
        let inhabited = self.inhabited();
        let may = |zone: &usize| {
            let there = self.in_zone(*zone);
            let strikes = there.iter().all(|(group, _)| self.on.contains(group));
            strikes && there.iter().all(|(group, count)| *count <= self.room(*group, holds))
        };
        let zones: Vec<usize> =
            inhabited.iter().copied().filter(may).filter(|_| inhabited.len() > 1).collect();
        let zone = self.any(&zones)?;
        Some((&self.stage.zones[zone], self.in_zone(zone)))
    }
}
