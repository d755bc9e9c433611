/** Names of settings and variables whose values people keep to themselves. */
const secretName =
  /pass(word|wd|phrase)?|pwd|secret|token|credential|private|(api|access|encryption|signing)[-_.]?key|auth/i
/** Values that give themselves away: keys in PEM, addresses with a password, signed tokens. */
const secretValue = /-----BEGIN |:\/\/[^/\s:@]*:[^/\s@]+@|\beyJ[\w-]{10,}\.[\w-]{10,}\./

/** A value as it may be shown: `***` where its name or itself looks like a secret. Rather one too many. */
export function shown(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  return secretName.test(name) || secretValue.test(value) ? "***" : value
}
