#!/bin/sh
# Installs relay: the script of a release (curl … | sh) downloads the binary for this machine, that of a checkout builds it.
# Everything is in functions, and the call of main comes last, between braces: half of this file does nothing.
if [ -n "${ZSH_VERSION:-}" ]; then emulate sh; fi

# The release, which build/install-scripts.ts fills in. Empty in a checkout.
release_version=''
release_url=''

# The SHA-256 of an asset of the release.
release_checksum() {
  case "$1" in
    # build/install-scripts.ts puts the assets here
    *) ;;
  esac
}

usage() {
  printf 'relay moves messages, files and pictures between Claude Desktop and Claude Code.\n\n'
  if [ -n "$release_url" ]; then
    printf 'usage: sh install.sh [--uninstall | --help], or curl -fsSL %s/install.sh | sh\n\n' "$release_url"
    printf 'Downloads relay %s for this machine, checks its SHA-256, and installs it\n' "$release_version"
  else
    printf 'usage: sh install.sh [--uninstall | --help]\n\n'
    printf 'Builds relay from this checkout (with Node.js 20 and npm), and installs it\n'
  fi
  cat <<'TEXT'
to ~/.local/bin, or to $RELAY_INSTALL_DIR. Run it again to upgrade. It never uses sudo, and touches
no other file. --uninstall runs "relay uninstall", which disconnects both Claudes, and then removes
the program.
TEXT
}

say() {
  printf '%s\n' "$1" >&2
}

fail() {
  say "install.sh: $1"
  exit "${2:-1}"
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# Text as one word of a shell, with quotes only if it needs them.
quoted() {
  case "$1" in
    *[!A-Za-z0-9/._+@%,=-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf '%s' "$1" ;;
  esac
}

# Sets target: the folder that relay is installed to, as an absolute path.
choose_target() {
  target=${RELAY_INSTALL_DIR:-}
  if [ -z "$target" ]; then
    if [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ] && [ "$(id -u)" = 0 ]; then
      fail "sudo is not needed: relay belongs in your own home folder. Run this again without it, or set RELAY_INSTALL_DIR."
    fi
    target=${HOME:-}
    [ -n "$target" ] || fail "HOME is not set. Set it, or set RELAY_INSTALL_DIR."
    target=$target/.local/bin
  fi
  # the shell does not expand a quoted ~
  case "$target" in [~]/*) target=${HOME:?}/${target#??} ;; esac
  case "$target" in /*) ;; *) target=$PWD/$target ;; esac
  target=${target%/}
  case "$target" in
    *:* | *"
"*) fail "there is a colon or a line break in $target, which PATH cannot hold. Set RELAY_INSTALL_DIR to another folder." ;;
  esac
}

# Stops the running program, and removes unfinished files and new folders. Runs at every end.
# shellcheck disable=SC2317  # the trap calls it
clean_up() {
  if [ -n "$child" ]; then
    kill "$child" 2>/dev/null || :
    wait "$child" 2>/dev/null || :
  fi
  [ -z "$work" ] || rm -rf "$work" || :
  printf '%s' "$made" | while IFS= read -r folder; do rmdir "$folder" 2>/dev/null || :; done
  child='' work='' made=''
}

# Records each new folder, innermost first, for clean_up.
make_folder() {
  [ ! -d "$1" ] || return 0
  make_folder "$(dirname "$1")"
  if mkdir "$1" 2>/dev/null; then
    made="$1
$made"
  else
    [ -d "$1" ] || fail "cannot make the folder $1. Set RELAY_INSTALL_DIR to a folder of your own."
  fi
}

# Sets work: a private folder in the target folder. Making it checks that the target can be written, and a rename out of it
# replaces a running relay whole and at once.
begin() {
  [ ! -d "$target/relay" ] || fail "$target/relay is a folder. Move it away, or set RELAY_INSTALL_DIR to another folder."
  refuse_other_program
  child='' work='' made=''
  # a second Ctrl-C does not stop clean_up
  trap 'trap "" HUP INT PIPE TERM; clean_up' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  make_folder "$target"
  work=$(mktemp -d "$target/.relay-install.XXXXXX" 2>/dev/null) ||
    fail "cannot write to $target. Set RELAY_INSTALL_DIR to a folder of your own."
}

# Another program may have the same name; every relay contains the name of its buffer.
refuse_other_program() {
  [ -f "$target/relay" ] || return 0
  LC_ALL=C grep -q relay_buffer "$target/relay" 2>/dev/null ||
    fail "$target/relay is another program. Move it away, or set RELAY_INSTALL_DIR to another folder."
}

# A shell handles signals only between commands and while it waits, so long work runs in the background.
run() {
  result=0
  "$@" </dev/null &
  child=$!
  wait "$child" || result=$?
  child=''
  return "$result"
}

# Sets platform, as in the names of the assets.
detect_platform() {
  system=$(uname -s)
  machine=$(uname -m)
  case "$machine" in
    x86_64 | amd64) cpu=x64 ;;
    aarch64 | arm64) cpu=arm64 ;;
    *) fail "there is no relay for the processor $machine, only for x86_64 and arm64." ;;
  esac
  case "$system" in
    Linux)
      [ "$(getconf LONG_BIT 2>/dev/null || echo 64)" = 64 ] ||
        fail "this system is 32-bit, and relay is not. Install a 64-bit system."
      platform=linux-$cpu
      ! is_musl || platform=$platform-musl
      ;;
    Darwin)
      # Rosetta tells a shell for Intel that this is an Intel machine
      [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" != 1 ] || cpu=arm64
      platform=darwin-$cpu
      ;;
    MINGW* | MSYS* | CYGWIN*)
      fail "for Windows, run this in PowerShell: irm $release_url/install.ps1 | iex" ;;
    *) fail "there is no relay for $system, only for Linux, macOS and Windows." ;;
  esac
}

# A loader of musl proves nothing, because it can be installed beside glibc. Without ldd, the shell's own loader decides.
is_musl() {
  case "$(ldd --version 2>&1)" in
    *musl*) return 0 ;;
    *GNU* | *GLIBC* | *glibc*) return 1 ;;
  esac
  LC_ALL=C grep -q ld-musl "$(command -v sh)" 2>/dev/null
}

# Sets asset, and unpacker if it is packed. macOS has no xz.
choose_asset() {
  asset=relay-$platform
  for unpacker in xz unxz gzip gunzip ''; do
    case "$unpacker" in
      *xz) extension=.xz ;;
      *zip) extension=.gz ;;
      '') extension='' ;;
    esac
    if [ -z "$unpacker" ] || has "$unpacker"; then break; fi
  done
  asset=$asset$extension
  checksum=$(release_checksum "$asset")
  [ "${#checksum}" = 64 ] || fail "this install.sh knows no SHA-256 of $asset. Get a new one from $release_url/install.sh."
}

choose_hasher() {
  for hasher in sha256sum shasum openssl ''; do
    [ -z "$hasher" ] || ! has "$hasher" || return 0
  done
  fail "no program here computes a SHA-256 to check the download. Install sha256sum, shasum or openssl."
}

# fetch ADDRESS FILE
fetch() {
  if has curl; then with_curl "$@"; else with_wget "$@"; fi
}

with_curl() {
  set -- --fail --location --retry 2 --connect-timeout 30 --speed-limit 1 --speed-time 60 --output "$2" "$1"
  case "$release_url" in https:*) set -- --proto '=https' --tlsv1.2 "$@" ;; esac
  # -q, which has to come first: the person's .curlrc may be for other downloads
  if [ -t 2 ]; then run curl -q --progress-bar "$@"; else run curl -q --silent --show-error "$@" 2>"$work/said"; fi
}

# GNU wget has every option, and tries twenty times by default. wget of busybox has no option for its progress bar, and in
# Debian it fails at an unknown option.
with_wget() {
  help=$(wget --help 2>&1) || :
  set -- -O "$2" "$1"
  case "$help" in
    *--tries*) set -- --tries=2 --timeout=60 "$@" ;;
    *'-T SEC'*) set -- -T 60 "$@" ;;
  esac
  case "$help" in *--no-config*) set -- --no-config "$@" ;; esac
  if [ ! -t 2 ]; then
    case "$help" in *--no-verbose*) set -- --no-verbose "$@" ;; esac
    run wget "$@" 2>"$work/said"
  else
    case "$help" in *--show-progress*) set -- --quiet --show-progress "$@" ;; esac
    run wget "$@"
  fi
}

# One line of a program's output, for a message: said 1, or said '$' for the last.
said() {
  [ ! -s "$work/said" ] || printf ' (%s)' "$(sed -n "$1p" "$work/said")"
}

# From standard input, so that no tool prints a file name.
compute_checksum() {
  case "$hasher" in
    shasum) shasum -a 256 <"$1" ;;
    openssl) openssl dgst -sha256 <"$1" ;;
    *) sha256sum <"$1" ;;
  esac | sed 's/^.*= *//; s/ .*//'
}

download() {
  detect_platform
  has curl || has wget || fail "curl and wget are missing. Install one of them, and run this again."
  choose_hasher
  choose_asset
  begin
  say "relay $release_version for $platform: downloading $asset"
  fetch "$release_url/$asset" "$work/asset" ||
    fail "cannot download $release_url/$asset$(said '$'). Nothing was installed. Check the connection, and run this again."
  found=$(compute_checksum "$work/asset") || found=''
  [ "$found" = "$checksum" ] ||
    fail "$asset is not what was released: its SHA-256 is ${found:-unknown}, and should be $checksum. Nothing was installed."
  if [ -z "$unpacker" ]; then
    mv "$work/asset" "$work/relay"
  else
    # on all processors, if xz can
    run env XZ_OPT=-T0 "$unpacker" -dc "$work/asset" >"$work/relay" 2>"$work/said" ||
      fail "cannot unpack $asset in $target$(said 1). Is the disk full? Nothing was installed."
  fi
}

build() {
  root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
  has npm || fail "npm is missing. Install Node.js 20 or newer, and run this again."
  begin
  (cd "$root" && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build) ||
    fail "the build of relay failed, see above. Nothing was installed."
  cp "$root/dist/relay" "$work/relay" || fail "cannot write to $target. Is the disk full? Nothing was installed."
}

# A program that does not run here must not replace one that does.
try_out() {
  chmod 755 "$work/relay"
  version=$("$work/relay" --version 2>"$work/said" </dev/null) ||
    fail "relay does not run on this machine$(said 1)$(advise). Nothing was installed."
  [ -z "$release_version" ] || [ "$version" = "$release_version" ] ||
    fail "the version of this relay is \"$version\", and should be $release_version. Nothing was installed."
}

advise() {
  if grep -q 'libstdc++\|libgcc' "$work/said"; then
    printf '. It needs the C++ library; on Alpine: apk add libstdc++'
  elif grep -qi 'permission denied' "$work/said"; then
    printf '. The disk of %s may allow no programs (noexec): set RELAY_INSTALL_DIR to a folder on another disk' "$target"
  fi
}

put_in_place() {
  before=''
  [ ! -e "$target/relay" ] || before=' Running Claudes use it from their next start.'
  mv -f "$work/relay" "$target/relay" || fail "cannot write to $target/relay. Nothing was installed."
  made=''
  clean_up
  printf 'relay %s is installed as %s/relay.%s\n' "$version" "$target" "$before"
}

is_in_path() {
  case ":$PATH:" in *":$target:"* | *":$target/:"*) return 0 ;; esac
  return 1
}

# The line for the shell that the person uses, which need not be the one that runs this.
advise_on_path() {
  ! is_in_path || return 0
  folder=$(quoted "$target")
  # the person's shell expands these
  # shellcheck disable=SC2016,SC2088
  case "${SHELL:-}" in
    */zsh) file='~/.zshrc' line="export PATH=$folder:\"\$PATH\"" ;;
    */bash)
      file='~/.bashrc' line="export PATH=$folder:\"\$PATH\""
      [ "$(uname -s)" != Darwin ] || file='~/.bash_profile' ;;
    */fish) file='~/.config/fish/config.fish' line="set -gx PATH $(fish_quoted "$target") \$PATH" ;;
    */csh | */tcsh) file='~/.cshrc' line="set path = ($folder \$path)" ;;
    *) file='~/.profile' line="export PATH=$folder:\"\$PATH\"" ;;
  esac
  printf '\nTo type just "relay", put this line into %s and open a new terminal:\n  %s\n' "$file" "$line"
}

# In fish, a backslash between single quotes is special too.
fish_quoted() {
  case "$1" in
    *[\\\']*) printf "'%s'" "$(printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g")" ;;
    *) quoted "$1" ;;
  esac
}

# Sets relay: what the person has to type.
warn_of_shadow() {
  relay=$(quoted "$target/relay")
  other=$(command -v relay 2>/dev/null) || return 0
  # every sh has -ef, and POSIX since 2024
  # shellcheck disable=SC3013
  if [ "$other" -ef "$target/relay" ]; then
    relay=relay
  else
    printf '\nTyping "relay" runs another one, %s. Remove that, or put %s before it in PATH.\n' "$other" "$target"
  fi
}

# Standard input may be this script, so this opens the terminal by its name.
is_interactive() {
  [ -t 1 ] && (: </dev/tty) 2>/dev/null
}

offer_setup() {
  if is_interactive && [ -z "${SUDO_USER:-}" ]; then
    printf '\nConnect Claude Desktop and Claude Code now, with "relay setup"? [Y/n] '
    read -r answer </dev/tty || answer=no
    case "$answer" in
      '' | [Yy] | [Yy][Ee][Ss])
        "$target/relay" setup </dev/tty && return
        fail "relay is installed, but \"relay setup\" failed. Fix the problem that it names, and type: $relay setup" ;;
    esac
  fi
  printf '\nTo connect Claude Desktop and Claude Code, type: %s setup\n' "$relay"
}

uninstall() {
  [ -e "$target/relay" ] || fail "there is no relay in $target. If it is in another folder, set RELAY_INSTALL_DIR."
  refuse_other_program
  if is_interactive; then input=/dev/tty; else input=/dev/null; fi
  "$target/relay" uninstall <"$input" ||
    fail "\"relay uninstall\" failed, so nothing was removed. Fix the problem that it names, and run this again."
  rm -f "$target/relay" || fail "cannot remove $target/relay. Do it by hand."
  rm -rf "$target"/.relay-install.*
  printf '%s/relay is removed.\n' "$target"
}

install() {
  if [ -n "$release_url" ]; then
    download
  else
    # a piped script has no path, and the current folder may not be a checkout of relay
    case "$0" in
      install.sh | */install.sh) ;;
      *) fail "this install.sh is not from a release. Run it as \"sh install.sh\" in a checkout, or get the one of a release." ;;
    esac
    build
  fi
  try_out
  put_in_place
  printf '\n'
  "$target/relay" demo </dev/null || fail "relay is installed, but \"relay demo\" failed, see above. Type: $target/relay doctor"
  advise_on_path
  warn_of_shadow
  offer_setup
}

main() {
  set -eu
  [ $# -le 1 ] || fail "too many arguments. See: sh install.sh --help" 2
  case "${1:-}" in
    '' | --uninstall) choose_target ;;
    -h | --help) usage || :; return ;;
    *) fail "unknown argument $1. See: sh install.sh --help" 2 ;;
  esac
  if [ -z "${1:-}" ]; then install; else uninstall; fi
}

{ main "$@"; exit; }
