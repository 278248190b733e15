/** How close the estimates are to the counts of a real vocabulary: OpenAI’s o200k, as in gpt-tokenizer. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../src/wire/json.ts';
import { ENDPOINT_NAMES } from '../../src/wire/endpoints.ts';
import { estimate, tokensOf } from '../../src/wire/estimate.ts';
import { eachOutputText } from '../../src/wire/output-text.ts';
import { loadVocabulary, tokenCounter } from '../../src/wire/tokens.ts';
import { roughTokens } from '../../src/wire/rough-tokens.ts';

let count: (text: string) => number;
let countRequest: Awaited<ReturnType<typeof tokenCounter>>;

beforeAll(async () => {
  const vocabulary = await loadVocabulary();
  count = (text) => vocabulary.countAll(text);
  countRequest = await tokenCounter();
}, 60_000);

const own = (path: string) => readFileSync(join(import.meta.dir, '../..', path), 'utf8');
const digest = (seed: number) => new Bun.CryptoHasher('sha256').update(String(seed)).digest();
const each = <T>(length: number, make: (index: number) => T) =>
  Array.from({ length }, (_, index) => make(index));

const ROWS = each(40, (id) => ({
  id: id * 7_919,
  name: `item-${id}`,
  price: id * 1.37,
  tags: ['new', 'sale'],
  ok: id % 2 === 0,
  at: '2026-03-04T05:06:07.000Z',
}));

const TEXTS: Readonly<Record<string, string>> = {
  English:
    'The committee agreed on Tuesday that the bridge should be closed to traffic until engineers had examined the northern pier, which has been sinking by about three millimetres a year since the flood. Residents were told to expect delays. Nobody could say how long the work would take.',
  German:
    'Der Ausschuss beschloss am Dienstag, die Brücke für den Verkehr zu sperren, bis Ingenieure den nördlichen Pfeiler untersucht haben, der seit dem Hochwasser jährlich um etwa drei Millimeter absinkt. Die Anwohnerinnen und Anwohner müssen mit Verzögerungen rechnen.',
  French:
    "Le comité a décidé mardi que le pont serait fermé à la circulation jusqu'à ce que des ingénieurs aient examiné la pile nord, qui s'enfonce d'environ trois millimètres par an depuis l'inondation.",
  Russian:
    'Комитет решил во вторник закрыть мост для движения, пока инженеры не осмотрят северную опору, которая после наводнения ежегодно опускается примерно на три миллиметра.',
  Greek: 'Η επιτροπή αποφάσισε την Τρίτη να κλείσει η γέφυρα για την κυκλοφορία μέχρι να εξεταστεί.',
  Arabic: 'قررت اللجنة يوم الثلاثاء إغلاق الجسر أمام حركة المرور حتى يفحص المهندسون الدعامة الشمالية.',
  Hebrew: 'הוועדה החליטה ביום שלישי לסגור את הגשר לתנועה עד שהמהנדסים יבדקו את העמוד הצפוני.',
  Hindi: 'समिति ने मंगलवार को निर्णय लिया कि जब तक इंजीनियर खंभे की जाँच नहीं कर लेते, तब तक पुल बंद रहेगा।',
  Thai: 'คณะกรรมการตัดสินใจเมื่อวันอังคารว่าจะปิดสะพานจนกว่าวิศวกรจะตรวจสอบตอม่อด้านเหนือ',
  Chinese: '委员会周二决定关闭大桥，直到工程师检查完北侧桥墩为止。自洪水以来，该桥墩每年下沉约三毫米。',
  Japanese: '委員会は火曜日、技術者が北側の橋脚を調べるまで橋を通行止めにすることを決めた。',
  Korean: '위원회는 화요일에 기술자들이 북쪽 교각을 조사할 때까지 다리의 통행을 금지하기로 결정했다.',
  emoji: '🎉🎊🥳👩‍👩‍👧‍👦🇩🇪😀😂🤣😊🚀🔥✨💯🙏👍🏽',
  TypeScript: own('src/limits/meter.ts'),
  shell:
    "set -euo pipefail\nfor f in $(find . -name '*.ts' | sort); do\n  [[ -f \"$f\" ]] && grep -nE '^const' \"$f\" | awk -F: '{print $1}' >> out\ndone\n",
  'indented JSON': own('package.json'),
  'packed JSON': JSON.stringify(ROWS),
  numbers: each(60, (n) => (n * 7_919.137).toFixed(2)).join(', '),
  hex: each(12, (n) => digest(n).toString('hex')).join('\n'),
  base64: Buffer.concat(each(20, digest)).toString('base64'),
  blanks: `a\n${' '.repeat(400)}\n\n\n\n\nb`,
  capitals: 'THE COMMITTEE AGREED ON TUESDAY THAT THE BRIDGE SHOULD BE CLOSED TO TRAFFIC',
};

describe('weightOf() is close to the token count of', () => {
  test.each(Object.keys(TEXTS))('%s', (name) => {
    const text = TEXTS[name]!;
    const ratio = roughTokens(text) / count(text);
    expect(ratio).toBeGreaterThan(0.65);
    expect(ratio).toBeLessThan(1.4);
  });

  test('long texts, of which it samples parts', () => {
    for (const text of [
      TEXTS.TypeScript!.repeat(20),
      TEXTS.English!.repeat(500),
      Object.values(TEXTS).join('\n').repeat(9),
    ]) {
      const ratio = roughTokens(text) / count(text);
      expect(ratio).toBeGreaterThan(0.65);
      expect(ratio).toBeLessThan(1.4);
    }
  });
});

const TOOL = {
  type: 'function',
  function: {
    name: 'search_documents',
    description: 'Searches the documents of the company for passages that answer a question.',
    parameters: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'What to look for, in the words of the user.' },
        limit: { type: 'integer', minimum: 1, maximum: 50, default: 10 },
        sources: { type: 'array', items: { type: 'string', enum: ['wiki', 'mail', 'tickets'] } },
      },
      required: ['query'],
      additionalProperties: false,
    },
  },
};
const TURNS = each(12, (n) => ({
  role: n % 2 ? 'assistant' : 'user',
  content: TEXTS[n % 2 ? 'English' : 'German']!,
}));
const IMAGE = {
  type: 'image_url',
  image_url: { url: `data:image/png;base64,${'iVBORw0KGgo'.repeat(20_000)}` },
};

const REQUESTS: Readonly<Record<string, object>> = {
  'a short question': { messages: [{ role: 'user', content: 'What is the capital of France?' }] },
  'a conversation': { messages: TURNS },
  'tools and their results': {
    messages: [
      { role: 'user', content: 'Find the plan of the bridge.' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: 'call_1',
            type: 'function',
            function: { name: 'search_documents', arguments: '{"query":"plan of the bridge","limit":3}' },
          },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: JSON.stringify(ROWS.slice(0, 5)) },
    ],
    tools: each(8, (n) => ({ ...TOOL, function: { ...TOOL.function, name: `search_${n}` } })),
  },
  'a picture': { messages: [{ role: 'user', content: [{ type: 'text', text: TEXTS.English }, IMAGE] }] },
};

describe('estimate() is close to the token count of', () => {
  test.each(Object.keys(REQUESTS))('%s', (name) => {
    const request = { model: 'gpt-4o', ...REQUESTS[name]! };
    const counted = countRequest(request as unknown as Parameters<typeof countRequest>[0]);
    const ratio = estimate({ endpoint: 'chat', body: request as unknown as JsonObject }, 0).input / counted;
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.6);
  });
});

test('estimate() uses the largest output limit of a request, times the number of answers', () => {
  const output = (body: object) => estimate({ endpoint: 'messages', body: body as JsonObject }, 4_096);
  expect(output({ max_tokens: 100_000, max_completion_tokens: 1 })).toMatchObject({
    output: 100_000,
    bounded: true,
  });
  expect(output({ max_output_tokens: 5, n: 3 })).toMatchObject({ output: 15, bounded: true });
  expect(output({ best_of: 4 })).toMatchObject({ output: 4 * 4_096, bounded: false });
  for (const odd of [-1, 1.5, '7', null, 1e300, NaN])
    expect(output({ max_tokens: odd })).toMatchObject({ output: 4_096, bounded: false });
});

test('estimate() does not exceed the output limit of the model', () => {
  const output = (body: object) => estimate({ endpoint: 'chat', body: body as JsonObject }, 500, 500).output;
  expect(
    [{}, { max_tokens: 100 }, { max_tokens: 100_000 }, { max_tokens: 100_000, n: 2 }].map(output),
  ).toEqual([500, 100, 500, 1_000]);
});

test('estimate() returns whole numbers for all endpoints and any body', () => {
  for (const endpoint of ENDPOINT_NAMES) {
    for (const body of [
      undefined,
      {},
      { input: [[1, 2, 3]] },
      { messages: 'x' },
      { max_tokens: Number.MAX_SAFE_INTEGER },
    ]) {
      const { input, output } = estimate({ endpoint, body: body as JsonObject | undefined }, 9);
      expect([input, output].every((tokens) => Number.isSafeInteger(tokens) && tokens >= 0)).toBe(true);
    }
  }
  expect(tokensOf({ a: ['x', 1, null, true] } as Json)).toBeGreaterThan(3);
});

test('tokensOf() samples long values of any structure', () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => `${TEXTS.English!} ${n}`);
  const ratio = tokensOf(rows) / (20_000 * count(rows[7]!));
  expect(ratio).toBeGreaterThan(0.7);
  expect(ratio).toBeLessThan(1.6);
});

test('eachOutputText() does not throw on extremely deep nesting', () => {
  let event: JsonObject = { content: 'x' };
  for (let n = 0; n < 200_000; n += 1) event = { message: event };
  expect(() => eachOutputText(event, () => undefined)).not.toThrow();
});

test('eachOutputText() finds the text that models write in the events of every protocol, and nothing else', () => {
  const said = (event: object) => {
    const found: string[] = [];
    eachOutputText(event as JsonObject, (text) => found.push(text));
    return found.join('|');
  };
  const chat = (delta: object) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-4o',
    system_fingerprint: 'fp',
    choices: [{ index: 0, delta, finish_reason: null }],
    obfuscation: 'abc',
  });
  expect(said(chat({ role: 'assistant', content: 'Hi' }))).toBe('Hi');
  expect(said(chat({ reasoning_content: 'Hm', refusal: 'No' }))).toBe('Hm|No');
  expect(
    said(
      chat({
        tool_calls: [
          { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a"' } },
        ],
      }),
    ),
  ).toBe('{"a"');
  expect(said({ choices: [{ index: 0, text: 'Hi' }] })).toBe('Hi');
  expect(said({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } })).toBe(
    'Hi',
  );
  expect(
    said({ type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm' } }),
  ).toBe('Hm');
  expect(
    said({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{' } }),
  ).toBe('{');
  expect(
    said({ type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EqQB' } }),
  ).toBe('');
  expect(said({ type: 'response.output_text.delta', item_id: 'msg_1', delta: 'Hi' })).toBe('Hi');
  expect(said({ type: 'response.output_text.done', item_id: 'msg_1', text: 'Hi' })).toBe('');
  expect(
    said({
      type: 'response.completed',
      response: { output: [{ content: [{ type: 'output_text', text: 'Hi' }] }] },
    }),
  ).toBe('');
});
