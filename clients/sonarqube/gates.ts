import { z } from "zod"
import type { SonarSession } from "./session.js"

export interface WantedCondition {
  readonly metric: string
  /** GT: red above the threshold; LT: red below. */
  readonly op: "GT" | "LT"
  readonly error: string
}

const Gates = z.object({
  qualitygates: z.array(z.object({ name: z.string(), isDefault: z.boolean().default(false) })),
})
const Gate = z.object({
  conditions: z.array(z.object({ id: z.string(), metric: z.string(), op: z.string(), error: z.string() })).default([]),
})

/** Where a gate's conditions differ from the wanted ones. Pure. */
export function gateChanges(
  existing: z.infer<typeof Gate>["conditions"],
  wanted: readonly WantedCondition[],
): { readonly remove: readonly string[]; readonly add: readonly WantedCondition[] } {
  const same = (a: WantedCondition, b: { readonly metric: string; readonly op: string; readonly error: string }) =>
    a.metric === b.metric && a.op === b.op && Number(a.error) === Number(b.error)
  return {
    remove: existing.filter((e) => !wanted.some((w) => same(w, e))).map((e) => e.id),
    add: wanted.filter((w) => !existing.some((e) => same(w, e))),
  }
}

/**
 * The name under which a gate can be kept: the wanted one, or the first free of "name 2", "name 3", … A server that was asked
 * for a gate twice at once has two of one name; it then answers any question about that name with 500, for ever, and has no
 * other way to name a gate (seen with 26.9). Pure.
 */
export function usableName(listed: readonly string[], wanted: string): string {
  const broken = (name: string) => listed.filter((one) => one === name).length > 1
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? wanted : `${wanted} ${n}`
    if (!broken(name)) return name
  }
}

/**
 * Makes sure that there is a quality gate of this name with exactly these conditions. Asks first, so that the usual case
 * costs two requests. Needs the permission Administer Quality Gates. To be called by one process at a time, see `usableName`.
 * @returns the gate's name, and whether anything had to be changed
 */
export async function ensureGate(
  session: SonarSession,
  wantedName: string,
  wanted: readonly WantedCondition[],
): Promise<{ readonly name: string; readonly changed: boolean }> {
  const { qualitygates } = await session.read("api/qualitygates/list", Gates, { to: "list the quality gates" })
  const listed = qualitygates.map((gate) => gate.name)
  const name = usableName(listed, wantedName)
  const missing = !listed.includes(name)
  if (missing) {
    // Refused when somebody else created it in between; what there is now is looked at below either way.
    await session.attempt("api/qualitygates/create", { method: "POST", params: { name }, to: "create a quality gate" })
  }
  const { conditions } = await session.read("api/qualitygates/show", Gate, {
    params: { name },
    to: `look at the quality gate ${name}`,
  })
  const { remove, add } = gateChanges(conditions, wanted)
  for (const id of remove) {
    await session.send("api/qualitygates/delete_condition", {
      method: "POST",
      params: { id },
      to: "remove a condition of the quality gate",
    })
  }
  for (const condition of add) {
    await session.send("api/qualitygates/create_condition", {
      method: "POST",
      params: { gateName: name, ...condition },
      to: `add a condition on ${condition.metric} to the quality gate`,
    })
  }
  return { name, changed: missing || remove.length > 0 || add.length > 0 }
}

/** Lets a project be judged by a gate. */
export function selectGate(session: SonarSession, name: string, project: string): Promise<void> {
  return session.send("api/qualitygates/select", {
    method: "POST",
    params: { gateName: name, projectKey: project },
    repeatable: true,
    to: `select the quality gate ${name} for ${project}`,
  })
}
