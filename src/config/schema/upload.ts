/** Where complete request log files are uploaded. */
import { z } from 'zod';
import { duration, size } from '../units.ts';
import { onDemand, text } from '../words.ts';

/** The largest object that S3 accepts in one request, so that an object never exists partially, bytes. */
export const MAX_OBJECT_BYTES = 5 * 1024 ** 3;

export const upload = onDemand(() =>
  z.strictObject({
    url: z
      .string()
      .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]+(\/[^?#\s]*)?$/, 'expected s3://BUCKET or s3://BUCKET/PREFIX')
      .describe(
        'Destination: `s3://BUCKET/PREFIX`. Each file becomes one object, `PREFIX/date=YYYY-MM-DD/HOST-….ndjson`.',
      ),
    region: text
      .optional()
      .describe('Region of the bucket. Default: AWS_REGION or AWS_DEFAULT_REGION, otherwise us-east-1.'),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
      .refine((url) => !/[@?#]/.test(url), 'expected a URL without credentials, query and fragment')
      .optional()
      .describe(
        'URL of an S3-compatible server other than AWS. Default: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.',
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
      .describe('Name of this machine in the names of objects. Default: its hostname.'),
    keep_local: z
      .union([z.boolean(), duration], { error: 'expected true, false, or a duration such as "7d"' })
      .prefault(true)
      .describe(
        'How long to keep a local file after its upload. true: as long as `retention` and `max_total` allow. false: delete it at once. A duration: at most that long.',
      ),
    stop_timeout: duration
      .prefault('0s')
      .describe(
        'How long a stopping process may take to upload its remaining files, including the one being written, in addition to `server.drain_timeout`. Set it if the disk does not outlive the process. 0: they are uploaded after the next start.',
      ),
    rate: size
      .prefault('32MiB')
      .refine((bytes) => bytes === 0 || bytes >= 65_536, 'expected 0, or at least 64KiB')
      .describe('Most bytes per second to send; 0 for no limit. Files are uploaded one at a time.'),
  }),
);

export type Upload = z.output<typeof upload>;
