//! Criterion benches of the workspace, one file a workload; see `README.md` beside this crate's manifest.
