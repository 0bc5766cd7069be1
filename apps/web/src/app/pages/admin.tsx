/** The Admin page: links for operators, and the form for the API key. */

import { useId, useState } from 'preact/hooks';
import { storedKey, storeKey } from '../api/key.ts';
import { useOverview } from '../overview.tsx';
import { PageLayout, Section } from '../ui/page.tsx';

const LINKS = [
  { name: 'Queues', path: 'admin/queues', remark: 'bull-board: the batches of both lanes' },
  { name: 'HTTP API', path: 'docs', remark: 'reference of all routes, with a console to try them' },
  { name: 'OpenAPI', path: 'openapi.json', remark: 'the API description for programs' },
  { name: 'Metrics', path: 'metrics', remark: 'for Prometheus; dashboards for Grafana are in infra/grafana' },
  { name: 'Health', path: 'v1/health', remark: 'what is wrong now, and what ends it' },
  { name: 'Alerts', path: 'v1/alerts', remark: 'alerts that fire' },
  { name: 'Runbook', path: '#/runbook', remark: 'what each alert means, and what to do' },
  { name: 'Readiness', path: 'readyz', remark: 'whether the server accepts runs, and if not, why' },
] as const;

/** @param onKey called after the key has changed */
export function AdminPage({ onKey }: { onKey: () => void }) {
  const { overview } = useOverview();
  return (
    <PageLayout title="Admin" lead={overview !== null && `Embedmill ${overview.version}`}>
      <Section title="Links">
        <ul class="links">
          {LINKS.map(({ name, path, remark }) => (
            <li key={path}>
              <a href={path}>{name}</a>
              <span class="soft">{remark}</span>
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Key">
        <KeyForm onKey={onKey} />
      </Section>
    </PageLayout>
  );
}

function KeyForm({ onKey }: { onKey: () => void }) {
  const id = useId();
  const [key, setKey] = useState('');
  const [isStored, setIsStored] = useState(storedKey() !== null);
  const store = (given: string) => {
    storeKey(given);
    setKey('');
    setIsStored(given !== '');
    onKey();
  };
  return (
    <form
      class="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        store(key.trim());
      }}
    >
      <div>
        <label for={id}>API key</label>
        <input
          id={id}
          type="password"
          autocomplete="off"
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </div>
      <div class="actions">
        <button type="submit" class="button button-main" disabled={key.trim() === ''}>
          Use this key
        </button>
        {isStored && (
          <button type="button" class="button" onClick={() => store('')}>
            Remove the key
          </button>
        )}
      </div>
      <p class="soft small" role="status">
        {isStored
          ? 'A key is in use in this tab; it is removed when the tab is closed.'
          : 'Only needed if the server requires API keys. It is kept in this tab only.'}
      </p>
    </form>
  );
}
