/**
 * Renders the chart into the plain manifests: `npm run docs:kubernetes`, with helm on the PATH.
 *
 * infra/helm/embedmill is the one source; infra/kubernetes is for those who apply files without Helm.
 */

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { main } from './lib/main.mjs';
import { ROOT } from './lib/root.mjs';

const CHART = 'infra/helm/embedmill';

/** Version of Kubernetes to render for: that of a Helm built from source may be older than the chart admits. */
export const KUBE_VERSION = '1.30.0';

/** Where each file comes from. */
const FILES = {
  'embedmill.yaml': ['config', 'producer', 'worker', 'network-policy'],
  'autoscaling.yaml': ['autoscaling'],
};

/**
 * The text of a plain manifest.
 * @param {keyof typeof FILES} name
 */
export function renderManifest(name) {
  const parts = FILES[name].flatMap((part) => ['--show-only', `templates/${part}.yaml`]);
  const options = ['--namespace', 'embedmill', '--kube-version', KUBE_VERSION];
  const text = execFileSync('helm', ['template', 'embedmill', CHART, ...options, ...parts], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return `# Rendered from ${CHART} by \`npm run docs:kubernetes\`.\n${text}`;
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    for (const name of Object.keys(FILES)) {
      const path = join('infra/kubernetes', name);
      await writeFile(join(ROOT, path), renderManifest(name));
      console.log(path);
    }
  });
}
