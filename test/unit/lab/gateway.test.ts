import { expect, test } from "vitest"
import { parseAllDocuments } from "yaml"
import { gatewayContent } from "../../lab/kubernetes/gateway.js"
import { inRange, portsOf } from "../../lab/kubernetes/ports.js"

test("every port of the gateway is an entry point and a port of the node", () => {
  const ports = portsOf(30_000)
  const objects = parseAllDocuments(gatewayContent(ports)).map((document) => document.toJS() as { kind: string })
  const deployment = objects.find(({ kind }) => kind === "Deployment") as unknown as {
    spec: {
      template: { spec: { containers: { args: string[]; ports: { containerPort: number; hostPort: number }[] }[] } }
    }
  }
  const [container] = deployment.spec.template.spec.containers
  for (const port of [...inRange(ports.gateway), ports.ingress]) {
    expect(container?.args.some((argument) => argument.endsWith(`.address=:${port}`))).toBe(true)
    expect(container?.ports).toContainEqual({ containerPort: port, hostPort: port })
  }
})
