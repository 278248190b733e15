#!/bin/sh
# Stands for the binary in tests: of the processes that run a stage for a range or a share, most die the first time, each in
# another way: with half of the output, or none, or all; alone, or with the Python that runs it.
# FLAKY_BINARY is the real one; FLAKY_MARKS a directory that remembers who has died.

stage='' number='' plan=''
previous=''
for word in "$@"; do
  case $previous in
    --stage) stage=$word ;;
    --plan) plan=$word ;;
    --range | --partition) number=$word ;;
  esac
  previous=$word
done
case $stage in
  plan | finish) exec "$FLAKY_BINARY" "$@" ;;
esac

key="$stage-$number-$(cksum <"$plan" | tr -c '0-9\n' '-')"
if mkdir "$FLAKY_MARKS/$key" 2>/dev/null; then
  case $(($(printf %s "$key" | cksum | cut -d ' ' -f 1) % 6)) in
    0) exit 1 ;;
    1) "$FLAKY_BINARY" "$@" | head -c 900; exit 1 ;;
    2) "$FLAKY_BINARY" "$@" | head -c 900; kill -9 $$ ;;
    3) "$FLAKY_BINARY" "$@" | head -c 900; kill -9 $PPID ;;
    4) "$FLAKY_BINARY" "$@"; exit 1 ;;
  esac
fi
exec "$FLAKY_BINARY" "$@"
