import { stat } from "node:fs/promises"
import { isAbsolute, join, relative } from "node:path"
import { isSamePerson } from "../approvals/index.js"
import { nearest } from "../core/suggest.js"
import type { Environment } from "../environments/index.js"
import type { Service } from "../steps/service.js"
import type { Issue } from "./issues.js"
import type { ProjectConfig } from "./schema.js"

/** What is wrong between fields that are right each by itself. */
export async function checkConfig(
  root: string,
  config: ProjectConfig,
  services: readonly Service[],
): Promise<readonly Issue[]> {
  return [
    ...approverIssues(config),
    ...userIssues(config),
    ...environmentIssues(config, services),
    ...(await folderIssues(root, config)),
  ]
}

/** Folders of services lie in the project: they are taken from its commit. */
export function outsideIssues(root: string, config: ProjectConfig): readonly Issue[] {
  return config.services.flatMap((folder, i) =>
    isAbsolute(folder) || relative(root, join(root, folder)).startsWith("..")
      ? [{ path: ["services", i], message: `"${folder}" is not a folder of the project` }]
      : [],
  )
}

function approverIssues({ approvers }: ProjectConfig): Issue[] {
  return approvers.flatMap((one, i) => {
    const twin = approvers.findIndex((other) => isSamePerson(one, other))
    return twin < i
      ? [
          {
            path: ["approvers", i],
            message: `${one.name} <${one.email}> is the person of approvers[${twin}]; one person counts once`,
          },
        ]
      : []
  })
}

/** One user name is one person. */
function userIssues({ approvers }: ProjectConfig): Issue[] {
  return (["gitlab", "github"] as const).flatMap((host) =>
    approvers.flatMap((one, i) => {
      const user = one[host]
      const twin = approvers.findIndex(
        (other) => user !== undefined && other[host]?.toLowerCase() === user.toLowerCase(),
      )
      return twin >= 0 && twin < i
        ? [{ path: ["approvers", i, host], message: `"${user}" is the user name of approvers[${twin}], too` }]
        : []
    }),
  )
}

function environmentIssues({ environments, approvers }: ProjectConfig, services: readonly Service[]): Issue[] {
  const issues: Issue[] = []
  const roles = [...new Set(approvers.map((a) => a.role))]
  const names = services.map((s) => s.name)
  for (const [name, environment] of Object.entries(environments)) {
    for (const service of Object.keys(environment.ports)) {
      if (names.includes(service)) continue
      issues.push({
        path: ["environments", name, "ports", service],
        message: `there is no service "${service}"${mean(service, names)}`,
      })
    }
    for (const service of Object.keys(environment.kubernetes.services)) {
      if (names.includes(service)) continue
      issues.push({
        path: ["environments", name, "kubernetes", "services", service],
        message: `there is no service "${service}"${mean(service, names)}`,
      })
    }
    issues.push(...ownIssues(name, environment, services))
    // Without any approvers yet, everything up to the gate can be tried; the gate says that nobody may decide.
    if (environment.approvals === undefined || approvers.length === 0) continue
    const { roles: demanded, required } = environment.approvals
    demanded.forEach((role, i) => {
      if (roles.includes(role)) return
      issues.push({
        path: ["environments", name, "approvals", "roles", i],
        message: `no approver has the role "${role}"${mean(role, roles)}`,
      })
    })
    const able = approvers.filter((a) => demanded.length === 0 || demanded.includes(a.role)).length
    if (able < required) {
      issues.push({
        path: ["environments", name, "approvals", "required"],
        message: `asks for ${required} people, and ${able} may approve`,
      })
    }
  }
  return issues
}

/** What a service brings itself stands for all that Gantry would make for it, its database as well. */
function ownIssues(name: string, { kubernetes }: Environment, services: readonly Service[]): Issue[] {
  return Object.entries(kubernetes.services).flatMap(([service, { own }]) => {
    const declared = services.find((s) => s.name === service)
    if (own === undefined || declared?.database === undefined) return []
    const path = ["environments", name, "kubernetes", "services", service, "own"]
    const what = declared.migrations === undefined ? "`database`" : "`database` and `migrations`"
    return [
      {
        path,
        message: `${service} declares ${what}, which Gantry gives to its own chart alone: with own objects the database is among them, and they migrate it`,
      },
    ]
  })
}

async function folderIssues(root: string, { configRepo }: ProjectConfig): Promise<Issue[]> {
  if (configRepo === undefined) return []
  const found = await stat(join(root, configRepo)).catch(() => undefined)
  return found?.isDirectory() === true
    ? []
    : [{ path: ["configRepo"], message: `the folder ${configRepo} is not there` }]
}

function mean(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === undefined ? "" : `; did you mean "${near}"?`
}
