import { describe, expect, test } from 'bun:test';
import { pathTemplate, safeSegments } from '../../src/wire/safe-path.ts';

describe('segmentsBelow()', () => {
  test.each([
    ['/files', ['files']],
    ['/files/', ['files']],
    ['/files/file-1/content', ['files', 'file-1', 'content']],
    ['/models/gemini-2.0:generateContent', ['models', 'gemini-2.0:generateContent']],
    ['/a/..b/c..', ['a', '..b', 'c..']],
    ['/a/caf%C3%A9', ['a', 'caf%C3%A9']],
  ])('splits %s', (path, segments) => expect(safeSegments(path)).toEqual(segments));

  test.each([
    '',
    '/',
    'files',
    '//evil.example/x',
    '/a//b',
    '/a/../b',
    '/a/./b',
    '/..',
    '/a/%2e%2e/b',
    '/a/%2E./b',
    '/a/%252e%252e/b',
    '/a/%25252e%25252e/b',
    '/a/%2525252e%2525252e/b',
    '/a/..%2fb',
    '/a%2f..%2fb',
    '/a%5c..%5cb',
    '/a\\..\\b',
    '/a/..;/b',
    '/a/..;x=1/b',
    '/a/%2e%2e;/b',
    '/a/ ../b',
    '/a/%20../b',
    '/a/%00/b',
    '/a%0d%0aHost:evil/b',
    '/a/%3fb',
    '/a/%23b',
    '/a/%zz',
    '/a/%ff',
    `/${'a'.repeat(3_000)}`,
  ])('refuses %s', (path) => expect(safeSegments(path)).toBeUndefined());
});

test('pathTemplate() keeps known words and replaces ids', () => {
  const template = (path: string) => pathTemplate(path.slice(1).split('/'));
  expect(template('/v1/files')).toBe('/v1/files');
  expect(template('/files/file-abc123/content')).toBe('/files/{id}/content');
  expect(template('/fine_tuning/jobs/ftjob-x/events')).toBe('/fine_tuning/jobs/{id}/events');
  expect(template('/vector_stores/vs_6f/file_batches/vsfb_1/cancel')).toBe(
    '/vector_stores/{id}/file_batches/{id}/cancel',
  );
  expect(template('/v1beta/models/gemini-2:predict')).toBe('/v1beta/models/{id}');
  expect(template('/people/anna@example.com')).toBe('/people/{id}');
});
