/** Ways to reach the proxy other than a plain TCP port. */
import { z } from 'zod';
import { name, onDemand, text } from '../words.ts';

const MODE = 'expected the permissions of a file, such as "0600" or "0660"';

/** Permissions in octal digits, such as "0660". YAML reads 0660 without quotes as the number 660. */
export const fileMode = z
  .union([z.string(), z.number()], { error: MODE })
  .refine((value) => /^0?[0-7]{3}$/.test(String(value)), MODE)
  .transform((value) => String(value).padStart(4, '0'));

/** Converts permissions in octal digits to a number for the file system. */
export function modeOf(digits: string): number {
  return Number.parseInt(digits, 8);
}

const SUBJECT =
  'expected attributes such as "CN=ci" or "CN=ci, O=acme", or one name such as "DNS:ci.example.com" or "URI:spiffe://acme/ci"';

const subject = z
  .string()
  .regex(/^(?:DNS|URI|email):\S+$|^[A-Za-z]+=[^,=]+(?:,\s*[A-Za-z]+=[^,=]+)*$/, SUBJECT);

const clientCert = onDemand(() =>
  z.strictObject({
    subject: subject.describe(
      'What the certificate must contain: attributes of the subject, all of which must be present, such as "CN=ci, O=acme"; or one alternative name, such as "DNS:ci.example.com", "URI:spiffe://acme/ci" or "email:ci@example.com".',
    ),
    key: name.describe('Name of a key in `auth`, whose rules and limits then apply.'),
  }),
);

export const tls = onDemand(() =>
  z
    .strictObject({
      cert: text.describe('PEM file with the certificate, followed by any intermediate certificates.'),
      key: text.describe('PEM file with its private key.'),
      client_ca: text
        .optional()
        .describe(
          'PEM file with the CA certificates that client certificates are verified against. If omitted, no client certificate is requested.',
        ),
      client_auth: z
        .enum(['required', 'optional'])
        .default('required')
        .describe(
          'Whether every client must present a certificate, or may send a key without one. An invalid certificate is always refused.',
        ),
      client_certs: z
        .array(clientCert)
        .default([])
        .describe(
          'Maps client certificates to keys; the first match applies. A certificate that matches no entry only proves that its authority is trusted.',
        ),
    })
    .describe(
      'Serve HTTPS. Paths are relative to this file. Changed files are reloaded without closing any connection. See docs/network.md.',
    ),
);

export type TlsConfig = z.output<typeof tls>;
export type ClientCertConfig = z.output<typeof clientCert>;
