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

/** Longer lists of values are written beside the description, where there is more space. */
const SHORT_LIST = 5;

function choices(field: Field): string {
  return (field.enum ?? []).map((value) => `\`${String(value)}\``).join(', ');
}

/** The type in words: "integer or null", "list of objects". */
function typeName(field: Field): string {
  if (field.anyOf) return field.anyOf.map(typeName).join(' or ');
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum) return field.enum.length > SHORT_LIST ? 'string' : choices(field);
  if (Array.isArray(field.type)) return field.type.join(' or ');
  if (field.type === 'array') return `list of ${typeName(field.items ?? {})}s`;
  if (field.format === 'date-time') return 'time';
  return field.type ?? 'any JSON';
}

/** A Markdown table with aligned columns, as the formatter writes it. */
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

The request log has one line of JSON for each request, however it ended. \`logging.requests\` in the configuration sets where the
lines are written and what they contain. \`llmproxy export\` turns them into datasets.

## The line

A line consists of a head and a body. The head's fields come first, always complete and in this order, so that a program can
decide from the first bytes of a line whether it is of interest. The body follows; what people and models wrote comes last.

### Head

${fields(shapeOf(head))}

### Body

${fields(bodyShape)}

Each entry of \`attempt_log\`:

${fields(attempt)}

\`request\` and an unstreamed \`response\` are copied as they were received: unknown fields, the order of keys and the notation
of numbers are preserved. Only a body that spans several lines is parsed and written as one line, which may change the notation
of numbers.

## Versions

\`v\` is ${RECORD_VERSION}. Fields may be added at any time without a new version: readers must ignore fields that they do not know.
\`v\` increases when a field is removed or changes its meaning.

## Files

- Files are named \`llmproxy-YYYY-MM-DD.ndjson\` after the UTC day on which the lines are written. A line written just after
  midnight may have a \`ts\` of the previous day.
- When a file reaches \`rotate_size\`, the next one is started: \`llmproxy-YYYY-MM-DD.1.ndjson\`, then \`.2\`, and so on.
  A higher number is newer. Files are never renamed while they are written. A file can exceed \`rotate_size\` by one batch.
  With \`rotate_size: 0\`, only a new day starts a new file.
- With several workers ([workers.md](workers.md)), each writes its own files, with its number in their names:
  \`llmproxy-YYYY-MM-DD.w2.ndjson\`, then \`.w2.1\`, and so on. They share one directory and form one log:
  \`llmproxy-YYYY-MM-DD*.ndjson\` matches everything written on a day.
- Lines are ordered by the time they were written within a file, but not across the files of several workers. Sort by \`ts\`
  if the order matters; \`llmproxy export\` does so by itself.
- The directory is created when the first line is written, with mode 0700, and files with mode 0600, because they contain prompts.
- Independent processes may also write to the same directory on a local disk. Each appends whole lines with a single write to the
  newest file of the day. On network file systems, where appending is not atomic, give each process its own directory.
- Files may be moved or deleted at any time, by hand or by logrotate. The writer notices and starts a new file.
  Do not truncate a file that is being written (\`copytruncate\`): lines written at that moment are lost.
- With \`compress: zstd\`, a file becomes \`.ndjson.zst\` when its day is over or the same worker has started a newer one,
  and it has not been written to for a minute. For a moment both files exist, with the same lines. A \`.zst.tmp\` file is a
  copy in progress.
- \`retention\` deletes files whose newest line is older than the given age, and \`max_total\` deletes the oldest files of all
  workers together. Neither touches files that are being written, each worker's newest file of today, or files with other names.
- With \`retention: { content: 7d, head: 365d }\`, content and heads expire separately. Files whose newest line is older than
  \`content\` are rewritten without \`request\`, \`response\` and everything else that people and models wrote: \`error\` and
  \`user_agent\` become null, \`feedback\` loses \`correction\` and \`comment\`, and \`content\` becomes \`expired\`. Everything
  else is kept: tokens, cost, and the names in the head (\`key\`, \`user\`, \`tags\`, \`conversation\`). Files older than \`head\` are
  deleted. A rewritten file keeps its name, mode and modification time, and is replaced atomically; until then, the new version
  exists as \`.heads.tmp\`. A \`.heads.tmp\` file left by a crash is removed by the
  first check of the directory after it is 10 minutes old. Lines that are not records are removed, and the program reports how many. \`llmproxy export\` skips expired records and
  counts them as \`expired\`.
- With \`upload\`, complete files are uploaded to S3, and no file is deleted for its age before that ([log-shipping.md](log-shipping.md)). A
  \`NAME.uploaded\` file records that a file was uploaded; it is not a log.
- The directory is checked whenever a file is opened and, if a retention age is set, every hour. Expiry may therefore happen up to
  an hour late.

## What can be lost

- Lines wait in memory for at most \`flush_interval\`, or until 256 KiB have accumulated.
- SIGTERM and SIGINT lose nothing: everything is written before the process exits.
- \`kill -9\` and crashes lose the lines in memory and the write in progress. A line that is cut off stays as it is, and the
  next one starts on a new line: readers skip empty lines and lines that are not JSON. A worker that is killed damages only its own
  file.
- A system crash may lose what the kernel has not yet written to disk. \`fsync: interval\` limits this to one second, and
  \`fsync: always\` to the batch being written; both reduce throughput.
- If the disk is full, the directory is missing or writing fails for another reason, requests continue and records wait in
  memory. Writing is retried after 250 ms and then at doubling intervals of up to 10 s; a line that was written in
  part is completed. Only records that do not fit into \`queue\` are lost, and those that still cannot be written when the process
  exits. The program reports on stderr when the problem starts and, when it is over, how many records were lost; \`/health\`,
  \`/providers\` and \`llmproxy health\` show its cause and start time (\`log\`). Records that arrive faster than they can be
  written are also lost beyond \`queue\`. The queue counts one byte per character; in memory, a character may take two.

## Redaction

Before a line is written, "${REDACTED}" replaces

- every secret known to the program (docs/security.md lists them) with 6 characters or more, wherever it occurs;
- the string, or list of strings, under these JSON keys, in any letter case:
  ${REDACTED_KEYS.map((key) => `\`${key}\``).join(', ')},
  and those in \`logging.requests.redact\`;
- anything that looks like a key: \`sk-...\`, \`gsk_...\`, \`xai-...\`, \`AIza...\`, and the token after \`Bearer\`.

JSON keys are not looked for within JSON that is quoted in a string, such as the arguments of a tool call; there, secrets are
found only by their value or their form. Prompts can contain other secrets and personal data. \`content: metadata\` leaves
prompts out altogether.

### Personal data in prompts and answers

\`logging.requests.redact_content\` also replaces secrets and personal data in what people and models wrote: in \`request\`, \`response\`,
\`error\`, and the comments and corrections of feedback.

\`\`\`yaml
logging:
  requests:
    redact_content: [email, phone, card, national_id, key] # or [all]
\`\`\`

[export.md](export.md#hiding-secrets-and-personal-data) explains the kinds and how reliably each is found. A value becomes a tag such as
\`[EMAIL_1]\`, numbered within the record in the order of appearance, so it has the same tag in every turn of a conversation. JSON within
strings is searched too; Base64 of images and files is not. What clients and providers receive is not changed.

Lines are then made on another thread, so that other requests do not wait; a megabyte takes some 10 ms there. If a record cannot be
redacted, its content is left out: \`omitted\` names what is missing, and the program reports it once on stderr. \`user\`, \`conversation\`, \`tags\` and
\`user_agent\` are not searched, nor are stored responses, traces with \`telemetry.content\`, and the records that plugins receive. Like
all of \`logging\`, the list takes effect after a restart.

## Reading it

\`\`\`sh
# Today's failures, by class
jq -r 'select(.outcome != "success") | .fault' logs/llmproxy-$(date -u +%F)*.ndjson | sort | uniq -c

# Cost by client key
cat logs/*.ndjson | jq -n '[inputs] | group_by(.key) | map({key: .[0].key, usd: (map(.cost // 0) | add)})'

# Slowest requests, without their content
cat logs/*.ndjson | jq -c '[.latency_ms, .id, .provider, .model]' | sort -t'[' -k2 -rn | head

# A file with truncated lines: skip them
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
