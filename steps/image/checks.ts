import type { ImageArchive } from "../../clients/registry/index.js"
import { fault } from "../../core/errors.js"
import type { Service } from "../service.js"

/** What every image of ours must be. @throws IMAGE-USER, IMAGE-HEALTHCHECK, IMAGE-SIZE */
export function checkImage(archive: Pick<ImageArchive, "config" | "size">, service: Service): void {
  const { config } = archive.config
  const dockerfile = `${service.path}/${service.build.dockerfile}`
  const user = config?.User ?? ""
  if (user === "" || /^(root|0+)(:|$)/.test(user)) {
    throw fault({
      code: "IMAGE-USER",
      kind: "failed",
      message: `The image of ${service.name} runs as root`,
      reason: user === "" ? "Its Dockerfile has no USER in the last stage." : `USER is ${user}.`,
      hint: `Add a line to the last stage of ${dockerfile}, e.g. USER 10001:10001`,
    })
  }
  const test = config?.Healthcheck?.Test ?? []
  if (test.length === 0 || test[0] === "NONE") {
    throw fault({
      code: "IMAGE-HEALTHCHECK",
      kind: "failed",
      message: `The image of ${service.name} has no health check`,
      hint: `Add HEALTHCHECK to the last stage of ${dockerfile}, e.g. HEALTHCHECK CMD ["curl", "-fsS", "http://127.0.0.1:${service.build.port}${service.health.liveness}"]`,
    })
  }
  const budget = service.build.sizeBudgetMB
  if (budget !== undefined && archive.size > budget * 1e6) {
    throw fault({
      code: "IMAGE-SIZE",
      kind: "failed",
      message: `The image of ${service.name} has ${(archive.size / 1e6).toFixed(1)} MB; its budget is ${budget} MB`,
      reason: "Compressed size of all layers.",
      hint: `Find out what grew (docker history), or raise build.sizeBudgetMB in ${service.path}/gantry.service.yaml.`,
    })
  }
}
