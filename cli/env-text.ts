import type {
  DependencyState,
  EnvironmentDetail,
  EnvironmentDifference,
  EnvironmentService,
  ServiceDetail,
} from "../environments/index.js"
import { plural } from "../report/format.js"
import { createStyle, type TextOptions } from "../report/style.js"
import { table, type Cell } from "../report/table.js"
import { cleanLine } from "../report/width.js"

const short = (digest: string | undefined) => digest?.slice(0, 19) ?? "-"

/** A row for each service in each environment. */
export function environmentsText(all: readonly EnvironmentService[], options: TextOptions): string {
  const { colors } = createStyle(options)
  const paint = {
    running: colors.green,
    rollout: colors.yellow,
    degraded: colors.red,
    empty: colors.dim,
    unknown: colors.red,
  }
  const heads = ["ENVIRONMENT", "SERVICE", "STATE", "READY", "COMMIT", "DIGEST", "CONFIG", "ADDRESS"]
  const rows = all.map((s): readonly Cell[] => [
    { text: s.environment },
    { text: s.service },
    { text: s.state, paint: paint[s.state] },
    { text: s.state === "unknown" ? "-" : `${s.replicas.ready}/${s.replicas.wanted}` },
    { text: s.release?.commit.slice(0, 12) ?? "-" },
    { text: short(s.release?.digest) },
    { text: s.release?.configHash.slice(0, 8) ?? "-" },
    { text: s.url ?? "-" },
  ])
  return table(
    heads.map((title) => ({ title })),
    rows,
    options.columns ?? Infinity,
    colors.dim,
  ).join("\n")
}

/** Why an environment could not be looked at, each reason once, with the environments that it is about. */
export function troubleLines(all: readonly EnvironmentService[]): readonly string[] {
  const reasons = new Map<string, Set<string>>()
  for (const { environment, trouble } of all) {
    if (trouble === undefined) continue
    const said = `${trouble.code}: ${cleanLine(trouble.message)}`
    reasons.set(said, (reasons.get(said) ?? new Set()).add(environment))
  }
  return [...reasons].map(([said, names]) => `${[...names].join(", ")}: ${said}`)
}

/** A paragraph for each service; what was changed by hand at the end of it. */
export function environmentText(detail: EnvironmentDetail, options: TextOptions): string {
  const { colors } = createStyle(options)
  const drift = (all: EnvironmentDetail["drift"]) =>
    all.map((d) =>
      colors.red(
        `  drift       ${cleanLine(`${d.what}: ${d.field} is ${d.found}${d.by === undefined ? "" : ` (set by ${d.by})`}, expected ${d.expected}`)}`,
      ),
    )
  const lines = detail.services.flatMap((s, i) => [
    ...(i === 0 ? [] : [""]),
    colors.bold(
      `${s.service} in ${s.environment}: ${s.state}${s.state === "unknown" ? "" : `, ${s.replicas.ready} of ${s.replicas.wanted} ready`}`,
    ),
    ...facts(s).map(([name, value]) => `  ${name.padEnd(12)}${cleanLine(value)}`),
    ...drift(s.drift),
  ])
  for (const d of detail.dependencies) {
    if (lines.length > 0) lines.push("")
    lines.push(
      colors.bold(`${d.name} in ${detail.environment}: ${d.state}`),
      ...dependencyFacts(d).map(([name, value]) => `  ${name.padEnd(12)}${cleanLine(value)}`),
      ...drift(d.drift),
    )
  }
  const own = drift(detail.drift)
  return [...lines, ...(own.length === 0 ? [] : ["", colors.bold(detail.environment), ...own])].join("\n")
}

function dependencyFacts(d: DependencyState): readonly (readonly [string, string])[] {
  return [
    ["dependency", `${d.kind}${d.declared ? "" : ", not declared any more; it stays until somebody removes it"}`],
    ...(d.hash === undefined ? [] : [["content", d.hash.slice(0, 12)] as const]),
    ...(d.commit === undefined ? [] : [["commit", d.commit] as const]),
    ...(d.at === undefined ? [] : [["since", d.at] as const]),
    ...d.trouble.map((text) => ["trouble", text] as const),
  ]
}

function facts(s: ServiceDetail): readonly (readonly [string, string])[] {
  const { release, previous, migration, busy, rollout } = s
  return [
    ...(release === undefined
      ? []
      : ([
          ["release", `${release.reference}`],
          ["commit", release.commit],
          ["config", release.configHash.slice(0, 12)],
          ["since", `${release.at}, deployment ${release.generation}`],
        ] as const)),
    ...(previous === undefined
      ? []
      : [["before", `${short(previous.digest)} (commit ${previous.commit.slice(0, 12)})`] as const]),
    ...(s.url === undefined ? [] : [["address", s.url] as const]),
    ...(s.cluster === undefined ? [] : clusterFacts(s.cluster)),
    ["strategy", s.strategy],
    ...(rollout === undefined ? [] : [["rollout", rolloutText(rollout, s)] as const]),
    ...(s.kept === undefined
      ? []
      : [
          [
            "kept",
            `${short(s.kept.digest)} without traffic until ${s.kept.until}: gantry rollback ${s.environment} switches back`,
          ] as const,
        ]),
    ...(busy === undefined ? [] : [["at work", `${busy.what}, ${busy.by}, since ${busy.since}`] as const]),
    ...(migration === undefined
      ? []
      : [
          [
            "migration",
            `${migration.status} at ${migration.at} (commit ${migration.commit.slice(0, 12)})${
              migration.compatible ? "" : ", not backwards compatible"
            }${migration.note === undefined ? "" : `: ${migration.note}`}`,
          ] as const,
        ]),
    ...s.history
      .slice(1, 1 + mostHistory)
      .map(
        (h) =>
          [
            "earlier",
            `${h.generation}: ${short(h.digest)} (commit ${h.commit.slice(0, 12)}), ${h.at}${h.refused === undefined ? "" : `; taken back: ${h.refused}`}`,
          ] as const,
      ),
    ...s.instances.map(
      (i) =>
        [
          "instance",
          `${i.name} ${short(i.digest)}, ${i.ready ? "ready" : "not ready"}, ${
            i.traffic ? "with traffic" : "no traffic"
          }${i.restarts === 0 ? "" : `, restarted ${plural(i.restarts, "time")}`}${i.why === undefined ? "" : `: ${i.why}`}`,
        ] as const,
    ),
    ...(s.cluster?.events ?? []).map(({ about, text, at }) => ["event", `${about}: ${text} (${at})`] as const),
    ...(s.cluster?.look === undefined ? [] : [["what now", s.cluster.look] as const]),
  ]
}

/** Where in the cluster, how users get there, and who has the say about the number of instances. */
function clusterFacts(cluster: NonNullable<ServiceDetail["cluster"]>): readonly (readonly [string, string])[] {
  const { context, namespace, exposed, shares, autoscaler } = cluster
  const split = shares === undefined ? "" : `: blue ${shares.blue} %, green ${shares.green} %`
  return [
    ["cluster", `context ${context}, namespace ${namespace}`],
    ["traffic", `${exposed}${split}`],
    ...(autoscaler === undefined ? [] : [["autoscaler", scalingText(autoscaler)] as const]),
  ]
}

function scalingText({ min, max, current, desired, trouble }: Autoscaler): string {
  const wants = desired === current ? "" : `, wants ${desired}`
  return `${min} to ${max} instances, has ${current}${wants}${trouble === undefined ? "" : `; does not act: ${trouble}`}`
}

type Autoscaler = NonNullable<NonNullable<ServiceDetail["cluster"]>["autoscaler"]>

const mostHistory = 5

/** Where it stands, and what somebody who finds it so can do about it. */
function rolloutText(
  rollout: NonNullable<ServiceDetail["rollout"]>,
  { environment, service, busy }: ServiceDetail,
): string {
  const { strategy, phase, step, percent, to, why, run } = rollout
  const goesOn = busy === undefined && run !== undefined ? `gantry resume ${run}` : undefined
  const now = phase === "paused" ? `gantry promote|abort ${environment} --service ${service}` : goesOn
  const where = strategy === "canary" ? `, step ${step}` : ""
  return `${strategy} of ${short(to.digest)} (commit ${to.commit.slice(0, 12)}): ${phase}${where}, ${percent} % of the traffic${
    why === undefined ? "" : `; ${why}`
  }${now === undefined ? "" : `; now: ${now}`}`
}

/** What differs, service by service. */
export function differencesText(
  a: string,
  b: string,
  all: readonly EnvironmentDifference[],
  options: TextOptions,
): string {
  const { colors } = createStyle(options)
  if (all.length === 0) return `Nothing differs between ${a} and ${b}`
  const rows = all.map((d) =>
    [d.service, d.what, d.a ?? "-", d.b ?? "-"].map((text): Cell => ({ text: cleanLine(text) })),
  )
  const heads = [{ title: "SERVICE" }, { title: "WHAT" }, { title: a.toUpperCase() }, { title: b.toUpperCase() }]
  return table(heads, rows, options.columns ?? Infinity, colors.dim).join("\n")
}
