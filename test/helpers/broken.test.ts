import type { Wire } from './broken/wire.ts';
import { connect } from 'node:net';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { brokenProvider, TALE } from './broken.ts';
import { drawer, ratesOf, seeded } from './broken/dice.ts';
import { ERRORS } from './broken/errors.ts';
import { responsesWire } from './broken/responses-wire.ts';
import { checkResponsesStream } from './grammar/responses.ts';
import { openapiProblems } from './openapi.ts';
import { until } from './until.ts';

const body = (model: string, stream = false) =>
  JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'x' }] });

const ask = (url: string, model: string, stream = false) =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', body: body(model, stream) });

test('a broken provider answers without a fault to an unknown model name, in every protocol, streamed or not', async () => {
  await using broken = await brokenProvider();
  for (const path of ['/chat/completions', '/v1/chat/completions', '/v1/messages', '/v1/responses']) {
    const whole = await fetch(broken.url + path, { method: 'POST', body: body('any') });
    expect(await whole.text()).toContain(TALE);
    const stream = await fetch(broken.url + path, { method: 'POST', body: body('any', true) });
    expect(await stream.text()).toMatch(/(?:\[DONE\]|"message_stop"}|^event: response.completed\n.*)\n\n$/m);
  }
  const named = (action: string) => `${broken.url}/v1beta/models/any%231:${action}`;
  for (const url of [named('generateContent'), `${broken.url}/api/chat`])
    expect(await (await fetch(url, { method: 'POST', body: body('any#1') })).text()).toContain(TALE);
  const events = await fetch(named('streamGenerateContent?alt=sse'), { method: 'POST', body: '{}' });
  expect(await events.text()).toMatch(/^data: .*"finishReason":"STOP".*\n\n$/m);
  const lines = await fetch(`${broken.url}/api/chat`, { method: 'POST', body: body('any#1', true) });
  expect(await lines.text()).toMatch(/^\{.*"done":true.*\}\n$/m);
  const protocols = broken.attempts.map(({ protocol }) => protocol).join(' ');
  expect(protocols).toBe(
    'openai openai openai openai anthropic anthropic responses responses gemini ollama gemini ollama',
  );
  expect(broken.attemptsOf('any#1').length).toBe(4);
  expect((await fetch(`${broken.url}/v1/models`)).status).toBe(200);
  expect([broken.attempts.length, broken.probes.length]).toEqual([12, 1]);
});

const OPTIONS = { id: '1', model: 'm', usage: true };

test('a broken provider follows the grammar of the Responses protocol', () => {
  const says = (speak: (wire: Wire) => string[]) => {
    const sse = speak(responsesWire(OPTIONS)).join('');
    return checkResponsesStream(sse);
  };
  const talk = says((wire) => [
    wire.opening,
    wire.thinking,
    wire.piece('Hello '),
    wire.pause,
    wire.piece('there'),
    wire.toolCall('{"city":"Berlin"}'),
    wire.closing,
    wire.terminator,
  ]);
  expect(talk.problems).toEqual([]);
  expect(talk.response).toMatchObject({
    status: 'completed',
    output: [
      { type: 'reasoning', summary: [{ text: 'Let me see.' }] },
      { type: 'message', content: [{ text: 'Hello there' }] },
      { type: 'function_call', name: 'weather', arguments: '{"city":"Berlin"}' },
    ],
  });
  const whole: unknown = JSON.parse(responsesWire(OPTIONS).whole('Hello'));
  expect(openapiProblems('Response', whole)).toEqual([]);
  expect(whole).toMatchObject({ status: 'completed', output: [{ content: [{ text: 'Hello' }] }] });
  const failed = says((wire) => [wire.opening, wire.piece('Hel'), wire.errorEvent(ERRORS['503'])]);
  expect(failed.response).toMatchObject({ status: 'in_progress', output: [] });
});

test('a broken provider breaks N times with -xN, counts labels separately, and takes an argument after a colon', async () => {
  await using broken = await brokenProvider();
  const statuses = [];
  for (const model of ['503-x2', '503-x2', '503-x2', '503-x2#b', 'say:hi#503']) {
    statuses.push((await ask(broken.url, model)).status);
  }
  expect(statuses).toEqual([503, 503, 200, 503, 200]);
  expect(broken.attemptsOf('503-x2').length).toBe(3);
});

test('a broken provider reads requests in any pieces, with a length or chunked, and several on one connection', async () => {
  await using broken = await brokenProvider();
  const { promise: replied, resolve } = Promise.withResolvers<string>();
  let text = '';
  const socket = connect(Number(new URL(broken.url).port), '127.0.0.1').on('data', (bytes) => {
    text += String(bytes);
    if (text.split('HTTP/1.1 200').length === 3 && text.endsWith('}')) resolve(text);
  });
  const [one, two] = [body('one'), body('two')];
  const start = 'POST /v1/chat/completions HTTP/1.1\r\n';
  const chunks = [two.slice(0, 7), two.slice(7)].map((c) => `${c.length.toString(16)}\r\n${c}\r\n`);
  const bytes =
    `${start}content-length: ${one.length}\r\n\r\n${one}` +
    `${start}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`;
  for (let at = 0; at < bytes.length; at += 11) {
    socket.write(bytes.slice(at, at + 11));
    await Bun.sleep(1);
  }
  await replied;
  socket.destroy();
  expect(broken.attempts.map(({ model, connection }) => [model, connection])).toEqual([
    ['one', 1],
    ['two', 1],
  ]);
});

test('a broken provider tells a client that disconnects from one that the provider disconnects', async () => {
  await using broken = await brokenProvider();
  const abort = new AbortController();
  const init = { method: 'POST', body: body('silent'), signal: abort.signal };
  const asking = fetch(`${broken.url}/v1/chat/completions`, init).catch((error: Error) => error.name);
  await until('the attempt', () => broken.attempts.length);
  abort.abort();
  expect(await asking).toBe('AbortError');
  await ask(broken.url, 'reset').catch(() => undefined);
  await until('the end of both attempts', () => broken.counts().open, { is: 0 });
  expect(broken.attempts.map(({ closedBy, aborted }) => [closedBy, aborted])).toEqual([
    ['them', true],
    ['us', false],
  ]);
});

test('drawer() draws the same faults for the same seed, in their shares', () => {
  const draws = () => Array.from({ length: 1_000 }, drawer(ratesOf(['reset=0.1', 'stall=0.2']), seeded(7)));
  const share = (fault: string) => draws().filter((drawn) => drawn === fault).length / 1_000;
  expect(draws()).toEqual(draws());
  expect([share('reset'), share('stall'), share('fine')]).toEqual([
    expect.closeTo(0.1, 1),
    expect.closeTo(0.2, 1),
    expect.closeTo(0.7, 1),
  ]);
  expect(() => ratesOf(['nonsense=0.1'])).toThrow('nonsense');
});

test('a broken provider prints its URL and reports its counts when run as a process', async () => {
  const main = join(import.meta.dir, 'broken/main.ts');
  const child = Bun.spawn([process.execPath, main, '--rate', '503=1'], { stdout: 'pipe' });
  try {
    const { value } = await child.stdout.getReader().read();
    const url = new TextDecoder().decode(value).trim();
    expect((await ask(url, 'random')).status).toBe(503);
    const counts = (await (await fetch(`${url}/__log`)).json()) as object;
    expect(counts).toMatchObject({ attempts: 1, open: 0, byFault: { 503: { attempts: 1 } } });
  } finally {
    child.kill();
    await child.exited;
  }
});
