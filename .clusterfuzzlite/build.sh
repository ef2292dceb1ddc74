#!/usr/bin/env bash
# Builds every fuzz target for the engine of OSS-Fuzz and ClusterFuzzLite,
# which says by SRC, OUT and SANITIZER what it wants. Each target gets the
# archive of its seeds, the dictionary and the options beside it.
# `cargo xtask engine` runs this without Docker.
set -euo pipefail
cd "$SRC/pop3-rs"

case "$SANITIZER" in
  address) sanitizer=address ;;
  # For coverage the engine passes flags of its own to rustc.
  none | coverage) sanitizer=none ;;
  *) echo "no sanitizer $SANITIZER: project.yaml names those there are" >&2; exit 1 ;;
esac
built="${CARGO_TARGET_DIR:-$WORK/target}"
cargo fuzz build --sanitizer "$sanitizer" --target-dir "$built"

host="$(rustc -vV | sed -n 's/^host: //p')"
for source in fuzz/fuzz_targets/*.rs; do
  target="$(basename "$source" .rs)"
  cp "$built/$host/release/$target" "$OUT/"
  cp corpus/pop3.dict "$OUT/$target.dict"
  # As in fuzz/run.
  printf '[libfuzzer]\nmax_len = 256\ndict = %s.dict\n' "$target" > "$OUT/$target.options"
  seeds="$OUT/${target}_seed_corpus.zip"
  rm -f "$seeds"
  for directory in "corpus/$target" "corpus/regressions/$target" "corpus/found/$target"; do
    if [ -d "$directory" ]; then
      zip --quiet --junk-paths --recurse-paths "$seeds" "$directory"
    fi
  done
done
