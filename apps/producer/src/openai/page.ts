/** Pages of a list, as the OpenAI clients turn them: by the id of the last thing on the page before. */

/** Which page. */
export interface PageRequest {
  limit: number;
  order?: 'asc' | 'desc';
  after?: string | undefined;
}

/** One page. */
export interface Page<Shown> {
  object: 'list';
  data: Shown[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/**
 * Cuts a page out of a list.
 * @param newestFirst by id; ids sort by age, so a page goes on rightly even when what it goes on from was removed
 */
export function pageOf<Thing extends { id: string }, Shown>(
  newestFirst: readonly Thing[],
  { limit, order = 'desc', after }: PageRequest,
  show: (thing: Thing) => Shown,
): Page<Shown> {
  const ordered = order === 'desc' ? newestFirst : newestFirst.toReversed();
  const isAfter = ({ id }: Thing): boolean =>
    after === undefined || (order === 'desc' ? id < after : id > after);
  const found = ordered.filter(isAfter);
  const page = found.slice(0, limit);
  return {
    object: 'list',
    data: page.map(show),
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: found.length > limit,
  };
}
