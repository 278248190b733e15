/** Who may call the proxy, and what each caller may do. */
import { z } from 'zod';
import { ownLimits } from './limits-schema.ts';
import { duration } from './units.ts';
import { content, globs, name, text, until } from './words.ts';

const HASH = /^sha256:[0-9a-f]{64}$/;

/** `sha256:` and 64 lower-case hex digits. */
const keyHash = z.string().regex(HASH, 'expected "sha256:" and 64 lower-case hex digits');

const labels = z.record(name, z.string().max(64, 'expected at most 64 characters'));

/** What a key may do, wherever it is written. */
const keyRules = {
  group: name.optional().describe('The group in `groups` whose limits and lists hold for it.'),
  models: globs
    .optional()
    .describe('Globs of models it may ask for, by the name that is asked for. Empty: none. Left out: all.'),
  endpoints: globs
    .optional()
    .describe('Globs of endpoints it may use, such as chat or "images.*". Empty: none. Left out: all.'),
  providers: globs.optional().describe('Globs of providers that may answer it. Empty: none. Left out: all.'),
  limits: ownLimits.default([]).describe('What it may use, besides what its group allows.'),
  expires: until.optional().describe('Last day on which it works (UTC), or the moment it ends.'),
  disabled: z.boolean().default(false).describe('Whether it is refused for now.'),
  labels: labels
    .default({})
    .describe(
      'Words of yours, such as {team: search}: they go into the records and the metrics of its requests.',
    ),
  log: content
    .optional()
    .describe('What the log keeps of its requests; overrides `logging.requests.content`.'),
  ops: z
    .union([z.boolean(), z.literal('only')], { error: 'expected true, false or only' })
    .optional()
    .describe(
      'Whether it reads the page, /providers, /metrics, /usage of all and the detail of /health; `only`: it does nothing else, and does not see what was said. Default: true for the only key where there is neither `keys_file` nor `issuers`, else false.',
    ),
};

const clientKey = z.strictObject({
  name: name.describe('Shown in logs and metrics in place of the key.'),
  key: text.optional().describe('The key itself; better written as ${VAR}.'),
  key_env: text.optional().describe('Environment variable that holds the key.'),
  hash: keyHash.optional().describe('SHA-256 of the key as sha256:HEX, so that the file holds no secret.'),
  ...keyRules,
});

/** A key in `auth.keys_file`, which `llmproxy keys` writes. */
export const fileKey = z.strictObject({
  name: name.describe('Shown in logs and metrics in place of the key.'),
  hash: keyHash.describe('SHA-256 of the key.'),
  prefix: text.optional().describe('First characters of the key, by which people know it.'),
  created: z.iso.datetime().optional().describe('When it was made.'),
  rotated: z.iso.datetime().optional().describe('When it was last exchanged for another.'),
  previous: z
    .array(z.strictObject({ hash: keyHash, until }))
    .default([])
    .describe('Keys it had before, and until when they still work.'),
  ...keyRules,
});

/** A temporary raise of what a key may use. */
export const raise = z.strictObject({
  key: name.describe('The name of the key.'),
  kind: z.enum(['requests', 'tokens', 'budget', 'concurrent']).describe('Which of its limits.'),
  by: z.number().positive().describe('How much more.'),
  until: until.describe('The last day (UTC), or the moment it ends.'),
});

/** The file that `auth.keys_file` names. */
export const keysFile = z.strictObject({
  keys: z.array(fileKey).default([]),
  raises: z.array(raise).default([]).describe('Temporary raises of the limits of keys.'),
});

const issuer = z.strictObject({
  name: name.describe('Comes before the names of its callers, as in corp:alice.'),
  issuer: z.url().describe('The `iss` of its tokens.'),
  audience: z
    .union([text, z.array(text).min(1)])
    .describe('The `aud` its tokens must have, or one of several.'),
  jwks_url: z
    .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
    .optional()
    .describe('Where its keys are; found by OpenID Connect discovery when left out.'),
  identity_claim: text.default('sub').describe('The claim that names the caller.'),
  key_claim: text.optional().describe('A claim that names a key in `auth`, whose rules and limits hold.'),
  group_claim: text.optional().describe('A claim that names a group in `groups`.'),
  group: name.optional().describe('The group of callers for whom no claim names one.'),
  clock_skew: duration.prefault('30s').describe('How far its clock may differ from ours.'),
  log: content.optional().describe("What the log keeps of its callers' requests."),
});

export const auth = z
  .union(
    [
      z.literal('none'),
      z.strictObject({
        keys: z
          .array(clientKey)
          .default([])
          .describe('Keys that clients send as a Bearer token, or as x-api-key, api-key or x-goog-api-key.'),
        keys_file: text
          .optional()
          .describe(
            'File of further keys, beside this one, which `llmproxy keys` writes. It holds hashes only, and is read again when it changes.',
          ),
        issuers: z
          .array(issuer)
          .default([])
          .describe('OpenID Connect issuers whose tokens (JWT) are taken in place of keys.'),
      }),
    ],
    { error: 'expected `none` or `keys: [...]`' },
  )
  .optional()
  .describe(
    'Who may call the proxy. Without it only loopback is served; `none` opens it to whoever reaches it.',
  );

/** A key as all but the loader see it, wherever it is written. */
export type KeyConfig = z.output<typeof clientKey> &
  Partial<Pick<FileKey, 'prefix' | 'created' | 'rotated' | 'previous'>>;

type Written = Exclude<z.output<typeof auth>, 'none' | undefined>;

/** Who may call: what the configuration says, with the keys and raises of the keys file. */
export type AuthConfig =
  'none' | (Omit<Written, 'keys'> & { keys: readonly KeyConfig[]; raises?: readonly Raise[] }) | undefined;
export type FileKey = z.output<typeof fileKey>;
export type KeysFile = z.output<typeof keysFile>;
export type Raise = z.output<typeof raise>;
export type IssuerConfig = z.output<typeof issuer>;
