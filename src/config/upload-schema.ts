/** Where complete files of the request log are uploaded. */
import { z } from 'zod';
import { duration, size } from './units.ts';
import { text } from './words.ts';

/** The largest object that S3 takes in one request, which is why it is never there in part, bytes. */
export const MAX_OBJECT_BYTES = 5 * 1024 ** 3;

export const upload = z.strictObject({
  url: z
    .string()
    .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]+(\/[^?#\s]*)?$/, 'expected s3://BUCKET or s3://BUCKET/PREFIX')
    .describe(
      'Where to: `s3://BUCKET/PREFIX`. A file becomes one object, `PREFIX/date=YYYY-MM-DD/HOST-….ndjson`.',
    ),
  region: text
    .optional()
    .describe('Region of the bucket. Default: AWS_REGION or AWS_DEFAULT_REGION, otherwise us-east-1.'),
  endpoint: z
    .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
    .optional()
    .describe(
      'Address of a server other than AWS that speaks S3. Default: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.',
    ),
  profile: text
    .optional()
    .describe(
      'Profile in ~/.aws/credentials. Without it, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are used, then AWS_PROFILE.',
    ),
  host: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'expected letters, digits, ".", "_" and "-", 100 at most')
    .optional()
    .describe('Name of this machine in the names of objects. Default: its host name.'),
  keep_local: z
    .union([z.boolean(), duration], { error: 'expected true, false, or a duration such as "7d"' })
    .prefault(true)
    .describe(
      'How long a file stays here after its upload. true: as long as `retention` and `max_total` say. false: it is deleted. A duration: that long at most.',
    ),
  stop_timeout: duration
    .prefault('0s')
    .describe(
      'How long a process that is stopped waits for the upload of its last files, the one being written included. Set it where the disk is gone with the process; it comes on top of `server.drain_timeout`. 0: they are uploaded after the next start.',
    ),
  rate: size
    .prefault('32MiB')
    .refine((bytes) => bytes === 0 || bytes >= 65_536, 'expected 0, or at least 64KiB')
    .describe('Most bytes per second that are sent; 0 for no limit. One file is uploaded at a time.'),
});

export type Upload = z.output<typeof upload>;
