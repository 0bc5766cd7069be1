/** The query that tells the producer how to split and decode records. */

import type { PlanChoices } from '@embedmill/core/formats';

/** How records are split and decoded, as a query of the API. */
export function readingQuery({
  delimiter,
  quote,
  header,
  charset,
}: Pick<PlanChoices, 'delimiter' | 'quote' | 'header' | 'charset'>): Record<string, string> {
  return {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(quote === undefined ? {} : { quote: quote ?? 'none' }),
    ...(header === undefined ? {} : { header: String(header) }),
    ...(charset === undefined ? {} : { charset }),
  };
}
