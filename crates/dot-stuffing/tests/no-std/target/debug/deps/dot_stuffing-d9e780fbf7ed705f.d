/work/wt/codec/crates/dot-stuffing/tests/no-std/target/debug/deps/dot_stuffing-d9e780fbf7ed705f.d: /work/wt/codec/crates/dot-stuffing/src/lib.rs /work/wt/codec/crates/dot-stuffing/src/config.rs /work/wt/codec/crates/dot-stuffing/src/decoder.rs /work/wt/codec/crates/dot-stuffing/src/encoder.rs /work/wt/codec/crates/dot-stuffing/src/error.rs /work/wt/codec/crates/dot-stuffing/src/in_place.rs /work/wt/codec/crates/dot-stuffing/src/inspector.rs /work/wt/codec/crates/dot-stuffing/src/line.rs /work/wt/codec/crates/dot-stuffing/src/scan.rs /work/wt/codec/crates/dot-stuffing/src/span.rs

/work/wt/codec/crates/dot-stuffing/tests/no-std/target/debug/deps/libdot_stuffing-d9e780fbf7ed705f.rmeta: /work/wt/codec/crates/dot-stuffing/src/lib.rs /work/wt/codec/crates/dot-stuffing/src/config.rs /work/wt/codec/crates/dot-stuffing/src/decoder.rs /work/wt/codec/crates/dot-stuffing/src/encoder.rs /work/wt/codec/crates/dot-stuffing/src/error.rs /work/wt/codec/crates/dot-stuffing/src/in_place.rs /work/wt/codec/crates/dot-stuffing/src/inspector.rs /work/wt/codec/crates/dot-stuffing/src/line.rs /work/wt/codec/crates/dot-stuffing/src/scan.rs /work/wt/codec/crates/dot-stuffing/src/span.rs

/work/wt/codec/crates/dot-stuffing/src/lib.rs:
/work/wt/codec/crates/dot-stuffing/src/config.rs:
/work/wt/codec/crates/dot-stuffing/src/decoder.rs:
/work/wt/codec/crates/dot-stuffing/src/encoder.rs:
/work/wt/codec/crates/dot-stuffing/src/error.rs:
/work/wt/codec/crates/dot-stuffing/src/in_place.rs:
/work/wt/codec/crates/dot-stuffing/src/inspector.rs:
/work/wt/codec/crates/dot-stuffing/src/line.rs:
/work/wt/codec/crates/dot-stuffing/src/scan.rs:
/work/wt/codec/crates/dot-stuffing/src/span.rs:
