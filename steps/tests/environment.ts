import type { Client, Container } from "@dagger.io/dagger"
import { fault } from "../../core/errors.js"
import type { Deployment } from "../outputs.js"

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Tells the tests where the environment is: BASE_URL, GANTRY_ENVIRONMENT, GANTRY_COMMIT, and `<NAME>_URL` of each service
 * that is called. A load balancer on the host's loopback is bound into the container as `<service>-<environment>`,
 * wherever the engine runs.
 * @param called Base URLs by the name of the service, as the host reaches them.
 * @throws ACCEPTANCE-NO-DEPLOYMENT when the deployment was skipped
 */
export function withEnvironment(
  container: Container,
  dag: Client,
  deployment: Deployment | undefined,
  commit: string,
  called: Readonly<Record<string, string>> = {},
): Container {
  if (deployment === undefined) {
    throw fault({
      code: "ACCEPTANCE-NO-DEPLOYMENT",
      kind: "failed",
      message: "There is no deployment to test",
      reason: "The deployment before it was skipped.",
      hint: "`gantry show` says why it was skipped.",
    })
  }
  const { environment, service } = deployment
  const own = withUrl(container, dag, "BASE_URL", deployment.url, `${service}-${environment}`)
  return Object.entries(called)
    .reduce(
      (c, [name, url]) =>
        withUrl(c, dag, `${name.toUpperCase().replaceAll("-", "_")}_URL`, url, `${name}-${environment}`),
      own,
    )
    .withEnvVariable("GANTRY_ENVIRONMENT", environment)
    .withEnvVariable("GANTRY_COMMIT", commit)
}

function withUrl(container: Container, dag: Client, variable: string, address: string, alias: string): Container {
  const url = new URL(address)
  let bound = container
  if (loopback.test(url.hostname)) {
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80))
    bound = container.withServiceBinding(alias, dag.host().service([{ frontend: port, backend: port }]))
    url.hostname = alias
  }
  return bound.withEnvVariable(variable, url.toString().replace(/\/$/, ""))
}
