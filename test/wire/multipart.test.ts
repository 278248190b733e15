import { describe, expect, test } from 'bun:test';
import { ProxyError } from '../../src/errors.ts';
import { readForm, spliceFormModel } from '../../src/wire/multipart.ts';

const TYPE = 'multipart/form-data; boundary=b';
const bytesOf = (text: string) => new TextEncoder().encode(text);
const named = (name: string, value: string, more = '') =>
  `--b\r\nContent-Disposition: form-data; ${name}${more}\r\n\r\n${value}\r\n`;
const part = (name: string, value: string) => named(`name="${name}"`, value);
const END = '--b--\r\n';

function read(body: string, type = TYPE): { model: string | undefined; stream: string | undefined } {
  const { model, stream } = readForm(bytesOf(body), type);
  return { model: model?.value, stream: stream?.value };
}

function refusal(body: string | Uint8Array, type = TYPE): string {
  try {
    readForm(typeof body === 'string' ? bytesOf(body) : body, type);
    return 'read';
  } catch (thrown) {
    if (thrown instanceof ProxyError && thrown.fault === 'invalid_request') return thrown.message;
    throw thrown;
  }
}

describe('readForm() reads', () => {
  test.each([
    ['quoted names', part('file', 'x') + part('model', 'm')],
    ['bare names', named('name=model', 'm')],
    [
      'names in any order',
      named('filename*=x; x=y', 'z').replace('filename*=x; ', '') + named('x=y; name="model"', 'm'),
    ],
    ['headers in any case', '--b\r\ncOnTeNt-DiSpOsItIoN:form-data;NAME="model"\r\n\r\nm\r\n'],
    ['white space', '--b \t\r\nContent-Disposition:  form-data ;  name = "model" \r\n\r\nm\r\n'],
    ['a folded header', '--b\r\nContent-Disposition: form-data;\r\n\tname="model"\r\n\r\nm\r\n'],
    [
      'other headers',
      '--b\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n',
    ],
    ['lines before the form', `\r\n${part('model', 'm')}`],
    ['a part without a head', `--b\r\n\r\nx\r\n${part('model', 'm')}`],
    ['a part without a name', `--b\r\nX: y\r\n\r\nx\r\n${part('model', 'm')}`],
    ['file names', named('name="file"; filename="model"', 'x') + part('model', 'm')],
    [
      'a file name that contains a name',
      named('name="file"; filename="a; name=model"', 'x') + part('model', 'm'),
    ],
    [
      'quotes in a file name',
      named(String.raw`name="file"; filename="a \"b\".wav"`, 'x') + part('model', 'm'),
    ],
    [
      'a backslash at the end of a path',
      named(String.raw`filename="C:\a\"; name="file"`, 'x') + part('model', 'm'),
    ],
    ['similar names', part('model_id', 'x') + part('models', 'x') + part('model', 'm')],
    ['boundaries within lines', part('file', 'x--b y --b--') + part('model', 'm')],
    ['an empty file', named('name="file"; filename=""', '') + part('model', 'm')],
  ])('%s', (_, body) => {
    expect(read(body + END)).toEqual({ model: 'm', stream: undefined });
  });

  test.each([
    ['quoted', 'multipart/form-data; boundary="b"'],
    ['in capitals', 'Multipart/Form-Data; BOUNDARY=b'],
    ['before others', 'multipart/form-data; boundary=b; charset=utf-8'],
    ['after another one with the same ending', 'multipart/form-data; xboundary=c; boundary=b'],
    ['quoted, and inside another value as well', 'multipart/form-data; x="; boundary=c"; boundary=b'],
  ])('a boundary that is %s', (_, type) => {
    expect(read(part('model', 'm') + part('stream', 'true') + END, type)).toEqual({
      model: 'm',
      stream: 'true',
    });
  });

  test('forms as browsers and runtimes write them', async () => {
    const form = new FormData();
    form.set('file', new Blob([crypto.getRandomValues(new Uint8Array(100_000))]), 'a "b" \\ ü.wav');
    form.set('model', 'whisper-ü');
    form.set('stream', 'true');
    const encoded = new Response(form);
    const type = encoded.headers.get('content-type')!;
    const { model, stream } = readForm(new Uint8Array(await encoded.arrayBuffer()), type);
    expect([model?.value, stream?.value]).toEqual(['whisper-ü', 'true']);
  });

  test('an unusual boundary', () => {
    const odd = "'()+_,-./:=? b";
    const body = (part('model', 'm') + END).replaceAll('--b', `--${odd}`);
    expect(read(body, `multipart/form-data; boundary="${odd}"`).model).toBe('m');
  });
});

describe('readForm() refuses', () => {
  test.each([
    ['two models', part('model', 'm') + part('model', 'other'), 'two fields "model"'],
    ['two equal models', part('model', 'm') + part('model', 'm'), 'two fields "model"'],
    ...['Model', 'MODEL', 'model ', ' model', 'model[]', 'mod%65l', 'Stream'].map(
      (name): [string, string, string] => [
        `the name ${JSON.stringify(name)}`,
        part('model', 'm') + part(name, 'x'),
        `instead of "${name}"`,
      ],
    ),
    ['two streams', part('stream', 'true') + part('stream', 'false'), 'two fields "stream"'],
    ['a file named model', named('name="model"; filename="x"', 'm'), 'must be a plain field'],
    ['a file after the field', part('model', 'm') + named('name="model"; filename="x"', 'n'), 'two fields'],
    ['an extended file name', named("name=stream; filename*=utf-8''x", 'true'), 'must be a plain field'],
    ['an extended name', named("name*=utf-8''model", 'm'), 'more than one name'],
    ['an extended name beside another', named(`name="x"; name*=utf-8''model`, 'm'), 'more than one name'],
    ['two names', named('name="x"; name="model"', 'm'), 'more than one name'],
    ['a name with a backslash', named(String.raw`name="mo\del"`, 'm'), 'in two ways'],
    ['a name after an escaped quote', named(String.raw`filename="a\"; name=model; x="`, 'm'), 'in two ways'],
    [
      'two dispositions',
      '--b\r\nContent-Disposition: form-data; name=x\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n',
      'two Content-Dispositions',
    ],
    [
      'a line feed in a part’s headers',
      '--b\r\nX: y\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n',
      'broken head',
    ],
    [
      'a carriage return in a part’s headers',
      '--b\r\nX: y\rContent-Disposition: form-data; name=model\r\n\r\nm\r\n',
      'broken head',
    ],
    [
      'a boundary after a line feed',
      part('file', 'x\n--b\r\nContent-Disposition: form-data; name=model\r\n\r\nn') + part('model', 'm'),
      'does not end with a line break',
    ],
    [
      'an encoded field',
      named('name="model"', 'bQ==', '\r\nContent-Transfer-Encoding: base64'),
      'plain field',
    ],
    [
      'a field in another charset',
      named('name="model"', 'm', '\r\nContent-Type: text/plain; charset=utf-16'),
      'plain field',
    ],
    [
      'a longer boundary',
      part('file', 'x\r\n--bc') + part('model', 'm'),
      'between its boundary and the line break',
    ],
    ['something before the first boundary', `x\r\n${part('model', 'm')}`, 'does not begin with its boundary'],
    ['something after a boundary', `--bx\r\n\r\n\r\n`, 'between its boundary'],
    ['too many parts', part('x', 'y').repeat(300) + part('model', 'm'), 'more than 256 parts'],
    [
      'extremely long headers',
      `--b\r\n${'content-disposition:'.repeat(100_000)}\r\n\r\nx\r\n`,
      'complete header within',
    ],
  ])('%s', (_, body, words) => {
    expect(refusal(body + END)).toContain(words);
  });

  test('content after the end, and a form without an end', () => {
    expect(refusal(part('model', 'm') + END + part('model', 'n') + END)).toContain('continues after its end');
    expect(refusal(part('model', 'm'))).not.toBe('read');
    expect(refusal(part('model', 'm').slice(0, -2))).toContain('does not end');
    expect(refusal('')).toContain('does not begin');
    expect(refusal(`${part('model', 'm')}${END}\r\nbye`)).toBe('read');
  });

  test.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=b; boundary=c',
    `multipart/form-data; boundary=${'b'.repeat(201)}`,
  ])('the content type %s', (type) => {
    expect(refusal(part('model', 'm') + END, type)).toContain('does not name one boundary');
  });

  test('bytes that are not valid UTF-8', () => {
    const body = Buffer.concat([bytesOf(part('model', 'X')), bytesOf(END)]);
    body[body.indexOf('X')] = 0xff;
    expect(refusal(body)).toContain('not valid UTF-8');
  });

  test('in linear time whatever the headers and bodies contain', () => {
    const fillings = ['\r\n--', '\n--b', '"', '\\"', ';', '=', 'content-disposition:', '\r\n ', '--b'];
    for (const filling of fillings) {
      const long = filling.repeat(8_000_000 / filling.length);
      refusal(part('file', long) + part('model', 'm') + END);
      refusal(named(`name="x"; filename="${filling.repeat(8_000 / filling.length)}"`, 'x').repeat(250) + END);
    }
  }, 60_000);
});

test('readForm() refuses every truncated form, except for its last line break', () => {
  const body = part('file', 'x') + part('model', 'm') + part('stream', 'true') + END;
  for (let end = 0; end < body.length - 2; end += 1) expect(refusal(body.slice(0, end))).not.toBe('read');
  for (const whole of [body, body.slice(0, -2)]) expect(read(whole)).toEqual({ model: 'm', stream: 'true' });
});

test('spliceFormModel() changes the model and no other byte', () => {
  const body = part('file', 'm') + part('model', 'm') + END;
  const spliced = spliceFormModel(bytesOf(body), TYPE, 'größer');
  expect(Buffer.from(spliced).toString()).toBe(part('file', 'm') + part('model', 'größer') + END);
  expect(Buffer.from(spliceFormModel(bytesOf(part('x', 'm') + END), TYPE, 'n')).toString()).toBe(
    part('x', 'm') + END,
  );
});
