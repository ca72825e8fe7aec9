//! Prints the table of docs/src/registries/index.md: `cargo run --release -p schism-tests --example registries`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(schism_tests::registries::table().as_bytes())
}
