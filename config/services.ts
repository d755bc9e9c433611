import { readFileSync } from "node:fs"
import { join, normalize } from "node:path"
import { parseDocument, type Document } from "yaml"
import { fault } from "../core/errors.js"
import { takenFrom } from "../environments/kubernetes/names.js"
import { ServiceDeclaration, type Service } from "../steps/service.js"
import { configFault } from "./issues.js"
import { yamlLine } from "./locate.js"

export const serviceFile = "gantry.service.yaml"

/** Reads the declaration of a service. @throws SERVICE-MISSING, CONFIG-INVALID with file, line and field */
export function loadService(root: string, folder: string): Service {
  const path = normalize(folder).replace(/\/+$/, "")
  const file = join(path, serviceFile)
  let text: string
  try {
    // Small, and up to hundreds of them: reading one without waiting takes a fifth of what its promises would.
    text = readFileSync(join(root, file), "utf8")
  } catch (cause) {
    throw fault({
      code: "SERVICE-MISSING",
      kind: "usage",
      message: `${file} is not there`,
      reason: "A service is a folder that declares in this file how it is built and tested.",
      hint: `\`gantry init ${path}\` writes one, or correct \`services\` in gantry.config.ts.`,
      cause,
    })
  }
  const document = parseDocument(text)
  const broken = document.errors[0]
  if (broken !== undefined) {
    throw fault({
      code: "CONFIG-INVALID",
      kind: "usage",
      message: `${file}:${broken.linePos?.[0].line ?? 1}: ${broken.message.split("\n")[0]}`,
      hint: "Correct the YAML.",
      cause: broken,
    })
  }
  const parsed = ServiceDeclaration.safeParse(valueOf(document, file))
  if (!parsed.success) throw configFault(file, ServiceDeclaration, parsed.error, (field) => yamlLine(text, field))
  return { ...parsed.data, path }
}

/** @throws CONFIG-INVALID for aliases without an anchor, and for more of them than a declaration can need */
function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    throw fault({
      code: "CONFIG-INVALID",
      kind: "usage",
      message: `${file}: ${(cause as Error).message}`,
      hint: "Write the value out in place of the alias.",
      cause,
    })
  }
}

/** Each with those that call it: known here, where all of them are. */
export function withCallers(services: readonly Service[]): readonly Service[] {
  return services.map((service) => ({
    ...service,
    callers: services.filter((other) => other.calls.includes(service.name)).map((other) => other.name),
  }))
}

/** Names are unique and free, and who is called exists. @throws SERVICE-DUPLICATE, SERVICE-RESERVED, SERVICE-UNKNOWN */
export function checkServices(services: readonly Service[]): void {
  for (const service of services) {
    const twin = services.find((other) => other !== service && other.name === service.name)
    if (twin !== undefined) {
      throw fault({
        code: "SERVICE-DUPLICATE",
        kind: "usage",
        message: `Two services are called ${service.name}: ${service.path} and ${twin.path}`,
        hint: `Rename one in its ${serviceFile}.`,
      })
    }
    const taken = takenFrom(
      service.name,
      services.map((s) => s.name),
    )
    if (taken !== undefined) {
      throw fault({
        code: "SERVICE-RESERVED",
        kind: "usage",
        message: `${join(service.path, serviceFile)}: name: no service can be called "${service.name}"`,
        reason: `On Kubernetes ${taken}.`,
        hint: `Rename it, and who \`calls\` it; another target may be asked for at any time (--target).`,
      })
    }
    const unknown = service.calls.find((name) => !services.some((other) => other.name === name))
    if (unknown !== undefined) {
      throw fault({
        code: "SERVICE-UNKNOWN",
        kind: "usage",
        message: `${join(service.path, serviceFile)}: calls: there is no service "${unknown}"`,
        hint: `Services are: ${services.map((s) => s.name).join(", ")}.`,
      })
    }
  }
}
