/**
 * A remote's address that may be shown to everybody: user, password, query and fragment dropped; git's short form
 * (`git@host:group/project.git`) written as a URL. Undefined for a path of this machine, which names nothing elsewhere.
 */
export function publicOrigin(remote: string): string | undefined {
  const text = remote.trim()
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    if (!URL.canParse(text)) return undefined
    const url = new URL(text)
    if (url.protocol === "file:") return undefined
    url.username = ""
    url.password = ""
    url.search = ""
    url.hash = ""
    return url.toString()
  }
  const short = /^(?:[^@/:]+@)?([A-Za-z0-9.-]+):(?!\/\/)\/?(.+)$/.exec(text)
  // A single letter before the colon is a Windows drive.
  if (short === null || short[1] === undefined || short[1].length < 2) return undefined
  return `ssh://${short[1]}/${short[2] ?? ""}`
}
