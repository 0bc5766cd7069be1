/** Pagination of lists as in the OpenAI API: by the id of the last item of the previous page. */

/** Selects a page. */
export interface PageRequest {
  limit: number;
  order?: 'asc' | 'desc';
  after?: string | undefined;
}

/** One page of a list. */
export interface ListPage<Shown> {
  object: 'list';
  data: Shown[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/**
 * Selects a page of a list.
 * @param newestFirst all items; ids sort by age, so a page continues correctly even if the item that it
 *   starts after was deleted
 */
export function listPageOf<Item extends { id: string }, Shown>(
  newestFirst: readonly Item[],
  { limit, order = 'desc', after }: PageRequest,
  show: (item: Item) => Shown,
): ListPage<Shown> {
  const ordered = order === 'desc' ? newestFirst : newestFirst.toReversed();
  const isAfter = ({ id }: Item): boolean =>
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
