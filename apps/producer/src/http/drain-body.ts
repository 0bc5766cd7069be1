/** Looks after bodies that nobody read to their end because the answer was known earlier. */

import type { RequestHandler } from 'express';

/**
 * Closing at once would reset the connection, and a client that is still sending would lose the answer on its way
 * (RFC 9112, 9.6). So the rest is read and thrown away for a while; then the connection is closed.
 */
export function drainBodies(lingerMs: number): RequestHandler {
  return (req, res, next) => {
    res.once('finish', () => {
      if (req.complete) return;
      const timer = setTimeout(() => {
        // Node throws away what nobody began to read, without an event at its end; the connection may serve others by now.
        if (!req.complete) req.socket.destroy();
      }, lingerMs);
      timer.unref();
      for (const event of ['end', 'close']) req.once(event, () => clearTimeout(timer));
      // A reader that gave up left its listener, which would hold the rest back.
      req.removeAllListeners('readable');
      req.resume();
    });
    next();
  };
}
