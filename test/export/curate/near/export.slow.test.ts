import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { changed, generator, jaccard, shinglesOf, words } from './texts.ts';
import { answered, chat, line, user } from '../../records.ts';
import { workshop } from '../../workshop.ts';

type Shop = Awaited<ReturnType<typeof workshop>>;

const ANSWER = 'Certainly';
const asks = (text: string, before: readonly object[] = []) =>
  line({ request: chat([...before, user(text)]), response: answered({ content: ANSWER }) });
const asked = (rows: readonly Row[]) => rows.map(({ messages }) => messages.at(-2)!.content);

interface Row {
  readonly messages: readonly { readonly content: string }[];
}

function rowsOf(path: string): Row[] {
  // A split without rows has no file.
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((row) => JSON.parse(row) as Row);
}

/** Questions in clusters of `copies` near duplicates, which begin and end differently: one array for each cluster. */
function clusters(count: number, copies: number, seed: number): string[][] {
  const random = generator(seed);
  return Array.from({ length: count }, () => {
    const same = words(100, random);
    return Array.from({ length: copies }, (_, copy) =>
      (copy === 0
        ? same
        : changed(changed(same, { at: 0, count: 2 }, random), { at: 98, count: 2 }, random)
      ).join(' '),
    );
  });
}

describe('--near-dup', () => {
  test('keeps the first of each cluster, in the order of the log', async () => {
    const all = clusters(30, 4, 1);
    const turns = [0, 1, 2, 3].flatMap((copy) => all.map((cluster) => cluster[copy]!));
    await using shop = await workshop({ 'a.ndjson': turns.map((text) => asks(text)).join('') });
    const { report } = await shop.run('--near-dup 0.8');
    expect(asked(shop.rows())).toEqual(all.map(([first]) => first!));
    expect(report.filtered).toEqual({ near_duplicate: 90 });
    await shop.run('--near-dup 0.99 --force');
    expect(shop.rows()).toHaveLength(120);
    await shop.run('--near-dup none --force');
    expect(shop.rows()).toHaveLength(120);
  });

  test('ignores system prompts', async () => {
    const random = generator(2);
    const long = words(400, random).join(' ');
    const says = (role: string, content: string) => [{ role, content }];
    const questions = Array.from({ length: 6 }, () => words(30, random).join(' '));
    const log = [
      ...questions.map((text) => asks(text, says('system', long))),
      asks(questions[0]!, says('system', 'Be brief')),
      asks(questions[1]!, says('developer', words(200, random).join(' '))),
      asks(questions[2]!),
      // User messages are compared.
      asks(questions[3]!, says('user', long)),
    ];
    await using shop = await workshop({ 'a.ndjson': log.join('') });
    const { report } = await shop.run('--near-dup 0.8');
    expect(report.filtered).toEqual({ near_duplicate: 3 });
    expect(asked(shop.rows())).toEqual([...questions, questions[3]!]);
  });

  test('accepts texts of any length and script that do not resemble each other', async () => {
    const random = generator(3);
    const emoji = (from: number) => String.fromCodePoint(...Array.from({ length: 30 }, (_, at) => from + at));
    const texts = [
      'a',
      'b',
      '?',
      '天',
      '今天天气很好，我们去公园散步吧。',
      '股票市场昨日大幅下跌，投资者非常担忧。',
      emoji(0x1f600),
      emoji(0x1f400),
      words(300_000, random).join(' '),
      'yes '.repeat(500_000),
    ];
    const log = texts.map((text) =>
      line({ request: chat([user(text)]), response: answered({ content: text }) }),
    );
    await using shop = await workshop({ 'a.ndjson': [...log, ...log].join('') });
    const { report } = await shop.run('--near-dup 0.5 --dedup none');
    expect(asked(shop.rows())).toEqual(texts);
    expect(report.filtered).toEqual({ near_duplicate: texts.length });
  });

  test('produces the same rows however the log is divided into files', async () => {
    const all = clusters(12, 5, 4).flat();
    const lines = all.map((text) => asks(text));
    await using shop = await workshop();
    const flags = '--near-dup 0.8 --seed 7 --force';
    const output = async (cuts: readonly number[], threads = 0) => {
      for (let file = 0; file < 5; file++) rmSync(shop.path(`logs/${file}.ndjson`), { force: true });
      for (const [file, from] of cuts.entries())
        writeFileSync(shop.path(`logs/${file}.ndjson`), lines.slice(from, cuts[file + 1]).join(''));
      await shop.run(flags, {}, threads);
      return readFileSync(shop.output, 'utf8');
    };
    const whole = await output([0]);
    expect(whole.split('\n')).toHaveLength(12 + 1);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: lines.length - 1 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        expect(await output([0, ...places.toSorted((a, b) => a - b)])).toBe(whole);
      }),
      { seed: 4, numRuns: 15 },
    );
    expect(await output([0, 20, 33], 2)).toBe(whole);
  });

  test('produces the same rows whatever pieces the log is read in, and in any number of threads', async () => {
    const all = clusters(40, 3, 5);
    // Long lines, so that there are several pieces of 2 MiB.
    const system = [{ role: 'system', content: words(6_000, generator(5)).join(' ') }];
    const lines = [0, 1, 2].flatMap((copy) => all.map((cluster) => asks(cluster[copy]!, system)));
    await using shop = await workshop();
    for (const [shift, threads] of [
      [0, 0],
      [700_000, 0],
      [1_500_000, 0],
      [0, 3],
    ] as const) {
      writeFileSync(shop.path('logs/a.ndjson'), `${'x'.repeat(shift)}\n${lines.join('')}`);
      await shop.run('--near-dup 0.8 --force', {}, threads);
      expect(asked(shop.rows())).toEqual(all.map(([first]) => first!));
    }
  });
});

describe('--near-dup compares answers and prompts separately', () => {
  const words = (seed: number, count: number) =>
    Array.from({ length: count }, (_, n) => `w${(seed * 7919 + n * 104_729) % 99_991}`).join(' ');
  const long = words(1, 2_000);
  const one = (prompt: string, content: string) =>
    line({ request: chat([user(prompt)]), response: answered({ content }) });
  const kept = async (log: readonly string[], flags: string) => {
    await using shop = await workshop({ 'a.ndjson': log.join('') });
    return (await shop.run(`${flags} --dedup none`)).report.kept;
  };
  const FORMATS = ['-f trl-pc', '-f trl', '-f openai', '-f openai --conversations turns', '-f rft'];

  test.each(FORMATS)(
    'rows with a long common prompt and different answers are not duplicates: %s',
    async (format) => {
      const unlike = Array.from({ length: 40 }, (_, n) => one(`${long} question ${n}`, words(n + 2, 60)));
      for (const share of ['0.5', '0.8'])
        expect(await kept(unlike, `${format} --near-dup ${share}`)).toBe(40);
    },
  );

  test.each(FORMATS)(
    'rows with the same short answer to different prompts are not duplicates: %s',
    async (format) => {
      const yes = Array.from({ length: 40 }, (_, n) => one(words(n + 2, 60), 'Yes.'));
      expect(await kept(yes, `${format} --near-dup 0.8`)).toBe(40);
    },
  );

  test.each(FORMATS)('rows that are nearly the same in both are duplicates: %s', async (format) => {
    const alike = Array.from({ length: 40 }, (_, n) => one(`${long} at ${n}`, `${words(5, 300)} ${n}`));
    expect(await kept(alike, `${format} --near-dup 0.8`)).toBe(1);
  });

  describe('if a program sends an instruction with each text', () => {
    const instruction = words(1, 350);
    const [before, behind] = [words(3, 170), words(4, 180)];
    const places: Readonly<Record<string, (text: string) => string>> = {
      'before it': (text) => `${instruction}\n\n${text}`,
      'after it': (text) => `${text}\n\n${instruction}`,
      'around it': (text) => `${before}\n${text}\n${behind}`,
    };
    const texts = (count: number, length: number) =>
      Array.from({ length: count }, (_, n) => words(n + 50, length));
    const asked = (all: readonly string[], write: (text: string) => string) =>
      all.map((text) => one(write(text), 'positive'));

    test.each(Object.entries(places))(
      'different texts are not duplicates, with the instruction %s',
      async (_, write) => {
        const log = asked(texts(40, 20), write);
        for (const format of FORMATS) expect(await kept(log, `${format} --near-dup 0.8`)).toBe(40);
        expect(await kept(asked(texts(20, 3), write), '--near-dup 0.8')).toBe(20);
        expect(await kept(asked(texts(20, 12), write), '--near-dup 0.5')).toBe(20);
      },
    );

    test.each(Object.entries(places))(
      'near duplicates among the texts are found, with the instruction %s',
      async (_, write) => {
        const all = texts(20, 60);
        const typos = all.map((text) => text.replace(/^\w+/, 'typo'));
        const shouted = all.map((text) => text.toUpperCase());
        const log = asked([...all, ...shouted], write);
        expect(await kept(log, '--near-dup 0.8')).toBe(20);
        // At this similarity, a pair is found at least 19 times in 20.
        const left = await kept(asked([...all, ...typos], write), '--near-dup 0.7');
        expect(left).toBeGreaterThanOrEqual(20);
        expect(left).toBeLessThanOrEqual(22);
      },
    );

    test('other instructions in the log do not matter', async () => {
      const instructions = Array.from({ length: 30 }, (_, n) => words(n + 1_000, 200));
      const log = (write: (text: string) => string) =>
        instructions.flatMap((each, n) => {
          const rows = Array.from({ length: 10 }, (_, row) => words(10 * n + row + 50, 20));
          return rows.map((text) => one(`${each}\n${write(text)}`, 'positive'));
        });
      const all = log((text) => text);
      expect(await kept(all, '--near-dup 0.8')).toBe(300);
      expect(await kept([...all, ...log((text) => text.toUpperCase())], '--near-dup 0.8')).toBe(300);
    });

    test('a long answer is sufficient, and so is a prompt that few rows share', async () => {
      const answer = words(9, 80);
      const long = texts(20, 20).map((text) => one(`${instruction} ${text}`, answer));
      expect(await kept(long, '--near-dup 0.8')).toBe(1);
      const few = asked(texts(5, 20), places['before it']!);
      expect(await kept(few, '--near-dup 0.8')).toBe(1);
    });
  });

  test('a longer conversation is not a duplicate of its beginning if each answer is a row', async () => {
    const turns = Array.from({ length: 12 }, (_, n) => [words(2 * n, 40), words(2 * n + 1, 40)]).flat();
    const log = Array.from({ length: 12 }, (_, n) => {
      const said = turns
        .slice(0, 2 * n + 1)
        .map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content }));
      return line({ request: chat(said), response: answered({ content: turns[2 * n + 1] }) });
    });
    expect(await kept(log, '-f trl-pc --near-dup 0.8')).toBe(12);
    expect(await kept(log, '-f openai --conversations turns --near-dup 0.8')).toBe(12);
  });
});

describe('--split', () => {
  /** The questions of both splits. */
  const sidesOf = (shop: Shop) =>
    ['train', 'test'].map((side) => asked(rowsOf(shop.path(`out/${side}.jsonl`)))) as [string[], string[]];
  const split = async (shop: Shop, flags: string) => {
    rmSync(shop.path('out'), { recursive: true, force: true });
    return shop.run(`--split train=0.5,test=0.5 ${flags} -o ${shop.path('out')}/`);
  };
  /** Pairs in different splits whose true similarity is at least this. */
  const leaks = ([train, held]: [string[], string[]], similarity: number) => {
    const shingles = held.map((text) => shinglesOf(`${text}\n${ANSWER}`));
    return train
      .map((text) => shinglesOf(`${text}\n${ANSWER}`))
      .flatMap((mine) => shingles.filter((other) => jaccard(mine, other) >= similarity)).length;
  };

  test('puts near duplicates into the same split', async () => {
    const all = clusters(30, 5, 6);
    const log = [0, 1, 2, 3, 4].flatMap((copy) => all.map((cluster) => asks(cluster[copy]!))).join('');
    await using shop = await workshop({ 'a.ndjson': log });
    await split(shop, '--near-dup none');
    const careless = sidesOf(shop);
    expect(careless.flat()).toHaveLength(150);
    expect(leaks(careless, 0.8)).toBeGreaterThan(50);
    await split(shop, '');
    const careful = sidesOf(shop);
    expect(leaks(careful, 0.8)).toBe(0);
    expect(careful.flat()).toHaveLength(150);
    for (const side of careful) expect(side.length).toBeGreaterThan(20);
    const { report } = await split(shop, '--near-dup 0.8');
    expect(sidesOf(shop).flat().toSorted()).toEqual(all.map(([first]) => first!).toSorted());
    expect(report.filtered).toEqual({ near_duplicate: 120 });
  });

  test('leaves out rows that connect two splits', async () => {
    const random = generator(8);
    const chains = Array.from({ length: 40 }, () => {
      const middle = words(200, random);
      // Each has a similarity of 0.85 to the middle one, and of 0.72 to the other.
      const [left, right] = [0, 100].map((at) => changed(middle, { at, count: 14 }, random));
      return [left!, right!, middle].map((text) => text.join(' '));
    });
    const log = [0, 1, 2].flatMap((place) => chains.map((chain) => asks(chain[place]!))).join('');
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await split(shop, '');
    const sides = sidesOf(shop);
    const torn = chains.filter((chain) => sides[0].includes(chain[0]!) !== sides[0].includes(chain[1]!));
    expect(torn.length).toBeGreaterThan(10);
    expect(report.filtered).toEqual({ cross_split: torn.length });
    expect(sides.flat()).toHaveLength(120 - torn.length);
    expect(leaks(sides, 0.82)).toBe(0);
  });

  test('leaves out rows that connect two splits, however often one of them is repeated', async () => {
    const random = generator(8);
    const chains = Array.from({ length: 40 }, () => {
      const middle = words(200, random);
      const near = changed(middle, { at: 100, count: 10 }, random);
      const other = changed(middle, { at: 0, count: 15 }, random);
      return [other, ...Array.from({ length: 20 }, () => near), middle].map((text) => text.join(' '));
    });
    const log = chains.flatMap((chain) => chain.map((text) => asks(text))).join('');
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await split(shop, '');
    expect(leaks(sidesOf(shop), 0.82)).toBe(0);
    expect(report.filtered.cross_split).toBeGreaterThan(10);
  });
});
