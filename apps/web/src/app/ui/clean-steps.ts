/** The steps that clean a text, for choices on pages. */

import type { CleanStep } from '@embedmill/contract';

/** In the order of their work, with what they do in a few words. */
export const CLEAN_STEPS: readonly { step: CleanStep; meaning: string }[] = [
  { step: 'html', meaning: 'HTML tags and entities' },
  { step: 'nfkc', meaning: 'Unicode variants' },
  { step: 'line-breaks', meaning: 'unusual line breaks' },
  { step: 'invisible', meaning: 'invisible characters' },
  { step: 'control', meaning: 'control characters' },
  { step: 'spaces', meaning: 'unusual spaces' },
  { step: 'white-space', meaning: 'runs of white space' },
  { step: 'final-punctuation', meaning: 'punctuation at the end' },
];

/** All of them. */
export const ALL_STEPS: readonly CleanStep[] = CLEAN_STEPS.map(({ step }) => step);
