/** `models` and `routing`: the targets of a name, retry and failover. */
import { z } from 'zod';
import { redaction } from './redaction.ts';
import { duration } from '../units.ts';
import { onDemand, rate, text } from '../words.ts';

const target = z.union([
  text,
  z.strictObject({
    target: text.describe('"provider/model", a model name that providers serve, or a name from `models`.'),
    weight: z
      .number()
      .positive()
      .default(1)
      .describe('Relative share of requests with `strategy: weighted`.'),
  }),
]);

const onOff = z
  .union([z.boolean(), z.enum(['on', 'off'])], { error: 'expected on or off' })
  .transform((value) => value === true || value === 'on');

const hedgeOptions = onDemand(() =>
  z.strictObject({
    delay: duration
      .optional()
      .describe(
        'How long to wait before asking the second target. Default: the p95 of the time to first content, once it is known.',
      ),
    budget: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .describe('Most extra requests, as a share of all requests.'),
  }),
);

const hedge = z
  .union([onOff, hedgeOptions], { error: 'expected on, off, or {delay, budget}' })
  .transform((value) => (value === true ? { delay: undefined, budget: 0.05 } : value));

const contentPolicy = z.enum(['error', 'failover']);

const unsupported = z.enum(['drop', 'error']);

const POLICY = {
  content_policy: 'What to do when a provider refuses the content: return its error, or try the next target.',
  resume:
    'Continue a stream that broke off after some text at another target, for chat completions, messages and responses. The second request is charged for the prompt and the partial answer again.',
  hedge:
    'Ask a second target when the first is slow to start, and use whichever starts first. Both may be charged.',
  last_resort:
    'When every target is unavailable, send all requests to the least bad one instead of one request at a time. Never before a Retry-After has passed.',
  unsupported:
    'What to do when a target does not support a field of the request. drop: leave the field out and name it in x-llmproxy-dropped. error: try the next target, and return an error if none supports it.',
} as const;

const targets = onDemand(() =>
  z.strictObject({
    targets: z.array(target).min(1).describe('Targets of the name, best first.'),
    strategy: z
      .enum(['ordered', 'weighted'])
      .default('ordered')
      .describe('ordered: always try the best target first. weighted: choose the first target by weight.'),
    content_policy: contentPolicy.optional().describe('Overrides `routing.content_policy`.'),
    resume: onOff.optional().describe('Overrides `routing.resume`.'),
    hedge: hedge.optional().describe('Overrides `routing.hedge`.'),
    last_resort: onOff.optional().describe('Overrides `routing.last_resort`.'),
    unsupported: unsupported.optional().describe('Overrides `routing.unsupported`.'),
    redact: redaction
      .optional()
      .describe(
        'What to replace in requests for this name before they are sent to any of its targets, in addition to what `redact` of their providers replaces. See docs/redaction.md.',
      ),
  }),
);

export const route = z.union([text, z.array(target).min(1), targets], {
  error: 'expected a target, a list of targets, or {targets, strategy, ...}',
});

export const routing = z.strictObject({
  deadline: duration
    .prefault('570s')
    .describe(
      'Time for all attempts of one request together, until the answer starts (streamed) or ends. Each target that has others behind it gets an equal share. SDKs give up after 600s.',
    ),
  max_attempts: z
    .number()
    .int()
    .min(1)
    .max(50)
    .default(8)
    .describe('Most attempts per request, across all targets.'),
  max_retry_delay: duration
    .prefault('8s')
    .describe('Longest backoff between two attempts at the same target.'),
  wait_budget: duration
    .prefault('10s')
    .describe('Longest Retry-After to wait out when no other target is available.'),
  max_retry_after: duration
    .prefault('1m')
    .describe(
      'Longest Retry-After from a provider that is fully respected. After this time, one request at a time checks whether a longer one still applies.',
    ),
  content_policy: contentPolicy.default('error').describe(POLICY.content_policy),
  resume: onOff.prefault('off').describe(POLICY.resume),
  hedge: hedge.prefault('off').describe(POLICY.hedge),
  last_resort: onOff.prefault('off').describe(POLICY.last_resort),
  unsupported: unsupported.default('drop').describe(POLICY.unsupported),
  breaker: z
    .strictObject({
      failures: z.number().int().min(1).default(5).describe('Consecutive failures that open the breaker.'),
      failure_rate: rate
        .default(0.5)
        .describe('Share of failed calls within the window that opens the breaker.'),
      min_calls: z
        .number()
        .int()
        .min(1)
        .default(20)
        .describe('Calls needed within the window before the share is considered.'),
      window: duration
        .refine((ms) => ms >= 1_000, 'expected at least 1s')
        .prefault('1m')
        .describe('Length of the window over which the share is computed.'),
      cooldown: duration
        .prefault('2s')
        .describe(
          'How long the breaker stays open at first; each failed trial doubles it. The same cooldown applies to a key or endpoint that was refused.',
        ),
      max_cooldown: duration
        .prefault('10s')
        .describe(
          'Longest cooldown. Probes that get no answer postpone the next trial, up to 30 s after the last one.',
        ),
    })
    .prefault({})
    .describe('Circuit breakers, one for each target (a provider and a model) and one for each provider.'),
});
