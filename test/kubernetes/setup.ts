import type { TestProject } from "vitest/node"
import { plainProgress } from "../../engine/dev/progress.js"
import { ensureLab } from "../lab/kubernetes/index.js"

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the lab's kubeconfig: `inject("kubeconfig")`. */
    kubeconfig: string
  }
}

/** Before the tests of project `kubernetes`: the cluster they run on. It stays: the next run takes it up at once. */
export default async function setup(project: TestProject): Promise<void> {
  const lab = await ensureLab({ progress: plainProgress(false) })
  project.provide("kubeconfig", lab.kubeconfig)
}
