/** Validation of requests, and its error messages. */

import { readConfig } from '@embedmill/core/process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRunBody, runOptions } from '../../../apps/producer/src/compatible/run-options.ts';
import { alertsBody } from '../../../apps/producer/src/health/firing-alerts.ts';
import { checkInput } from '../../../apps/producer/src/http/check-input.ts';
import {
  addRowsQuery,
  embedBody,
  listRunsQuery,
  searchBody,
} from '../../../apps/producer/src/native/schemas.ts';

describe('the model of a run', () => {
  it('is the served one under each of its names', () => {
    const config = readConfig({ EMBEDMILL_MODEL_ALIASES: 'text-embedding-3-small' });
    const modelOf = (model?: string) =>
      runOptions(checkInput(createRunBody, 'body', { model }), config).model;
    for (const name of [undefined, 'all-minilm', 'all-minilm:l6-v2', 'Text-Embedding-3-Small'])
      expect(modelOf(name)).toBe('all-MiniLM-L6-v2');
    expect(modelOf('multilingual')).toBe('multilingual-e5-small');
  });
});

describe('a body', () => {
  it('has defaults for omitted fields', () => {
    expect(checkInput(createRunBody, 'body', {})).toEqual({
      precision: 'int8',
      truncate: 'end',
      clean: [],
      long: 'truncate',
      prompt: '',
      inputType: 'document',
    });
  });

  it('takes null for an absent field, but not for a required one', () => {
    const nulls = Object.fromEntries(Object.keys(createRunBody.shape).map((field) => [field, null]));
    expect(checkInput(createRunBody, 'body', nulls)).toEqual(checkInput(createRunBody, 'body', {}));
    const body = checkInput(embedBody, 'body', { text: null, texts: ['a'], encoding: null, model: null });
    expect(body).toMatchObject({ texts: ['a'], encoding: 'float' });
    const alert = { status: 'firing', labels: {}, startsAt: '2026-01-01T00:00:00Z' };
    expect(checkInput(alertsBody, 'body', { alerts: [{ ...alert, annotations: null }] })).toEqual({
      alerts: [alert],
    });
    expect(() => checkInput(alertsBody, 'body', { alerts: null })).toThrow(/alerts: .*got null/);
    const search = { text: 'a', like: null, count: null };
    expect(checkInput(searchBody, 'body', search)).toMatchObject({ text: 'a', count: 20, mode: 'hybrid' });
    expect(() => checkInput(createRunBody, 'body', JSON.parse('{"__proto__": null}'))).toThrow(
      'unknown "__proto__"',
    );
  });

  it('is refused with each wrong value, however deep it is, and what was expected', () => {
    const refusal = (given: unknown) => {
      try {
        checkInput(alertsBody, 'body', given);
      } catch (error) {
        return (error as Error).message;
      }
      return undefined;
    };
    expect(refusal(null)).toBe('invalid body: expected object, got null');
    expect(refusal({})).toBe('invalid body: alerts: expected array, got nothing');
    expect(refusal({ alerts: [1] })).toBe('invalid body: alerts.0: expected object, got 1');
  });

  it('is accepted or rejected with a short message, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (given) => {
        try {
          const body = checkInput(createRunBody, 'body', given);
          expect(Object.keys(body).every((key) => key in createRunBody.shape)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: 'RequestError', code: 'invalid-body' });
          expect((error as Error).message.length).toBeLessThan(3000);
        }
      }),
    );
  });

  it('must not have a name that breaks a log line or a file name', () => {
    for (const name of ['', 'a\nb', 'a\0b', '\u009b2J', '\ud800', 'x'.repeat(201), 7, ['a']]) {
      expect(() => checkInput(createRunBody, 'body', { name })).toThrow(/^invalid body: name: /);
    }
    for (const name of ['reviews', 'Bücher & Co. 書', '../../etc/passwd']) {
      expect(checkInput(createRunBody, 'body', { name }).name).toBe(name);
    }
  });
});

describe('a query', () => {
  it('has numbers in decimal digits', () => {
    expect(checkInput(addRowsQuery, 'query', { part: '007' }).part).toBe(7);
    for (const part of [
      '',
      ' 1',
      '1e3',
      '0x1',
      '+1',
      '-1',
      '1.0',
      '1000000000',
      'NaN',
      ['1', '2'],
      undefined,
    ]) {
      expect(() => checkInput(addRowsQuery, 'query', { part })).toThrow(/^invalid query: part: /);
    }
  });

  it('reports all its faults', () => {
    expect(() => checkInput(listRunsQuery, 'query', { limit: '0', state: 'done', page: '2' })).toThrow(
      expect.objectContaining({
        facts: {
          errors: [
            { field: 'limit', message: expect.any(String) },
            { field: 'state', message: expect.stringContaining('got "done"') },
            { field: '', message: 'unknown "page"; expected limit, after, state' },
          ],
        },
      }),
    );
  });
});
