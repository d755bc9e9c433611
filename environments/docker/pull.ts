import { fault } from "../../core/errors.js"
import type { Credentials } from "../../net/registry/auth.js"
import { pull } from "../../engine/image/local.js"
import type { EngineContext } from "../../engine/context.js"
import type { ReleaseSpec } from "../release.js"
import { unlessMissing } from "./scene.js"

/**
 * Has the Docker Engine hold the image of a release, by digest, and makes sure that it is this one and no other.
 * @throws DEPLOY-DIGEST, SUPPLY-PULL
 */
export async function pullRelease(engine: EngineContext, release: ReleaseSpec, login?: Credentials): Promise<void> {
  const { reference, digest } = release
  if (!reference.endsWith(`@${digest}`)) {
    throw fault({
      code: "DEPLOY-DIGEST",
      kind: "failed",
      message: `${reference} is not a reference by the digest ${digest}`,
      reason: "What is deployed is named by its digest alone: a tag can be moved.",
    })
  }
  const image = engine.docker.getImage(reference)
  if ((await unlessMissing(image.inspect())) === undefined) await pull(engine, reference, login)
  const info = await image.inspect()
  if (info.RepoDigests?.some((known) => known.endsWith(`@${digest}`)) === true) return
  throw fault({
    code: "DEPLOY-DIGEST",
    kind: "failed",
    message: `The Docker Engine has another image for ${reference}`,
    reason: `It knows ${info.Id} as ${info.RepoDigests?.join(", ") || "nothing"}.`,
    hint: `docker rmi ${info.Id}, then run the same command again.`,
  })
}
