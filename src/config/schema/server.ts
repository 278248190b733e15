/** `server`: where and how the proxy listens. */
import { z } from 'zod';
import { fileMode, tls } from './socket.ts';
import { duration } from '../units.ts';
import { text } from '../words.ts';

const hostName = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])$/,
    'expected a host name without scheme and port, such as llm.example.com',
  );

/** The largest number of processes that may serve one port. */
export const MAX_WORKERS = 256;

const pageMode = z
  .union([z.boolean(), z.enum(['auto', 'on', 'off'])], { error: 'expected auto, on or off' })
  .transform((value) => (typeof value === 'string' ? value : value ? 'on' : 'off'));

export const server = z.strictObject({
  host: text
    .default('127.0.0.1')
    .describe('Address to listen on. Any address other than loopback requires `auth`.'),
  port: z.number().int().min(0).max(65535).default(8000).describe('Port to listen on; 0 picks a free port.'),
  unix: text
    .optional()
    .describe(
      'Listen on a Unix socket at this path, such as /run/llmproxy.sock, instead of on `host` and `port`. Only one process can serve it.',
    ),
  unix_mode: fileMode
    .prefault('0600')
    .describe(
      'File permissions of the Unix socket. Granting access to anyone but its owner requires `auth`.',
    ),
  tls: tls.optional(),
  http2: z
    .boolean()
    .default(false)
    .describe(
      'Serve HTTP/2 in addition to HTTP/1.1: negotiated by ALPN with `tls`, by prior knowledge (h2c) without. Experimental.',
    ),
  workers: z
    .union([z.literal('auto'), z.number().int().min(1).max(MAX_WORKERS)], {
      error: `expected auto, or a whole number from 1 to ${MAX_WORKERS}`,
    })
    .default(1)
    .describe(
      'Number of processes that serve the port together (Linux only); each can use one processor. `auto` starts one per processor. See docs/workers.md.',
    ),
  base_path: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)*$/, 'expected a path such as /llm, without a trailing slash')
    .default('')
    .describe('Also serve everything below this path prefix, for example /llm behind a shared gateway.'),
  hosts: z
    .array(hostName)
    .default([])
    .describe(
      'Additional host names that requests may be addressed to. Without keys, a proxy on loopback answers only to loopback names, so that no web page can reach it through a host name of its own. Once host names are listed here, every other name except loopback is refused, even with a key.',
    ),
  cors: z
    .union([
      z.literal(false),
      z.strictObject({
        origins: z
          .array(text)
          .min(1)
          .describe('Origins that may call the proxy, or `["*"]` for all of them.'),
      }),
    ])
    .default(false)
    .describe(
      'Browser origins that may call the proxy: `origins: ["https://app.example"]` or `["*"]`. Web pages from any other origin are refused.',
    ),
  page: pageMode
    .prefault('auto')
    .describe(
      'Serve the web page at `/`: requests, their content as far as it is logged, usage, providers and a playground. Where keys are configured, it needs a key with `ops`. `auto` serves it unless anyone who can reach the port could read it, as with `auth: none` beyond loopback. See docs/page.md.',
    ),
  drain_timeout: duration
    .prefault('30s')
    .describe('How long requests in flight have to finish after SIGTERM or SIGINT.'),
  keepalive_comment: duration
    .prefault('15s')
    .describe(
      'Send an SSE comment after this much silence on a stream, so that nothing in between closes the connection. 0 disables it.',
    ),
  early_head: duration
    .prefault(0)
    .describe(
      'Send the head of a stream after this time although no target has begun to answer, and comments from then on, for proxies in between that close silent connections. Targets are tried as always, but an error can only be an event in the stream then. 0 disables it.',
    ),
});
