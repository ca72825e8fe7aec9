//! The kinds of faults that `[chaos]` draws: one line in the catalog each, and how it is drawn.

use schism_core::ratio;

use super::hand::{Hand, Holds};
use super::partition::partition;
use crate::check::Role;

/// A kind of chaos.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Whether an empty `[chaos]` has it.
    pub(crate) by_default: bool,
    /// Draws one; `None` if there is nobody whom it could strike, whatever the luck.
    pub(crate) draw: fn(&mut Hand<'_>) -> Option<Blow>,
}

/// A fault as drawn, but for its time.
#[derive(Clone, Debug)]
pub(crate) struct Blow {
    /// The key of its kind and what stands there, in TOML.
    pub(crate) what: String,
    pub(crate) lasts: Lasts,
    /// Of which groups it holds how many nodes down or apart, by number.
    pub(crate) down: Vec<(usize, u32)>,
}

/// Whether it has an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lasts {
    ATime,
    AMoment,
}

/// The catalog, in the order in which errors and the schema show it.
pub(crate) const CATALOG: &[Kind] = &[
    Kind::usual("partition", "some nodes, a zone or a minority cannot reach the others", partition),
    Kind::usual("crash", "processes or hosts die, and start anew", crash),
    Kind::usual("pause", "processes stand still and keep their state", |hand| stand_still(hand, "pause")),
    Kind::usual("latency", "messages take longer", latency),
    Kind::usual("loss", "messages are lost, each by its own luck or in bursts", loss),
    Kind::usual("clock", "clocks are off, drift, jump or stand", clock),
    Kind::usual("zone-outage", "a zone loses power", zone_outage),
    Kind::usual("slow", "instances work more slowly, and health checks may pass", slow),
    Kind::usual("gc", "processes stand still for short times, again and again", gc),
    Kind::usual("disk", "disks of registry members stall, slow down, fill up or lie about syncs", disk),
    Kind::usual(
        "registry",
        "what a sound registry goes through: leader changes, stalled watches, compactions, throttling",
        registry,
    ),
    Kind::more("duplicate", "messages arrive twice", |hand| rated(hand, "duplicate", (1, 30))),
    Kind::more("reorder", "messages overtake each other", reorder),
    Kind::more("corrupt", "messages are damaged, found out and dropped", |hand| {
        rated(hand, "corrupt", (1, 30))
    }),
    Kind::more("connection", "connections are reset, half-open, or not to be had", connection),
    Kind::more("vm-stall", "machines stand still, and their clocks with them", |hand| {
        stand_still(hand, "vm-stall")
    }),
    Kind::more(
        "zombie",
        "instances stand still, and come back in the belief that they hold their lease",
        zombie,
    ),
    Kind::more("stop", "instances are told to end, and start anew", stop),
    Kind::more("crash-loop", "instances die again and again", crash_loop),
    Kind::more("error-rate", "instances answer some requests with errors, quickly", error_rate),
    Kind::more("partial-capacity", "instances serve fewer requests at once", partial_capacity),
    Kind::more("noisy-neighbour", "instances lose a share of their processor in bursts", noisy_neighbour),
    Kind::more("zone-brownout", "a zone limps", zone_brownout),
    Kind::more("dns", "DNS servers do not answer, or deny, or leave out records", dns),
    Kind::more("load", "clients ask for more than they would", load),
];

impl Kind {
    const fn usual(name: &'static str, about: &'static str, draw: fn(&mut Hand<'_>) -> Option<Blow>) -> Kind {
        Kind { name, about, by_default: true, draw }
    }

    const fn more(name: &'static str, about: &'static str, draw: fn(&mut Hand<'_>) -> Option<Blow>) -> Kind {
        Kind { name, about, by_default: false, draw }
    }
}

impl Blow {
    /// A fault that lasts, and holds nobody down.
    pub(super) fn of(what: String) -> Blow {
        Blow { what, lasts: Lasts::ATime, down: Vec::new() }
    }
}

const EVERYONE: &[Role] = &[Role::Member, Role::Instance, Role::Client];
const SERVERS: &[Role] = &[Role::Member, Role::Instance];
const INSTANCES: &[Role] = &[Role::Instance];

fn crash(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(EVERYONE, Holds::Down)?;
    let host = hand.one_of(&["stays", "stays", "dies"]);
    // What was not synced is lost with the host; a disk that is lost whole is not among what Raft and its kin survive.
    let disk = if host == "dies" { hand.one_of(&["keep", "lose-unsynced"]) } else { "keep" };
    let what = format!("crash = {{ target = {}, disk = \"{disk}\", host = \"{host}\" }}", victims.text);
    Some(Blow { down: victims.down(), ..Blow::of(what) })
}

fn stand_still(hand: &mut Hand<'_>, kind: &str) -> Option<Blow> {
    let victims = hand.victims(EVERYONE, Holds::Down)?;
    Some(Blow { down: victims.down(), ..Blow::of(format!("{kind} = {{ target = {} }}", victims.text)) })
}

fn latency(hand: &mut Hand<'_>) -> Option<Blow> {
    let ways = hand.ways()?;
    let median = hand.millis(5, 2_000);
    let extra = format!("{{ lognormal = {{ p50 = \"{median}ms\", p99 = \"{}ms\" }} }}", 4 * median);
    Some(Blow::of(format!("latency = {{ {ways}, extra = {extra} }}")))
}

fn loss(hand: &mut Hand<'_>) -> Option<Blow> {
    let ways = hand.ways()?;
    let pattern = if hand.luck.chance(ratio(1, 4)) {
        let (to_bad, to_good) = (hand.percent(1, 20), hand.percent(5, 50));
        format!("burst = {{ to-bad = \"{to_bad}%\", to-good = \"{to_good}%\" }}")
    } else {
        format!("rate = \"{}%\"", hand.percent(1, 60))
    };
    Some(Blow::of(format!("loss = {{ {ways}, {pattern} }}")))
}

fn rated(hand: &mut Hand<'_>, kind: &str, (least, most): (u64, u64)) -> Option<Blow> {
    let ways = hand.ways()?;
    Some(Blow::of(format!("{kind} = {{ {ways}, rate = \"{}%\" }}", hand.percent(least, most))))
}

fn reorder(hand: &mut Hand<'_>) -> Option<Blow> {
    let ways = hand.ways()?;
    let (rate, gap) = (hand.percent(1, 50), hand.millis(10, 500));
    Some(Blow::of(format!("reorder = {{ {ways}, rate = \"{rate}%\", gap = \"{gap}ms\" }}")))
}

fn connection(hand: &mut Hand<'_>) -> Option<Blow> {
    let ends = hand.ends()?;
    let how = hand.one_of(&["reset", "half-open", "connect-hang"]);
    let mode = if how == "connect-hang" {
        format!(", mode = \"{}\"", hand.one_of(&["blackhole", "reject"]))
    } else {
        String::new()
    };
    let lasts = if how == "reset" { Lasts::AMoment } else { Lasts::ATime };
    Some(Blow { lasts, ..Blow::of(format!("connection = {{ {how} = {{ {ends}{mode} }} }}")) })
}

fn clock(hand: &mut Hand<'_>) -> Option<Blow> {
    // A clock that stands lets no timer fire, which is as good as a death.
    if hand.luck.chance(ratio(1, 8))
        && let Some(victims) = hand.victims(SERVERS, Holds::Down)
    {
        let what = format!("clock = {{ target = {}, freeze = {{}} }}", victims.text);
        return Some(Blow { down: victims.down(), ..Blow::of(what) });
    }
    let victims = hand.victims(SERVERS, Holds::Up)?;
    let sign = hand.one_of(&["", "-"]);
    let off = hand.millis(100, 60_000);
    let wrong = match hand.luck.below(5) {
        0 => format!("skew = \"{sign}{off}ms\""),
        // Up to a fifth faster or slower: far beyond what NTP corrects, and still a clock.
        1 => format!("drift = {sign}{}", hand.magnitude(100, 200_000)),
        2 => format!("jump = \"{off}ms\", of = \"both\""),
        3 => format!("strobe = {{ by = \"{off}ms\", every = \"{}ms\" }}", hand.millis(50, 2_000)),
        _ => format!("backwards = \"{off}ms\""),
    };
    Some(Blow::of(format!("clock = {{ target = {}, {wrong} }}", victims.text)))
}

fn zone_outage(hand: &mut Hand<'_>) -> Option<Blow> {
    let (zone, down) = hand.zone(Holds::Down)?;
    Some(Blow { down, ..Blow::of(format!("zone-outage = {{ zone = \"{zone}\" }}")) })
}

fn zone_brownout(hand: &mut Hand<'_>) -> Option<Blow> {
    let (zone, _) = hand.zone(Holds::Up)?;
    let (slow, latency, loss) = (hand.magnitude(2, 20), hand.millis(5, 500), hand.percent(1, 10));
    let keys = format!("zone = \"{zone}\", slow = {slow}, latency = \"{latency}ms\", loss = \"{loss}%\"");
    Some(Blow::of(format!("zone-brownout = {{ {keys} }}")))
}

fn slow(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(INSTANCES, Holds::Up)?;
    let (factor, probes) = (hand.magnitude(2, 50), hand.one_of(&["pass", "pass", "pass", "fail"]));
    let what = format!("slow = {{ target = {}, factor = {factor}, probes = \"{probes}\" }}", victims.text);
    Some(Blow::of(what))
}

fn gc(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(EVERYONE, Holds::Up)?;
    let (every, pause) = (hand.millis(1_000, 10_000), hand.millis(20, 500));
    let every = format!("{{ exponential = \"{every}ms\" }}");
    let pause = format!("{{ lognormal = {{ p50 = \"{pause}ms\", p99 = \"{}ms\" }} }}", 10 * pause);
    Some(Blow::of(format!("gc = {{ target = {}, every = {every}, pause = {pause} }}", victims.text)))
}

fn disk(hand: &mut Hand<'_>) -> Option<Blow> {
    if !hand.stage().has_leader {
        // Only registries that keep a log write to a disk.
        return None;
    }
    // Who cannot sync or write is of no use to the others.
    if hand.luck.chance(ratio(1, 2))
        && let Some(victims) = hand.victims(&[Role::Member], Holds::Down)
    {
        let bad = hand.one_of(&["stall", "full"]);
        let what = format!("disk = {{ target = {}, {bad} = {{}} }}", victims.text);
        return Some(Blow { down: victims.down(), ..Blow::of(what) });
    }
    let victims = hand.victims(&[Role::Member], Holds::Up)?;
    let bad = match hand.luck.below(3) {
        0 => "lost-fsync = {}".to_owned(),
        _ => format!("slow = {}", hand.magnitude(5, 200)),
    };
    Some(Blow::of(format!("disk = {{ target = {}, {bad} }}", victims.text)))
}

/// What befalls a registry that has no bug. Lists that are wrong and registrations that are lost are failures
/// themselves: a hunt would find what it has put there.
const SOUND: &[&str] = &["leader-change", "watch-stall", "compaction", "throttle", "stale-snapshot"];

fn registry(hand: &mut Hand<'_>) -> Option<Blow> {
    let known = crate::registry::troubles(hand.stage().registry?);
    let troubles: Vec<&str> = SOUND.iter().copied().filter(|trouble| known.contains(trouble)).collect();
    let victims = hand.victims(&[Role::Member], Holds::Up)?;
    if troubles.is_empty() {
        return None;
    }
    let moment = |what: &str| Blow { lasts: Lasts::AMoment, ..Blow::of(what.to_owned()) };
    let target = format!("target = {}", victims.text);
    Some(match hand.one_of(&troubles) {
        "leader-change" => moment("registry = \"leader-change\""),
        "compaction" => moment("registry = \"compaction\""),
        "watch-stall" => Blow::of(format!("registry = {{ watch-stall = {{ {target} }} }}")),
        "stale-snapshot" => {
            let age = hand.millis(1_000, 30_000);
            Blow::of(format!("registry = {{ stale-snapshot = {{ {target}, age = \"{age}ms\" }} }}"))
        }
        _ => {
            let rate = hand.magnitude(1, 100);
            Blow::of(format!("registry = {{ throttle = {{ {target}, rate = \"{rate}/s\" }} }}"))
        }
    })
}

fn zombie(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(INSTANCES, Holds::Down)?;
    let believes = hand.millis(100, 20_000);
    let what = format!("zombie = {{ target = {}, believes = \"{believes}ms\" }}", victims.text);
    Some(Blow { down: victims.down(), ..Blow::of(what) })
}

fn stop(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(INSTANCES, Holds::Down)?;
    let (drain, leaves) = (hand.millis(100, 5_000), hand.one_of(&["true", "true", "false"]));
    let what =
        format!("stop = {{ target = {}, drain = \"{drain}ms\", deregister = {leaves} }}", victims.text);
    Some(Blow { down: victims.down(), ..Blow::of(what) })
}

fn crash_loop(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(INSTANCES, Holds::Down)?;
    let (up, base) = (hand.millis(200, 5_000), hand.millis(200, 5_000));
    let what = format!(
        "crash-loop = {{ target = {}, up = \"{up}ms\", backoff = {{ base = \"{base}ms\" }} }}",
        victims.text
    );
    Some(Blow { down: victims.down(), ..Blow::of(what) })
}

fn error_rate(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(INSTANCES, Holds::Up)?;
    Some(Blow::of(format!(
        "error-rate = {{ target = {}, rate = \"{}%\" }}",
        victims.text,
        hand.percent(5, 100)
    )))
}

fn partial_capacity(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(INSTANCES, Holds::Up)?;
    let share = hand.percent(10, 90);
    Some(Blow::of(format!("partial-capacity = {{ target = {}, share = \"{share}%\" }}", victims.text)))
}

fn noisy_neighbour(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(INSTANCES, Holds::Up)?;
    let steal = hand.percent(20, 90);
    Some(Blow::of(format!("noisy-neighbour = {{ target = {}, steal = \"{steal}%\" }}", victims.text)))
}

fn dns(hand: &mut Hand<'_>) -> Option<Blow> {
    if !hand.stage().dns {
        return None;
    }
    let (how, share) = (hand.one_of(&["timeout", "nxdomain", "shuffle"]), hand.percent(10, 100));
    Some(Blow::of(format!("dns = {{ {how} = {{ share = \"{share}%\" }} }}")))
}

fn load(hand: &mut Hand<'_>) -> Option<Blow> {
    let victims = hand.victims(&[Role::Client], Holds::Up)?;
    let factor = hand.magnitude(2, 10);
    Some(Blow::of(format!("load = {{ burst = {{ target = {}, factor = {factor} }} }}", victims.text)))
}
