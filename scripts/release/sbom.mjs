/** The software bill of materials of the published command, in CycloneDX: `npm sbom`, reduced to what is published. */

import { run } from '../lib/run.mjs';
import { isAllowed, refuse } from './licenses.mjs';
import { ON_DEMAND } from './manifests.mjs';

/** Behind the packages `@embedmill/onnxruntime-*`. */
const RUNTIME = ['onnxruntime-node', 'onnxruntime-common'];

/** Licence of libraries that users install themselves, besides those that we may publish. */
const ALLOWED_ON_DEMAND = 'MPL-2.0';

/**
 * Lists the packages inside the bundle, those that npm installs beside it, and those behind the native packages.
 *
 * @param {readonly { name: string, version: string }[]} bundled packages whose code the bundle contains
 * @param {{ name: string, version: string, license: string, dependencies: object, optionalDependencies?: object }} manifest
 * @returns {Promise<object>} without time and serial number, so that equal sources give equal files
 * @throws {Error} that names each dependency at run time without an allowed licence
 */
export async function sbomOf(bundled, manifest) {
  const { metadata, components, serialNumber, ...sbom } = await npmSbom();
  checkRuntimeLicenses(components);
  const known = new Map(components.map((component) => [component.purl, component]));
  const installed = Object.entries(manifest.dependencies).map(([name, version]) => {
    // An alias: another package under this name.
    const [, aliased, itsVersion] = /^npm:(.+)@(.+)$/.exec(version) ?? [];
    return aliased === undefined ? { name, version } : { name: aliased, version: itsVersion };
  });
  const found = [...bundled, ...installed].map(({ name, version }) => {
    const component = known.get(purlOf(name, version));
    if (component === undefined) throw new Error(`npm sbom does not list ${name} ${version}`);
    return component;
  });
  const runtime = components.filter(({ purl }) =>
    RUNTIME.some((name) => purl.startsWith(`${purlOf(name)}@`)),
  );
  const native = Object.entries(manifest.optionalDependencies ?? {}).map(([name, version]) => ({
    ...describe(name, version),
    scope: 'optional',
  }));
  const all = new Map([...found, ...runtime, ...native].map((each) => [each.purl, withoutDevelopment(each)]));
  const root = {
    ...describe(manifest.name, manifest.version),
    type: 'application',
    licenses: [{ license: { id: manifest.license } }],
  };
  return {
    ...sbom,
    metadata: { tools: metadata.tools, component: root },
    components: [...all.values()],
    dependencies: [
      { ref: root['bom-ref'], dependsOn: [...all.values()].map((component) => component['bom-ref']) },
    ],
  };
}

/** Everything in package-lock.json that is installed here. */
async function npmSbom() {
  return JSON.parse(await run('npm sbom', 'npm', ['sbom', '--sbom-format', 'cyclonedx']));
}

function checkRuntimeLicenses(components) {
  const isOnDemand = ({ purl }) => ON_DEMAND.some((name) => purl.startsWith(purlOf(name)));
  refuse(
    components
      .filter(({ properties = [] }) => !properties.some(({ name }) => name === DEVELOPMENT))
      .map((component) => ({ ...component, license: licenseOf(component) }))
      .filter(
        (each) => !isAllowed(each.license) && !(isOnDemand(each) && each.license === ALLOWED_ON_DEMAND),
      ),
  );
}

/** npm marks packages that are only development dependencies. */
const DEVELOPMENT = 'cdx:npm:package:development';

/** Libraries of the pages are development dependencies for npm, and published with them all the same. */
function withoutDevelopment({ properties = [], ...component }) {
  return { ...component, properties: properties.filter(({ name }) => name !== DEVELOPMENT) };
}

function licenseOf({ licenses = [] }) {
  return licenses.map(({ license, expression }) => expression ?? license.id ?? license.name).join(' AND ');
}

function describe(name, version) {
  return { 'bom-ref': `${name}@${version}`, type: 'library', name, version, purl: purlOf(name, version) };
}

/** https://github.com/package-url/purl-spec; without a version the beginning of all versions. */
function purlOf(name, version) {
  const purl = `pkg:npm/${name.replace('@', '%40')}`;
  return version === undefined ? purl : `${purl}@${version}`;
}
