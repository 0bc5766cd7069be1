/** Short descriptions of the cleaning steps, for checkboxes. */

import type { CleanStep } from '@embedmill/contract';

/** What each step removes; the order of the steps is `CLEAN_STEPS`. */
export const CLEAN_STEP_LABELS: Readonly<Record<CleanStep, string>> = {
  html: 'HTML tags and entities',
  nfkc: 'Unicode variants',
  'line-breaks': 'unusual line breaks',
  invisible: 'invisible characters',
  control: 'control characters',
  spaces: 'unusual spaces',
  'white-space': 'runs of white space',
  'final-punctuation': 'punctuation at the end',
};
