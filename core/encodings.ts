/** Base64 middles shorter than this would be found by chance in hashes and digests. */
const shortestMiddle = 6

/**
 * The texts as which a secret may turn up in the output of tools: plain, its longer lines, percent-encoded, inside JSON, XML
 * or HTML, as hex and as base64 wherever it stands in the encoded bytes.
 */
export function encodings(secret: string): string[] {
  const lines = secret.includes("\n") ? secret.split(/\r?\n/).filter((line) => line.length >= 8) : []
  return [secret, secret.trim(), ...lines].flatMap((value) => [
    value,
    ...percentForms(value),
    ...jsonForms(value),
    ...markupForms(value),
    Buffer.from(value).toString("hex"),
    Buffer.from(value).toString("hex").toUpperCase(),
    ...base64Forms(value),
  ])
}

/** What browsers, Node, Java, Python and Go make of a value in a path, a query or a form; some write `%2f`, some `%2F`. */
function percentForms(value: string): string[] {
  const component = encodeURIComponent(value.toWellFormed())
  const strict = component.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  const forms = [
    component,
    strict,
    strict.replaceAll("%2F", "/"),
    encodeURI(value.toWellFormed()),
    new URLSearchParams([["", value]]).toString().slice(1),
  ]
  return forms.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())])
}

/** As a JSON string, also one inside another (a tool's JSON line quoted in an error), also as Go writes `<`, `>` and `&`. */
function jsonForms(value: string): string[] {
  const once = JSON.stringify(value).slice(1, -1)
  return [
    once,
    JSON.stringify(once).slice(1, -1),
    once.replaceAll("/", "\\/"),
    once.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
  ]
}

function markupForms(value: string): string[] {
  const text = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
  const attribute = text.replaceAll('"', "&quot;")
  return [
    text,
    attribute,
    attribute.replaceAll("'", "&apos;"),
    attribute.replaceAll("'", "&#39;"),
    attribute.replaceAll("'", "&#x27;"),
  ]
}

/**
 * The base64 text of a value depends on how many bytes stand before it: three alignments. The first and last characters
 * mix with the neighbours, so only the stable middle is matched.
 */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  const middles = [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "")
    const whole = (offset + bytes.length) % 3 === 0
    return padded.slice(offset === 0 ? 0 : offset + 1, whole ? undefined : -1)
  })
  const whole = bytes.toString("base64")
  const forms = [whole, whole.replace(/=+$/, ""), ...middles.filter((middle) => middle.length >= shortestMiddle)]
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")])
}
