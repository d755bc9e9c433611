import { defineConfig } from "vitest/config"

/** Builds the command when a source is newer: for tests that start it as a process. */
const built = "test/unit/cli/built.ts"
/** With real components. One process for all: loading the sources anew for each file took as long as many a file's tests. */
const onReal = {
  isolate: false,
  unstubEnvs: true,
  testTimeout: 600_000,
  hookTimeout: 1_200_000,
  fileParallelism: false,
}
/** Ends what hangs: two services by all their jobs took 14 min on two slow processors that had other work. */
const deliveries = {
  globalSetup: [built],
  testTimeout: 3_600_000,
  hookTimeout: 3_600_000,
  fileParallelism: false,
}
const killed = "test/e2e/engine-killed.test.ts"
/** On the cluster of test/lab/kubernetes. Deployers that a test kills are processes of the built package. */
const onCluster = {
  ...onReal,
  include: ["test/kubernetes/**/*.test.ts"],
  globalSetup: [built, "test/kubernetes/setup.ts"],
  setupFiles: ["test/kubernetes/on-red.ts"],
  hookTimeout: 1_800_000,
}

/**
 * `unit` needs nothing but Node, and so does `command`, which starts the built command as a process of its own, a hundred
 * times; the others need real components and so more time, one file or two at a time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: ["test/unit/cli/**"],
          // Two thirds of the time went into a fresh process and fresh modules for each of a hundred small files.
          pool: "threads",
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "command",
          include: ["test/unit/cli/**/*.test.ts"],
          globalSetup: [built],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          ...onReal,
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          exclude: ["test/integration/engine/**", "test/integration/environments/**"],
        },
      },
      // How components come to a machine.
      { test: { ...onReal, name: "engine", include: ["test/integration/engine/**/*.test.ts"] } },
      {
        test: {
          // They wait for much of their time: beside the others. One at a time, for they measure what users meet.
          ...onReal,
          name: "environments",
          include: ["test/integration/environments/**/*.test.ts"],
          // Deployers that a test kills are processes of the built package.
          globalSetup: [built],
        },
      },
      { test: { ...deliveries, name: "e2e", include: ["test/e2e/**/*.test.ts"], exclude: [killed] } },
      // The pipeline that GitLab gets, by a program that does as GitLab's runners.
      { test: { ...deliveries, name: "gitlab", include: ["test/gitlab/**/*.test.ts"] } },
      { test: { ...onCluster, name: "kubernetes", exclude: ["test/kubernetes/alone/**"] } },
      // What takes the API server or the node away, from everybody.
      { test: { ...onCluster, name: "kubernetes-alone", include: ["test/kubernetes/alone/**/*.test.ts"] } },
      {
        test: {
          name: "engine-killed",
          include: [killed],
          globalSetup: [built],
          // An engine that was killed throws its cache away.
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
})
