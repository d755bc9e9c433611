import { outside } from "../outside.js"
import type { Rig } from "../rig.js"

/** What a webhook says to an object: undefined lets it in; `silence` never answers. */
export type Say = (object: unknown) => { readonly code: number; readonly message: string } | undefined | "silence"

export interface Webhook {
  readonly name: string
  /** What it says from now on. */
  say: Say
  /** Takes it out of the cluster. */
  remove(): Promise<void>
}

interface Review {
  readonly request: { readonly uid: string; readonly object: unknown }
}

/**
 * A validating admission webhook for the Deployments of a rig's namespace alone, without which nothing of them is changed. Its
 * server is this process.
 */
export async function webhook(rig: Rig, name: string, say: Say): Promise<Webhook> {
  const hook = { name: `${name}.${rig.namespace}.gantry.dev`, say }
  const server = await outside(rig, (request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const { uid, object } = (JSON.parse(Buffer.concat(chunks).toString()) as Review).request
      const said = hook.say(object)
      if (said === "silence") return
      const answer = { uid, allowed: said === undefined, ...(said === undefined ? {} : { status: said }) }
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }))
    })
  })
  const url = `https://${server.host}:${server.port}/`
  const api = "admissionregistration.k8s.io/v1"
  const rule = {
    apiGroups: ["apps"],
    apiVersions: ["v1"],
    operations: ["CREATE", "UPDATE"],
    resources: ["deployments"],
  }
  const configuration = {
    apiVersion: api,
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: hook.name },
    webhooks: [
      {
        name: hook.name,
        clientConfig: { url, caBundle: server.caBundle },
        rules: [rule],
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": rig.namespace } },
        failurePolicy: "Fail",
        sideEffects: "None",
        timeoutSeconds: 1,
        admissionReviewVersions: ["v1"],
      },
    ],
  }
  await rig.lab.kubectl(["apply", "-f", "-"], { input: JSON.stringify(configuration) })
  return Object.assign(hook, {
    async remove() {
      await rig.lab.kubectl(["delete", "validatingwebhookconfiguration", hook.name])
      server.close()
    },
  })
}
