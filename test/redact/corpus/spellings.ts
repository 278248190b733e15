/** Spellings of values, and texts that contain them. */

/** Escapes everything but letters and digits, as servers and browsers do. */
const percent = (text: string) => encodeURIComponent(text).replaceAll('.', '%2E');
const escaped = (text: string) =>
  text.replaceAll(/[^ -~]|[@+(]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

const SIGNS = /[^ -~]|[@+.:(-]/g;
const hex = (sign: string, digits: number) => sign.codePointAt(0)!.toString(16).padStart(digits, '0');
const octal = (byte: string) => `\\${parseInt(byte, 16).toString(8).padStart(3, '0')}`;
const escapeBytes = (text: string, encoding: 'latin1' | 'utf8', escape: (byte: string) => string) =>
  text.replaceAll(SIGNS, (sign) =>
    Array.from(Buffer.from(sign, encoding), (byte) => escape(byte.toString(16).padStart(2, '0'))).join(''),
  );
const quotedPrintable = (text: string) =>
  text.replaceAll(/[^ -~]|[@=]|\+(?!\d\d)/g, (sign) => percent(sign).replaceAll('%', '='));
const utf7 = (sign: string) =>
  `+${Buffer.from(sign, 'utf16le').swap16().toString('base64').replaceAll('=', '')}-`;
const NAMES: Readonly<Record<string, string>> = {
  '@': 'commat',
  '.': 'period',
  '+': 'plus',
  '-': 'hyphen',
  ü: 'uuml',
};
const named = (text: string) => text.replaceAll(/[@.+ü-]/g, (sign) => `&${NAMES[sign]!};`);

export const SPELLINGS: readonly (readonly [
  name: string,
  spell: (value: string) => string,
  around: string,
])[] = [
  ['a URL', percent, 'https://h.example/p?q=@&z=1'],
  ['a URL in a URL', (value) => percent(percent(value)), 'https://h.example/p?u=@'],
  ['a query', (value) => percent(value).replaceAll('%20', '+'), 'q=@&z=1'],
  ['an escaped line', (value) => value, '"a\\n@\\tb"'],
  ['escaped text', escaped, 'console.log("@")'],
  [
    'JSON in JSON',
    (value) => JSON.stringify(JSON.stringify(escaped(value))).slice(3, -3),
    'x: "{\\"a\\":\\"@\\"}"',
  ],
  [
    'a URL of JavaScript',
    (value) => value.replaceAll(/[^ -~]|[@+.: (-]/g, (sign) => `%u${hex(sign, 4)}`),
    'q=@',
  ],
  ['a URL in Latin-1', (value) => escapeBytes(value, 'latin1', (byte) => `%${byte}`), 'q=@'],
  ['a string with code points', (value) => value.replaceAll(SIGNS, (sign) => `\\u{${hex(sign, 1)}}`), '"@"'],
  ['a string of Python', (value) => value.replaceAll(SIGNS, (sign) => `\\U${hex(sign, 8)}`), "'@'"],
  ['a string of Perl', (value) => value.replaceAll(SIGNS, (sign) => `\\x{${hex(sign, 1)}}`), '"@"'],
  ['bytes', (value) => escapeBytes(value, 'utf8', (byte) => `\\x${byte}`), "b'@'"],
  ['octal bytes', (value) => escapeBytes(value, 'utf8', octal), '"@"'],
  ['CSS', (value) => value.replaceAll(/[@+.:]/g, (sign) => `\\${hex(sign, 1)} `), 'content: "@"'],
  ['Markdown', (value) => value.replaceAll(/[!-/:-@[-`{-~]/g, (sign) => `\\${sign}`), '- @ \\*'],
  ['a shell', (value) => value.replaceAll(/[ ()]/g, (sign) => `\\${sign}`), 'call @ now'],
  [
    'a continued line',
    (value) => `${value.slice(0, value.length / 2)}\\\n${value.slice(value.length / 2)}`,
    '"@"',
  ],
  ['mail', quotedPrintable, 'Write to @ now'],
  [
    'broken mail',
    (value) => `${value.slice(0, value.length / 2)}=\r\n${value.slice(value.length / 2)}`,
    'Write to @ now',
  ],
  ['UTF-7', (value) => value.replaceAll(/[@+]/g, utf7), 'Write to @ now'],
  [
    'HTML without semicolons',
    (value) => value.replaceAll(/[@+.](?!\d)/g, (sign) => `&#0${sign.charCodeAt(0)}`),
    '<td>@</td>',
  ],
  ['HTML with names', named, '<td>@</td>'],
  [
    'typeset text',
    (value) => value.replaceAll(' ', '\u00a0').replaceAll(/(?<=\d)-(?=\d)/g, '\u2011'),
    'is @.',
  ],
  ['text with invisible characters', (value) => value.replaceAll(/(?<=[ -~])(?=[!-~])/g, '\u200b'), '‪@‬'],
  ['text with marks apart', (value) => value.normalize('NFD'), 'It is @.'],
  ['HTML', (value) => value.replaceAll(/[@+.]/g, (sign) => `&#${sign.charCodeAt(0)};`), '<td>@</td>'],
  ['a full stop', (value) => value, 'It is @.'],
];

/** Texts in which `@` stands for a value. */
export const PLACES: readonly string[] = [
  'Please note @, thanks.',
  'He wrote (@) today.',
  'He said "@".',
  "const x = '@';",
  'send("@", 3)',
  "data = {'k': '@', 'n': 1}",
  '2026-11-23 10:00:00,123 INFO [main] user=@ ok',
  'level=info msg="got it" val=@ n=3',
  '17,@,x',
  'a;@;b',
  '1\t@\t2',
  '"1","@","2"',
  'out: {"a":1,"v":"@"}',
  '<v a="1">@</v>',
  '- **x**: @\n- y',
  '| 1 | @ | b |',
  'It is `@`, or _@_.',
  'From: a\nX-V: @\n\nHi',
  'v: @\nw: 2',
  'x -> @ -> y',
  'a|@|b',
  '连接：@。谢谢',
  'one\n@\ntwo',
  'id:@',
];
