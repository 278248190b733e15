/** `logging`: the program's own log and the request log. */
import { z } from 'zod';
import { REDACT_KINDS } from '../redact-kinds.ts';
import { retention } from './retention.ts';
import { MAX_OBJECT_BYTES, upload } from './upload.ts';
import { duration, size } from '../units.ts';
import { content, text } from '../words.ts';

const requests = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Write one line per request to the request log.'),
    directory: text.default('logs').describe('Directory for the log files; created if it does not exist.'),
    content: content
      .default('full')
      .describe(
        'full: the whole request and response. metadata: everything except what people and models wrote. none: as metadata, but without the names of people and sessions.',
      ),
    allow_header: z
      .boolean()
      .default(true)
      .describe('Let clients ask for less to be logged, with the header x-llmproxy-log: metadata or none.'),
    max_content: size
      .prefault('16MiB')
      .describe('Largest request or response kept in a record; larger ones are left out and marked as such.'),
    flush_interval: duration
      .prefault('200ms')
      .describe('Longest time a record waits in memory before it is written; kill -9 may lose this much.'),
    queue: size
      .prefault('64MiB')
      .describe(
        'Memory for records that are not written yet, also while the disk is full. Beyond it, records are dropped and counted.',
      ),
    rotate_size: size
      .prefault('256MiB')
      .describe('Start a new file when the current one exceeds this size. A new day always starts one.'),
    retention: retention
      .prefault('0s')
      .describe(
        'Delete files older than this; 0 keeps them all. With `{content: 7d, head: 365d}`, what people and models wrote is removed from files older than `content`, and files older than `head` are deleted.',
      ),
    max_total: size
      .default(0)
      .describe('Delete the oldest files when all files together exceed this size; 0 keeps them all.'),
    compress: z.enum(['none', 'zstd']).default('none').describe('Compress log files that are complete.'),
    upload: upload.optional().describe('Upload complete log files to S3. See docs/log-shipping.md.'),
    fsync: z
      .enum(['never', 'interval', 'always'])
      .default('never')
      .describe('When to force records to disk: never, once per second, or after each batch.'),
    redact: z
      .array(text)
      .default([])
      .describe('Additional JSON keys whose values the log replaces with "[redacted]".'),
    redact_content: z
      .array(z.enum([...REDACT_KINDS, 'all']))
      .default([])
      .describe(
        'Secrets and personal data to replace in requests, responses, error messages and feedback, with tags such as `[EMAIL_1]`: `all` or a list of kinds. What cannot be redacted is left out. docs/export.md explains the kinds.',
      ),
  })
  .refine(({ upload, rotate_size: most }) => !upload || (most > 0 && most <= MAX_OBJECT_BYTES / 2), {
    path: ['rotate_size'],
    error: 'expected more than 0 and at most 2.5GiB with `upload`: S3 accepts at most 5 GiB in one request',
  })
  .refine(
    ({ upload, retention: { content } }) =>
      !upload || content === 0 || upload.keep_local === true || Number(upload.keep_local) >= content,
    {
      path: ['upload', 'keep_local'],
      error:
        'expected true, or at least `retention.content`: content is removed from an object by uploading the local file again',
    },
  );

export const logging = z.strictObject({
  level: z
    .enum(['silent', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('How much the program writes to stderr.'),
  format: z
    .enum(['auto', 'text', 'json'])
    .default('auto')
    .describe('Log lines as plain text or as JSON; auto means text.'),
  show_requests: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      'Write a line to stderr for each request, at level info or debug. auto does so if stderr is a terminal or the level is debug.',
    ),
  requests: requests.prefault({}).describe('The request log: NDJSON files that `llmproxy export` reads.'),
});
