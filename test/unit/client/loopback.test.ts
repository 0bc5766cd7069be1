/** Requests to this machine do not go through proxies. */

import { describe, expect, it } from 'vitest';
import { exemptLoopback } from '../../../packages/client/src/loopback.ts';

const PROXY = { HTTP_PROXY: 'http://proxy.example:3128' };

describe('the host of a URL', () => {
  it.each(['localhost:8080', '127.0.0.1:8080', '127.0.0.2', '[::1]:8080', 'mill.localhost'])(
    'is exempt from proxies if it is this machine: %s',
    (host) => {
      const environment = { ...PROXY };
      exemptLoopback(`http://${host}`, environment);
      exemptLoopback(`http://${host}`, environment);
      expect(environment).toEqual({ ...PROXY, NO_PROXY: host.replace(/:\d+$/, '') });
    },
  );

  it('is added to the variable that applies', () => {
    const upper = { ...PROXY, NO_PROXY: 'intranet.example, other' };
    exemptLoopback('http://127.0.0.1:8080', upper);
    expect(upper.NO_PROXY).toBe('intranet.example,other,127.0.0.1');
    const lower = { ...PROXY, no_proxy: 'x', NO_PROXY: 'y' };
    exemptLoopback('http://127.0.0.1:8080', lower);
    expect(lower).toMatchObject({ no_proxy: 'x,127.0.0.1', NO_PROXY: 'y' });
  });

  it('is not exempt if it is another machine, and nothing changes without a proxy', () => {
    const remote = { ...PROXY };
    for (const url of ['http://producer:8080', 'http://127.0.0.1.example', 'not a URL'])
      exemptLoopback(url, remote);
    expect(remote).toEqual(PROXY);
    const plain = {};
    exemptLoopback('http://localhost', plain);
    expect(plain).toEqual({});
  });
});
