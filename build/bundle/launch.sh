#!/bin/sh
# Becomes relay for this computer's processor. Claude Desktop unpacks bundles without their execute bits
# (modelcontextprotocol/mcpb#294), perhaps into a folder in which nothing can run: then this runs a copy in the person's cache.

id=development # build/bundle.ts puts version and checksum here

main() {
  CDPATH=
  here=$(cd -P "${0%/*}" && pwd -P)
  cpu=$(processor) || exit 1
  name=relay-$cpu
  program=$here/$name
  [ -f "$program" ] || place "$here" "$name"
  if ! can_run "$program"; then
    cache=$(cache_folder) || exit 1
    program=$cache/relay-$id-$cpu
    can_run "$program" || place "$cache" "${program##*/}"
    can_run "$program" || fail "cannot make a copy that runs in $cache. Make that folder writable, or install relay with install.sh."
    forget_others
  fi
  exec "$program" "$@"
}

processor() {
  case $(uname -s)/$(uname -m) in
    Darwin/x86_64) # also what Rosetta tells its programs
      if [ "$(/usr/sbin/sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ]; then echo arm64; else echo x64; fi
      ;;
    */arm64 | */aarch64) echo arm64 ;;
    */x86_64 | */amd64) echo x64 ;;
    *) fail "this bundle has no program for the processor $(uname -m). It has x64 and arm64." ;;
  esac
}

can_run() {
  [ -f "$1" ] || return 1
  [ -x "$1" ] || chmod u+x "$1" 2>/dev/null
  [ -x "$1" ]
}

cache_folder() {
  if [ "$(uname -s)" = Darwin ]; then
    echo "${HOME:?relay: HOME is not set. Set it.}/Library/Caches/relay"
  else
    echo "${XDG_CACHE_HOME:-${HOME:?relay: HOME is not set. Set it.}/.cache}/relay"
  fi
}

# By rename, because Claude Desktop starts each server twice at once. A failure leaves nothing behind.
place() {
  [ -f "$here/$name" ] || command -v xz >/dev/null || command -v python3 >/dev/null ||
    fail "xz, which unpacks relay for $cpu, is missing. Install it (the package xz-utils or xz)."
  umask 077
  mkdir -p "$1" 2>/dev/null
  new=$1/$2.$$
  { unpack >"$new"; } 2>/dev/null && chmod 700 "$new" && mv -f "$new" "$1/$2" && return
  rm -f "$new" 2>/dev/null
}

unpack() {
  if [ -f "$here/$name" ]; then
    cat "$here/$name"
  elif command -v xz >/dev/null; then
    xz -dc <"$here/$name.xz"
  else
    python3 -Ic 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.stdin.buffer), sys.stdout.buffer)' <"$here/$name.xz"
  fi
}

# Removes copies of earlier versions. A process that runs one goes on.
forget_others() {
  for old in "$cache"/relay-*-x64 "$cache"/relay-*-arm64; do
    [ "$old" = "$program" ] || rm -f "$old"
  done
}

fail() {
  printf 'relay: %s\n' "$1" >&2
  exit 1
}

main "$@"
