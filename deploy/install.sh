#!/bin/sh
# Installs llmproxy: downloads the binary for this machine, checks it against the checksum below, and puts it into
# ~/.local/bin. Nothing else on the machine is changed.
#
#   LLMPROXY_INSTALL_DIR   another directory
#   LLMPROXY_BASE_URL      another address of the same files, such as a mirror
set -eu

version='@VERSION@'
base=${LLMPROXY_BASE_URL:-'@URL@'}
directory=${LLMPROXY_INSTALL_DIR:-${HOME:?set HOME or LLMPROXY_INSTALL_DIR}/.local/bin}

# SHA-256 of each file of this release.
sums='@SUMS@'

fail() { echo "Cannot install llmproxy: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Prints the platform as it is called in the file names of the release.
platform() {
  case $(uname -m) in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no binary for $(uname -m); build it from source with make build" ;;
  esac
  case $(uname -s) in
    Linux)
      if [ "$arch" = x64 ] && [ -r /proc/cpuinfo ] && ! grep -qw avx2 /proc/cpuinfo; then
        fail "this processor has no AVX2, which the binary needs"
      fi
      if has ldd && ldd --version 2>&1 | grep -qi musl; then echo "linux-$arch-musl"; else echo "linux-$arch"; fi
      ;;
    Darwin)
      # Under Rosetta, a shell reports x86_64 although the processor is not.
      [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ] && arch=arm64
      echo "darwin-$arch"
      ;;
    *) fail "this script supports Linux and macOS; on Windows use npm install --global llmproxy" ;;
  esac
}

# download URL FILE
download() {
  if has curl; then
    curl --fail --silent --show-error --location --output "$2" "$1"
  elif has wget; then
    wget -q -O "$2" "$1"
  else
    fail "it needs curl or wget"
  fi
}

# Prints the SHA-256 of FILE.
digest() {
  if has sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif has openssl; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  else
    fail "it needs sha256sum, shasum or openssl to check the download"
  fi
}

# The shell reads the whole function before it runs it, so a truncated download of this script does nothing.
main() {
  file=llmproxy-$version-$(platform)
  expected=$(echo "$sums" | sed -n "s/^\([0-9a-f]\{64\}\)  $file\$/\1/p")
  [ -n "$expected" ] || fail "this release has no file $file"
  mkdir -p "$directory" || fail "$directory cannot be made; name another with LLMPROXY_INSTALL_DIR"
  # Downloaded next to its destination, so that the last step is a rename: a running llmproxy is not disturbed.
  draft=$(mktemp "$directory/.llmproxy.XXXXXX") || fail "$directory cannot be written; name another with LLMPROXY_INSTALL_DIR"
  trap 'rm -f "$draft"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  echo "Downloading $file" >&2
  download "$base/$file" "$draft" || fail "$base/$file cannot be downloaded"
  actual=$(digest "$draft")
  [ "$actual" = "$expected" ] || fail "$file has the checksum $actual, not $expected, so it is not what was released"
  chmod 755 "$draft"
  mv -f "$draft" "$directory/llmproxy"
  "$directory/llmproxy" --version >/dev/null || fail "$directory/llmproxy does not run on this machine"
  echo "Installed llmproxy $version as $directory/llmproxy" >&2
  case ":$PATH:" in
    *":$directory:"*) echo "Begin with: llmproxy serve" >&2 ;;
    *) echo "Add $directory to PATH, or begin with: $directory/llmproxy serve" >&2 ;;
  esac
}

main "$@"
