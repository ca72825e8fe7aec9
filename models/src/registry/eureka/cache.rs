//! The caches of what clients are told: one that is emptied by every change, and a copy of it that is not.

use std::sync::Arc;

use schism_core::{Duration, Time};

use super::apps::{Delta, Full};

/// What may be asked for, and is cached by itself (`ResponseCacheImpl`, `ALL_APPS` and `ALL_APPS_DELTA`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// All applications.
    Full,
    /// The recent changes.
    Delta,
}

/// What is told.
#[derive(Clone, Debug)]
pub enum Payload {
    /// All applications.
    Full(Arc<Full>),
    /// The recent changes.
    Delta(Arc<Delta>),
}

/// Both caches (eureka-core, registry/ResponseCacheImpl.java, 1.10).
#[derive(Clone, Debug)]
pub struct ResponseCache {
    /// How long what was made is good, by the monotonic clock, which Guava's ticker is: 180 s.
    expiry: Duration,
    read_only: ReadOnly,
    /// Emptied by every change; what is asked for and not there is made.
    read_write: Slots<(Time, Payload)>,
    /// What was asked for at least once; a timer copies it from the other.
    copies: Slots<Payload>,
}

/// Whether there is the second cache (`shouldUseReadOnlyResponseCache`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOnly {
    /// Clients are told what it holds.
    Used,
    /// Clients are told what the first holds.
    Bypassed,
}

#[derive(Clone, Debug)]
struct Slots<T> {
    full: Option<T>,
    delta: Option<T>,
}

impl<T> Slots<T> {
    const EMPTY: Slots<T> = Slots { full: None, delta: None };

    fn at(&mut self, key: Key) -> &mut Option<T> {
        match key {
            Key::Full => &mut self.full,
            Key::Delta => &mut self.delta,
        }
    }
}

impl ResponseCache {
    /// Empty caches.
    pub fn new(expiry: Duration, read_only: ReadOnly) -> ResponseCache {
        ResponseCache { expiry, read_only, read_write: Slots::EMPTY, copies: Slots::EMPTY }
    }

    /// Something has changed.
    pub fn invalidate(&mut self) {
        self.read_write = Slots::EMPTY;
    }

    /// What a client is told.
    pub fn get(&mut self, now: Time, key: Key, make: impl FnOnce() -> Payload) -> Payload {
        if self.read_only == ReadOnly::Bypassed {
            return self.read(now, key, make);
        }
        if let Some(copy) = self.copies.at(key) {
            return copy.clone();
        }
        let payload = self.read(now, key, make);
        *self.copies.at(key) = Some(payload.clone());
        payload
    }

    /// It is time to copy what was ever asked for (`getCacheUpdateTask`).
    pub fn copy(&mut self, now: Time, mut make: impl FnMut(Key) -> Payload) {
        for key in [Key::Full, Key::Delta] {
            if self.copies.at(key).is_some() {
                let payload = self.read(now, key, || make(key));
                *self.copies.at(key) = Some(payload);
            }
        }
    }

    fn read(&mut self, now: Time, key: Key, make: impl FnOnce() -> Payload) -> Payload {
        let expiry = self.expiry;
        match self.read_write.at(key) {
            Some((made, payload)) if now.since(*made) < expiry => payload.clone(),
            slot => {
                let payload = make();
                *slot = Some((now, payload.clone()));
                payload
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::apps::Apps;
    use super::*;

    const EXPIRY: Duration = Duration::from_secs(180);

    fn at(seconds: u64) -> Time {
        Time::START + Duration::from_secs(seconds)
    }

    fn payload(version: u64) -> Payload {
        let apps = Arc::new(Apps { version, ..Apps::empty(0) });
        Payload::Full(Arc::new(Full { apps, infos: Vec::new(), of: None }))
    }

    fn version(payload: &Payload) -> u64 {
        match payload {
            Payload::Full(full) => full.apps.version,
            Payload::Delta(delta) => delta.apps.version,
        }
    }

    /// What a client is told at a time when the registry is at a version.
    fn told(cache: &mut ResponseCache, seconds: u64, now: u64) -> u64 {
        version(&cache.get(at(seconds), Key::Full, || payload(now)))
    }

    #[test]
    fn a_change_is_told_only_after_it_was_copied() {
        let mut cache = ResponseCache::new(EXPIRY, ReadOnly::Used);
        assert_eq!(told(&mut cache, 1, 1), 1);
        cache.invalidate();
        assert_eq!(told(&mut cache, 2, 2), 1);
        cache.copy(at(30), |_| payload(2));
        assert_eq!(told(&mut cache, 31, 2), 2);
    }

    #[test]
    fn without_the_copy_a_change_is_told_at_once() {
        let mut cache = ResponseCache::new(EXPIRY, ReadOnly::Bypassed);
        assert_eq!(told(&mut cache, 1, 1), 1);
        assert_eq!(told(&mut cache, 2, 2), 1, "what nobody has emptied is good");
        cache.invalidate();
        assert_eq!(told(&mut cache, 2, 2), 2);
    }

    #[test]
    fn what_was_made_is_made_anew_when_it_has_expired() {
        let mut cache = ResponseCache::new(EXPIRY, ReadOnly::Bypassed);
        assert_eq!(told(&mut cache, 10, 1), 1);
        assert_eq!(version(&cache.get(at(190) - Duration::from_nanos(1), Key::Full, || payload(2))), 1);
        assert_eq!(told(&mut cache, 190, 3), 3);
    }

    #[test]
    fn only_what_was_asked_for_is_copied() {
        let mut cache = ResponseCache::new(EXPIRY, ReadOnly::Used);
        told(&mut cache, 1, 1);
        let mut made = Vec::new();
        cache.invalidate();
        cache.copy(at(30), |key| {
            made.push(key);
            payload(2)
        });
        assert_eq!(made, [Key::Full]);
    }
}
