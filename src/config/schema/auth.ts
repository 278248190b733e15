/** Who may call the proxy, and what each caller may do. */
import { z } from 'zod';
import { endpointGlobs } from './endpoint-globs.ts';
import { ownLimits } from './groups.ts';
import { duration } from '../units.ts';
import { content, globs, name, onDemand, text, until } from '../words.ts';

const HASH = /^sha256:[0-9a-f]{64}$/;

/** `sha256:` followed by 64 lower-case hex digits. */
const keyHash = z.string().regex(HASH, 'expected "sha256:" and 64 lower-case hex digits');

const labels = z.record(name, z.string().max(64, 'expected at most 64 characters'));

/** What a key may do, whether it is in config.yaml or in a keys file. */
const keyRules = () => ({
  group: name
    .optional()
    .describe('The group in `groups` whose limits and allow lists also apply to this key.'),
  models: globs
    .optional()
    .describe(
      'Globs of the model names it may request. An empty list allows none; if omitted, all are allowed.',
    ),
  endpoints: endpointGlobs
    .optional()
    .describe(
      'Globs of the endpoints it may use, such as chat or "images.*". An empty list allows none; if omitted, all are allowed.',
    ),
  providers: globs
    .optional()
    .describe(
      'Globs of the providers that may serve it. An empty list allows none; if omitted, all are allowed.',
    ),
  limits: ownLimits.default([]).describe('Its own limits, in addition to those of its group.'),
  expires: until
    .optional()
    .describe('The last day on which it is valid (UTC), or the exact moment it expires.'),
  disabled: z.boolean().default(false).describe('Whether the key is refused for now.'),
  labels: labels
    .default({})
    .describe(
      'Your own labels, such as {team: search}, which are added to the records and metrics of its requests.',
    ),
  log: content
    .optional()
    .describe('What the log keeps of its requests; overrides `logging.requests.content`.'),
  ops: z
    .union([z.boolean(), z.literal('only')], { error: 'expected true, false or only' })
    .optional()
    .describe(
      "Whether it may read the web page, /providers, /metrics, everybody's /usage and the details of /health. `only`: it may do nothing else, and does not see the content of requests. Default: true for the only key if there is neither `keys_file` nor `issuers`, otherwise false.",
    ),
});

const clientKey = onDemand(() =>
  z.strictObject({
    name: name.describe('Name shown in logs and metrics instead of the key.'),
    key: text.optional().describe('The key itself; best given as ${VAR}.'),
    key_env: text.optional().describe('Environment variable that holds the key.'),
    hash: keyHash.optional().describe('SHA-256 of the key as sha256:HEX, so that this file holds no secret.'),
    ...keyRules(),
  }),
);

/** A key in `auth.keys_file`, as `llmproxy keys` writes it. */
export const fileKey = onDemand(() =>
  z.strictObject({
    name: name.describe('Name shown in logs and metrics instead of the key.'),
    hash: keyHash.describe('SHA-256 of the key.'),
    prefix: text.optional().describe('First characters of the key, by which people can recognize it.'),
    created: z.iso.datetime().optional().describe('When the key was created.'),
    rotated: z.iso.datetime().optional().describe('When the key was last rotated.'),
    previous: z
      .array(z.strictObject({ hash: keyHash, until }))
      .default([])
      .describe('Previous keys, each with the time until which it still works.'),
    ...keyRules(),
  }),
);

/** A temporary increase of a key's limits. */
export const raise = onDemand(() =>
  z.strictObject({
    key: name.describe('The name of the key.'),
    kind: z.enum(['requests', 'tokens', 'budget', 'concurrent']).describe('Which kind of limit is raised.'),
    by: z.number().positive().describe('How much more.'),
    until: until.describe('The last day (UTC) of the raise, or the exact moment it ends.'),
  }),
);

/** The file that `auth.keys_file` names. */
export const keysFile = onDemand(() =>
  z.strictObject({
    keys: z.array(fileKey).default([]),
    raises: z.array(raise).default([]).describe('Temporary increases of the limits of keys.'),
  }),
);

const issuer = onDemand(() =>
  z.strictObject({
    name: name.describe("Prefix of its callers' names, as in corp:alice."),
    issuer: z.url().describe('The `iss` claim of its tokens.'),
    audience: z
      .union([text, z.array(text).min(1)])
      .describe('The `aud` claim its tokens must have, or a list of accepted ones.'),
    jwks_url: z
      .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
      .optional()
      .describe('URL of its signing keys; found by OpenID Connect discovery if omitted.'),
    identity_claim: text.default('sub').describe('The claim that identifies the caller.'),
    key_claim: text
      .optional()
      .describe('A claim that names a key in `auth`, whose rules and limits then apply.'),
    group_claim: text.optional().describe('A claim that names a group in `groups`.'),
    group: name.optional().describe('The group of callers for whom no claim names one.'),
    clock_skew: duration.prefault('30s').describe('Allowed difference between its clock and ours.'),
    log: content.optional().describe("What the log keeps of its callers' requests."),
  }),
);

const callers = onDemand(() =>
  z.strictObject({
    keys: z
      .array(clientKey)
      .default([])
      .describe('Keys that clients send as a Bearer token, or in x-api-key, api-key or x-goog-api-key.'),
    keys_file: text
      .optional()
      .describe(
        'File with additional keys, relative to this one, which `llmproxy keys` writes. It holds only hashes, and is reloaded when it changes.',
      ),
    issuers: z
      .array(issuer)
      .default([])
      .describe('OpenID Connect issuers whose tokens (JWTs) are accepted instead of keys.'),
  }),
);

export const auth = z
  .union([z.literal('none'), callers], { error: 'expected `none` or `keys: [...]`' })
  .optional()
  .describe(
    'Who may call the proxy. If omitted, the proxy listens on loopback only; `none` opens it to anyone who can reach it.',
  );

/** A key as everything but the loader sees it, whichever file it is from. */
export type KeyConfig = z.output<typeof clientKey> &
  Partial<Pick<FileKey, 'prefix' | 'created' | 'rotated' | 'previous'>>;

type Written = Exclude<z.output<typeof auth>, 'none' | undefined>;

/** Who may call: the `auth` section, with the keys and raises from the keys file. */
export type AuthConfig =
  'none' | (Omit<Written, 'keys'> & { keys: readonly KeyConfig[]; raises?: readonly Raise[] }) | undefined;
export type FileKey = z.output<typeof fileKey>;
export type KeysFile = z.output<typeof keysFile>;
export type Raise = z.output<typeof raise>;
export type IssuerConfig = z.output<typeof issuer>;
