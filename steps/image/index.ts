import { step, type AnyStep, type Step } from "../../core/step.js"
import { BuiltImage, type Source } from "../outputs.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { imageResolver } from "../image-resolver.js"

/**
 * Builds the service's image from its Dockerfile, once, and keeps it as an OCI archive: what is in there is what is
 * scanned, pushed and deployed.
 * @throws IMAGE-BUILD, IMAGE-USER, IMAGE-HEALTHCHECK, IMAGE-SIZE (failed); SUPPLY-…, ENGINE-… (errored)
 */
export function buildImage(
  settings: Settings,
  service: Service,
  wiring: { readonly source: Step<Source>; readonly after?: readonly AnyStep[] },
): Step<BuiltImage> {
  const { name, path, inputs, build: declared } = service
  return step(`${name}.image`, {
    needs: { source: wiring.source },
    after: wiring.after ?? [],
    stage: "image",
    service: name,
    output: BuiltImage,
    params: JSON.parse(JSON.stringify({ path, inputs, declared })) as Record<string, string>,
    // The commit stands in the labels, so another commit is another image also when the service did not change.
    cache: ({ needs: { source } }) => [source.services[name] ?? source.tree, source.commit, source.tree],
    timeout: 30 * 60_000,
    retry: { attempts: 2 },
    run: async (context) => {
      const { build } = await import("./build.js")
      return build(context, {
        engine: settings.engine,
        service,
        source: context.needs.source,
        resolve: await imageResolver(settings.engine, context),
      })
    },
  })
}
