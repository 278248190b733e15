/**
 * Writes docs/troubleshooting.md from the rules table in src/faults.ts and the remedies for each code in
 * scripts/remedies.ts.
 * Usage: bun scripts/docs-troubleshooting.ts [--check]   (--check writes nothing and exits 1 when the page is stale)
 */
import { join } from 'node:path';
import { FAULTS } from '../src/faults.ts';
import { REMEDIES, SYMPTOMS } from './remedies.ts';

const PATH = join(import.meta.dir, '../docs/troubleshooting.md');

interface Row {
  readonly statuses: Set<number>;
  readonly causes: string[];
}

/** The rows of the table by error code, in the order of the table. */
function byCode(): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const { code, status, means } of Object.values(FAULTS)) {
    const row = rows.get(code) ?? { statuses: new Set(), causes: [] };
    row.statuses.add(status);
    row.causes.push(means);
    rows.set(code, row);
  }
  return rows;
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}

function codes(): string {
  const rows = byCode();
  const unknown = Object.keys(REMEDIES).filter((code) => !rows.has(code));
  if (unknown.length > 0) throw new Error(`scripts/remedies.ts names unknown codes: ${unknown.join(', ')}`);
  return [...rows]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { statuses, causes }]) => {
      const remedy = REMEDIES[code];
      if (remedy === undefined) throw new Error(`scripts/remedies.ts has nothing about ${code}`);
      return `| \`${code}\` | ${[...statuses].join(', ')} | ${cell(causes.join('; or '))} | ${cell(remedy)} |`;
    })
    .join('\n');
}

function page(): string {
  return `# Troubleshooting

<!-- Made by scripts/docs-troubleshooting.ts from src/faults.ts and scripts/remedies.ts. Edit those, not this page. -->

Start with these three commands:

\`\`\`sh
llmproxy config validate     # is the configuration valid?
llmproxy health              # which providers answer, and why do others not?
llmproxy explain MODEL       # where would a request for this model go?
\`\`\`

Every answer has an \`x-request-id\`; \`llmproxy logs show ID\` shows that request with all its attempts. In the error itself,
\`error.details\` lists the targets that were tried and how each of them failed.

## By symptom

${SYMPTOMS.map(({ seen, advice }) => `**${seen}**\n\n${advice}\n`).join('\n')}
## By error code

These are the values of \`error.code\` in OpenAI's format; clients of other protocols get the same message in their own. A code that is not listed
comes from the provider, whose own error is returned if no other target can answer.

| code | status | what happened | what to do |
| --- | --- | --- | --- |
${codes()}
`;
}

const made = page();
if (process.argv.includes('--check')) {
  const written = await Bun.file(PATH)
    .text()
    .catch(() => '');
  if (written !== made) {
    process.stderr.write('docs/troubleshooting.md is stale: run make docs\n');
    process.exitCode = 1;
  }
} else {
  await Bun.write(PATH, made);
}
