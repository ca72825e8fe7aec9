//! How each kind of fault is spelt: one file with its keys, how they are read and how they are written down again, and
//! one line here.

mod bandwidth;
mod clock;
mod config_push;
mod connection;
mod corrupt;
mod crash;
mod crash_loop;
mod deploy;
mod disk;
mod dns;
mod duplicate;
mod error_rate;
mod failpoint;
mod gc;
mod ip_reuse;
mod latency;
mod leak;
mod limp_link;
mod load;
mod loss;
mod noisy_neighbour;
mod one_of;
mod partial_capacity;
mod partition;
mod pause;
mod registry;
mod reorder;
mod scale;
mod slow;
mod start_slow;
mod stop;
mod vm_stall;
mod ways;
mod zombie;
mod zone_brownout;
mod zone_outage;

use schism_core::Duration;
use schism_models::nemesis::{Batch, Fault, Target};

use crate::diagnostics::{Problem, Report};
use crate::grammar::{Choice, Key, Shape};
use crate::limits;
use crate::reader::{self, Chosen, Field, Read, Section};
use crate::source::At;
use crate::target::{BaseSpec, TargetSpec};
use crate::tree::Entry;
use crate::units::show_ratio;

pub(crate) use clock::WRONGS;
pub(crate) use config_push::CONFIGS;
pub(crate) use connection::FAILURES;
pub(crate) use disk::BADS;
pub(crate) use load::HOWS;
pub(crate) use partition::{ONE_WAY, SHAPES};
pub(crate) use scale::WAYS;
pub(crate) use ways::{DIRECTIONS, ENDS};

/// One kind of fault in the language.
pub(crate) struct Kind {
    /// The key that says it.
    pub(crate) key: Key,
    /// Reads what stands there.
    pub(crate) read: fn(&Body<'_>) -> Option<Fault<TargetSpec>>,
    /// What a scenario may write, each with what it does, for `schism list faults`.
    pub(crate) examples: &'static [(&'static str, &'static str)],
}

/// The catalog: the key of each kind, its file, and what may stand there.
macro_rules! catalog {
    ($($name:literal = $kind:ident in $file:ident, $about:literal;)*) => {
        /// The keys that say what a fault is.
        pub(crate) const KINDS: &[&str] = &[$($name),*];

        /// Every kind, in the order in which `schism list` shows them.
        pub(crate) const CATALOG: &[Kind] = &[$(Kind {
            key: Key::new($name, $file::SHAPE, $about),
            read: |body| $file::read(body).map(Fault::$kind),
            examples: $file::EXAMPLES,
        }),*];

        /// Writes a fault down again: its key, and what stands there.
        pub(crate) fn write(fault: &Fault, names: &dyn Spell) -> (&'static str, String) {
            match fault { $(Fault::$kind(fault) => ($name, $file::write(fault, names)),)* }
        }
    };
}

catalog! {
    "partition" = Partition in partition, "Some nodes cannot reach others";
    "latency" = Latency in latency, "Messages take longer";
    "loss" = Loss in loss, "Messages are lost, each by its own luck or in bursts";
    "duplicate" = Duplicate in duplicate, "Messages arrive twice";
    "reorder" = Reorder in reorder, "Messages overtake each other";
    "corrupt" = Corrupt in corrupt, "Messages are damaged, found out and dropped";
    "bandwidth" = Bandwidth in bandwidth, "Links have little room, and a finite buffer";
    "limp-link" = LimpLink in limp_link, "Network cards still work, far too slowly";
    "connection" = Connection in connection, "Connections are reset, half-open, or not to be had";
    "crash" = Crash in crash, "Processes die: all that is not on disk is lost, and peers see a reset";
    "crash-loop" = CrashLoop in crash_loop, "Processes die again and again, and are started again ever later";
    "stop" = Stop in stop, "Processes are told to end: they leave the list, drain, and end";
    "start-slow" = StartSlow in start_slow, "Instances that start while it lasts are slow for a while";
    "zombie" = Zombie in zombie, "Instances stand still, and come back in the belief that they still hold their lease";
    "pause" = Pause in pause, "Processes stand still and keep their state";
    "registry" = Registry in registry, "The registry fares ill: its leader changes, its leases end, its lists are wrong, ...";
    "dns" = Dns in dns, "DNS servers answer from the past, or not at all, or wrongly";
    "gc" = Gc in gc, "Processes stand still for short times, again and again";
    "vm-stall" = VmStall in vm_stall, "Machines stand still, and their clocks with them";
    "clock" = Clock in clock, "Clocks go wrong";
    "disk" = Disk in disk, "Disks of registry members go bad";
    "zone-outage" = ZoneOutage in zone_outage, "A zone loses power";
    "zone-brownout" = ZoneBrownout in zone_brownout, "A zone limps: all in it is slower and loses more";
    "slow" = Slow in slow, "Instances work more slowly";
    "partial-capacity" = PartialCapacity in partial_capacity, "Instances serve fewer requests at once";
    "error-rate" = ErrorRate in error_rate, "Instances answer some requests with errors, quickly";
    "leak" = Leak in leak, "Instances get slower the longer they run";
    "noisy-neighbour" = NoisyNeighbour in noisy_neighbour, "Instances lose a share of their processor in bursts";
    "deploy" = Deploy in deploy, "A new version of a service is rolled out";
    "config-push" = ConfigPush in config_push, "Another configuration is pushed to processes";
    "scale" = Scale in scale, "A service gets more instances, or fewer";
    "ip-reuse" = IpReuse in ip_reuse, "Instances die, and others get their addresses";
    "failpoint" = Failpoint in failpoint, "At a named point of the models things fail, come late, or end the process";
    "load" = Load in load, "Clients ask for more, or otherwise, than they would";
    "one-of" = OneOf in one_of, "One of several faults, chosen by the seed";
}

/// Reads the fault that stands at the key of its kind.
pub(crate) fn read(section: &Section<'_>, entry: &Entry) -> Option<Fault<TargetSpec>> {
    let kind = CATALOG.iter().find(|kind| kind.key.name == entry.key).expect("it is one of the kinds");
    (kind.read)(&Body::open(section, entry, kind.key.shape))
}

/// Turns numbers back into the names of the file, in TOML.
pub(crate) trait Spell {
    /// One target.
    fn target(&self, target: &Target) -> String;
    /// A list of targets.
    fn targets(&self, targets: &[Target]) -> String;
    /// The zone that a fault of a whole zone is aimed at, without the word before it.
    fn zone(&self, zone: &[Target]) -> String;
}

/// How many at a time, in TOML.
fn batch(batch: Batch) -> String {
    match batch {
        Batch::Count(count) => count.to_string(),
        Batch::Share(share) => format!("\"{}\"", show_ratio(share)),
    }
}

/// A time between two things that a fault does again and again: not so short that a run would be nothing but those. `what`
/// is done each time.
fn turn(name: &str, time: At<Duration>, what: &str, report: &Report) -> Option<Duration> {
    if time.value < limits::TURN {
        let message = format!("`{name}` is {}; the limit is {}", time.value, limits::TURN);
        report.add(Problem::error(time.place, message).help(format!("every {what} is an event of the run")));
        return None;
    }
    Some(time.value)
}

/// What stands at the key of a fault: a table, or the targets alone.
pub(crate) struct Body<'t> {
    /// The table; empty if there is none, so that every key has its default.
    pub(crate) section: Section<'t>,
    entry: &'t Entry,
}

impl<'t> Body<'t> {
    /// Opens what stands at the key of a kind.
    pub(crate) fn open(parent: &Section<'t>, entry: &'t Entry, shape: Shape) -> Body<'t> {
        let path = parent.path_of(&entry.key);
        let table = Some(&entry.value).filter(|tree| tree.as_table().is_some());
        let (keys, tree) = if let Shape::Table(keys) = shape {
            (keys, Some(&entry.value))
        } else if let Shape::TargetsOr(keys) = shape {
            (keys, table)
        } else {
            // The kind reads by itself what stands there.
            (&[][..], None)
        };
        Body { section: Section::open(&path, entry.place, tree, keys, parent.report), entry }
    }

    /// What is chosen, where the fault is a choice: a name, or a table with one.
    pub(crate) fn choose(&self, choice: &'static Choice) -> Option<Chosen<'t>> {
        reader::choose(choice, &self.entry.value, self.section.report)
    }

    /// The fault's targets: those at `target`, or all that is written.
    pub(crate) fn targets(&self) -> Option<Vec<TargetSpec>> {
        if self.entry.value.as_table().is_some() {
            return self.section.must("target").map(|at| at.value);
        }
        let field = Field { name: &self.entry.key, shape: Shape::Targets, report: self.section.report };
        Vec::read(&field, &self.entry.value)
    }

    /// The zone at `zone`, as the target that it is; `zone:b` is another spelling of `b`.
    pub(crate) fn zone(&self) -> Option<Vec<TargetSpec>> {
        let At { value, place } = self.section.must::<String>("zone")?;
        let name = value.strip_prefix("zone:").unwrap_or(&value).to_owned();
        Some(vec![TargetSpec {
            place,
            text: format!("zone:{name}"),
            base: BaseSpec::Zone(name),
            select: None,
        }])
    }

    /// Reports what is wrong with the fault as a whole.
    pub(crate) fn wrong(&self, message: impl Into<String>, help: impl Into<String>) {
        self.section.report.add(Problem::error(self.entry.place, message.into()).help(help.into()));
    }
}
