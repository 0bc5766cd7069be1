/** The content security policy of third-party pages (Swagger UI, bull-board). */

import helmet from 'helmet';

/**
 * These pages set styles from scripts and use images in data URLs. bull-board requests a web font, which this
 * policy blocks; the page works without it. No upgrade to https, because most producers have no certificate.
 */
export const thirdPartyPagePolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    objectSrc: ["'none'"],
    frameAncestors: ["'self'"],
  },
});
