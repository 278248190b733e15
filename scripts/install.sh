#!/bin/sh
# Sets up a machine that has only Bun, or only Node.js with npm: installs the packages of bun.lock in node_modules, and
# the Bun version that package.json pins as node_modules/.bin/bun. It can be run repeatedly.
set -eu
cd "$(dirname "$0")/.."

bun=node_modules/.bin/bun
stamp=node_modules/.installed
# package.json is the one place that names the version of Bun.
pin=$(sed -n '/"devDependencies"/,/}/s/^ *"bun": *"\([0-9][^"]*\)".*/\1/p' package.json)
state="$pin $(uname -sm) $(cat package.json bun.lock | cksum)"

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }

# is_pinned FILE: whether FILE runs on this machine and is the pinned version of Bun.
is_pinned() { [ -x "$1" ] && [ "$("$1" --version 2>/dev/null)" = "$pin" ]; }

# first_pinned FOLDER: prints the pinned Bun inside FOLDER/node_modules. When install scripts are blocked,
# node_modules/bun holds a stub and the program itself is in the package for this platform.
first_pinned() {
  for file in "$1"/node_modules/.bin/bun "$1"/node_modules/@oven/bun-*/bin/bun; do
    if is_pinned "$file"; then
      echo "$file"
      return
    fi
  done
}

# quietly COMMAND...: shows the output only when the command fails.
quietly() {
  if output=$("$@" 2>&1); then return; fi
  say "$output"
  fail "Cannot install packages: '$*' failed (is the package registry reachable?)"
}

# Installs the pinned Bun into .bun, with whatever this machine has.
fetch_bun() {
  say "Fetching Bun $pin"
  mkdir -p .bun
  echo '{ "private": true }' >.bun/package.json
  if command -v npm >/dev/null; then
    # Without a network, npm would wait minutes before it fails.
    quietly npm install --prefix .bun --no-save --no-audit --no-fund --loglevel=error \
      --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 "bun@$pin"
  else
    quietly bun add --cwd .bun --no-save "bun@$pin"
  fi
}

# Prints the path of a Bun that can read bun.lock: only the pinned version, since an older one may not know the format.
installer() {
  path_bun=$(command -v bun || true)
  if [ -n "$(first_pinned .)" ]; then
    first_pinned .
  elif [ -n "$path_bun" ] && is_pinned "$path_bun"; then
    echo "$path_bun"
  elif [ -n "$(first_pinned .bun)" ]; then
    first_pinned .bun
  elif [ -n "$path_bun" ] || command -v npm >/dev/null; then
    fetch_bun
    first_pinned .bun
  else
    fail "llmproxy needs Bun (https://bun.sh) or Node.js with npm (https://nodejs.org): install either one, then run this again."
  fi
}

[ -n "$pin" ] || fail "Cannot read the version of Bun: package.json has no devDependencies.bun"
[ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && is_pinned "$bun" && exit 0

with=$(installer)
[ -n "$with" ] || fail "Cannot run Bun $pin: no program in .bun/node_modules works on $(uname -sm)"
say "Installing packages"
quietly "$with" install --frozen-lockfile
if ! is_pinned "$bun"; then
  program=$(first_pinned .)
  [ -n "$program" ] || fail "Cannot run Bun $pin: no program in node_modules/@oven works on $(uname -sm)"
  mkdir -p node_modules/.bin
  ln -sf "../../${program#./}" "$bun"
fi
echo "$state" >"$stamp"
