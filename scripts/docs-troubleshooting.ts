/**
 * Writes docs/troubleshooting.md from the rules table in src/errors.ts and from what to do about each code, in scripts/remedies.ts.
 * Usage: bun scripts/docs-troubleshooting.ts [--check]   (--check writes nothing and exits 1 when the page is stale)
 */
import { join } from 'node:path';
import { FAULTS } from '../src/errors.ts';
import { REMEDIES, SYMPTOMS } from './remedies.ts';

const PATH = join(import.meta.dir, '../docs/troubleshooting.md');

interface Row {
  readonly statuses: Set<number>;
  readonly causes: string[];
}

/** What the table says of each code, in its order. */
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
  if (unknown.length > 0)
    throw new Error(`scripts/remedies.ts names codes that are none: ${unknown.join(', ')}`);
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

<!-- Made by scripts/docs-troubleshooting.ts from src/errors.ts and scripts/remedies.ts. Edit those, not this page. -->

Begin with these three; each says what failed, whose fault it was, and what was done instead:

\`\`\`sh
llmproxy config validate     # is the configuration what you mean?
llmproxy health              # which providers answer, and why not
llmproxy explain MODEL       # where would a request for this model go?
\`\`\`

Every answer has an \`x-request-id\`; \`llmproxy logs show ID\` shows that request with all its attempts. The error itself holds in
\`error.details\` which targets were asked, and how each of them failed.

## By symptom

${SYMPTOMS.map(({ seen, advice }) => `**${seen}**\n\n${advice}\n`).join('\n')}
## By error code

\`error.code\` of an answer in OpenAI's shape; clients of other protocols get the same message in theirs. A code that is not here comes from
the provider, whose own error is passed on when no other target can answer.

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
