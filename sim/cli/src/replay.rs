//! The one command that repeats a run, quoted for a shell.

use std::path::Path;

/// The command that repeats a run of this file with this seed and these changes.
pub(crate) fn command(file: &Path, seed: u64, set: &[String]) -> String {
    let mut words = vec!["schism run".to_owned(), quoted(&file.display().to_string())];
    words.push(format!("--seed {seed}"));
    words.extend(set.iter().map(|change| format!("--set {}", quoted(change))));
    words.join(" ")
}

/// A word that every POSIX shell takes as it is written.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_can_be_pasted_into_a_shell() {
        let set =
            ["clients.web.timeout=100ms".to_owned(), r#"clients.web.cache={ ttl = "it's" }"#.to_owned()];
        assert_eq!(
            command(Path::new("my scenarios/a.toml"), 7, &set),
            r#"schism run 'my scenarios/a.toml' --seed 7 --set clients.web.timeout=100ms --set 'clients.web.cache={ ttl = "it'\''s" }'"#
        );
        assert_eq!(command(Path::new("-"), 0, &[]), "schism run - --seed 0");
    }
}
