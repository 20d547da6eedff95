#!/usr/bin/env bash
# The short benchmark of every day; what it prints goes to bench/RESULTS.md by hand, with machine and date.
set -euo pipefail
binary=$1
echo "$(date -u +%F), $(nproc) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $("$binary" --version)"
exec "$binary" bench ${BENCH_ARGS:-}
