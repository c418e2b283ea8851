#!/usr/bin/env bash
# Brings a fresh machine to where tests and demo can run: npm packages, and programs from apt.
# Usage: setup.sh demo|test. Says what it does before it does it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for_what=${1:-test}

npm_packages() {
  local installed=node_modules/.package-lock.json
  if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
    echo "Installing npm packages: npm ci"
    npm ci --loglevel=error
    # npm keeps the time of an archive's files; what was just installed is as new as the lock file.
    touch "$installed"
  fi
  local node=node
  if [ -x node_modules/.bin/node ]; then node=node_modules/.bin/node; fi
  if ! "$node" -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)'; then
    echo "Node 24 or newer is needed; npm has none for this machine ($(uname -sm)). Put one on the PATH." >&2
    exit 1
  fi
}

# Package that gives a program, when the program is not there.
missing_packages() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || echo postgresql
  command -v zstd >/dev/null || echo zstd
  command -v age >/dev/null || echo age
  if [ "$for_what" = test ]; then
    local sbin="$PATH:/usr/sbin:/sbin"
    PATH=$sbin command -v ceph-mon >/dev/null || echo ceph-mon
    PATH=$sbin command -v ceph-osd >/dev/null || echo ceph-osd
    PATH=$sbin command -v radosgw >/dev/null || echo radosgw
    PATH=$sbin command -v ceph >/dev/null || echo ceph-common
    command -v chromium >/dev/null || echo chromium
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

apt_packages() {
  local packages
  mapfile -t packages < <(missing_packages)
  [ ${#packages[@]} -gt 0 ] || return 0
  local line="apt-get install --no-install-recommends ${packages[*]}"
  if ! can_install; then
    echo "These programs are missing and cannot be installed from here. Type: sudo $line" >&2
    # Tests skip what needs them and say so; a demo without PostgreSQL shows nothing.
    [ "$for_what" = test ] && return 0
    exit 1
  fi
  echo "Installing programs: $line"
  as_root apt-get update -qq
  if [[ " ${packages[*]} " == *" postgresql "* ]]; then
    # Before the first server is installed: nobody wants a database that starts with the machine.
    install postgresql-common
    as_root sed -i 's/^#*\s*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  fi
  install "${packages[@]}"
}

# promtool and a Pushgateway, PgBouncer and the libraries it needs. Unpacked and not installed: the packages would start
# servers with the machine.
unpacked_programs() {
  unpack prometheus 'promtool prometheus-pushgateway' 'prometheus prometheus-pushgateway'
  unpack pgbouncer 'pgbouncer' 'pgbouncer libevent-2.1-7 libc-ares2'
}

# Folder below node_modules/.cache, the programs wanted, the packages that give them.
unpack() {
  local folder=node_modules/.cache/$1 programs packages program package missing=''
  read -ra programs <<<"$2"
  read -ra packages <<<"$3"
  for program in "${programs[@]}"; do
    PATH="$PATH:/usr/sbin:$folder/usr/bin:$folder/usr/sbin" command -v "$program" >/dev/null || missing+=" $program"
  done
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    # Tests skip what needs them and say so.
    echo "These programs are missing and cannot be unpacked from here:$missing. Put them on the PATH." >&2
    return 0
  fi
  echo "Unpacking programs into $folder:$missing"
  mkdir -p "$folder"
  (
    cd "$folder"
    # The warning is about a sandbox that cannot read this folder.
    apt-get download -qq "${packages[@]}" 2>/dev/null || { as_root apt-get update -qq && apt-get download -qq "${packages[@]}"; }
    for package in ./*.deb; do dpkg-deb -x "$package" .; done
    rm -f ./*.deb usr/bin/prometheus
  ) || echo "The programs could not be unpacked; what needs them is skipped." >&2
}

npm_packages
apt_packages
if [ "$for_what" = test ]; then unpacked_programs; fi
