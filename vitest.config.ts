import { defineConfig } from "vitest/config"

/**
 * `unit` needs nothing but Node, and so does `command`, which starts the built command as a process of its own, a hundred
 * times; the others need real components and so more time, one file at a time.
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
          globalSetup: ["test/unit/cli/built.ts"],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          // One process for all: loading the sources anew for each file took as long as many a file's tests.
          isolate: false,
          unstubEnvs: true,
          testTimeout: 600_000,
          hookTimeout: 1_200_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: ["test/e2e/engine-killed.test.ts"],
          testTimeout: 900_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "engine-killed",
          include: ["test/e2e/engine-killed.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
