/** Somebody as git or the configuration names them. */
export interface Person {
  readonly name: string
  readonly email: string
}

/**
 * Whether two entries mean one person: the same mailbox or the same name. Errs towards "the same", because the answer keeps
 * an author from approving their own work: case, width and composition of letters (NFKC), invisible characters, spaces and
 * the `+tag` of an address make no difference.
 */
export function isSamePerson(a: Person, b: Person): boolean {
  const name = plainName(a.name)
  return mailbox(a.email) === mailbox(b.email) || (name !== "" && name === plainName(b.name))
}

export function plainName(name: string): string {
  return plain(name).replace(/\s+/g, " ")
}

/** An address without what does not change whose it is. */
export function mailbox(email: string): string {
  const text = plain(email)
  const at = text.lastIndexOf("@")
  if (at < 0) return text
  const user = text.slice(0, at)
  // "+tag" as most mail servers have it; a user that begins with + has no tag.
  return `${user.slice(0, user.indexOf("+", 1) < 0 ? undefined : user.indexOf("+", 1))}${text.slice(at)}`
}

function plain(text: string): string {
  return text
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .trim()
    .toLowerCase()
}
