/** Drains request bodies that were answered before they were read completely. */

import type { RequestHandler } from 'express';

/**
 * Closing at once would reset the connection, and a client that is still sending would lose the response (RFC
 * 9112, 9.6). The rest is therefore read and discarded for up to `lingerMs`; then the connection is closed.
 */
export function drainBodies(lingerMs: number): RequestHandler {
  return (req, res, next) => {
    res.once('finish', () => {
      if (req.complete) return;
      const timer = setTimeout(() => {
        // Node discards a body that was never read without an event at its end; by now the connection may
        // serve others.
        if (!req.complete) req.socket.destroy();
      }, lingerMs);
      timer.unref();
      for (const event of ['end', 'close']) req.once(event, () => clearTimeout(timer));
      // An abandoned reader leaves its listener behind, which would hold back the rest.
      req.removeAllListeners('readable');
      req.resume();
    });
    next();
  };
}
