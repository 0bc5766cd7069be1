/** Keeps requests to this machine away from the proxies of the environment, which Node 22 and later can apply to `fetch`. */

/** The environment of Node; absent in browsers. */
type Environment = Record<string, string | undefined>;

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Adds the host of a URL to `NO_PROXY` if it is this machine and a proxy is configured (`HTTP_PROXY`, which Node
 * applies with `NODE_USE_ENV_PROXY=1` or `--use-env-proxy`): no proxy can reach the loopback interface of its client.
 * Node reads `NO_PROXY` again for each request.
 */
export function exemptLoopback(
  url: string,
  environment: Environment | undefined = environmentOfNode(),
): void {
  if (environment === undefined || !URL.canParse(url)) return;
  const { hostname } = new URL(url);
  const hasProxy = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].some(
    (name) => environment[name],
  );
  if (!hasProxy || !LOOPBACK.test(hostname)) return;
  // The lower-case variable takes precedence.
  const name = environment.no_proxy === undefined ? 'NO_PROXY' : 'no_proxy';
  const hosts = (environment[name] ?? '').split(/[\s,]+/).filter((host) => host !== '');
  if (!hosts.includes(hostname)) environment[name] = [...hosts, hostname].join(',');
}

function environmentOfNode(): Environment | undefined {
  return (globalThis as { process?: { env?: Environment } }).process?.env;
}
