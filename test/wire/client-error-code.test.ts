import { expect, test } from 'bun:test';
import { ProxyError } from '../../src/errors.ts';
import { classifyBody, classifyStatus } from '../../src/wire/classify.ts';
import { openaiErrorBody } from '../../src/wire/openai/error.ts';
import { failedCode } from '../../src/wire/responses/failure.ts';

const told = (status: number, body: object): ProxyError => {
  const { fault, upstream } = classifyStatus(status, new Headers(), JSON.stringify(body));
  return new ProxyError(fault, upstream.message, { upstream });
};

const TOO_LONG = 'The input token count (9001) exceeds the maximum number of tokens allowed (8192).';

test('clients of OpenAI’s APIs get one code for any provider’s error about a prompt that is too long', () => {
  for (const error of [
    { error: { code: 400, message: TOO_LONG, status: 'INVALID_ARGUMENT' } },
    { message: 'Input is too long for requested model.', __type: 'com.amazon#ValidationException' },
    { error: { type: 'invalid_request_error', message: 'prompt is too long: 9001 tokens > 8192 maximum' } },
  ]) {
    expect(openaiErrorBody(told(400, error), 'r')).toMatchObject({
      error: { code: 'context_length_exceeded' },
    });
    expect(failedCode(told(400, error))).toBe('context_length_exceeded');
  }
});

test('a code that repeats the status is replaced by OpenAI’s code, and any other is passed on', () => {
  const google = { error: { code: 429, message: 'Slow down', status: 'RESOURCE_EXHAUSTED' } };
  expect(openaiErrorBody(told(429, google), 'r')).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
  const own = { error: { code: 'brand_new', message: 'No' } };
  expect(openaiErrorBody(told(400, own), 'r')).toMatchObject({ error: { code: 'brand_new' } });
});

test('classifyBody() recognizes Ollama’s message about a long prompt in an answer with status 200', () => {
  const error = 'prompt too long; exceeded max context length by 12 tokens';
  expect(classifyBody({ error })).toMatchObject({ fault: 'context_length', upstream: { status: 400 } });
  expect(classifyBody({ error: 'model runner has unexpectedly stopped' })).toMatchObject({ fault: 'server' });
});
