// What each command of `npm run` tests, as parts with what they wait for.

export const results = "coverage/test-results"

const npm = (script) => ["npm", "run", "--silent", script]

/** @param files filters; none: all of the project */
export const vitest = (name, project, files = []) => {
  const reporters = ["default", "json", "./test/red.mjs"].map((reporter) => `--reporter=${reporter}`)
  const report = `${results}/${name}.json`
  const command = ["npx", "vitest", "run", "--project", project, ...reporters, `--outputFile.json=${report}`, ...files]
  return { name, project, report, red: `${results}/${name}.red.json`, command }
}
const tests = (name, project, after, files) => ({ ...vitest(name, project, files), after })
/** With a real cluster, engine or balancer on a machine that others use too. */
const onReal = (...of) => ({ ...tests(...of), onReal: true })

/** `after`: parts that have to be through; those with `vital` have to be green as well. */
const build = { name: "build", after: [], vital: true, command: npm("build") }
/** The components that tests use. */
const supply = { name: "supply", after: ["build"], vital: true, command: ["node", "dist/cli/main.js", "stack", "up"] }
/** Three lanes: what needs processors, deliveries, and rollouts, which wait for much of their time. */
const everyday = [
  build,
  { name: "lint", after: ["build"], command: npm("lint") },
  { name: "types", after: ["lint"], command: npm("typecheck") },
  tests("unit", "unit", ["types"]),
  tests("command", "command", ["unit"]),
  supply,
  onReal("integration", "integration", ["supply", "command"]),
  onReal("e2e", "e2e", ["supply"]),
  // What these need of the components is made in a minute, by themselves.
  onReal("environments", "environments", ["build"]),
]
const gitlab = (...after) => onReal("gitlab", "gitlab", ["supply", ...after])
const engine = (...after) => onReal("engine", "engine", ["supply", ...after])
/** Kills the engine that everything else works with, so everything else is done by then. */
const killed = (...after) => onReal("engine-killed", "engine-killed", after)
/** What needs the cluster, in two lanes side by side: it waits for much of its time. Then what takes the cluster from others. */
const onCluster = (afterFirst, afterSecond) => [
  onReal("pods", "kubernetes", afterFirst, ["test/kubernetes/environment"]),
  onReal("rollouts", "kubernetes", afterSecond, ["test/kubernetes/rollouts"]),
  onReal("alone", "kubernetes-alone", ["pods", "rollouts"]),
]

/** @param only the command's word; unknown or none: what a change is tested with */
export function suite(only) {
  switch (only) {
    case "unit":
      return [tests("unit", "unit", [])]
    case "gitlab":
      return [build, supply, gitlab()]
    case "engine":
      return [build, supply, engine(), killed("engine")]
    case "kubernetes":
      return onCluster([], [])
    case "rest":
      return [
        build,
        supply,
        gitlab(),
        engine(),
        // Where nothing is there yet its programs are built from the beginning: nobody waits for them alone.
        { name: "lab", after: ["supply"], vital: true, command: [...npm("lab:kubernetes"), "--", "prepare"] },
        // The second lane when there are processors left for it.
        ...onCluster(["lab"], ["lab", "engine"]),
        killed("gitlab", "engine", "alone"),
      ]
    default:
      return everyday
  }
}
