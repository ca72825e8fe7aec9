//! Who answers for a service in the 1.x line: Java's hash of its name, modulo the servers that are thought to be up.

/// What Nacos calls a service of the default group; the model has numbers where users write names.
pub fn service_name(service: u16) -> String {
    format!("DEFAULT_GROUP@@service-{service}")
}

/// The place of the server that answers for a name, among so many in their fixed order: not a consistent hash, so when a
/// server comes or goes, most services move (naming/core/DistroMapper.java, 1.4.6, `distroHash` and `mapSrv`; #7242).
pub fn place(name: &str, servers: usize) -> usize {
    assert!(servers > 0, "a server counts itself");
    // `Math.abs(name.hashCode() % Integer.MAX_VALUE)`, with String.hashCode of the Java language.
    let hash = name.bytes().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte)));
    (hash % i32::MAX).unsigned_abs() as usize % servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_javas() {
        // "hello".hashCode() is 99162322.
        assert_eq!(place("hello", 1000), 322);
        // "polygenelubricants".hashCode() is Integer.MIN_VALUE, and MIN_VALUE % MAX_VALUE is -1.
        assert_eq!(place("polygenelubricants", 1000), 1);
    }

    #[test]
    fn most_services_move_when_one_of_three_servers_goes() {
        let moved = (0..300).filter(|&service| {
            let name = service_name(service);
            place(&name, 3) != place(&name, 2)
        });
        assert!(moved.count() >= 180);
    }
}
