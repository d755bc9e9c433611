import type { Context } from "../../core/step.js"
import { isFault } from "../../core/errors.js"
import { collectSamples, readHistory, type DeployOptions, type Deployed } from "../../environments/index.js"

type Publish = Context<Record<never, never>, never>["publish"]

/**
 * Deploys and publishes how the rollout went, if it was one that is judged: also when it was taken back or pauses, because
 * then somebody looks at it.
 */
export async function withStory(
  publish: Publish,
  about: Pick<DeployOptions, "environment" | "release" | "target">,
  deploy: (observe: NonNullable<DeployOptions["observe"]>) => Promise<Deployed>,
): Promise<Deployed> {
  const { environment, release, target } = about
  const from = (await readHistory(target.notes))[0]?.release.digest
  const { observe, story } = collectSamples()
  const tell = (outcome: "done" | "went back" | "paused" | "stranded") => {
    const told = story()
    if (told.samples.length === 0) return
    publish({
      kind: "rollout",
      environment: environment.name,
      service: release.service,
      strategy: environment.strategy.kind,
      ...(from === undefined ? {} : { from }),
      to: release.digest,
      outcome,
      ...told,
    })
  }
  try {
    const deployed = await deploy(observe)
    tell("done")
    return deployed
  } catch (error) {
    tell(outcomeOf(error))
    throw error
  }
}

function outcomeOf(error: unknown): "went back" | "paused" | "stranded" {
  if (!isFault(error)) return "stranded"
  return error.kind === "waiting" ? "paused" : error.code === "DEPLOY-STRANDED" ? "stranded" : "went back"
}
