import { fault } from "./errors.js"

export const stepIdPattern = /^[a-z0-9]+([-.][a-z0-9]+)*$/

/** What is looked at of a definition, whatever its types promise. */
interface Declared {
  readonly needs?: Readonly<Record<string, unknown>> | undefined
  readonly after?: unknown
  readonly secrets?: readonly string[] | undefined
  readonly idTokens?: Readonly<Record<string, unknown>> | undefined
  readonly effect?: unknown
  readonly cache?: unknown
}

/**
 * What the types of step() say, said again when a pipeline is loaded: pipelines are loaded without a type check.
 * @throws STEP-ID, STEP-ID-TOKEN, STEP-EFFECT, STEP-EFFECT-CACHE, STEP-NEED
 */
export function checkDefinition(id: string, definition: Declared): void {
  if (!stepIdPattern.test(id)) throw badId(id)
  for (const [name, need] of Object.entries(definition.needs ?? {})) checkNeed(id, `needs.${name}`, need)
  checkNeed(id, "after", definition.after ?? [])
  for (const [name, audience] of Object.entries(definition.idTokens ?? {})) {
    const declared = definition.secrets?.includes(name) === true
    if (!declared || typeof audience !== "string" || audience === "") throw badToken(id, name, declared)
  }
  const effect = definition.effect as Readonly<Record<string, unknown>> | undefined
  if (effect === undefined) return
  const missing = (["key", "retry", "reconcile"] as const).filter((field) => effect[field] === undefined)
  if (missing.length > 0) {
    throw fault({
      code: "STEP-EFFECT",
      kind: "usage",
      message: `The effect of step "${id}" does not say its ${missing.join(", ")}`,
      reason:
        "A side effect states what identifies it, how often it is tried, and how to find out whether it took place: " +
        "without that it could be repeated by accident after a crash.",
      hint: "Add what is missing; docs/pipelines.md explains it.",
    })
  }
  if (typeof definition.cache === "function") {
    throw fault({
      code: "STEP-EFFECT-CACHE",
      kind: "usage",
      message: `Step "${id}" has an effect and a cache`,
      reason: "A side effect is never answered from a cache.",
      hint: "Remove `cache`, or `effect` if the step has none.",
    })
  }
}

function checkNeed(id: string, where: string, need: unknown): void {
  for (const s of Array.isArray(need) ? (need as unknown[]) : [need]) {
    if (typeof s === "object" && s !== null && "id" in s && "definition" in s) continue
    throw fault({
      code: "STEP-NEED",
      kind: "usage",
      message: `Step "${id}" names something in \`${where}\` that is not a step: ${s === undefined ? "undefined" : typeof s}`,
      reason:
        s === undefined
          ? "An import that is undefined when it is used comes from modules that import each other."
          : undefined,
      hint: "Name the value that step() answered; move a step that two modules need into a module of its own.",
    })
  }
}

const badToken = (id: string, name: string, declared: boolean) =>
  fault({
    code: "STEP-ID-TOKEN",
    kind: "usage",
    message: `Step "${id}" ${declared ? "does not say whom" : "has no secret of the name of"} its identity token ${name}${declared ? " is for" : ""}`,
    reason:
      "A token is a secret like others, and names one audience, which is how whoever gets it knows that it was not stolen.",
    hint: `secrets: ["${name}"], idTokens: { ${name}: "sigstore" }`,
  })

function badId(id: string) {
  const better = id
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
  return fault({
    code: "STEP-ID",
    kind: "usage",
    message: `"${id}" is not a step id`,
    reason: "Ids are lower-case words and digits joined by - or . (they name jobs, folders and log prefixes).",
    hint: `Rename it, e.g. to "${better || "my-step"}".`,
  })
}
