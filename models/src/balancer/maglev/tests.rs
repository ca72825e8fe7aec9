//! Tables against Envoy's, slot by slot, and what is found in them.

use schism_core::ZoneId;

use super::*;
use crate::balancer::movement;
use crate::balancer::shares::{Host, shares};
use crate::balancer::stand::Stand;
use crate::keys::Subject;

const ADDRESSES: [&str; 6] =
    ["127.0.0.1:90", "127.0.0.1:91", "127.0.0.1:92", "127.0.0.1:93", "127.0.0.1:94", "127.0.0.1:95"];

fn host(place: u32, weight: u64) -> Host {
    Host { place, weight, locality: None }
}

fn table(hosts: &[Host], size: u32) -> Table {
    Table::new(&shares(hosts), |place| ADDRESSES[place as usize], size)
}

fn counts(table: &Table, places: usize) -> Vec<usize> {
    (0..places).map(|place| table.slots.iter().filter(|&&slot| slot == place as u32).count()).collect()
}

/// maglev_lb_test.cc of envoyproxy/envoy at 08417eb.
#[test]
fn tables_are_envoys() {
    let basic = table(&[0, 1, 2, 3, 4, 5].map(|place| host(place, 1)), 7);
    assert_eq!(basic.slots, [2, 4, 0, 1, 5, 0, 3]);
    let weighted = table(&[host(0, 1), host(1, 2)], 17);
    assert_eq!(weighted.slots, [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]);
    let zoned = |place, zone, weight| Host { place, weight: 1, locality: Some((ZoneId(zone), weight)) };
    let localities = table(&[zoned(0, 0, 8), zoned(2, 1, 0), zoned(1, 2, 2)], 17);
    assert_eq!(localities.slots, [1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
}

/// Envoy's docs (load_balancers.rst) say so of the two weights and the default size.
#[test]
fn the_documented_shares_come_out() {
    let table = table(&[host(0, 1), host(1, 2)], 65_537);
    assert_eq!(counts(&table, 2), [21_846, 43_691]);
}

/// The whole table, as XXH64 of its places in decimal with commas between, and what changes without the last host.
#[test]
fn large_tables_are_the_references() {
    for (hosts, least, first, digest, changed, owned) in [
        (2, 32768, [0, 1, 0, 0, 1], 6_285_657_419_779_401_849, 32768, 32768),
        (5, 13107, [0, 3, 3, 4, 1], 3_361_903_250_121_115_530, 13152, 13107),
        (100, 655, [61, 73, 31, 22, 1], 4_109_393_005_744_326_794, 1038, 655),
    ] {
        // In the order of the names, as Envoy sorts them: "10.0.0.10:8080" comes before "10.0.0.2:8080".
        let names: Vec<String> = (0..hosts).map(|host| format!("10.0.0.{host}:8080")).collect();
        let sorted = |hosts: u32| {
            let mut of: Vec<Host> = (0..hosts).map(|place| host(place, 1)).collect();
            of.sort_by_key(|host| &names[host.place as usize]);
            Table::new(&shares(&of), |place| &names[place as usize], 65_537)
        };
        let (all, without) = (sorted(hosts), sorted(hosts - 1));
        let decimals: Vec<String> = all.slots.iter().map(u32::to_string).collect();
        assert_eq!(Hash::Xxh64.of(decimals.join(",").as_bytes()), digest);
        assert_eq!(all.slots[..5], first);
        let counts = counts(&all, hosts as usize);
        assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&least), Some(&(least + 1))));
        assert_eq!(counts[hosts as usize - 1], owned);
        assert_eq!(all.slots.iter().zip(&without.slots).filter(|(old, new)| old != new).count(), changed);
    }
}

/// Some keys move between two that stay: fewer than one in a hundred.
#[test]
fn few_keys_move_but_to_the_new_server() {
    for (servers, moved, between_old, most, cv) in [
        (5, 3317, 12, 1.01025, 0.008229520034607122),
        (10, 1872, 47, 1.0475, 0.02435261792908516),
        (50, 479, 98, 1.0925, 0.046882832678924166),
    ] {
        let names: Vec<String> = (0..=servers).map(|server| format!("s{server}")).collect();
        let sorted = |hosts: u32| {
            let mut of: Vec<Host> = (0..hosts).map(|place| host(place, 1)).collect();
            of.sort_by_key(|host| &names[host.place as usize]);
            Table::new(&shares(&of), |place| &names[place as usize], 65_537)
        };
        let (old, new) = (sorted(servers), sorted(servers + 1));
        movement::check((servers, moved, between_old), (most, cv), |hash, with_new| {
            if with_new { new.place(hash) } else { old.place(hash) }
        });
    }
}

/// Whoever the hash finds, a later attempt looks where its changed hash leads, and a request about nothing anywhere.
#[test]
fn picks_are_the_tables() {
    let stand = Stand::new(&ADDRESSES.map(|name| (name, 1)));
    let mut maglev: Maglev = stand.balancer(&Config { table_size: 7, ..Config::default() });
    let mut pick = |hash, attempt| stand.pick_again(&mut maglev, Subject::Hash(hash), attempt).to_owned();
    let slots = [2, 4, 0, 1, 5, 0, 3].map(|place: usize| ADDRESSES[place]);
    for hash in 0..14 {
        assert_eq!(pick(hash, 0), slots[hash as usize % 7]);
        for attempt in 1..3 {
            let changed = hash ^ u64::MAX.wrapping_sub(attempt).wrapping_add(1);
            assert_eq!(pick(hash, attempt as u32), slots[(changed % 7) as usize]);
        }
    }
    let nothing = Call::about(Subject::Nothing);
    assert_eq!(stand.picked(&mut maglev, &nothing, &mut [8].into()), slots[1]);
}

#[test]
fn an_overloaded_endpoint_gives_way() {
    let mut stand = Stand::new(&ADDRESSES.map(|name| (name, 1)));
    let config = Config { table_size: 7, bounded_load: Some(150), ..Config::default() };
    let mut maglev: Maglev = stand.balancer(&config);
    stand.load(2, 2);
    // 150% of two and the one to come are 5 slots, of which each of six has one: two are too many.
    let other = stand.pick(&mut maglev, Subject::Hash(0)).to_owned();
    assert_ne!(other, ADDRESSES[2]);
    assert_eq!(
        stand.pick(&mut maglev, Subject::Hash(1)),
        ADDRESSES[4],
        "who is not overloaded keeps its keys"
    );
}

#[test]
fn a_table_is_shown_slot_by_slot() {
    let stand = Stand::new(&[(ADDRESSES[0], 1), (ADDRESSES[1], 2)]);
    let maglev: Maglev = stand.balancer(&Config { table_size: 17, ..Config::default() });
    let State::Table(parts) = maglev.state(stand.view()) else { panic!("it is a table") };
    let names = [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1].map(|place: usize| ADDRESSES[place]);
    assert_eq!(
        parts,
        [
            ("size".to_owned(), State::Whole(17)),
            ("fewest-entries".to_owned(), State::Whole(6)),
            ("most-entries".to_owned(), State::Whole(11)),
            ("table".to_owned(), State::list(names)),
        ]
    );
}

/// Envoy: "The table size of maglev must be prime number".
#[test]
fn a_size_that_is_not_prime_is_refused() {
    let clash = Maglev::check(&Config { table_size: 8, ..Config::default() }).expect_err("8 is even");
    assert_eq!(clash.message, "the size of Maglev's table is a prime number, and 8 is none");
    assert_eq!(clash.help, "write 7 or 11");
    assert_eq!(Maglev::check(&Config::default()), Ok(()));
}

#[test]
fn a_later_attempt_has_another_hash() {
    assert_eq!([0, 1, 2].map(|attempt| of_attempt(5, attempt)), [5, !5, 5 ^ (u64::MAX - 1)]);
}

#[test]
fn sizes_are_prime() {
    let primes: Vec<u32> = (0..40).filter(|&number| is_prime(number)).collect();
    assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]);
    assert!(is_prime(65_537) && is_prime(5_000_011) && !is_prime(65_536) && !is_prime(5_000_009));
}
