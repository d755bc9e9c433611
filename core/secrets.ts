import { readFile } from "node:fs/promises"
import { fault } from "./errors.js"

export interface Secret {
  readonly name: string
  /** The value. Everything that is logged or recorded afterwards has it masked. */
  plaintext(): string
}

/** Where a secret's value comes from: NAME in the environment, or the file that NAME_FILE names. */
export interface SecretSource {
  /** Undefined when the secret is not there. */
  read(name: string): Promise<string | undefined>
  /** Why a secret may be missing here, and what to do, where the source knows more than `readSecrets`. */
  whyMissing?(name: string): { readonly reason: string; readonly hint: string } | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/** What was taken out of an environment; only `environmentSecrets` of the same one still has it. */
const withheld = new WeakMap<Env, Map<string, string>>()

/**
 * Takes variables, and the `<NAME>_FILE` that stand for them, out of an environment: what steps and their tools inherit, print or
 * upload does not hold them any more. `environmentSecrets` of that environment goes on answering them.
 */
export function withholdSecrets(env: NodeJS.ProcessEnv, names: Iterable<string>): void {
  const taken = withheld.get(env) ?? new Map<string, string>()
  withheld.set(env, taken)
  for (const name of [...names].flatMap((one) => [one, fileOf(one)])) {
    const value = env[name]
    if (value === undefined) continue
    taken.set(name, value)
    delete env[name]
  }
}

const fileOf = (name: string) => `${name}_FILE`

/** Environment first, then `<NAME>_FILE`, the way Docker and GitLab hand over files. One trailing newline is dropped. */
export function environmentSecrets(env: Env): SecretSource {
  const valueOf = (name: string) => env[name] ?? withheld.get(env)?.get(name)
  return {
    async read(name) {
      const value = valueOf(name)
      if (value !== undefined && value !== "") return value
      const file = valueOf(fileOf(name))
      if (file === undefined || file === "") return undefined
      try {
        return (await readFile(file, "utf8")).replace(/\r?\n$/, "") || undefined
      } catch (cause) {
        throw fault({
          code: "SECRET-FILE",
          kind: "usage",
          message: `The file of secret ${name} cannot be read`,
          reason: `${name}_FILE=${file}: ${(cause as Error).message}`,
          hint: `Check the path and its permissions, or set ${name}.`,
          cause,
        })
      }
    },
  }
}

/** Reads all the secrets that the steps declare. @throws SECRET-MISSING, naming every missing one and who wants it */
export async function readSecrets(
  source: SecretSource,
  wanted: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlyMap<string, Secret>> {
  const found = new Map<string, Secret>()
  const missing: string[] = []
  for (const [name, steps] of wanted) {
    const value = await source.read(name)
    if (value === undefined) missing.push(`${name} (for ${steps.join(", ")})`)
    else found.set(name, { name, plaintext: () => value })
  }
  if (missing.length > 0) {
    const first = [...wanted.keys()].find((name) => !found.has(name)) ?? ""
    const why = source.whyMissing?.(first)
    throw fault({
      code: "SECRET-MISSING",
      kind: "usage",
      message: `${missing.length === 1 ? "A secret is" : `${missing.length} secrets are`} missing: ${missing.join("; ")}`,
      reason: `Nothing has been run. ${why?.reason ?? "Secrets are read from the environment, or from the file that <NAME>_FILE names."}`,
      hint: why?.hint ?? `export ${first}=… and run again; \`gantry plan\` lists all that are needed.`,
    })
  }
  return found
}
