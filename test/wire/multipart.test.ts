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
    ['blanks around', '--b \t\r\nContent-Disposition:  form-data ;  name = "model" \r\n\r\nm\r\n'],
    ['a folded header', '--b\r\nContent-Disposition: form-data;\r\n\tname="model"\r\n\r\nm\r\n'],
    [
      'other headers',
      '--b\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n',
    ],
    ['lines before the form', `\r\n${part('model', 'm')}`],
    ['a part without a head', `--b\r\n\r\nx\r\n${part('model', 'm')}`],
    ['a part without a name', `--b\r\nX: y\r\n\r\nx\r\n${part('model', 'm')}`],
    ['the names of files', named('name="file"; filename="model"', 'x') + part('model', 'm')],
    [
      'a name in the name of a file',
      named('name="file"; filename="a; name=model"', 'x') + part('model', 'm'),
    ],
    [
      'quotes in the name of a file',
      named(String.raw`name="file"; filename="a \"b\".wav"`, 'x') + part('model', 'm'),
    ],
    [
      'a backslash at the end of a path',
      named(String.raw`filename="C:\a\"; name="file"`, 'x') + part('model', 'm'),
    ],
    [
      'names that are longer',
      part('model_id', 'x') + part('models', 'x') + part('Model', 'x') + part('model', 'm'),
    ],
    ['boundaries within lines', part('file', 'x--b y --b--') + part('model', 'm')],
    ['an empty file', named('name="file"; filename=""', '') + part('model', 'm')],
  ])('%s', (_, body) => {
    expect(read(body + END)).toEqual({ model: 'm', stream: undefined });
  });

  test.each([
    ['quoted', 'multipart/form-data; boundary="b"'],
    ['in capitals', 'Multipart/Form-Data; BOUNDARY=b'],
    ['before others', 'multipart/form-data; boundary=b; charset=utf-8'],
    ['behind one that ends like it', 'multipart/form-data; xboundary=c; boundary=b'],
    ['quoted, with one inside another', 'multipart/form-data; x="; boundary=c"; boundary=b'],
  ])('a boundary that is %s', (_, type) => {
    expect(read(part('model', 'm') + part('stream', 'true') + END, type)).toEqual({
      model: 'm',
      stream: 'true',
    });
  });

  test('what browsers and runtimes write', async () => {
    const form = new FormData();
    form.set('file', new Blob([crypto.getRandomValues(new Uint8Array(100_000))]), 'a "b" \\ ü.wav');
    form.set('model', 'whisper-ü');
    form.set('stream', 'true');
    const encoded = new Response(form);
    const type = encoded.headers.get('content-type')!;
    const { model, stream } = readForm(new Uint8Array(await encoded.arrayBuffer()), type);
    expect([model?.value, stream?.value]).toEqual(['whisper-ü', 'true']);
  });

  test('an odd boundary as it stands', () => {
    const odd = "'()+_,-./:=? b";
    const body = (part('model', 'm') + END).replaceAll('--b', `--${odd}`);
    expect(read(body, `multipart/form-data; boundary="${odd}"`).model).toBe('m');
  });
});

describe('readForm() refuses', () => {
  test.each([
    ['two models', part('model', 'm') + part('model', 'other'), 'two fields "model"'],
    ['two equal models', part('model', 'm') + part('model', 'm'), 'two fields "model"'],
    ['two streams', part('stream', 'true') + part('stream', 'false'), 'two fields "stream"'],
    ['a file of this name', named('name="model"; filename="x"', 'm'), 'must be a plain field'],
    ['a file behind the field', part('model', 'm') + named('name="model"; filename="x"', 'n'), 'two fields'],
    ['an extended file name', named("name=stream; filename*=utf-8''x", 'true'), 'must be a plain field'],
    ['an extended name', named("name*=utf-8''model", 'm'), 'more than one name'],
    ['an extended name beside another', named(`name="x"; name*=utf-8''model`, 'm'), 'more than one name'],
    ['two names', named('name="x"; name="model"', 'm'), 'more than one name'],
    ['a name with a backslash', named(String.raw`name="mo\del"`, 'm'), 'in two ways'],
    ['a name behind an escaped quote', named(String.raw`filename="a\"; name=model; x="`, 'm'), 'in two ways'],
    [
      'two dispositions',
      '--b\r\nContent-Disposition: form-data; name=x\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n',
      'two Content-Dispositions',
    ],
    [
      'a line feed in a head',
      '--b\r\nX: y\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n',
      'broken head',
    ],
    [
      'a carriage return in a head',
      '--b\r\nX: y\rContent-Disposition: form-data; name=model\r\n\r\nm\r\n',
      'broken head',
    ],
    [
      'a boundary behind a line feed',
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
    ['something before it', `x\r\n${part('model', 'm')}`, 'does not begin with its boundary'],
    ['something between', `--bx\r\n\r\n\r\n`, 'between its boundary'],
    ['too many parts', part('x', 'y').repeat(300) + part('model', 'm'), 'more than 256 parts'],
    [
      'a head without end',
      `--b\r\n${'content-disposition:'.repeat(100_000)}\r\n\r\nx\r\n`,
      'head of at most',
    ],
  ])('%s', (_, body, words) => {
    expect(refusal(body + END)).toContain(words);
  });

  test('what goes on behind its end, and what has none', () => {
    expect(refusal(part('model', 'm') + END + part('model', 'n') + END)).toContain('goes on behind its end');
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
  ])('the type %s', (type) => {
    expect(refusal(part('model', 'm') + END, type)).toContain('does not name one boundary');
  });

  test('bytes that are no UTF-8', () => {
    const body = Buffer.concat([bytesOf(part('model', 'X')), bytesOf(END)]);
    body[body.indexOf('X')] = 0xff;
    expect(refusal(body)).toContain('not valid UTF-8');
  });

  test('nothing slowly: heads and bodies of every kind of filling take linear time', () => {
    const fillings = ['\r\n--', '\n--b', '"', '\\"', ';', '=', 'content-disposition:', '\r\n ', '--b'];
    for (const filling of fillings) {
      const long = filling.repeat(8_000_000 / filling.length);
      refusal(part('file', long) + part('model', 'm') + END);
      refusal(named(`name="x"; filename="${filling.repeat(8_000 / filling.length)}"`, 'x').repeat(250) + END);
    }
  }, 10_000);
});

test('every cut of a form is refused or read the same', () => {
  const body = part('file', 'x') + part('model', 'm') + part('stream', 'true') + END;
  for (let end = 0; end < body.length - 2; end += 1) expect(refusal(body.slice(0, end))).not.toBe('read');
  for (const whole of [body, body.slice(0, -2)]) expect(read(whole)).toEqual({ model: 'm', stream: 'true' });
});

test('spliceFormModel() changes the name of the model, and no other byte', () => {
  const body = part('file', 'm') + part('model', 'm') + END;
  const spliced = spliceFormModel(bytesOf(body), TYPE, 'größer');
  expect(Buffer.from(spliced).toString()).toBe(part('file', 'm') + part('model', 'größer') + END);
  expect(Buffer.from(spliceFormModel(bytesOf(part('x', 'm') + END), TYPE, 'n')).toString()).toBe(
    part('x', 'm') + END,
  );
});
