import { fault, faultIn, type Fault } from "../../core/errors.js"
import { execErrorOf, killedFault, lastLines } from "../container.js"
import type { Service } from "../service.js"

/** Words of the builder that are about the way to somewhere else and not about the Dockerfile. */
const infrastructure =
  /i\/o timeout|connection re(fused|set)|no such host|TLS handshake|unexpected EOF|too many requests|50[0234] |no space left|deadline exceeded|failed to do request/i

/** A Dockerfile that does not build is failed; an engine or a registry that does not answer is errored. Undefined: not ours. */
export function buildFault(error: unknown, service: Service, dockerfile: string): Fault | undefined {
  // A fault along the causes (a lost engine) says more than the error it is wrapped in.
  if (faultIn(error) !== undefined) return undefined
  const path = `${service.path}/${service.build.dockerfile}`
  const exec = execErrorOf(error)
  if (exec !== undefined && exec.exitCode >= 0) {
    const output = `${exec.stdout}\n${exec.stderr}`
    return (
      killedFault(`The build of ${service.name}`, exec.exitCode, output) ??
      failed(
        service,
        `a command exited with ${exec.exitCode}: ${commandOf(error, dockerfile, path)}`,
        lastLines(output),
        error,
      )
    )
  }
  // D100: the engine answered and said no. D101 and others: it did not answer, which is no word about the Dockerfile.
  if (!(error instanceof Error) || !("code" in error) || error.code !== "D100") return undefined
  const message = error.message.trim()
  if (!infrastructure.test(message)) return failed(service, message.split("\n")[0] ?? "", lastLines(message), error)
  return fault({
    code: "IMAGE-BUILD-ERRORED",
    kind: "errored",
    message: `The image of ${service.name} could not be built: ${message.split("\n")[0] ?? ""}`,
    reason: lastLines(message),
    hint: "`gantry doctor` checks the engine and the registries; then `gantry resume` the run.",
    cause: error,
  })
}

function failed(service: Service, what: string, reason: string, cause: unknown): Fault {
  return fault({
    code: "IMAGE-BUILD",
    kind: "failed",
    message: `The Dockerfile of ${service.name} does not build: ${what}`,
    reason,
    hint: `Correct ${service.path}/${service.build.dockerfile}; .gantry/engine.log has the whole output of the builder.`,
    cause,
  })
}

/** The command and the line of the Dockerfile it stands in, where that can be told. */
function commandOf(error: unknown, dockerfile: string, path: string): string {
  const cmd = error instanceof Error && "cmd" in error && Array.isArray(error.cmd) ? error.cmd.map(String) : []
  const text = cmd[cmd.length - 1] ?? ""
  const words = text.trim().split(/\s+/).slice(0, 3).join(" ")
  const line = words === "" ? -1 : dockerfile.split("\n").findIndex((l) => l.includes(words))
  const short = text.length > 120 ? `${text.slice(0, 120)}…` : text
  return line < 0 ? short : `${short} (${path}:${line + 1})`
}
