/** The content security policy of pages that others made (Swagger UI, bull-board); their routes set it. */

import helmet from 'helmet';

/**
 * Such pages set styles from scripts and draw with data URLs. bull-board asks a font service for its letters, which this
 * refuses; it looks as well without. No upgrade to https: most producers have no certificate.
 */
export const foreignPagePolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    objectSrc: ["'none'"],
    frameAncestors: ["'self'"],
  },
});
