import type { Plan, PlannedStep } from "../core/plan.js"
import { plural, shortCommit } from "./format.js"
import { createStyle, type Style, type TextOptions } from "./style.js"
import { table } from "./table.js"
import { cleanLine } from "./width.js"

/** The text of `gantry plan`: what a run would do, in order, before anything runs. */
export function renderPlan(plan: Plan, options: TextOptions = {}): string {
  const style = createStyle(options)
  const { colors } = style
  const services = plan.services.length === 0 ? "" : ` of ${plan.services.join(", ")}`
  const commit = `commit ${shortCommit(plan.commit)}${plan.dirty ? " with the work tree's changes" : ""}`
  const rows = plan.steps.map((step, i) => {
    const [word, tone] = actions(step, style)
    return [
      { text: String(i + 1), paint: colors.dim },
      { text: step.id },
      { text: word, paint: tone },
      { text: note(step), paint: colors.dim },
    ]
  })
  const heads = [
    { title: "#", align: "right" as const },
    { title: "step" },
    { title: "what" },
    { title: "", flexible: true },
  ]
  return [
    `${colors.bold(plan.pipeline)}${services}, ${commit}: ${counts(plan)}`,
    "",
    ...table(heads, rows, style.columns, colors.dim),
    ...secretLines(plan, style),
  ].join("\n")
}

function actions(step: PlannedStep, { colors }: Style): readonly [string, (text: string) => string] {
  switch (step.action) {
    case "run":
      return ["run", (text) => text]
    case "cached":
      return ["cached", colors.green]
    case "effect":
      return ["effect", colors.magenta]
    case "wait":
      return ["waits", colors.yellow]
    case "skip":
      return ["skip", colors.dim]
    default:
      return step.action satisfies never
  }
}

function note(step: PlannedStep): string {
  const parts = [
    ...(step.reason === undefined ? [] : [step.reason]),
    ...(step.summary === undefined || step.action === "skip" ? [] : [step.summary]),
    ...(step.effectKey === undefined ? [] : [step.effectKey]),
    ...(step.missingSecrets.length === 0 ? [] : [`missing ${step.missingSecrets.join(", ")}`]),
    // What is skipped is behind nothing.
    ...(step.action === "skip" || step.needs.length === 0 ? [] : [`after ${step.needs.join(", ")}`]),
  ]
  return cleanLine(parts.join("; "))
}

function counts(plan: Plan): string {
  const count = (action: PlannedStep["action"]) => plan.steps.filter((step) => step.action === action).length
  const parts: readonly (readonly [number, string])[] = [
    [count("run"), "to run"],
    [count("cached"), "cached"],
    [count("effect"), count("effect") === 1 ? "effect" : "effects"],
    [count("wait"), count("wait") === 1 ? "decision" : "decisions"],
    [count("skip"), "skipped"],
  ]
  const told = parts.flatMap(([n, word]) => (n === 0 ? [] : [`${n} ${word}`]))
  return `${plural(plan.steps.length, "step")}${told.length === 0 ? "" : ` (${told.join(", ")})`}`
}

/** Every secret that is needed, who wants it, and whether it is there. */
function secretLines(plan: Plan, style: Style): string[] {
  const wanted = new Map<string, { readonly steps: string[]; missing: boolean }>()
  for (const step of plan.steps) {
    if (step.action === "skip") continue
    for (const name of step.secrets) {
      const entry = wanted.get(name) ?? { steps: [], missing: false }
      entry.steps.push(step.id)
      entry.missing ||= step.missingSecrets.includes(name)
      wanted.set(name, entry)
    }
  }
  if (wanted.size === 0) return []
  const { colors } = style
  return [
    "",
    colors.bold("Secrets"),
    ...[...wanted].map(([name, { steps, missing }]) => {
      const state = missing ? colors.red(`missing: export ${name}=… or ${name}_FILE=…`) : colors.green("there")
      return `  ${name} for ${steps.join(", ")}: ${state}`
    }),
  ]
}
