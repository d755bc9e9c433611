import { z } from "zod"
import { bodyText, httpRequest } from "../../net/http.js"
import { sonarqubeReference, sonarqubeVersion } from "../recipes/sonarqube.js"
import type { Component } from "./component.js"
import { secureSonarqube, sonarqubeAddress } from "./sonarqube-admin.js"

const Status = z.object({ id: z.string().default(""), status: z.string(), version: z.string() })

async function status(url: string): Promise<z.infer<typeof Status>> {
  const answer = await httpRequest(`${url}/api/system/status`, { timeoutMs: 3000 })
  return Status.parse(JSON.parse(await bodyText(answer, 10_000)))
}

/** What a state means for the one who waits. https://docs.sonarsource.com/sonarqube-community-build: api/system/status */
function missing(state: string): string | undefined {
  if (state === "UP") return undefined
  if (state === "DB_MIGRATION_NEEDED") {
    return "its data is of another version, which the built-in database cannot carry over: gantry stack down --volumes"
  }
  return state === "STARTING" ? "the web server prepares the database and the rules" : `it says ${state}`
}

/**
 * SonarQube, with its built-in database. Heaps are set so that its three Java processes and Elasticsearch's files stay
 * within 2.5 GB; files are read, not mapped, because the host's vm.max_map_count is not ours to raise. It counts as healthy
 * only when its initial password has been replaced, so there is no moment at which somebody uses it with that.
 */
export const sonarqube: Component = {
  id: "sonarqube",
  title: "SonarQube",
  needs: () => [],
  image: () => sonarqubeReference,
  expectedSeconds: 75,
  startSeconds: 600,
  external: (config) => config.sonarqube.url,
  spec: ({ config }) =>
    Promise.resolve({
      env: {
        SONAR_WEB_JAVAOPTS: "-Xmx448m -Xms128m -XX:+UseSerialGC",
        SONAR_CE_JAVAOPTS: "-Xmx384m -Xms128m -XX:+UseSerialGC",
        SONAR_SEARCH_JAVAOPTS: "-Xmx384m -Xms384m -XX:MaxDirectMemorySize=192m",
        SONAR_SEARCH_JAVAADDITIONALOPTS: "-Dnode.store.allow_mmap=false",
        SONAR_ES_BOOTSTRAP_CHECKS_DISABLE: "true",
        SONAR_TELEMETRY_ENABLE: "false",
        SONAR_UPDATECENTER_ACTIVATE: "false",
      },
      volumes: {
        "sonarqube-data": "/opt/sonarqube/data",
        "sonarqube-extensions": "/opt/sonarqube/extensions",
        "sonarqube-logs": "/opt/sonarqube/logs",
        "sonarqube-temp": "/opt/sonarqube/temp",
      },
      ports: { 9000: config.ports.sonarqube },
      memoryBytes: 2_500 * 1024 * 1024,
      stopSeconds: 60,
    }),
  health: async ({ config, signal }) => {
    let answer: z.infer<typeof Status>
    try {
      answer = await status(sonarqubeAddress(config))
    } catch (error) {
      // Nothing listens until the search index is up; then the web server answers pages before it answers JSON.
      const code = (error as NodeJS.ErrnoException).code
      return code === "ECONNREFUSED" || code === "ECONNRESET"
        ? "Java and the search index start"
        : `not yet: ${String(error)}`
    }
    if (answer.status === "UP") await secureSonarqube(config, answer.id, { signal })
    return missing(answer.status)
  },
  version: async ({ config }) => (await status(sonarqubeAddress(config))).version,
  expectedVersion: sonarqubeVersion,
  address: sonarqubeAddress,
}
