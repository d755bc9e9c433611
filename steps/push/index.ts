import { step, type AnyStep, type Step } from "../../core/step.js"
import { Release, type BuiltImage, type Source } from "../outputs.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { placeOf } from "./place.js"

const kernel = () => import("./run.js")

/**
 * Pushes the archive's exact bytes to `<project>/<service>:sha-<commit>`: what was scanned is what is deployed.
 * @throws REGISTRY-… and PUSH-TAG-TAKEN
 */
export function push(
  settings: Settings,
  service: Service,
  wiring: { readonly source: Step<Source>; readonly image: Step<BuiltImage>; readonly after?: readonly AnyStep[] },
): Step<Release> {
  const place = placeOf(settings.engine, settings.project, service.name)
  const needs = { source: wiring.source, image: wiring.image }
  return step(`${service.name}.push`, {
    needs,
    after: wiring.after ?? [],
    stage: "push",
    service: service.name,
    engine: false,
    secrets: place.passwordSecret === undefined ? [] : [place.passwordSecret],
    output: Release,
    params: { host: place.host, repository: place.repository },
    effect: {
      key: ({ needs: { image } }) => `push:${place.host}/${place.repository}@${image.digest}`,
      retry: { attempts: 3 },
      reconcile: async (context) => (await kernel()).findRelease(context, settings.engine, place),
    },
    run: async (context) => (await kernel()).runPush(context, settings.engine, place),
  })
}
