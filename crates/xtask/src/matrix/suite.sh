#!/usr/bin/env bash
# Releases of Debian in directories of their own, for the matrix; needs root.
#
#   suite.sh install stable|unstable
#   suite.sh enter stable|unstable PROGRAM ARGUMENT…
#
# What is entered runs in a mount namespace in which /usr, /etc and /var are those of the suite's
# directory: programs, libraries and the packages' versions are of that release, while all else is
# the machine's. Peers make their sandboxes inside as they do outside.
set -euo pipefail

directory=/opt/pop3-suites/$2
unpacked=/opt/pop3-peers # UNPACKED of pop3-peers

# Clients, and the interpreters of those that are scripts. A release that lacks one goes without.
packages="curl fdm fetchmail getmail6 golang-go mpop mutt neomutt nmh nodejs perl python3
  python3-twisted ruby s-nail dovecot-pop3d"

# Servers that exclude each other, with what they need that is not a library: they are unpacked,
# and only their libraries installed.
servers="courier-pop cyrus-pop3d mailutils-pop3d popa3d"
beside_courier_pop="courier-base courier-authlib courier-authdaemon"
beside_cyrus_pop3d="cyrus-common sasl2-bin"
beside_mailutils_pop3d="mailutils-common"
beside_popa3d=""

inside() { chroot . "$@"; }

add() { inside apt-get install -y -qq --no-install-recommends "$@"; }

# Those of these packages that the release has.
known() {
  for package; do
    if inside apt-cache show "$package" > /dev/null 2>&1; then
      echo "$package"
    else
      echo "without $package" >&2
    fi
  done
}

# Installs programs into this directory, which has a bare system, in a namespace of its own.
fill() {
  printf '#!/bin/sh\nexit 101\n' > usr/sbin/policy-rc.d
  chmod 755 usr/sbin/policy-rc.d
  mkdir -p ".$unpacked" var/tmp/pop3-audit-go
  echo force-unsafe-io > etc/dpkg/dpkg.cfg.d/unsafe-io
  mount -t proc proc proc
  inside apt-get update -qq
  add libsasl2-modules $(known $packages)
  # So that a run of its client does not compile all that it uses.
  inside env HOME=/root GOCACHE=/var/tmp/pop3-audit-go GO111MODULE=off \
    go build -trimpath fmt log net/textproto os strings || echo 'without Go' >&2
  for server in $servers; do
    add $(inside apt-get install -s --no-install-recommends "$server" |
      sed -n 's/^Inst \(lib[^ ]*\) .*/\1/p')
    beside=beside_${server//-/_}
    for package in $server ${!beside}; do
      { inside sh -c "cd /var/tmp && apt-get download -qq $package" &&
        dpkg-deb --raw-extract var/tmp/"${package}"_*.deb ".$unpacked/$package"; } ||
        echo "without $package" >&2
    done
  done
}

case $1 in
  install)
    if [ -d "$directory" ]; then exit; fi
    case $2 in stable) release=trixie ;; unstable) release=sid ;; esac
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C
    mkdir -p "${directory%/*}"
    rm -rf "$directory.partly"
    apt-get install -y -qq --no-install-recommends --no-upgrade debootstrap
    debootstrap --variant=minbase "$release" "$directory.partly"
    unshare --mount --pid --fork --kill-child "$BASH" "$(realpath "$0")" fill "$2"
    npm install --global --ignore-scripts --omit=dev --no-audit --no-fund \
      --prefix "$directory.partly/usr/local" node-pop3 wildduck ||
      echo 'without WildDuck and node-pop3' >&2
    mv "$directory.partly" "$directory"
    ;;
  fill)
    cd "$directory.partly"
    fill
    ;;
  enter)
    if [ ! -d "$directory" ]; then
      echo "there is no $directory: run \`cargo xtask peers --suite $2\`" >&2
      exit 1
    fi
    mkdir -p "$unpacked"
    shift 2
    exec unshare --mount sh -ec '
      mount --bind "$0/opt/pop3-peers" /opt/pop3-peers
      for part in etc var usr; do
        mount --bind "$0/$part" "/$part"
      done
      exec "$@"' "$directory" "$@"
    ;;
esac
