/**
 * Writes docs/log-format.md from the schema of the log line.
 * Usage: bun scripts/docs-log.ts [--check]   (--check writes nothing and exits 1 when the page is stale)
 */
import { join } from 'node:path';
import { z } from 'zod';
import { REDACTED, REDACTED_KEYS } from '../src/logs/redact.ts';
import { body, head } from '../src/logs/record-schema.ts';
import { RECORD_VERSION } from '../src/logs/record.ts';

interface Field {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  format?: string;
  anyOf?: Field[];
  items?: Field;
  properties?: Record<string, Field>;
  required?: string[];
  description?: string;
}

/** Longer lists of values stand with the meaning, where there is room. */
const SHORT_LIST = 5;

function choices(field: Field): string {
  return (field.enum ?? []).map((value) => `\`${String(value)}\``).join(', ');
}

/** The type as people say it: "integer or null", "list of objects". */
function typeName(field: Field): string {
  if (field.anyOf) return field.anyOf.map(typeName).join(' or ');
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum) return field.enum.length > SHORT_LIST ? 'string' : choices(field);
  if (Array.isArray(field.type)) return field.type.join(' or ');
  if (field.type === 'array') return `list of ${typeName(field.items ?? {})}s`;
  if (field.format === 'date-time') return 'time';
  return field.type ?? 'any JSON';
}

/** A Markdown table with its columns aligned, as the formatter leaves it. */
function table(header: string[], rows: string[][]): string {
  const all = [header, ...rows.map((row) => row.map((cell) => cell.replaceAll('|', String.raw`\|`)))];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}

function fields(shape: Field): string {
  const rows = Object.entries(shape.properties ?? {}).map(([name, field]) => {
    const absent = shape.required?.includes(name) ? '' : ', may be absent';
    const values = (field.enum?.length ?? 0) > SHORT_LIST ? ` One of ${choices(field)}.` : '';
    return [`\`${name}\``, typeName(field) + absent, (field.description ?? '') + values];
  });
  return table(['Field', 'Type', 'Meaning'], rows);
}

function shapeOf(schema: z.ZodType): Field {
  return z.toJSONSchema(schema) as Field;
}

function page(): string {
  const bodyShape = shapeOf(body);
  const attempt = bodyShape.properties?.attempt_log?.items ?? {};
  return `# The request log

<!-- Made by scripts/docs-log.ts from src/logs/record-schema.ts. Edit those, not this page. -->

One line of JSON for each request, whatever became of it. \`logging.requests\` in the configuration says where the
lines go and what they hold. \`llmproxy export\` turns them into datasets.

## The line

A line has a head and a body. The head's fields come first, always all of them and in this order, so that a program
can decide by the first bytes of a line. They are followed by the body, with what people and models wrote last.

### Head

${fields(shapeOf(head))}

### Body

${fields(bodyShape)}

Each entry of \`attempt_log\`:

${fields(attempt)}

\`request\` and an unstreamed \`response\` are spliced in as they came: unknown fields, the order of keys and the notation
of numbers are kept. Only a body of several lines is packed into one by parsing it, which may write numbers anew.

## Versions

\`v\` is ${RECORD_VERSION}. New fields may be added at any time without a new version: readers ignore fields they do not know.
\`v\` rises when a field is removed or changes its meaning.

## Files

- Files are named \`llmproxy-YYYY-MM-DD.ndjson\` by the UTC day on which the lines are written. A line that is written
  just after midnight may carry a \`ts\` of the day before.
- A file that has reached \`rotate_size\` is left, and the next is \`llmproxy-YYYY-MM-DD.1.ndjson\`, then \`.2\`, and so on.
  A higher number is newer. Nothing is renamed while it is written. A file can exceed \`rotate_size\` by one batch.
  With \`rotate_size: 0\` only a new day begins a new file.
- Of several workers ([workers.md](workers.md)) each has files of its own, with its number in their names:
  \`llmproxy-YYYY-MM-DD.w2.ndjson\`, then \`.w2.1\`, and so on. All lie in one directory and are one log:
  \`llmproxy-YYYY-MM-DD*.ndjson\` finds all that was written on a day.
- Lines are in the order in which they were written within a file, not across those of several workers. Sort by \`ts\`
  where that matters; \`llmproxy export\` puts them in order by itself.
- The directory is made at the first line, with mode 0700, and files with mode 0600, because they hold prompts.
- Several processes that know nothing of each other may write to one directory of a local disk, too. Each appends whole
  lines by one write to the newest file of the day. On network file systems, where appending is not atomic, give each
  process a directory of its own.
- Files may be moved or deleted at any time, by hand or by logrotate. The writer notices and begins a new file.
  Do not truncate them in place while they are written (\`copytruncate\`): lines written meanwhile are lost.
- With \`compress: zstd\` a file becomes \`.ndjson.zst\` when its day is over or a newer one of the same worker exists,
  and nothing has been written to it for a minute. For a moment both are there; they hold the same lines. \`.zst.tmp\` is a copy in the
  making.
- \`retention\` deletes files whose newest line is older, and \`max_total\` the oldest files of all workers together. Both
  leave the files being written and the newest of today alone, of each worker, and files with other names too.
- With \`retention: { content: 7d, head: 365d }\` content and heads grow old apart. Files whose newest line is older than
  \`content\` are written anew without \`request\`, \`response\` and whatever else people and models wrote: \`error\` and
  \`user_agent\` become null, \`feedback\` loses \`correction\` and \`comment\`, and \`content\` becomes \`expired\`. The
  rest stays as it is: tokens, cost, and the names in the head (\`key\`, \`user\`, \`tags\`, \`conversation\`). Files older than \`head\` are
  deleted. A file keeps its name, mode and time of change, and is replaced at once when the new one is complete; until then it is
  there as \`.heads.tmp\` too. What a crash leaves of that is removed by the first look at the directory after 10 minutes. Lines
  that are no records go, and the program says how many. \`llmproxy export\` passes over such lines and counts them as
  \`expired\`.
- The directory is looked at whenever a file is opened, and every hour where an age is set: what is told here of ages may
  be up to an hour late.

## What can be lost

- Lines wait in memory for \`flush_interval\` at most, or until 256 KiB are there.
- SIGTERM and SIGINT lose nothing: the rest is written before the process ends.
- \`kill -9\` and crashes lose what waited in memory and the write in flight. A line cut by that stays as it is, and the
  next one begins on a new line: readers skip lines that are no JSON, and empty ones. A worker that is killed cuts no
  file but its own.
- A crash of the machine may lose what the kernel had not written yet. \`fsync: interval\` narrows that to a second and
  \`fsync: always\` to the batch being written; both cost throughput.
- When the disk is full, the directory is gone or anything else stands in the way, requests go on and records wait in
  memory. Writing is tried again after 250 ms, then after twice as long each time, 10 s at most; a line that was written in
  part is completed. Only what does not fit into \`queue\` is lost, and at the end of the process what cannot be written then.
  The program says on stderr when it begins, and when it is over how many records were lost; \`/health\`, \`/providers\` and
  \`llmproxy health\` show since when and why (\`log\`). Records that come faster than they can be written are lost beyond
  \`queue\` too. It counts texts as one byte a character; memory may hold them with two.

## Redaction

Before a line is written, "${REDACTED}" replaces

- every secret that the program knows (docs/security.md lists them) of 6 characters or more, wherever it occurs;
- the string, or list of strings, under these JSON keys, in upper or lower case:
  ${REDACTED_KEYS.map((key) => `\`${key}\``).join(', ')},
  and those in \`logging.requests.redact\`;
- what has the shape of a key: \`sk-...\`, \`gsk_...\`, \`xai-...\`, \`AIza...\`, and the token after \`Bearer\`.

Keys by name are found in JSON, not in JSON that is quoted inside a string, such as a tool call's arguments; there
secrets are found by value and by shape. Prompts can hold other secrets and personal data. \`content: metadata\` leaves
them out altogether.

## Reading it

\`\`\`sh
# Failures of today, by class
jq -r 'select(.outcome != "success") | .fault' logs/llmproxy-$(date -u +%F)*.ndjson | sort | uniq -c

# Cost by client key
cat logs/*.ndjson | jq -n '[inputs] | group_by(.key) | map({key: .[0].key, usd: (map(.cost // 0) | add)})'

# Slowest requests, without their text
cat logs/*.ndjson | jq -c '[.latency_ms, .id, .provider, .model]' | sort -t'[' -k2 -rn | head

# A file with torn lines: skip them
jq -cR 'fromjson? | [.ts, .status, .model]' logs/llmproxy-2026-03-04.ndjson

# Compressed files
zstdcat logs/*.zst | jq -c 'select(.status >= 500)'
\`\`\`
`;
}

const target = join(import.meta.dir, '..', 'docs', 'log-format.md');
const text = page();
if (process.argv.includes('--check')) {
  const file = Bun.file(target);
  if (!(await file.exists()) || (await file.text()) !== text) {
    process.stderr.write('docs/log-format.md is stale: run bun scripts/docs-log.ts\n');
    process.exitCode = 1;
  }
} else {
  await Bun.write(target, text);
}
