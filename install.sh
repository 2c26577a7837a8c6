#!/bin/sh
# Installs relay from a checkout of its source, and shows it at work. Everything is in functions, and main comes last,
# so that half of this file does nothing.
set -eu

usage() {
  cat <<'TEXT'
usage: sh install.sh [--help]

Builds relay from this checkout (node and npm are needed, nothing else), installs it to ~/.local/bin
or $RELAY_INSTALL_DIR, and runs "relay demo". Run it again to upgrade.
TEXT
}

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

build() {
  command -v npm >/dev/null 2>&1 || fail "npm is not there. Install Node.js 20 or newer, and run this again."
  npm ci --no-audit --no-fund --loglevel=error
  npm run --silent build
}

# By rename, so that a copy that is running goes on undisturbed and nobody ever finds half a file.
install_binary() {
  mkdir -p "$1" || fail "cannot make the folder $1. Set RELAY_INSTALL_DIR to one of your own."
  new="$1/.relay.new.$$"
  trap 'rm -f "$new"' EXIT
  cp dist/relay "$new" || fail "cannot write to $1. Set RELAY_INSTALL_DIR to a folder of your own."
  chmod 755 "$new"
  mv -f "$new" "$1/relay"
}

advise_on_path() {
  case ":$PATH:" in
    *":$1:"*) return ;;
  esac
  # the person's shell is to expand it, not this one
  # shellcheck disable=SC2016
  printf '\nTo type just "relay", put this line into the profile of your shell:\n  export PATH="%s:$PATH"\n' "$1"
}

main() {
  case "${1:-}" in
    "") ;;
    -h | --help) usage && return ;;
    *) fail "unknown argument $1. See: sh install.sh --help" ;;
  esac
  target=${RELAY_INSTALL_DIR:-${HOME:?HOME is not set. Set it, or set RELAY_INSTALL_DIR.}/.local/bin}
  case "$target" in /*) ;; *) target=$PWD/$target ;; esac
  cd "$(dirname "$0")"
  build
  install_binary "$target"
  printf 'relay %s is installed as %s/relay\n\n' "$("$target/relay" --version)" "$target"
  "$target/relay" demo
  advise_on_path "$target"
}

main "$@"
