/work/wt/codec/crates/dot-stuffing/tests/no-std/target/debug/deps/no_std-4af2bd6b8cff6635.d: src/lib.rs

/work/wt/codec/crates/dot-stuffing/tests/no-std/target/debug/deps/libno_std-4af2bd6b8cff6635.rmeta: src/lib.rs

src/lib.rs:
