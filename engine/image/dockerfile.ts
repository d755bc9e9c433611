/**
 * Rewrites the image references of a Dockerfile (FROM, and COPY/RUN --from of other images) to what `resolve` answers.
 * Stages, `scratch`, ARG defaults before the first FROM, --platform, AS, continued lines, heredocs and the escape
 * directive are understood as the Dockerfile reference has them; everything else is left as it is, byte for byte.
 * `buildArgs` override ARG defaults. What cannot be told (an ARG without a value) is left to the builder.
 */
export async function rewriteDockerfile(
  text: string,
  resolve: (reference: string) => Promise<string>,
  buildArgs: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answers = new Map<string, Promise<string>>()
  const ask = (reference: string): Promise<string> => {
    const known = answers.get(reference) ?? resolve(reference)
    answers.set(reference, known)
    return known
  }
  const globals = new Map<string, string>()
  const stages = new Set<string>()
  let inStage = false
  const out: string[] = []
  for (const instruction of splitInstructions(text)) {
    const arg = /^\s*ARG\s+([^]*)$/i.exec(instruction.code)
    if (arg !== null && !inStage) {
      for (const [name, value] of assignments(arg[1] ?? ""))
        globals.set(name, buildArgs[name] ?? substitute(value, globals) ?? "")
      out.push(instruction.raw)
    } else if (/^\s*FROM\s/i.test(instruction.code)) {
      inStage = true
      out.push(await rewriteFrom(instruction, globals, stages, ask))
    } else if (/^\s*(COPY|RUN)\s/i.test(instruction.code)) {
      out.push(await rewriteMounts(instruction, stages, ask))
    } else out.push(instruction.raw)
  }
  return out.join("")
}

/** References of other images that a Dockerfile starts from or copies from, as written but with ARGs filled in. */
export async function dockerfileImages(
  text: string,
  buildArgs: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const found: string[] = []
  await rewriteDockerfile(
    text,
    (reference) => {
      found.push(reference)
      return Promise.resolve(reference)
    },
    buildArgs,
  )
  return found
}

interface Instruction {
  /** The bytes as they stand, with line ends, comments inside and heredocs. */
  readonly raw: string
  /** One logical line: continuations joined, comments inside left out. */
  readonly code: string
}

function splitInstructions(text: string): Instruction[] {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const escape = /^(?:\s*#\s*\w+\s*=.*\n)*?\s*#\s*escape\s*=\s*(`|\\)/i.exec(text)?.[1] ?? "\\"
  const result: Instruction[] = []
  let at = 0
  while (at < lines.length) {
    let raw = ""
    let code = ""
    for (;;) {
      const line = lines[at] ?? ""
      at += 1
      raw += line
      const bare = line.replace(/\r?\n$/, "")
      const comment = /^\s*#/.test(bare)
      // A comment or an empty line inside a continued instruction does not end it.
      const continues = comment || bare.trim() === "" ? code !== "" : bare.trimEnd().endsWith(escape)
      if (!comment) code += bare.trimEnd().endsWith(escape) ? `${bare.trimEnd().slice(0, -1)} ` : bare
      if (!continues || at >= lines.length) break
    }
    for (const word of heredocs(code)) {
      while (at < lines.length) {
        const line = lines[at] ?? ""
        at += 1
        raw += line
        if (line.trim() === word) break
      }
    }
    result.push({ raw, code })
  }
  return result
}

/** Ends of the heredocs that an instruction opens: RUN <<EOF, COPY <<-"EOF" /file. */
function heredocs(code: string): string[] {
  if (!/^\s*(RUN|COPY|ADD)\s/i.test(code)) return []
  return [...code.matchAll(/(?<!<)<<-?\s*(["']?)(\w+)\1/g)].map((match) => match[2] ?? "")
}

function assignments(text: string): [string, string][] {
  return [...text.matchAll(/(\w+)(?:=("(?:[^"\\]|\\.)*"|'[^']*'|\S*))?/g)]
    .filter((match) => match[2] !== undefined)
    .map((match) => [match[1] ?? "", (match[2] ?? "").replace(/^(["'])([^]*)\1$/, "$2")])
}

/** $NAME, ${NAME}, ${NAME:-default}, ${NAME:+instead}; `undefined` when a name without default has no value. */
function substitute(text: string, values: ReadonlyMap<string, string>): string | undefined {
  let unknown = false
  const result = text.replace(/\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g, (_all, plain, braced, operator, word) => {
    const value = values.get((plain ?? braced) as string)
    const set = value !== undefined && value !== ""
    if (operator === "-") return set ? value : (substitute(word as string, values) ?? "")
    if (operator === "+") return set ? (substitute(word as string, values) ?? "") : ""
    if (value === undefined) unknown = true
    return value ?? ""
  })
  return unknown ? undefined : result
}

async function rewriteFrom(
  instruction: Instruction,
  globals: ReadonlyMap<string, string>,
  stages: Set<string>,
  ask: (reference: string) => Promise<string>,
): Promise<string> {
  const match = /^\s*FROM\s+((?:--\S+\s+)*)(\S+)(?:\s+AS\s+(\S+))?\s*$/i.exec(instruction.code)
  const image = match?.[2]
  if (match === null || image === undefined) return instruction.raw
  const reference = substitute(image.replace(/^"(.*)"$/, "$1"), globals)
  const known =
    reference === undefined || reference === "" || reference === "scratch" || stages.has(reference.toLowerCase())
  if (match[3] !== undefined) stages.add(match[3].toLowerCase())
  if (known) return instruction.raw
  const answer = await ask(reference)
  return instruction.raw.replace(image, () => answer)
}

async function rewriteMounts(
  instruction: Instruction,
  stages: ReadonlySet<string>,
  ask: (reference: string) => Promise<string>,
): Promise<string> {
  let raw = instruction.raw
  const flags = [...instruction.code.matchAll(/(?:\s--from=|--mount=\S*?\bfrom=)([^\s,]+)/gi)]
  for (const [, source] of flags) {
    if (source === undefined || /^\d+$/.test(source) || stages.has(source.toLowerCase()) || source.includes("$"))
      continue
    if (source === "scratch") continue
    const answer = await ask(source)
    raw = raw.replace(`from=${source}`, () => `from=${answer}`)
  }
  return raw
}
