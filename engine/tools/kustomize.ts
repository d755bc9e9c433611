import { kustomizeBuild, kustomizeReference, kustomizeVersion } from "../kustomize-version.js"
import { toolOf } from "./provide.js"

/** Kustomize: the host's from 5.0 on, else one in a container. */
export const kustomizeTool = toolOf({
  command: "kustomize",
  variable: "GANTRY_KUSTOMIZE",
  version: ["version"],
  lowest: "5.0.0",
  build: kustomizeBuild,
  image: { reference: kustomizeReference, command: "/app/kustomize", version: kustomizeVersion },
  env: () => ({}),
})
