/**
 * Hooks: sets the end user if a client does not, rejects requests that must not leave the company, marks answers, and
 * reports each request to an auditor.
 *
 *   plugins: [./audit.ts]
 *
 * AUDIT_URL is the address to which requests are reported.
 */
import { env, ProxyError } from 'llmproxy';
import type { Plugin } from 'llmproxy';

const SECRET = /\bproject[ -]?falcon\b/i;

export default {
  name: 'audit',

  onRequest({ body }, { key }) {
    if (SECRET.test(JSON.stringify(body)))
      throw new ProxyError('content_policy', 'Cannot send the request: it mentions a secret project');
    body.user ??= key ?? 'nobody';
  },

  onAnswer({ body }) {
    body.audited = true;
  },

  async onRecord({ id, ts, key, user, model, outcome, cost }) {
    if (env.AUDIT_URL === undefined) return;
    const body = JSON.stringify({ id, ts, key, user, model, outcome, cost });
    const reply = await fetch(env.AUDIT_URL, { method: 'POST', body });
    if (!reply.ok) throw new Error(`the auditor answered with ${reply.status}`);
  },
} satisfies Plugin;
