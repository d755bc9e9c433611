import { z } from "zod"
import { fault } from "../../core/errors.js"

/** Section `codeHost` of gantry.config.ts. Without it, the CI system's variables say where it is, else git's origin. */
export const CodeHostConfig = z.strictObject({
  kind: z.enum(["gitlab", "github"]),
  /** Of the instance, with its path where it has one: https://git.example/gitlab */
  url: z.url({ protocol: /^https?$/ }),
  /** Number, or path with its groups; on GitHub owner/name. Default: what CI or git's origin says. */
  project: z.string().min(1).optional(),
  /** PEM bundle of its private certificate authority. Default: engine.ca. */
  ca: z.string().min(1).optional(),
})
export type CodeHostConfig = z.infer<typeof CodeHostConfig>

/** A project at a code host. */
export interface Place {
  readonly kind: "gitlab" | "github"
  /** Base address without a slash at its end. */
  readonly url: string
  readonly project: string
  /** PEM bundle trusted besides Node's own. */
  readonly ca?: string | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * Where the project is: the configuration says it, else CI's predefined variables, else git's origin.
 * @param origin Address of the remote without credentials, as a URL
 * @returns undefined when none of them does
 */
export function choosePlace(from: {
  readonly config?: CodeHostConfig | undefined
  readonly env: Env
  readonly origin?: string | undefined
  readonly ca?: string | undefined
}): Place | undefined {
  const { config, env } = from
  const ca = config?.ca ?? from.ca
  const place = (kind: Place["kind"], url: string, project: string): Place => ({
    kind,
    url: url.replace(/\/+$/, ""),
    project,
    ...(ca === undefined ? {} : { ca }),
  })
  const { CI_SERVER_URL: gitlab, CI_PROJECT_ID: id, GITHUB_SERVER_URL: github, GITHUB_REPOSITORY: repository } = env
  const remote = originOf(from.origin)
  if (config !== undefined) {
    const project = config.project ?? (config.kind === "gitlab" ? id : repository) ?? below(config.url, remote)
    return project === undefined || project === "" ? undefined : place(config.kind, config.url, project)
  }
  if (gitlab && id) return place("gitlab", gitlab, id)
  if (github && repository) return place("github", github, repository)
  if (remote === undefined) return undefined
  return place(/(^|\.)github\./.test(remote.host) ? "github" : "gitlab", remote.url, remote.path)
}

interface Remote {
  readonly host: string
  readonly url: string
  readonly path: string
}

function originOf(origin: string | undefined): Remote | undefined {
  if (origin === undefined || !URL.canParse(origin)) return undefined
  const { protocol, hostname, host, pathname } = new URL(origin)
  const path = pathname.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "")
  if (hostname === "" || path === "") return undefined
  // The port of ssh is not the one of the web server.
  if (protocol === "http:" || protocol === "https:") return { host: hostname, url: `${protocol}//${host}`, path }
  return { host: hostname, url: `https://${hostname}`, path }
}

/** Path of the project; a path of the instance itself is not part of it, though only web addresses show it. */
function below(url: string, remote: Remote | undefined): string | undefined {
  if (remote === undefined) return undefined
  const base = new URL(url).pathname.replace(/^\/+|\/+$/g, "")
  return base !== "" && remote.path.startsWith(`${base}/`) ? remote.path.slice(base.length + 1) : remote.path
}

/** The place, for a step that cannot do without. @throws CODEHOST-WHERE */
export function knownPlace(place: Place | undefined): Place {
  if (place !== undefined) return place
  throw fault({
    code: "CODEHOST-WHERE",
    kind: "usage",
    message: "It is not known at which code host the project is",
    reason: "gantry.config.ts has no codeHost, CI's variables name none, and git's remote origin names no server.",
    hint: 'codeHost: { kind: "gitlab", url: "https://gitlab.example", project: "group/project" } in gantry.config.ts',
  })
}

/** What it is called in messages. */
export const hostName = (place: Pick<Place, "kind">) => (place.kind === "gitlab" ? "GitLab" : "GitHub")
