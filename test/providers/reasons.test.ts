import { expect, test } from 'bun:test';
import { isSocketError, socketReason } from '../../src/providers/transport.ts';

test.each([
  ['EAI_AGAIN', 'host name cannot be resolved (EAI_AGAIN)'],
  ['CERT_NOT_YET_VALID', 'TLS certificate cannot be verified (CERT_NOT_YET_VALID)'],
  ['UNABLE_TO_GET_CRL', 'TLS certificate cannot be verified (UNABLE_TO_GET_CRL)'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS handshake failed (ERR_SSL_WRONG_VERSION_NUMBER)'],
  ['ECONNREFUSED', 'connection refused'],
])('a connection that failed with %s is explained in words', (code, reason) => {
  const thrown = Object.assign(new Error('failed'), { code });
  expect(isSocketError(thrown)).toBe(true);
  expect(socketReason(thrown)).toBe(reason);
});
