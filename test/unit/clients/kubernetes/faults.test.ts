import { describe, expect, it } from "vitest"
import { statusFault } from "../../../../clients/kubernetes/faults.js"

const asked = { verb: "patch", resource: "deployments.apps", namespace: "shop-test", name: "web-blue", context: "lab" }
const said = (code: number, message: string) => statusFault(asked, { code, message })

describe("what an admission webhook has to do with a refusal", () => {
  it.each([400, 403, 409, 422, 429, 500, 503])("it said no, with status %i of its own", (code) => {
    const error = said(code, 'admission webhook "board.example.com" denied the request: not on a Friday')
    expect(error).toMatchObject({ code: "K8S-DENIED", kind: "failed" })
    expect(error.message).toBe(
      "The admission webhook board.example.com does not let deployments.apps web-blue in namespace shop-test be made",
    )
    expect(error.reason).toContain("not on a Friday")
  })

  it.each([
    'failed to call webhook: Post "https://10.1.2.3:443/?timeout=1s": context deadline exceeded',
    'failed to call webhook: Post "https://hook.policy.svc:443/?timeout=10s": dial tcp 10.96.3.4:443: connect: connection refused',
    'failed to call webhook: Post "https://hook.policy.svc:443/": service "hook" not found',
  ])("it could not be asked: %s", (why) => {
    const error = said(500, `Internal error occurred: failed calling webhook "board.example.com": ${why}`)
    expect(error).toMatchObject({ code: "K8S-WEBHOOK", kind: "errored" })
    expect(error.message).toBe(
      "The admission webhook board.example.com cannot be asked about deployments.apps web-blue in namespace shop-test",
    )
    expect(error.reason).toContain(why)
  })

  it("a policy's no, a quota's and the account's are told apart", () => {
    const policy =
      "deployments.apps is forbidden: ValidatingAdmissionPolicy 'no-v2' with binding 'b' denied request: no"
    expect(said(422, policy).message).toMatch(/^The policy no-v2 does not let/)
    expect(said(403, "pods is forbidden: exceeded quota: tight").code).toBe("K8S-QUOTA")
    expect(said(403, 'deployments.apps is forbidden: User "x" cannot patch').code).toBe("K8S-FORBIDDEN")
    expect(said(500, "Internal error occurred: etcd leader changed").code).toBe("K8S-REFUSED")
  })
})
