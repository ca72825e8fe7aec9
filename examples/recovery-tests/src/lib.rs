//! A service of ours would be here. What matters is in `scenarios/` and `tests/`.
