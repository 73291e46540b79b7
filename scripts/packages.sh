# Sourced by scripts/setup and scripts/test: how this machine is told things, and how it gets packages.
# shellcheck shell=bash

# One line to the person at the terminal; stdout stays free for results.
say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

is_debian() { have apt-get && have dpkg-query; }

# Runs a command as root: directly, else through sudo, else says what to run by hand.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    say "  sudo is asked for: $*"
    sudo "$@"
  else
    die "this needs root, and sudo is not installed. As root, run: $*"
  fi
}

apt_lists_are_fresh=

# Fetches the package lists, once a run. A broken third-party source is a warning: the package may come from another.
apt_refresh() {
  [ -z "$apt_lists_are_fresh" ] || return 0
  say "  refreshing the apt package lists"
  as_root apt-get -qq update >&2 || say "  warning: apt-get update reported a problem; going on with the lists there are"
  apt_lists_are_fresh=yes
}

# Installs Debian packages without recommendations and without starting any service: a policy-rc.d that answers 101
# ("not allowed") stands in the way of their start scripts for as long as apt runs. One that was there already stays.
apt_install() {
  apt_refresh
  say "  apt-get install --no-install-recommends $* (no service is started)"
  # shellcheck disable=SC2016  # expanded by the inner shell
  as_root bash -c '
    set -euo pipefail
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      printf "#!/bin/sh\nexit 101\n" > "$policy"
      chmod 755 "$policy"
      trap "rm -f $policy" EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
  ' apt_install "$@" </dev/null >&2
}

# The names among the arguments whose packages are not installed.
apt_missing() {
  local name
  for name in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null || true) in
      'install ok installed') ;;
      *) printf '%s\n' "$name" ;;
    esac
  done
}
