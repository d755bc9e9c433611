import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    reporters: ["default", "junit"],
    // What a test wants is a condition with a deadline; these only stop what hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Vite sets BASE_URL to its own "/" for the tests: what the acceptance tests are given travels under another name.
    env: { ACCEPTANCE_URL: process.env.BASE_URL ?? "" },
    coverage: {
      provider: "v8",
      include: ["src/**/*.js"],
      reporter: ["lcovonly", "text-summary"],
    },
  },
})
