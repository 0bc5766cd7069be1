/** Type-checks the JSON of the dashboards against the types that Grafana publishes. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SDK = join(ROOT, 'node_modules/@grafana/grafana-foundation-sdk/dist');
const FOLDER = join(ROOT, 'infra/grafana/dashboards');

/** Panel types of the dashboards; each has its own options and fields. */
const PANELS = ['stat', 'timeseries', 'bargauge', 'table', 'gauge', 'statetimeline'];

/**
 * The type of a dashboard file. The types of Grafana use enums where JSON has their values, and require
 * fields that Grafana fills in. `Plain` replaces enums by their values and makes all fields optional; unknown
 * fields stay errors.
 */
const SHAPE = `
import type { Dashboard, FieldConfig, Panel } from '${SDK}/dashboard/index.js';
import type { Dataquery } from '${SDK}/prometheus/index.js';
${PANELS.map((type) => `import type * as ${type} from '${SDK}/${type}/index.js';`).join('\n')}

type Plain<T> = 0 extends 1 & T ? T
  : T extends string ? (string extends T ? string : \`\${T}\`)
  : T extends number | boolean | null | undefined ? T
  : T extends (...args: never[]) => unknown ? never
  : T extends readonly (infer Item)[] ? Plain<Item>[]
  : { [Field in keyof T as Field extends \`_implements\${string}\` ? never : Field]?: Plain<T[Field]> };
type Must<T, Field extends keyof T> = T & { [Name in Field]-?: T[Name] };
type Target = Must<Plain<Dataquery>, 'refId' | 'expr' | 'datasource'>;
type PanelOf<Type extends string, Options, Custom> = { type: Type; options?: Plain<Options> } & Must<
  Omit<Plain<Panel>, 'type' | 'options' | 'targets' | 'fieldConfig'>,
  'id' | 'title' | 'gridPos' | 'datasource'
> & {
    targets: Target[];
    fieldConfig: {
      defaults: Omit<Plain<FieldConfig>, 'custom'> & { custom?: Plain<Custom> };
      overrides: Plain<NonNullable<NonNullable<Panel['fieldConfig']>['overrides']>>;
    };
  };
type AnyPanel =
  | PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | PanelOf<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | PanelOf<'stat', stat.Options, never>
  | PanelOf<'bargauge', bargauge.Options, never>
  | PanelOf<'gauge', gauge.Options, never>
  | PanelOf<'table', table.Options, table.FieldConfig>;
type DashboardFile = Must<Omit<Plain<Dashboard>, 'panels'>, 'uid' | 'title' | 'schemaVersion'> & {
  panels: AnyPanel[];
};
`;

/** Returns the compiler errors for dashboards, given as JSON by name; empty if there are none. */
function check(dashboards: Record<string, string>): string {
  const path = join(temporaryFolder(), 'dashboards.ts');
  const constants = Object.entries(dashboards).map(
    ([name, json]) => `export const ${name}: DashboardFile = ${json};`,
  );
  writeFileSync(path, `${SHAPE}\n${constants.join('\n')}\n`);
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2022',
    '--module',
    'nodenext',
  ];
  try {
    return execFileSync(process.execPath, [tsc, ...options, '--types', '', path], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const dashboards = Object.fromEntries(
  files.map((name) => [name.replace('.json', ''), readFileSync(join(FOLDER, name), 'utf8')]),
);

describe('the dashboards', () => {
  it('match the types of the Grafana SDK', () => {
    expect(Object.keys(dashboards)).toHaveLength(4);
    expect(check(dashboards)).toBe('');
  });

  it.each([
    ['an unknown field', '"legendFormat"', '"legendFromat"'],
    ['a value of the wrong type', '"unit": "reqps"', '"unit": 7'],
    ['an unknown choice', '"colorMode": "value"', '"colorMode": "loud"'],
    ['an unknown panel type', '"type": "stat"', '"type": "stats"'],
  ])('would be rejected with %s', (_what, right, wrong) => {
    const { overview = '' } = dashboards;
    expect(overview).toContain(right);
    expect(check({ overview: overview.replace(right, wrong) })).toMatch(
      /dashboards\.ts\(\d+,\d+\): error TS2\d+/,
    );
  });
});
