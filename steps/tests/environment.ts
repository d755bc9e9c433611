import type { Client, Container } from "@dagger.io/dagger"
import { fault } from "../../core/errors.js"
import type { Deployment } from "../outputs.js"

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Tells the tests where the environment is: BASE_URL, GANTRY_ENVIRONMENT, GANTRY_COMMIT. A load balancer on the host's
 * loopback is bound into the container as `<service>-<environment>`, wherever the engine runs.
 * @throws ACCEPTANCE-NO-DEPLOYMENT when the deployment was skipped
 */
export function withEnvironment(
  container: Container,
  dag: Client,
  deployment: Deployment | undefined,
  commit: string,
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
  const url = new URL(deployment.url)
  let bound = container
  if (loopback.test(url.hostname)) {
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80))
    const alias = `${deployment.service}-${deployment.environment}`
    bound = container.withServiceBinding(alias, dag.host().service([{ frontend: port, backend: port }]))
    url.hostname = alias
  }
  return bound
    .withEnvVariable("BASE_URL", url.toString().replace(/\/$/, ""))
    .withEnvVariable("GANTRY_ENVIRONMENT", deployment.environment)
    .withEnvVariable("GANTRY_COMMIT", commit)
}
