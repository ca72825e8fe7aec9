//! Users' own code in scenarios: it plays the registry, instances and clients, among itself and among models, and is struck
//! and judged as models are.

#![cfg(madsim)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use madsim::net::{Endpoint, Sender};
use madsim::task::spawn;
use madsim::time::{sleep, timeout};
use schism_live::{Cause, Client, Detail, Failed, Instance, Live, Member, Outcome, Trouble, Written};
use schism_runner::Report;
use schism_runner::report::Verdict;
use schism_tests::repository::{files, read, root};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Three instances and two clients for half a minute, and what else is asked for.
fn live(more: &str) -> Live {
    let text = format!(
        "title = \"Own code\"\nlength = \"30s\"\nwarmup = \"5s\"\n\
         [topology]\nzones = [\"a\"]\n\
         [registry.etcd]\nmembers = 1\nlease-ttl = \"4s\"\n\
         [services.orders]\ninstances = 3\nservice = \"5ms\"\n\
         [clients.web]\ncount = 2\ncalls = \"orders\"\narrivals = {{ constant = \"10/s\" }}\ntimeout = \"200ms\"\n\
         cache = \"watch\"\n{more}"
    );
    Live::parse("own.toml", text).unwrap_or_else(|refused| panic!("{refused}"))
}

fn fault(id: &str, at: u64, until: u64, what: &str) -> String {
    format!("[[fault]]\nid = \"{id}\"\nat = \"{at}s\"\nuntil = \"{until}s\"\n{what}\n")
}

fn report(live: &Live, seed: u64) -> Report {
    live.run(seed).unwrap_or_else(|trouble| panic!("{trouble}"))
}

// A registry, a service and clients of a user's own, in a few lines each: instances send their names as heartbeats, and the
// registry forgets whom it has not heard for three seconds.

const HEARTBEATS: u16 = 7;
const LISTS: u16 = 8;
const ORDERS: u16 = 80;
const TAG: u64 = 1;

async fn registry(me: Member) -> std::io::Result<()> {
    let heard = Arc::new(Mutex::new(BTreeMap::<String, Duration>::new()));
    let (beats, own) = (heard.clone(), me.clone());
    let endpoint = Endpoint::bind(me.at(HEARTBEATS)).await?;
    spawn(async move {
        let mut name = [0; 64];
        loop {
            let Ok((length, _)) = endpoint.recv_from(TAG, &mut name).await else { return };
            let name = String::from_utf8_lossy(&name[..length]).into_owned();
            beats.lock().unwrap().insert(name, own.now());
        }
    });
    let (held, own) = (heard.clone(), me.clone());
    spawn(async move {
        loop {
            held.lock().unwrap().retain(|_, at| own.now() - *at < MS(3_000));
            own.holds("orders", held.lock().unwrap().keys());
            sleep(MS(200)).await;
        }
    });
    let lists = Endpoint::bind(me.at(LISTS)).await?;
    loop {
        let (asker, _, _) = lists.accept1().await?;
        me.read();
        let names: Vec<String> = heard.lock().unwrap().keys().cloned().collect();
        let _ = answer(&asker, &names.join(",")).await;
    }
}

async fn orders(me: Instance) -> std::io::Result<()> {
    let endpoint = Endpoint::bind(me.at(HEARTBEATS)).await?;
    let (name, member) = (me.name().to_owned(), me.members()[0].at(HEARTBEATS));
    let own = me.clone();
    spawn(async move {
        own.registered();
        while endpoint.send_to(member, TAG, name.as_bytes()).await.is_ok() {
            sleep(MS(500)).await;
        }
    });
    let listener = Endpoint::bind(me.at(ORDERS)).await?;
    loop {
        let (client, _, _) = listener.accept1().await?;
        let own = me.clone();
        spawn(async move {
            let serving = own.serving();
            sleep(own.work()).await;
            if answer(&client, "done").await.is_ok() {
                serving.done();
            }
        });
    }
}

async fn web(me: Client) {
    let list = Arc::new(Mutex::new(Vec::<String>::new()));
    let (known, own) = (list.clone(), me.clone());
    spawn(async move {
        loop {
            let asked = timeout(MS(500), ask(own.members()[0].at(LISTS))).await;
            if let Ok(Ok(names)) = asked {
                let names: Vec<String> =
                    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
                own.sees("orders", &names);
                *known.lock().unwrap() = names;
            }
            sleep(MS(500)).await;
        }
    });
    let (mut arrivals, mut turn) = (me.arrivals(), 0);
    loop {
        arrivals.next().await;
        let request = me.offered();
        let names = list.lock().unwrap().clone();
        turn += 1;
        let Some(name) = names.get(turn % names.len().max(1)) else {
            request.done(Outcome::NoEndpoint);
            continue;
        };
        request.attempt(name);
        let peer = me.instances("orders").into_iter().find(|peer| peer.name == *name).unwrap();
        let limit = me.timeout();
        spawn(async move {
            request.done(match timeout(limit, ask(peer.at(ORDERS))).await {
                Ok(Ok(_)) => Outcome::Success,
                Ok(Err(_)) => Outcome::Connect,
                Err(_) => Outcome::Timeout,
            });
        });
    }
}

/// One answer for whoever opens a connection.
async fn answer(to: &Sender, what: &str) -> std::io::Result<()> {
    to.send(Box::new(what.to_owned())).await
}

async fn ask(whom: std::net::SocketAddr) -> std::io::Result<String> {
    let endpoint = Endpoint::bind("0.0.0.0:0").await?;
    let (_sender, mut receiver) = endpoint.connect1(whom).await?;
    Ok(*receiver.recv().await?.downcast().expect("an answer is a text"))
}

fn all_mine(more: &str) -> Live {
    live(more).registry(registry).service("orders", orders).client("web", web)
}

#[test]
fn a_registry_a_service_and_clients_of_a_users_own_are_judged_as_models_are() {
    let cut = fault("cut", 10, 20, "partition = { split = [[\"orders-1\"], [\"rest\"]] }");
    let lost = "[[expect]]\nalways = { no-lost-registration = { within = \"5s\" } }\n";
    let agree = "[[expect]]\neventually = \"views-agree\"\nwithin = \"5s\"\n";
    let report = report(&all_mine(&format!("{cut}{lost}{agree}")), 3);
    assert_eq!(report.verdict, Verdict::Holds, "{:?}", report.expect);
    assert_eq!(report.registry.leases.expired, 1, "orders-1 was forgotten");
    let detect = report.recovery.detect_s.expect("it was noticed");
    assert!((2.0..4.5).contains(&detect), "after three seconds and not before: {detect}");
    let phase = |name: &str| report.phases.iter().find(|phase| phase.name == name).expect("it is there");
    assert_eq!(phase("before").success_rate, Some(1.0));
    assert!(
        phase("cut").success_rate.is_some_and(|rate| rate < 1.0),
        "its share was called in vain for a while"
    );
    assert_eq!(phase("after").success_rate, Some(1.0));
    assert!(report.wrong_beliefs.iter().any(|wrong| wrong.observers == "web" && wrong.believes == "down"));
    assert_eq!(report.engine, "madsim");
}

// Bridges: users' code among models.

#[test]
fn a_users_clients_find_and_call_models() {
    let crash = fault("crash", 10, 20, "crash = \"orders-0\"");
    let agree = "[[expect]]\neventually = \"views-agree\"\nwithin = \"5s\"\n";
    let live = live(&format!("{crash}{agree}")).client("web", |me: Client| async move {
        let (mut arrivals, mut turn) = (me.arrivals(), 0);
        loop {
            arrivals.next().await;
            let (request, peers) = (me.offered(), me.endpoints().peers());
            turn += 1;
            let Some(peer) = peers.get(turn % peers.len().max(1)).cloned() else {
                request.done(Outcome::NoEndpoint);
                continue;
            };
            let limit = me.timeout();
            spawn(async move {
                let outcome = match request.call(&peer, limit).await {
                    Ok(answered) => {
                        assert!(answered.after >= MS(5), "the model works for 5 ms: {:?}", answered.after);
                        Outcome::Success
                    }
                    Err(Failed(outcome)) => outcome,
                };
                request.done(outcome);
            });
        }
    });
    let mine = report(&live, 3);
    assert_eq!(mine.verdict, Verdict::Holds, "{:?}", mine.expect);
    assert!(mine.requests.errors.connect > 0, "the host of a dead process refuses: {:?}", mine.requests);
    assert!(mine.requests.succeeded > 400, "{:?}", mine.requests);
    // The same moments as models have: as many requests, and beliefs that were wrong for as long.
    let models = report(&self::live(&format!("{crash}{agree}")), 3);
    assert_eq!(mine.requests.offered, models.requests.offered);
    let believed =
        |report: &Report| report.wrong_beliefs.iter().find(|wrong| wrong.observers == "web").cloned();
    let (mine, models) = (believed(&mine).expect("for a lease"), believed(&models).expect("for a lease"));
    assert!((mine.longest_s - models.longest_s).abs() < 0.5, "{mine:?} {models:?}");
}

#[test]
fn a_view_that_changes_can_be_waited_for() {
    let crash = fault("crash", 10, 20, "crash = \"orders-0\"");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let live = live(&crash).client("web", move |me: Client| {
        let told = told.clone();
        async move {
            let mut endpoints = me.endpoints();
            loop {
                endpoints.changed().await;
                told.lock().unwrap().push((me.name().to_owned(), endpoints.peers().len(), me.now()));
            }
        }
    });
    report(&live, 3);
    let seen = seen.lock().unwrap();
    let web_0: Vec<_> =
        seen.iter().filter(|(name, ..)| name == "web-0").map(|(_, count, _)| *count).collect();
    // Two runs, each of three instances that come, one that goes with its lease, and comes again.
    assert!(web_0.ends_with(&[3, 2, 3]), "{web_0:?}");
    assert!(seen.iter().any(|(_, count, at)| *count == 2 && *at > MS(12_000)), "{seen:?}");
}

#[test]
fn a_users_service_answers_models() {
    let crash = fault("crash", 10, 20, "crash = \"orders-0\"");
    for connections in ["", "connections = \"pooled\"\n"] {
        let lives = Arc::new(Mutex::new(Vec::new()));
        let begun = lives.clone();
        let live = live(&format!("{connections}{crash}")).service("orders", move |me: Instance| {
            begun.lock().unwrap().push((me.name().to_owned(), me.life()));
            async move {
                loop {
                    let (asked, own) = (me.asked().await, me.clone());
                    spawn(async move {
                        sleep(own.work()).await;
                        if asked.client() == "web-1" && own.name() == "orders-2" {
                            asked.failed();
                        } else {
                            asked.done();
                        }
                    });
                }
            }
        });
        let report = report(&live, 3);
        let (errors, web) = (&report.requests.errors, &report.requests);
        assert!(errors.failed > 40 && errors.connect > 0, "{web:?}");
        assert_eq!(web.offered, web.succeeded + web.failed + web.unfinished);
        assert!(web.succeeded > 350, "{web:?}");
        assert_eq!(
            report.leases.iter().filter(|lease| lease.instance == "orders-0").count(),
            2,
            "a model registers it"
        );
        let mut lives = lives.lock().unwrap().clone();
        lives.sort();
        let of = |name: &str| {
            lives.iter().filter(|(other, _)| other == name).map(|(_, life)| *life).collect::<Vec<_>>()
        };
        assert_eq!(
            (of("orders-0"), of("orders-1")),
            (vec![0, 0, 1, 1], vec![0, 0]),
            "once a life, in each of two runs"
        );
    }
}

// What goes wrong in users' code.

fn trouble(live: &Live) -> Trouble {
    live.run(3).err().unwrap_or_else(|| panic!("the run was fine"))
}

#[test]
fn a_panic_is_told_with_who_and_when_and_where() {
    let told = |act: fn(&Client)| {
        trouble(&live("").client("web", move |me: Client| async move {
            sleep(MS(7_000)).await;
            if me.name() == "web-1" {
                spawn(async move { act(&me) });
            }
            sleep(MS(60_000)).await;
        }))
    };
    let Trouble::Panicked { part, at, message } = told(|_| panic!("out of cheese")) else {
        panic!("it is told")
    };
    assert_eq!(part, "web-1");
    assert!(at.abs_diff(MS(7_000)) < MS(5), "{at:?}");
    assert!(message.starts_with("out of cheese, in tests/tests/own_code.rs:"), "{message}");
    let Trouble::Panicked { message, .. } = told(|me| me.sees("orders", ["ordres-1"])) else {
        panic!("it is told")
    };
    let there = "there is no instance `ordres-1` in this scenario: it has `orders-0`, `orders-1`, `orders-2`, in tests/";
    assert!(message.starts_with(there), "{message}");
    let Trouble::Panicked { message, .. } = told(|me| me.knows_nobody("order")) else { panic!("it is told") };
    assert!(
        message.starts_with("there is no service `order` in this scenario: it has `orders`"),
        "{message}"
    );
}

#[test]
fn a_function_that_ends_with_an_error_fails_the_run_and_one_that_ends_ends_the_process() {
    let ends = live("").service("orders", |me: Instance| async move {
        sleep(MS(8_000)).await;
        if me.name() == "orders-1" { Err("no more disk") } else { std::future::pending().await }
    });
    let Trouble::Panicked { part, message, .. } = trouble(&ends) else { panic!("it is told") };
    assert_eq!(part, "orders-1");
    assert!(message.starts_with("it ended with an error: no more disk"), "{message}");
    let gone = live("").client("web", |me: Client| async move {
        let request = me.offered();
        request.done(Outcome::Success);
        sleep(MS(8_000)).await;
    });
    let told = gone.story(3, Detail::Transitions, MS(1_000)).expect("it is an ordinary run");
    let story = told.story.expect("it was asked for");
    assert!(story.contains("8s  web (all 2): dead"), "{story}");
}

#[test]
fn code_that_goes_by_what_no_seed_decides_is_found_out() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let differs = live("").client("web", |me: Client| async move {
        sleep(MS(6_000 + RUNS.fetch_add(1, Ordering::Relaxed))).await;
        me.offered().done(Outcome::Success);
        std::future::pending::<()>().await;
    });
    assert!(matches!(trouble(&differs), Trouble::Diverged { .. }));
    // It says nothing, but it does something.
    let draws = live("").client("web", |_: Client| async move {
        for _ in 0..RUNS.fetch_add(1, Ordering::Relaxed) {
            sleep(MS(1)).await;
        }
        std::future::pending::<()>().await;
    });
    assert!(matches!(trouble(&draws), Trouble::Diverged { .. }));
}

#[test]
fn code_that_never_waits_is_given_up() {
    static ENOUGH: AtomicBool = AtomicBool::new(false);
    let spins = live("").client("web", |_: Client| async move {
        while !ENOUGH.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    let trouble = trouble(&spins.patience(MS(300)));
    ENOUGH.store(true, Ordering::Relaxed);
    assert_eq!(trouble, Trouble::Stuck { patience: MS(300) });
}

// What would have no effect is refused.

#[track_caller]
fn refused(live: &Live, because: &str) {
    let Trouble::Unfit(why) = trouble(live) else { panic!("it is refused") };
    assert!(why.contains(because), "{why}");
}

#[test]
fn what_would_have_no_effect_on_users_code_is_refused_by_name() {
    let slow = fault("molasses", 10, 20, "slow = { target = \"orders-1\", factor = 4 }");
    let mine = live(&slow).service("orders", |_: Instance| std::future::pending::<()>());
    refused(
        &mine,
        "fault `molasses`: `slow` is something that models do themselves, and `orders` is played by your code",
    );
    let zone = fault("molasses", 10, 20, "slow = { target = \"zone:a\", factor = 4 }");
    refused(&live(&zone).service("orders", |_: Instance| std::future::pending::<()>()), "fault `molasses`");
    // At others it may be aimed.
    report(&live(&slow).client("web", |_: Client| std::future::pending::<()>()), 3);
    refused(
        &live("").registry(registry),
        "add `.service(\"orders\", ..)` and `.client(\"web\", ..)`, or leave `.registry(..)` out",
    );
    let leader = fault("cut", 10, 20, "pause = \"registry:leader\"");
    refused(&all_mine(&leader), "fault `cut`: `pause` asks who leads the registry, which is yours");
    let asks = live("").set("clients.web.cache=none").expect("it is a scenario");
    refused(&asks.client("web", |_: Client| std::future::pending::<()>()), "let it have `cache = \"watch\"`");
}

#[test]
#[should_panic(expected = "there is no service `order` in this scenario: it has `orders`")]
fn a_part_that_is_not_there_cannot_be_played() {
    let _ = live("").service("order", |_: Instance| std::future::pending::<()>());
}

#[test]
fn a_scenario_that_is_none_is_refused_with_its_places() {
    let refused = Live::parse("own.toml", "title = \"t\"\nlenght = \"1s\"\n").err().expect("it is none");
    assert!(format!("{refused:?}").contains("own.toml:2:1: unknown key `lenght`"), "{refused}");
    let cannot = live("").set("network.same-zone=1ms").expect("it is one").file().map(str::to_owned);
    assert_eq!(cannot.as_deref(), Some("own.toml"));
}

// Faults strike users' code as they strike models.

#[test]
fn a_host_whose_process_is_dead_refuses_and_one_that_stands_still_does_not_answer() {
    for (what, outcome) in [("crash", Outcome::Connect), ("pause", Outcome::Timeout)] {
        let faults = fault("f", 10, 20, &format!("{what} = \"orders-0\""));
        let live = live(&faults).registry(registry).service("orders", orders).client(
            "web",
            |me: Client| async move {
                let target = me.instances("orders")[0].at(ORDERS);
                loop {
                    sleep(MS(1_000)).await;
                    let request = me.offered();
                    request.attempt("orders-0");
                    request.done(match timeout(MS(500), ask(target)).await {
                        Ok(Ok(_)) => Outcome::Success,
                        Ok(Err(_)) => Outcome::Connect,
                        Err(_) => Outcome::Timeout,
                    });
                }
            },
        );
        let errors = report(&live, 3).requests.errors;
        let (yes, no) = if outcome == Outcome::Connect {
            (errors.connect, errors.timeout)
        } else {
            (errors.timeout, errors.connect)
        };
        assert!(yes >= 10 && no == 0, "{what}: {errors:?}");
    }
}

#[test]
fn a_registry_may_also_tell_of_each_write_and_of_its_leader() {
    let live = live("").registry(|me: Member| async move {
        me.leads(1);
        me.committed(1, Written::Granted);
        me.committed(2, Written::Registered("orders-0"));
        me.sees("orders", ["orders-0"]);
        sleep(MS(9_000)).await;
        me.committed(3, Written::Removed("orders-0", Cause::Revoked));
        me.believes("orders-0", false);
        me.deposed(1);
        std::future::pending::<()>().await;
    });
    let live = live.service("orders", |_: Instance| std::future::pending::<()>());
    let live = live.client("web", |_: Client| std::future::pending::<()>());
    let registry = report(&live, 3).registry;
    assert_eq!((registry.writes, registry.leaders, registry.leases.granted), (3, 1, 1), "{registry:?}");
}

#[test]
fn a_request_that_is_dropped_has_been_given_up() {
    let live = live("").client("web", |me: Client| async move {
        sleep(MS(6_000)).await;
        drop(me.offered());
        let endless = async {
            let _request = me.offered();
            std::future::pending::<()>().await;
        };
        let _ = timeout(MS(100), endless).await;
        std::future::pending::<()>().await;
    });
    let requests = report(&live, 3).requests;
    assert_eq!((requests.offered, requests.errors.deadline), (4, 4), "{requests:?}");
}

// Hunts.

/// A service that forgets to register again, on seeds that pause it for longer than it is remembered.
fn forgetful() -> Live {
    let pause = "[[fault]]\nid = \"f\"\nbetween = [\"8s\", \"14s\"]\nuntil = \"15s\"\npause = \"orders-1\"\n";
    let lost = "[[expect]]\nid = \"kept\"\nalways = { no-lost-registration = { within = \"4s\" } }\n";
    let live = live(&format!("{pause}{lost}"))
        .registry(registry)
        .client("web", |_: Client| std::future::pending::<()>());
    live.service("orders", |me: Instance| async move {
        let endpoint = Endpoint::bind(me.at(HEARTBEATS)).await?;
        let member = me.members()[0].at(HEARTBEATS);
        me.registered();
        loop {
            let before = me.now();
            endpoint.send_to(member, TAG, me.name().as_bytes()).await?;
            sleep(MS(500)).await;
            if me.now() - before > MS(3_500) {
                // It has not been remembered for so long: it thinks that it is over.
                std::future::pending::<()>().await;
            }
        }
        #[expect(unreachable_code, reason = "the type of the error has to stand somewhere")]
        std::io::Result::Ok(())
    })
}

#[test]
fn a_hunt_finds_the_seeds_that_fail_and_says_how_to_replay_the_first() {
    let live = forgetful();
    let hunt = live.hunt(0..12);
    let catch = hunt.assert_catches("kept");
    assert!((3..10).contains(&catch.seeds.len()), "{hunt}");
    assert_eq!(hunt.held() + catch.seeds.len(), 12);
    let first = hunt.first().expect("one failed");
    let command = format!(
        "SCHISM_SEED={first} cargo test a_hunt_finds_the_seeds_that_fail_and_says_how_to_replay_the_first -- --exact --nocapture"
    );
    assert_eq!(hunt.command(), Some(command.clone()));
    let text = hunt.to_string();
    assert!(text.ends_with(&format!("replay it: {command}")), "{text}");
    assert!(
        text.contains("kept: ")
            && text.contains("orders-1 was alive and connected, and missing from the registry"),
        "{text}"
    );
    let failed = report(&live, first);
    assert_eq!(failed.verdict, Verdict::Fails);
}

/// As the chapter shows a client whose registry and instances are models.
async fn reader(me: Client) {
    let (mut arrivals, mut turn) = (me.arrivals(), 0);
    loop {
        arrivals.next().await;
        let (request, peers, within) = (me.offered(), me.endpoints().peers(), me.timeout());
        if peers.is_empty() {
            request.done(Outcome::NoEndpoint);
            continue;
        }
        turn += 1;
        let peer = peers[turn % peers.len()].clone();
        spawn(async move {
            let answer = request.call(&peer, within).await;
            request.done(answer.map_or_else(|failed| failed.0, |_| Outcome::Success));
        });
    }
}

#[test]
fn the_reader_of_the_chapter_is_served_by_models() {
    let report = report(&live("").client("web", reader), 3);
    assert_eq!(report.requests.succeeded, report.requests.offered, "{:?}", report.requests.errors);
    assert!(report.requests.offered > 400, "{}", report.requests.offered);
}

#[test]
fn what_is_caught_must_be_called_by_its_name() {
    let hunt = live("").client("web", reader).hunt(0..1);
    let caught = std::panic::catch_unwind(|| hunt.assert_catches("no-such-thing").why.clone());
    let said = caught.expect_err("nothing is called so");
    let said = said.downcast_ref::<String>().expect("it says why");
    assert!(said.contains("nothing is called so"), "{said}");
}

/// The chapter of the book shows the example's own code, or that of these tests, and what it was seen to do.
#[test]
fn every_block_of_the_chapter_is_the_examples_own() {
    let example = files("examples/live-tonic").into_iter().filter(|path| !path.ends_with("Cargo.lock"));
    let scenario = root().join("scenarios/partitions/cut-past-the-lease.toml");
    let tests = root().join("tests/tests/own_code.rs");
    let sources: Vec<String> = example.chain([scenario, tests]).map(|path| read(&path)).collect();
    let chapter = read(&root().join("docs/src/own-code.md"));
    let blocks = chapter.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let shown: Vec<(&str, &str)> = blocks.map(|(language, text)| (language, text.trim_end())).collect();
    assert!(shown.iter().filter(|(language, _)| *language == "rust").count() > 8);
    for (language, text) in shown {
        let is_own = sources.iter().any(|source| source.contains(text));
        let is_said = language == "sh" || (language == "text" && !text.contains("@ seed"));
        assert!(is_own || is_said, "this is nowhere in the example:\n{text}");
    }
}
