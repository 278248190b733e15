/**
 * A vendor with an unusual form of authentication: each request contains a signature of its method, path, time and body.
 *
 *   plugins: [./signed.ts]
 *   providers:
 *     - name: acme
 *       type: acme
 *       api_key_env: ACME_SECRET
 *       models: ['acme-*']
 *       options: { region: eu, account: a-1234 }
 */
import { HttpProvider, ProxyError, z } from 'llmproxy';
import type { Called, HeaderFields, Unsigned } from 'llmproxy';

const options = z.strictObject({
  region: z.enum(['eu', 'us']),
  account: z.string().min(1),
});

export class Acme extends HttpProvider<z.infer<typeof options>> {
  static readonly type = 'acme';
  static readonly options = options;

  /** `base_url` in the configuration takes precedence over the vendor's own address. */
  override get baseUrl(): string {
    return this.services.baseUrl ?? `https://${this.options.region}.acme.example`;
  }

  protected override path({ model, stream }: Called): string {
    return `/v3/models/${encodeURIComponent(model)}/${stream ? 'stream' : 'generate'}`;
  }

  protected override async auth(request: Unsigned): Promise<HeaderFields> {
    const secret = this.key(request);
    if (secret === '')
      throw new ProxyError('auth', 'Cannot sign the request: set api_key_env of the provider');
    const seconds = Math.floor(this.clock.now() / 1000);
    const { method, url, body = '' } = request;
    const digest = hex(await crypto.subtle.digest('SHA-256', bytes(body)));
    const signed = [method, url.pathname, seconds, digest].join('\n');
    return {
      'x-acme-account': this.options.account,
      'x-acme-date': String(seconds),
      'x-acme-signature': await hmac(secret, signed),
    };
  }
}

async function hmac(secret: string, text: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes(secret), algorithm, false, ['sign']);
  return hex(await crypto.subtle.sign('HMAC', key, bytes(text)));
}

function bytes(given: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return typeof given === 'string' ? new TextEncoder().encode(given) : given;
}

function hex(buffer: ArrayBuffer): string {
  return new Uint8Array(buffer).toHex();
}
