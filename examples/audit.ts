/**
 * Hooks: names the end user where a client does not, refuses what must not leave the house, marks answers, and tells an
 * auditor of each request.
 *
 *   plugins: [./audit.ts]
 *
 * AUDIT_URL is where the auditor is told.
 */
import { env, ProxyError } from 'llmproxy';
import type { Plugin } from 'llmproxy';

const SECRET = /\bproject[ -]?falcon\b/i;

export default {
  name: 'audit',

  onRequest({ body }, { key }) {
    if (SECRET.test(JSON.stringify(body)))
      throw new ProxyError('content_policy', 'Cannot send the request: it names something that is secret');
    body.user ??= key ?? 'nobody';
  },

  onAnswer({ body }) {
    body.audited = true;
  },

  async onRecord({ id, ts, key, user, model, outcome, cost }) {
    if (env.AUDIT_URL === undefined) return;
    const body = JSON.stringify({ id, ts, key, user, model, outcome, cost });
    const told = await fetch(env.AUDIT_URL, { method: 'POST', body });
    if (!told.ok) throw new Error(`the auditor answered with ${told.status}`);
  },
} satisfies Plugin;
