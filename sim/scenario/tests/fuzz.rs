//! Whatever is read, reading ends at once and without a panic, and every error can be shown.

use proptest::prelude::*;
use schism_scenario::{Colour, Override, load};

const FULL: &str = include_str!("data/full.toml");

/// Reads it, and shows whatever is wrong in every form.
fn check(text: &[u8], overrides: &[Override]) {
    match load("fuzz.toml", text, overrides) {
        Ok(loaded) => {
            let plan = loaded.scenario.to_toml();
            let again = load("plan.toml", &plan, &[]).unwrap_or_else(|errors| panic!("{errors}\n{plan}"));
            assert_eq!(again.scenario.digest, loaded.scenario.digest, "{plan}");
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            let _ =
                (errors.render(Colour::Ansi), errors.to_string(), serde_json::to_string(&errors).unwrap());
            for error in errors.iter() {
                assert!(error.line >= 1 && error.column >= 1 && error.span.start <= error.span.end);
                let _ = error.to_string();
            }
        }
    }
}

/// Words of the language and of its neighbourhood.
const WORDS: &[&str] = &[
    "\"0s\"",
    "\"-1s\"",
    "\"10s\"",
    "\"1h\"",
    "\"99999999d\"",
    "\"50%\"",
    "\"0%\"",
    "\"3/s\"",
    "\"7/min\"",
    "0",
    "-1",
    "3",
    "1e400",
    "nan",
    "0.5",
    "9223372036854775807",
    "true",
    "[]",
    "{}",
    "[[]]",
    "{ a = 1 }",
    "\"\"",
    "\"rest\"",
    "\"zone:b\"",
    "\"orders\"",
    "\"orders:pick(2)\"",
    "\"registry:leader\"",
    "\"static\"",
    "\"etcd\"",
    "\"p2c\"",
    "\"ü\\u0000\"",
    "'''\n'''",
    "1979-05-27",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(WORDS).prop_map(str::to_owned),
        (
            any::<u64>(),
            prop::sample::select(&["ns", "us", "ms", "s", "m", "h", "d", "%", "/s", "/min", "/h"][..])
        )
            .prop_map(|(number, unit)| format!("\"{number}{unit}\"")),
        (any::<u32>(), any::<u32>()).prop_map(|(whole, rest)| format!("\"{whole}.{rest}ms\"")),
    ]
}

/// The file with the value of one key taken by another, or lines missing, doubled or swapped.
fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5_u8, word());
    prop::collection::vec(change, 1..4).prop_map(|changes| {
        let mut lines: Vec<String> = FULL.lines().map(str::to_owned).collect();
        for (here, there, how, word) in changes {
            let (here, there) = (here.index(lines.len()), there.index(lines.len()));
            match how {
                0 => drop(lines.remove(here)),
                1 => lines.insert(there, lines[here].clone()),
                2 => lines.swap(here, there),
                _ => {
                    if let Some((key, _)) = lines[here].split_once('=') {
                        lines[here] = format!("{key}= {word}");
                    }
                }
            }
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes, &[]);
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check(text.as_bytes(), &[]);
    }

    #[test]
    fn bytes_changed(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = FULL.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&bytes, &[]);
    }

    #[test]
    fn values_changed(text in mutated()) {
        check(text.as_bytes(), &[]);
    }

    #[test]
    fn any_override(text in "\\PC{0,40}") {
        check(FULL.as_bytes(), &[Override::new(text)]);
    }

    #[test]
    fn an_override_of_something(
        path in prop::sample::select(&[
            "length", "warmup", "seed", "topology.zones", "topology.links", "network.loss", "registry", "registry.etcd.members",
            "registry.etcd.zones", "services", "services.orders", "services.orders.instances", "services.orders.service",
            "services.orders.queue", "clients.web.arrivals", "clients.web.arrivals.closed.think", "clients.web.cache",
            "clients.web.cache.watch.max-stale", "clients.web.calls", "fault", "fault.cut", "fault.cut.partition",
            "fault.cut.partition.isolate", "fault.cut.partition.split", "fault.cut.crash", "fault.cut.for", "fault.cut.until", "expect",
            "expect.0", "expect.0.always", "expect.4.at-least", "expect.4.during", "expect.4.metric",
        ][..]),
        value in word(),
    ) {
        check(FULL.as_bytes(), &[Override::new(format!("{path}={value}"))]);
    }
}

/// What would take long or much memory is refused before it does.
#[test]
fn what_is_too_much_is_refused_at_once() {
    let deep = format!("{}x{} = 1", "a.".repeat(100_000), "");
    let nested = format!("a = {}{}", "[".repeat(200_000), "]".repeat(200_000));
    let keys: String = (0..200_000).map(|i| format!("k{i} = 1\n")).collect();
    let faults = "[[fault]]\nat = \"1s\"\nfor = \"1s\"\npause = \"web\"\n".repeat(60_000);
    let zones = format!("title = \"\"\ntopology.zones = [{}]", "\"a\",".repeat(500_000));
    let long = format!("title = \"{}\"", "x".repeat(3_000_000));
    for text in [deep, nested, keys, format!("{FULL}{faults}"), zones, long] {
        #[expect(clippy::disallowed_types, reason = "a refusal that takes long is no refusal")]
        let start = std::time::Instant::now();
        check(text.as_bytes(), &[]);
        assert!(start.elapsed().as_secs() < 20, "{}", &text[..40]);
    }
}
