/** Layout of a page and of its sections. */

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useTabProgress } from '../tab-progress.tsx';
import { Breakable } from './breakable.tsx';

/** A page with a title (also of the browser tab), an introduction and actions. */
export function PageLayout({
  title,
  lead,
  actions,
  children,
}: {
  title: string;
  /** One sentence on the purpose of the page. */
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const progress = useTabProgress();
  useEffect(() => {
    document.title = `${progress}${title} · Embedmill`;
  }, [progress, title]);
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>
            <Breakable name={title} />
          </h1>
          {lead !== undefined && <p class="lead">{lead}</p>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

/** A part of a page with a heading; `aside` is shown beside it. */
export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="card">
      <div class="card-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
