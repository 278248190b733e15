/** Writes docs/providers.md from the presets; `--check` only says whether it is stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../src/providers/catalogue.ts';

const PATH = join(import.meta.dir, '..', 'docs/providers.md');

const rows = catalogue().map(({ type, title, protocol, relays, auth, endpoints, drops, probe, tested }) => {
  const cells = [
    `\`${type}\``,
    title,
    protocol,
    relays.join(', ') || 'none',
    auth,
    endpoints.join(', '),
    drops.map((name) => `\`${name}\``).join(', ') || 'nothing',
    probe === null ? 'none' : `\`${probe}\``,
    tested,
  ];
  return `| ${cells.join(' | ')} |`;
});

const text = `# Providers

Made by \`scripts/docs-providers.ts\` from \`src/config/presets.ts\` and \`src/providers/quirks.ts\`; do not edit it here.
\`llmproxy providers\` shows the same in the terminal.

- **Relayed** are the APIs that the vendor speaks itself: bytes pass unchanged, but for the model name, credentials and the
  fields that it is known to refuse. Every other API that clients may use is translated.
- **Left out** are the fields of a chat request that the vendor's newest model does not take, of those that steer an answer.
  They are named in the header \`x-llmproxy-dropped\`; with \`unsupported: error\` in the route the next target is asked in
  place of that. \`llmproxy explain\` shows it for a request of yours.
- **Probe** is the free endpoint that tells whether a provider that was down is back.

| type | vendor | protocol | relayed | auth | endpoints | left out | probe | tested by |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;

const current = ((): string => {
  try {
    return readFileSync(PATH, 'utf8');
  } catch {
    return '';
  }
})();

if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (current !== text) {
  process.stderr.write('docs/providers.md is stale: run make docs\n');
  process.exitCode = 1;
}
