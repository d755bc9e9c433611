import { ProjectConfig, type ProjectConfigInput } from "../../../config/schema.js"
import { ServiceDeclaration } from "../../../steps/service.js"
import type { Settings } from "../../../steps/settings.js"

const suite = { run: "npm test", junit: ["a.xml"] }
export const tests = { unit: suite, integration: suite, acceptance: suite }

/** Settings of a project with these services, each in the folder of its name unless `path` says another. */
export function settingsOf(
  services: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  config: Partial<Omit<ProjectConfigInput, "services">> = {},
): Settings {
  const parsed = ProjectConfig.parse({ project: "shop", ...config })
  return {
    project: parsed.project,
    root: "/nowhere",
    engine: parsed.engine,
    environments: parsed.environments,
    scan: parsed.scan,
    approvers: parsed.approvers,
    ci: parsed.ci,
    configRepo: parsed.configRepo,
    services: Object.entries(services).map(([name, { path = name, ...more }]) => ({
      ...ServiceDeclaration.parse({ name, toolchain: { image: "node:22" }, build: {}, health: {}, ...more }),
      path: String(path),
    })),
  }
}
