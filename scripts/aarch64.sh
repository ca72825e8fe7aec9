#!/usr/bin/env bash
# Builds the command for 64-bit ARM with Debian's own packages, runs every scenario under QEMU, and compares the digests
# with those on record. Where the packages cannot be had it says which and why, and ends with 0.
set -euo pipefail
cd "$(dirname "$0")/.."

record=snapshots/digests.snap
target=aarch64-unknown-linux-gnu
packages=(rustc-web libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)

skip() {
    echo "skipped: $*"
    exit 0
}

install() {
    command -v apt-get >/dev/null || skip "no apt-get on this system"
    [ "$(dpkg --print-architecture)" = amd64 ] || skip "cross-building is set up for amd64 only"
    [ "$(id -u)" = 0 ] || skip "packages are missing and only root can install them: $*"
    dpkg --add-architecture arm64
    apt-get update -qq || skip "apt-get update failed"
    for package in "$@"; do
        apt-cache policy "$package" | grep -q 'Candidate: [0-9]' || skip "this Debian has no $package"
    done
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null ||
        skip "apt-get could not install $*"
}

missing=()
for package in "${packages[@]}"; do
    dpkg -s "$package" 2>/dev/null | grep -q '^Status: .* installed$' || missing+=("$package")
done
[ "${#missing[@]}" = 0 ] || install "${missing[@]}"

# The compiler and the standard library for the target must be of one build, so it is Debian's compiler that builds.
export RUSTC=/usr/bin/rustc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
# Set and empty: without `--cfg madsim`. The digests on record are those of our own engine, and this is also the build that
# everybody gets who is not in this repository.
export RUSTFLAGS=
"$RUSTC" --version
qemu-aarch64 --version | head -n 1
needs=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
has=$("$RUSTC" --version | sed 's/^rustc \([0-9.]*\).*/\1/')
[ "$(printf '%s\n' "$needs" "$has" | sort -V | head -n 1)" = "$needs" ] || skip "Debian's rustc is $has, and $needs is needed"

cargo build --quiet --release --locked --target "$target" --package schism
schism() {
    qemu-aarch64 -L /usr/aarch64-linux-gnu "target/$target/release/schism" "$@"
}

passed=0
failed=0
while read -r scenario seed digest; do
    # The exit code tells the verdict, which is not the question here.
    found=$({ schism run "$scenario" --seed "$seed" --format json || true; } | sed -n 's/^  "digest": "\(.*\)",$/\1/p')
    if [ "$found" = "$digest" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$scenario: $digest on record, ${found:-nothing} on aarch64"
    fi
done < <(grep '^scenarios/' "$record")
echo "aarch64: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
