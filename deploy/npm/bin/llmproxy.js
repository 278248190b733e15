#!/usr/bin/env node
// Runs the binary in the package for this platform, which npm installed beside this one.
'use strict';
const { spawn } = require('node:child_process');
const { constants } = require('node:os');

const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
const name = `llmproxy-${platform}${usesMusl() ? '-musl' : ''}`;

function usesMusl() {
  if (process.platform !== 'linux') return false;
  const { glibcVersionRuntime } = process.report?.getReport()?.header ?? {};
  return glibcVersionRuntime === undefined && require('node:fs').existsSync(`/lib/ld-musl-${muslArch()}.so.1`);
}

function muslArch() {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

function find() {
  try {
    return require.resolve(`${name}/bin/llmproxy${process.platform === 'win32' ? '.exe' : ''}`);
  } catch {
    console.error(
      `Cannot run llmproxy: the package ${name} is not installed. Either optional dependencies were left out` +
        ` (install again without --omit=optional), or there is no binary for ${platform}.`,
    );
    process.exit(1);
  }
}

const child = spawn(find(), process.argv.slice(2), { stdio: 'inherit' });

// Signals of a supervisor reach only this process. Ctrl-C also reaches the child, for which a second one means "at once".
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2']) {
  if (process.platform !== 'win32') process.on(signal, () => child.kill(signal));
}
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT');
});

child.on('error', ({ message }) => {
  console.error(`Cannot run llmproxy: ${message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
});
