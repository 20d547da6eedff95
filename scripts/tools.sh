#!/usr/bin/env bash
# Makes sure the tools a target needs are there: installs what Debian's apt can, names the rest.
#   tools.sh            what every build needs
#   tools.sh browser    Chromium for the end-to-end tests
#   tools.sh venv       Python's venv for the test oracle
#   tools.sh faketime   libfaketime, for servers whose clock jumps
#   tools.sh alertmanager  Prometheus Alertmanager, which the end-to-end tests announce to
#   tools.sh peers      Java with its compiler, for Apache Flink, and Prometheus
set -euo pipefail

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

apt_install() {
  if ! command -v apt-get >/dev/null; then
    echo "missing: $* — install it with your system's package manager and run make again" >&2
    exit 1
  fi
  echo "installing $* with apt-get"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need() {
  command -v "$1" >/dev/null || { echo "missing: $1 — $2" >&2; exit 1; }
}

case "${1:-build}" in
  build)
    need cargo "install Rust 1.95 or newer from https://rustup.rs"
    need node "install Node.js 20 or newer from https://nodejs.org"
    need npm "it comes with Node.js"
    command -v cc >/dev/null || apt_install gcc libc6-dev
    command -v g++ >/dev/null || apt_install g++
    command -v cmake >/dev/null || apt_install cmake
    major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
    [ "$major" -ge 20 ] || { echo "Node.js $(node --version) is too old: version 20 or newer is needed" >&2; exit 1; }
    ;;
  browser)
    command -v chromium >/dev/null || apt_install chromium
    fc-list 2>/dev/null | grep -qi 'noto.*cjk' || apt_install fonts-noto-cjk fontconfig
    ;;
  venv)
    apt_install python3 python3-venv
    ;;
  faketime)
    compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || apt_install libfaketime
    ;;
  alertmanager)
    command -v prometheus-alertmanager >/dev/null || apt_install prometheus-alertmanager
    ;;
  peers)
    command -v javac >/dev/null || apt_install default-jdk-headless
    command -v prometheus >/dev/null || apt_install prometheus
    ;;
  *)
    echo "usage: tools.sh [build|browser|venv|faketime|alertmanager|peers]" >&2
    exit 2
    ;;
esac
