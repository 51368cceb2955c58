#!/usr/bin/env bash
# Makes the first inputs of a target from the files of this repository: fuzz/corpus/TARGET, which git does not keep.
#
#   fuzz/seeds.sh TARGET
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:?fuzz/seeds.sh: name a target: spec, expressions or catalog}
corpus=fuzz/corpus/$target
mkdir -p "$corpus"

# One input for each line of the standard input, with `~` for a line end.
one_a_line() {
  local count=0 line
  while IFS= read -r line; do
    count=$((count + 1))
    printf '%s' "${line//\~/$'\n'}" >"$corpus/seed-$count"
  done
}

case $target in
  spec)
    for file in jobs/*.yaml tests/bad-specs/*.yaml; do cp "$file" "$corpus/seed-$(basename "$file")"; done
    ;;
  expressions)
    {
      grep -rhoP '\$\{\{\K.*?(?=\}\})' jobs tests/bad-specs docs README.md
      grep -hoP 'eval\("\K[^"]+(?=")' src/spec/expression.rs
    } | sed 's/steps\.[a-z_]*/steps.many/g; s/~/+/g' | sort -u | one_a_line
    ;;
  catalog)
    awk -F '\t' 'NR % 40 == 2 { print $1 "~" $3 }' src/catalog/cmdlets.tsv | one_a_line
    ;;
  *)
    echo "fuzz/seeds.sh: no target \`$target\`" >&2
    exit 64
    ;;
esac
