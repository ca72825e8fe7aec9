//! How each registry is spelt: one file with its keys, how they are read, what the real system makes of them, and how
//! they are written down again; and one line here.

mod consul;
mod dns;
mod etcd;
mod eureka;
mod kubernetes;
mod nacos;
mod zookeeper;

use schism_core::Duration;
use schism_models::registry::nacos::Version;
use schism_models::registry::{Aides, Config};

use crate::diagnostics::{Problem, Report};
use crate::grammar::{Key, Shape};
use crate::limits;
use crate::reader::{Chosen, Section};
use crate::source::At;
use crate::spec::Spread;

/// Makes the registry as written, and passes on what is asked of it.
macro_rules! catalog {
    ($($Name:ident = $module:ident, $name:literal;)*) => {
        /// The registry chosen, with its options.
        #[derive(Clone, Debug)]
        pub(crate) enum Spec {
            Static,
            $($Name(Box<$module::Spec>),)*
        }

        /// The keys of a registry of the catalog.
        pub(crate) fn keys(name: &str) -> &'static [Key] {
            match name {
                $($name => $module::KEYS,)*
                _ => &[],
            }
        }

        /// The names of the registry faults that mean something with a registry of the catalog.
        pub(crate) fn troubles(name: &str) -> &'static [&'static str] {
            match name {
                $($name => $module::TROUBLES,)*
                _ => &[],
            }
        }

        pub(crate) fn read(chosen: &Chosen<'_>, report: &Report) -> Option<Spec> {
            let section = chosen.options("registry", keys(chosen.name), report);
            match chosen.name {
                "static" => Some(Spec::Static),
                $($name => Some(Spec::$Name(Box::new($module::read(&section)))),)*
                name => unreachable!("the catalog has a registry `{name}` that cannot be read"),
            }
        }

        impl Spec {
            /// Its name in the catalog.
            pub(crate) fn name(&self) -> &'static str {
                match self { Spec::Static => "static", $(Spec::$Name(_) => $name,)* }
            }

            /// Its members, if it has any.
            pub(crate) fn members(&self) -> Option<&Members> {
                match self { Spec::Static => None, $(Spec::$Name(spec) => Some(&spec.members),)* }
            }

            /// Its members, to say of how many they are and where.
            fn members_mut(&mut self) -> Option<&mut Members> {
                match self { Spec::Static => None, $(Spec::$Name(spec) => Some(&mut spec.members),)* }
            }

            /// As meant; nothing, if the real system would refuse it.
            pub(crate) fn check(&self, report: &Report) -> Option<Config> {
                match self {
                    Spec::Static => Some(Config::Static),
                    $(Spec::$Name(spec) => $module::check(spec, report).map(Config::$Name),)*
                }
            }
        }

        /// What is written of a registry besides its members.
        pub(crate) fn write(out: &mut Lines<'_>, config: &Config) {
            match config {
                Config::Static => {}
                $(Config::$Name(config) => $module::write(out, config),)*
            }
        }
    };
}

catalog! {
    Consul = consul, "consul";
    Etcd = etcd, "etcd";
    Eureka = eureka, "eureka";
    Nacos = nacos, "nacos";
    Zookeeper = zookeeper, "zookeeper";
    Kubernetes = kubernetes, "kubernetes";
    Dns = dns, "dns";
}

impl Spec {
    /// Whether one of its members leads the others.
    pub(crate) fn has_leader(&self) -> bool {
        match self {
            Spec::Static | Spec::Eureka(_) => false,
            Spec::Consul(_) | Spec::Etcd(_) | Spec::Zookeeper(_) | Spec::Kubernetes(_) => true,
            // What is kept in the metadata, from 2.0 on.
            Spec::Nacos(nacos) => nacos.version >= Version::V2_0,
            Spec::Dns(dns) => dns.backing.has_leader(),
        }
    }

    /// Whether the instances are listed from the start and for good, and none registers.
    pub(crate) fn is_fixed(&self) -> bool {
        match self {
            Spec::Static => true,
            Spec::Dns(dns) => dns.backing.is_fixed(),
            Spec::Eureka(_)
            | Spec::Consul(_)
            | Spec::Etcd(_)
            | Spec::Zookeeper(_)
            | Spec::Kubernetes(_)
            | Spec::Nacos(_) => false,
        }
    }

    /// Whether the lists that it gives are numbered in one order: see `registry::Config::numbers_lists` of the models.
    pub(crate) fn numbers_lists(&self) -> bool {
        match self {
            Spec::Static | Spec::Eureka(_) | Spec::Nacos(_) | Spec::Dns(_) => false,
            Spec::Consul(_) | Spec::Etcd(_) | Spec::Zookeeper(_) | Spec::Kubernetes(_) => true,
        }
    }

    /// Whether clients can call it as a key-value store.
    pub(crate) fn can_be_called(&self) -> bool {
        match self {
            Spec::Static | Spec::Eureka(_) | Spec::Kubernetes(_) | Spec::Nacos(_) | Spec::Dns(_) => false,
            Spec::Consul(_) | Spec::Etcd(_) | Spec::Zookeeper(_) => true,
        }
    }

    /// The time to live of what a client's hold on a lock depends on, unless the client asks for another: the default of
    /// the recipe in the registry's client library. Nothing, if it has no locks.
    pub(crate) fn lock_ttl(&self) -> Option<Duration> {
        match self {
            Spec::Static | Spec::Eureka(_) | Spec::Nacos(_) | Spec::Dns(_) => None,
            // api/lock.go, `DefaultLockSessionTTL`, v1.20.
            Spec::Consul(_) => Some(Duration::from_secs(15)),
            // client-go, tools/leaderelection, `LeaseDuration`: "Core clients default this value to 15 seconds", v1.28.
            Spec::Kubernetes(_) => Some(Duration::from_secs(15)),
            // There is no default: what other clients of this registry ask for.
            Spec::Zookeeper(spec) => Some(spec.session_timeout()),
            // client/v3/concurrency/session.go, `defaultSessionTTL`, v3.6.
            Spec::Etcd(_) => Some(Duration::from_secs(60)),
        }
    }

    /// The shortest and the longest time to live that it takes for that.
    pub(crate) fn lock_ttls(&self) -> (Duration, Duration) {
        match self {
            // agent/consul/config.go, `SessionTTLMin`; agent/structs/structs.go, `SessionTTLMax`, v1.20.
            Spec::Consul(_) => (Duration::from_secs(10), Duration::from_secs(86_400)),
            Spec::Static
            | Spec::Eureka(_)
            | Spec::Nacos(_)
            | Spec::Dns(_)
            | Spec::Etcd(_)
            | Spec::Zookeeper(_)
            | Spec::Kubernetes(_) => (Duration::ZERO, limits::LENGTH),
        }
    }

    /// Which processes it has besides its members, with so many services.
    pub(crate) fn aides(&self, services: usize) -> Vec<Aides> {
        match self {
            Spec::Static | Spec::Etcd(_) | Spec::Zookeeper(_) | Spec::Eureka(_) | Spec::Nacos(_) => {
                Vec::new()
            }
            Spec::Consul(_) => vec![Aides::OnHosts("agent")],
            Spec::Kubernetes(_) => vec![Aides::OnHosts("kubelet")],
            Spec::Dns(dns) => {
                let mut aides = dns.backing.aides(services);
                aides.push(Aides::Apart("dns", dns.servers() * services as u32));
                aides
            }
        }
    }

    /// The name of the registry whose members are the scenario's.
    pub(crate) fn authority(&self) -> &'static str {
        if let Spec::Dns(dns) = self
            && !dns.is_of_a_file()
        {
            dns.backing.name()
        } else {
            self.name()
        }
    }
}

/// How many members there are, and where.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    pub(crate) count: At<u32>,
    pub(crate) spread: Spread,
}

/// The keys of members that every registry has.
const ZONES: Key =
    Key::new("zones", Shape::Names, "The zones that the members take turns in; by default all");
const ZONE: Key = Key::new("zone", Shape::Name, "The one zone of all members");

/// The key that says how many members there are.
const fn members_key(default: &'static str) -> Key {
    Key::new(
        "members",
        Shape::Count(limits::MEMBERS),
        "How many members, named `registry-0`, `registry-1`, ...",
    )
    .or(default)
}

/// The members, as written.
fn members(section: &Section<'_>) -> Members {
    Members { count: section.value("members"), spread: crate::read::spread(section) }
}

/// A time that goes by two names: by the one that is written; nothing, if it is said to be two things.
fn by_either(
    [(name, one), (alias, other)]: [(&str, Option<At<Duration>>); 2],
    report: &Report,
) -> Option<Option<At<Duration>>> {
    let (Some(first), Some(second)) = (one, other) else { return Some(one.or(other)) };
    if first.value == second.value {
        return Some(one);
    }
    let message = format!("{name} is {} and {alias} {}", first.value, second.value);
    let help = format!("they are one and the same: leave out {alias}");
    report.add(Problem::error(first.place.max(second.place), message).help(help));
    None
}

/// A client that does not wait for a round trip asks again and again.
fn patience(timeout: At<Duration>, report: &Report) {
    if timeout.value < limits::PATIENCE {
        let message = format!("nobody can answer within {}", timeout.value);
        report.add(
            Problem::error(timeout.place, message).help(format!("write at least \"{}\"", limits::PATIENCE)),
        );
    }
}

/// What is written of a registry, as the inside of a table on one line.
fn inline(config: &Config) -> String {
    let mut out = String::new();
    write(&mut Lines::after(&mut out), config);
    out.lines().collect::<Vec<_>>().join(", ")
}

/// What a registry's constants are written to, one line each.
pub(crate) struct Lines<'a> {
    out: &'a mut String,
}

impl<'a> Lines<'a> {
    /// Lines at the end of a text.
    pub(crate) fn after(out: &'a mut String) -> Lines<'a> {
        Lines { out }
    }

    /// `key = value`, the value as TOML.
    fn line(&mut self, key: &str, value: &str) {
        crate::render::line(self.out, key, value);
    }

    /// `key = "word"`.
    fn word(&mut self, key: &str, word: &str) {
        self.line(key, &crate::render::text(word));
    }

    /// `key = "10s"`.
    fn time(&mut self, key: &str, time: Duration) {
        self.line(key, &crate::render::time(time));
    }

    /// `key = "10s"`, or `key = "none"`.
    fn time_or_none(&mut self, key: &str, time: Option<Duration>) {
        self.line(key, &time.map_or_else(|| crate::render::text("none"), crate::render::time));
    }

    /// `key = true`.
    fn flag(&mut self, key: &str, flag: bool) {
        self.line(key, if flag { "true" } else { "false" });
    }
}
