//! An agent's own state: what runs on its host, and what it has yet to tell the servers. For that it is the authority.

use schism_core::{Duration, Time};

use super::catalog::{Host, Said, Status};
use crate::listing::{Endpoint, ServiceId};
use crate::observation::Cause;

/// A service's own check: passing for as long as someone says so within its time to live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Check {
    /// What it says.
    pub status: Status,
    /// What else it says: a text, by its number.
    output: u32,
    /// Whether another text waits to be told.
    deferred: bool,
    /// Since when it is critical, if it is.
    pub critical: Option<Time>,
    sync: Sync,
}

impl Check {
    /// What the servers are told of it.
    fn said(self) -> Said {
        Said { status: self.status, output: self.output }
    }

    /// Whether the servers have it as it is here; a text that waits to be told is not looked at.
    fn is_as(&self, remote: Said) -> bool {
        remote.status == self.status && (self.deferred || remote.output == self.output)
    }

    fn new(status: Status, now: Time, sync: Sync) -> Check {
        let critical = (status == Status::Critical).then_some(now);
        Check { status, output: 0, deferred: false, critical, sync }
    }
}

/// A service, or what is left of one that has yet to be taken off the catalog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Service {
    /// How it is listed, or why it is to be removed.
    listed: Result<(ServiceId, Endpoint), Cause>,
    sync: Sync,
}

/// Whether the servers have something as it is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sync {
    Done,
    /// It has been changed so many times since the agent started.
    Due(u32),
}

/// What is to be told the servers next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The service is gone.
    Remove(Cause),
    /// The service, with its check if that has changed, too.
    Service {
        /// The service.
        service: (ServiceId, Endpoint),
        /// What its check says.
        check: Option<Said>,
    },
    /// The check, which takes the service along (agent/local/state.go, `syncCheck`).
    Check {
        /// The service.
        service: (ServiceId, Endpoint),
        /// What its check says.
        check: Said,
    },
}

/// What an agent knows of its host: at most one service, with one check.
#[derive(Clone, Debug, Default)]
pub struct Local {
    service: Option<Service>,
    check: Option<Check>,
    changes: u32,
    /// What was told, and at which change: what is changed meanwhile stays due.
    telling: u32,
}

impl Local {
    /// What runs here, if anything does.
    pub fn service(&self) -> Option<(ServiceId, Endpoint)> {
        self.service.and_then(|service| service.listed.ok())
    }

    /// The check of what runs here.
    pub fn check(&self) -> Option<&Check> {
        self.check.as_ref()
    }

    /// A service is registered here, or registered again. Its check is critical until someone says otherwise
    /// (agent/structs/check_definition.go: "Status: api.HealthCritical").
    pub fn register(&mut self, now: Time, service: (ServiceId, Endpoint), status: Status) {
        let sync = self.due();
        self.service = Some(Service { listed: Ok(service), sync });
        self.check = Some(Check::new(status, now, sync));
    }

    /// The service is taken off: the servers are told, and until they know it is remembered. Whether there was one.
    pub fn deregister(&mut self, cause: Cause) -> bool {
        let was = self.service().is_some();
        if was {
            self.service = Some(Service { listed: Err(cause), sync: self.due() });
            self.check = None;
        }
        was
    }

    /// The check says this now. Whether that is another thing than before: only then the servers are told (agent/local/
    /// state.go, `UpdateCheck`).
    pub fn update(&mut self, now: Time, status: Status) -> bool {
        let sync = self.due();
        let Some(check) = &mut self.check else { return false };
        let changed = check.status != status;
        match status {
            Status::Passing => check.critical = None,
            Status::Critical => check.critical = Some(check.critical.unwrap_or(now)),
        }
        check.status = status;
        if changed {
            check.sync = sync;
        }
        changed
    }

    /// The check has another text to say. Whether that begins to wait now, or waits already.
    pub fn vary(&mut self) -> bool {
        let Some(check) = &mut self.check else { return false };
        check.output = check.output.wrapping_add(1);
        !std::mem::replace(&mut check.deferred, true)
    }

    /// The text is to be told now. Whether there is one that waits.
    pub fn tell_output(&mut self) -> bool {
        let sync = self.due();
        let Some(check) = &mut self.check else { return false };
        let waits = std::mem::replace(&mut check.deferred, false);
        if waits {
            check.sync = sync;
        }
        waits
    }

    /// Whether the service has been critical for longer than this (agent/agent.go, `reapServicesInternal`).
    pub fn is_critical_for(&self, now: Time, longer_than: Duration) -> bool {
        let since = self.check.and_then(|check| check.critical);
        since.is_some_and(|since| now.since(since) > longer_than)
    }

    /// What the servers have of this host: what differs is to be told them (agent/local/state.go, `updateSyncState`).
    pub fn compare(&mut self, remote: Option<&Host>) {
        let sync = self.due();
        let remote = remote.copied().unwrap_or_default();
        match &mut self.service {
            Some(service) if service.listed.is_ok_and(|listed| Some(listed) != remote.service) => {
                service.sync = sync;
            }
            // What is not known here is to go.
            None if remote.service.is_some() => {
                self.service = Some(Service { listed: Err(Cause::Lost), sync });
            }
            Some(_) | None => {}
        }
        if let Some(check) = &mut self.check
            && !remote.check.is_some_and(|remote| check.is_as(remote))
        {
            check.sync = sync;
        }
    }

    /// What is to be told the servers next, if anything is: services first, then checks (agent/local/state.go,
    /// `SyncChanges`).
    pub fn next_step(&mut self) -> Option<Step> {
        self.telling = self.changes;
        let check = self.check.filter(|check| check.sync != Sync::Done).map(Check::said);
        match self.service? {
            Service { listed: Err(cause), .. } => Some(Step::Remove(cause)),
            Service { listed: Ok(service), sync: Sync::Due(_) } => Some(Step::Service { service, check }),
            Service { listed: Ok(service), sync: Sync::Done } => {
                check.map(|check| Step::Check { service, check })
            }
        }
    }

    /// The servers have been told what [`Local::next_step`] said; what was changed since is still due.
    pub fn told(&mut self, step: Step) {
        let upto = self.telling;
        match step {
            Step::Remove(_) => {
                if self.service.is_some_and(|service| service.listed.is_err() && service.sync.is_by(upto)) {
                    self.service = None;
                }
            }
            Step::Service { check, .. } => {
                self.service.iter_mut().for_each(|service| service.sync.settle(upto));
                if check.is_some() {
                    self.check.iter_mut().for_each(|check| check.sync.settle(upto));
                }
            }
            Step::Check { .. } => self.check.iter_mut().for_each(|check| check.sync.settle(upto)),
        }
    }

    fn due(&mut self) -> Sync {
        self.changes = self.changes.wrapping_add(1);
        Sync::Due(self.changes)
    }
}

impl Sync {
    fn is_by(self, upto: u32) -> bool {
        match self {
            Sync::Done => true,
            Sync::Due(change) => change <= upto,
        }
    }

    fn settle(&mut self, upto: u32) {
        if self.is_by(upto) {
            *self = Sync::Done;
        }
    }
}

#[cfg(test)]
mod tests {
    use schism_core::{NodeId, ZoneId};

    use super::*;

    const THEN: Time = Time::START;

    fn service() -> (ServiceId, Endpoint) {
        (ServiceId(0), Endpoint { node: NodeId(7), ordinal: 0, zone: ZoneId(0), weight: 1 })
    }

    fn said(status: Status) -> Said {
        Said { status, output: 0 }
    }

    fn told_all(local: &mut Local) {
        while let Some(step) = local.next_step() {
            local.told(step);
        }
    }

    #[test]
    fn a_service_takes_its_check_along_and_a_later_pass_is_told_alone() {
        let mut local = Local::default();
        local.register(THEN, service(), Status::Critical);
        let first = local.next_step();
        assert_eq!(first, Some(Step::Service { service: service(), check: Some(said(Status::Critical)) }));
        // It passes while the first step is on its way: that is told next.
        assert!(local.update(THEN, Status::Passing));
        local.told(first.unwrap());
        assert_eq!(local.next_step(), Some(Step::Check { service: service(), check: said(Status::Passing) }));
    }

    #[test]
    fn another_pass_is_no_news() {
        let mut local = Local::default();
        local.register(THEN, service(), Status::Passing);
        told_all(&mut local);
        assert!(!local.update(THEN, Status::Passing));
        assert_eq!(local.next_step(), None);
    }

    #[test]
    fn what_is_deleted_at_the_servers_is_told_again_and_what_is_not_known_here_is_removed() {
        let mut local = Local::default();
        local.register(THEN, service(), Status::Passing);
        told_all(&mut local);
        local.compare(None);
        assert!(matches!(local.next_step(), Some(Step::Service { .. })));

        let mut local = Local::default();
        let host = Host { service: Some(service()), check: Some(said(Status::Passing)), serf: None };
        local.compare(Some(&host));
        assert_eq!(local.next_step(), Some(Step::Remove(Cause::Lost)));
        told_all(&mut local);
        assert_eq!(local.next_step(), None);
    }

    #[test]
    fn the_reaper_waits_for_longer_than_the_time_and_not_for_as_long() {
        let mut local = Local::default();
        local.register(THEN, service(), Status::Critical);
        let minute = Duration::from_secs(60);
        assert!(!local.is_critical_for(THEN + minute, minute));
        assert!(local.is_critical_for(THEN + minute + Duration::from_nanos(1), minute));
    }
}
