//! Partitions that `[chaos]` draws: who is parted from whom, and how that feels.

use super::hand::{Hand, Holds};
use super::kinds::Blow;
use crate::check::Role;

/// The shapes, as far as there is room for them.
#[derive(Clone, Copy)]
enum Shape {
    /// Some nodes of one group, from everybody.
    Isolate,
    /// A few members with some of the others, from the rest.
    Camp,
    /// A zone, from everybody.
    Zone,
    /// Two zones, from each other.
    ZoneCut,
    /// Some nodes are heard by nobody, or hear nobody.
    OneWay,
    /// A minority of the members, drawn, with or without the leader.
    Minority,
    /// Some instances or clients, from the registry alone.
    FromRegistry,
}

const SHAPES: [Shape; 7] = [
    Shape::Isolate,
    Shape::Camp,
    Shape::Zone,
    Shape::ZoneCut,
    Shape::OneWay,
    Shape::Minority,
    Shape::FromRegistry,
];

const EVERYONE: &[Role] = &[Role::Member, Role::Instance, Role::Client];
const OTHERS: &[Role] = &[Role::Instance, Role::Client];

/// Draws one. The shapes are tried from one that is drawn on, so that the first for which there is room is taken.
pub(super) fn partition(hand: &mut Hand<'_>) -> Option<Blow> {
    let first = hand.luck.below(SHAPES.len() as u32) as usize;
    let (shape, down) = (0..SHAPES.len()).find_map(|step| of(hand, SHAPES[(first + step) % SHAPES.len()]))?;
    let mode = hand.one_of(&["blackhole", "blackhole", "blackhole", "reject", "hold"]);
    let existing = hand.one_of(&["cut", "cut", "cut", "keep"]);
    let what = format!("partition = {{ {shape}, mode = \"{mode}\", existing = \"{existing}\" }}");
    Some(Blow { down, ..Blow::of(what) })
}

/// The keys of a shape, and who is down by it.
type Parting = (String, Vec<(usize, u32)>);

fn of(hand: &mut Hand<'_>, shape: Shape) -> Option<Parting> {
    match shape {
        Shape::Isolate => {
            let victims = hand.victims(EVERYONE, Holds::Down)?;
            Some((format!("isolate = {}, {}", victims.text, direction(hand)), victims.down()))
        }
        Shape::Camp => camp(hand),
        Shape::Zone => {
            let (zone, down) = hand.zone(Holds::Down)?;
            Some((format!("isolate = \"zone:{zone}\", {}", direction(hand)), down))
        }
        Shape::ZoneCut => zone_cut(hand),
        Shape::OneWay => {
            let victims = hand.victims(EVERYONE, Holds::Down)?;
            let (from, to) = match hand.luck.below(2) {
                0 => (victims.text.as_str(), "\"rest\""),
                _ => ("\"rest\"", victims.text.as_str()),
            };
            Some((format!("one-way = {{ from = {from}, to = {to} }}"), victims.down()))
        }
        Shape::Minority => minority(hand),
        Shape::FromRegistry => {
            hand.stage().registry?;
            let victims = hand.victims(OTHERS, Holds::Down)?;
            let what = format!("plane-cut = {{ plane = \"control\", of = {} }}", victims.text);
            Some((what, victims.down()))
        }
    }
}

/// Which ways are cut: both, most of the time.
fn direction(hand: &mut Hand<'_>) -> String {
    format!("direction = \"{}\"", hand.one_of(&["both", "both", "both", "forward", "backward"]))
}

/// Members with some of one or of each other group on their side.
fn camp(hand: &mut Hand<'_>) -> Option<Parting> {
    let members = hand.groups(&[Role::Member], Holds::Down);
    let others = hand.groups(OTHERS, Holds::Down);
    let registry = *members.first()?;
    let first = hand.some_of(registry, Holds::Down);
    let mut down = first.down();
    let mut side = vec![first.text];
    for group in others {
        if hand.luck.below(2) == 0 {
            let some = hand.some_of(group, Holds::Down);
            down.push((group, some.count));
            side.push(some.text);
        }
    }
    // Lists of names become one list.
    let side: Vec<&str> = side.iter().map(|text| text.trim_matches(['[', ']'])).collect();
    Some((format!("split = [[{}], [\"rest\"]], {}", side.join(", "), direction(hand)), down))
}

/// Of each group, those of the zone that has fewer of them are held to be apart.
fn zone_cut(hand: &mut Hand<'_>) -> Option<Parting> {
    if !hand.whole() {
        return None;
    }
    let zones = hand.inhabited();
    let apart = |a: usize, b: usize| -> Vec<(usize, u32)> {
        let of = |zone: usize, group: usize| {
            let there = hand.in_zone(zone);
            there.iter().find(|(other, _)| *other == group).map_or(0, |(_, count)| *count)
        };
        let fewer = (0..hand.stage.groups.len()).map(|group| (group, of(a, group).min(of(b, group))));
        fewer.filter(|(_, count)| *count > 0).collect()
    };
    let pairs = zones.iter().flat_map(|a| zones.iter().filter(move |b| a < b).map(move |b| (*a, *b)));
    let fits = |down: &[(usize, u32)]| down.iter().all(|(group, count)| *count <= hand.most_down[*group]);
    let mut pairs: Vec<_> =
        pairs.map(|(a, b)| (a, b, apart(a, b))).filter(|(_, _, down)| fits(down)).collect();
    if pairs.is_empty() {
        return None;
    }
    let (a, b, down) = pairs.swap_remove(hand.luck.below(pairs.len() as u32) as usize);
    let (a, b) = (&hand.stage.zones[a], &hand.stage.zones[b]);
    Some((format!("zone-cut = [\"{a}\", \"{b}\"], {}", direction(hand)), down))
}

fn minority(hand: &mut Hand<'_>) -> Option<Parting> {
    let registry = *hand.groups(&[Role::Member], Holds::Down).first()?;
    let members = hand.stage.groups[registry].size();
    let few = members.saturating_sub(1) / 2;
    if few == 0 || few > hand.most_down[registry] {
        return None;
    }
    let leader = if hand.stage.has_leader { hand.one_of(&["minority", "minority", "any"]) } else { "any" };
    let rest = hand.one_of(&["majority", "both"]);
    let keys = format!("of = \"registry\", leader = \"{leader}\", rest = \"{rest}\"");
    Some((format!("majority-minority = {{ {keys} }}"), vec![(registry, few)]))
}
