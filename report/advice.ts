import type { RunRecord, StepRecord } from "../core/record.js"

/** What the reader does now: the last lines of every report, and the ones that matter most at three in the morning. */
export interface Advice {
  readonly text: string
  /** Exact and ready to paste. */
  readonly command?: string
  /** Where to look, when it is not a command. */
  readonly url?: string
  /** Something to compare or to copy. */
  readonly value?: string
  /** Something to do although there is no command for it. */
  readonly todo?: true
}

/**
 * @param command How the reader calls Gantry, e.g. "npx gantry".
 */
export function whatNow(record: RunRecord, command = "gantry"): readonly Advice[] {
  const steps = (...statuses: readonly StepRecord["status"][]) =>
    record.steps.filter((s) => statuses.includes(s.status))
  const resume = `${command} resume ${record.id}`
  const red = steps("failed", "errored")
  const ci = ciPages(record)
  if (ci !== undefined) return inCi(record, ci, steps("waiting"))
  const logs = red
    .slice(0, 3)
    .map((s): Advice => ({ text: `Read the whole log of ${s.id}`, command: `${command} logs ${record.id} ${s.id}` }))
  switch (record.status) {
    case "success":
      return deployments(record)
    case "waiting":
      return [...waiting(record, steps("waiting"), command), ...deployments(record)]
    case "failed":
      return [
        ...logs,
        { text: "Mend it, commit, and deliver the new commit", command: runCommand(record, command) },
        ...retryAdvice(red, resume),
      ]
    case "errored":
      return [
        ...logs,
        ...(steps("failed").length > 0
          ? [{ text: "What the work refused needs a new commit", command: runCommand(record, command) }]
          : []),
        { text: "See whether everything that is needed is healthy", command: `${command} doctor` },
        { text: "Go on where it stopped; what has taken place is not repeated", command: resume },
      ]
    case "cancelled":
      return [{ text: "Go on where it was interrupted; what has taken place is not repeated", command: resume }]
    case "running":
      return [
        { text: "See how it stands", command: `${command} show ${record.id}` },
        { text: "If its process is gone, go on where it stopped", command: resume },
      ]
    default:
      return record.status satisfies never
  }
}

interface CiPages {
  readonly job?: string
  readonly pipeline?: string
}

/** The pages of the CI job that the run belongs to, as its facts name them. */
function ciPages(record: RunRecord): CiPages | undefined {
  const ci = record.facts["ci"]
  if (typeof ci !== "object" || ci === null || Array.isArray(ci)) return undefined
  const page = (name: string) => (typeof ci[name] === "string" ? ci[name] : undefined)
  const [job, pipeline] = [page("job"), page("pipeline")]
  return { ...(job === undefined ? {} : { job }), ...(pipeline === undefined ? {} : { pipeline }) }
}

/** There is no `gantry resume` in a CI job: its system starts jobs again. */
function inCi(record: RunRecord, { job, pipeline }: CiPages, gates: readonly StepRecord[]): readonly Advice[] {
  const at = (text: string, url: string | undefined): Advice => ({
    text,
    todo: true,
    ...(url === undefined ? {} : { url }),
  })
  const gate = gates.map((s) => s.id).join(", ")
  switch (record.status) {
    case "success":
      return deployments(record)
    case "waiting":
      return [
        gate === ""
          ? at("It goes on when the jobs before it have", pipeline)
          : at(`Somebody decides at ${gate}: play its job`, pipeline),
        ...deployments(record),
      ]
    case "failed":
      return [at("Mend it, commit and push", undefined), at("If the cause was not in the commit, retry the job", job)]
    case "errored":
    case "cancelled":
    case "running":
      return [at("Retry the job; what has taken place is not repeated", job)]
    default:
      return record.status satisfies never
  }
}

/** A failure that lay outside of the commit (a new advisory, a mended environment) needs no new commit. */
function retryAdvice(red: readonly StepRecord[], resume: string): readonly Advice[] {
  const outside = red.filter((s) => s.kind !== "pure" || s.reports.some((r) => r.kind === "findings"))
  return outside.length === 0
    ? []
    : [{ text: "If the cause was not in the commit, try the same one again", command: resume }]
}

function waiting(record: RunRecord, gates: readonly StepRecord[], command: string): readonly Advice[] {
  const names = gates.map((s) => s.id).join(", ")
  return [
    {
      text: `Let it through (${names}); the author of the commit cannot`,
      command: `${command} approve ${record.id} --as <you> --reason "…"`,
    },
    { text: "Or stop it here", command: `${command} reject ${record.id} --as <you> --reason "…"` },
    { text: "Then go on", command: `${command} resume ${record.id}` },
  ]
}

/** Where the delivered services answer, service by service, and the digest that they share. */
function deployments(record: RunRecord): readonly Advice[] {
  const services = new Map<string, { readonly places: Map<string, Advice>; readonly digests: Set<string> }>()
  for (const s of record.steps) {
    for (const report of s.reports) {
      if (report.kind !== "deployment" || s.status !== "success") continue
      const service = services.get(report.service) ?? { places: new Map<string, Advice>(), digests: new Set<string>() }
      // The last deployment to an environment counts.
      const text = `${report.service} in ${report.environment.toUpperCase()}`
      service.places.set(report.environment, { text, url: report.url })
      service.digests.add(report.digest)
      services.set(report.service, service)
    }
  }
  return [...services].flatMap(([name, { places, digests }]): Advice[] => [
    ...places.values(),
    ...(digests.size === 1 ? [{ text: `${name}, the one image`, value: [...digests].join() }] : []),
  ])
}

function runCommand(record: RunRecord, command: string): string {
  const { services, until, only } = record.selection
  return [
    `${command} run ${record.pipeline}`,
    ...(services ?? []).map((name) => `--service ${name}`),
    ...(until === undefined ? [] : [`--until ${until}`]),
    ...(only === undefined ? [] : [`--only ${only}`]),
    ...(record.dirty ? ["--dirty"] : []),
  ].join(" ")
}
