const digest = `sha256:${"1".repeat(64)}`
/** The real gate behind steps that only answer what builds, scans and deployments would, and a rollout that verifies. */
export const gateFiles = (approvers: object[]) => ({
  "gantry.config.ts": `import { appendFileSync } from "node:fs"
import { pipeline, step } from "gantry-ci"
import { defineConfig } from "gantry-ci/config"
import { approvedBy, BuiltImage, checkout, gate, Release, Scan } from "gantry-ci/steps"

const artifact = { path: "x", sha256: "${"0".repeat(64)}", size: 1 }
export default defineConfig({
  project: "shop",
  environments: { prod: { approvals: {} } },
  approvers: ${JSON.stringify(approvers)},
  pipelines: {
    release: (settings) => {
      const source = checkout(settings)
      const host = { engine: false, cache: false } as const
      const image = step("svc.image", { ...host, output: BuiltImage,
        run: async () => ({ service: "svc", digest: "${digest}", archive: artifact, size: 1, labels: {} }) })
      const scan = step("svc.trivy", { ...host, output: Scan,
        run: async () => ({ digest: "${digest}", counts: {}, exceptions: 0, reports: { json: artifact, sarif: artifact, table: artifact, sbom: artifact } }) })
      const release = step("svc.push", { ...host, output: Release, needs: { source },
        run: async ({ needs }) => ({ service: "svc", reference: "r/shop/svc@${digest}", tag: "r/shop/svc:1", digest: "${digest}", commit: needs.source.commit }) })
      const approval = gate(settings, "prod", { source, images: [image], scans: [scan], releases: [release], deployments: [], tests: [], quality: [] })
      const rollout = step("svc.rollout", { engine: false, needs: { source, release, approval },
        effect: { key: () => "rollout", retry: { attempts: 1 }, reconcile: "repeat" },
        run: async (context) => {
          await approvedBy(context, settings, "prod", context.needs.release, "svc is not rolled out")
          appendFileSync("rolled-out", "x")
        } })
      return pipeline("release", { targets: [rollout] })
    },
  },
})
`,
})
export const lin = { name: "Lin Release", email: "lin@shop.example", role: "release-manager" }
export const zhao = { name: "Zhao Author", email: "zhao@shop.example", role: "developer" }
