//! Crowds of faults: scenarios with thousands, overlapping ten at a time.

use std::fmt::Write as _;

/// A scenario with so many faults: one begins every tenth of a second and lasts a second. Pauses, crashes and partitions
/// take turns, and every fourth fault waits for the one before it.
pub fn crowd(faults: u32) -> String {
    let mut text = format!(
        r#"
        title  = "A crowd of faults"
        length = "{}s"
        [registry.etcd]
        members = 3
        [services.orders]
        instances = 40
        service   = "2ms"
        [clients.web]
        count    = 4
        calls    = "orders"
        arrivals = {{ constant = "1/s" }}
        "#,
        faults / 10 + 20
    );
    for number in 0..faults {
        let whom = number % 40;
        let what = match number % 4 {
            0 => format!("pause = \"orders-{whom}\""),
            1 => format!("crash = \"orders-{whom}\""),
            2 => format!("partition = {{ isolate = \"orders-{whom}\" }}"),
            _ => "pause = \"orders:pick(2)\"".to_owned(),
        };
        let begins = match number % 4 {
            3 => format!("when = \"f{}.begins\"\nafter = \"100ms\"", number - 1),
            _ => format!("at = \"{}ms\"", 5_000 + number * 100),
        };
        let _ =
            writeln!(text, "[[fault]]\nid = \"f{number}\"\n{begins}\nfor = \"1s\"\nmay-miss = true\n{what}");
    }
    text
}
