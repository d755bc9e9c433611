/** Reads and checks what callers send. Everything wrong is a Problem that says which field and what would be right. */
import { Problem, invalid } from "./problem.js"

const maxBytes = 64 * 1024

export async function readJson(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > maxBytes) throw new Problem(413, "TOO_LARGE", `The body is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  let value
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"))
  } catch {
    throw invalid("The body is not JSON")
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("The body is not a JSON object")
  return value
}

export function newProduct(body) {
  return {
    sku: matching(body, "sku", /^[A-Z0-9][A-Z0-9-]{2,39}$/, "3 to 40 of A-Z, 0-9 and -"),
    name: matching(body, "name", /^\S.{0,199}$/u, "1 to 200 characters"),
    priceCents: whole(body, "priceCents", 0, 1_000_000_000_00),
    stock: whole(body, "stock", 0, 1_000_000_000),
  }
}

export function newReservation(body) {
  return {
    reference: matching(body, "reference", /^[A-Za-z0-9-]{8,64}$/, "8 to 64 of letters, digits and -"),
    quantity: whole(body, "quantity", 1, 1_000_000),
  }
}

/** `page` from 1 and `size`, with the environment's defaults. */
export function paging(query, { pageSize, maxPageSize }) {
  return {
    page: wholeOf("page", numeric(query.get("page"), 1), 1, 1_000_000),
    size: wholeOf("size", numeric(query.get("size"), pageSize), 1, maxPageSize),
  }
}

const numeric = (text, fallback) => (text === null ? fallback : Number(text))
const whole = (body, field, min, max) => wholeOf(field, body[field], min, max)

function wholeOf(field, value, min, max) {
  if (!Number.isInteger(value) || value < min || value > max) throw invalid(`${field} must be a whole number from ${min} to ${max}`)
  return value
}

function matching(body, field, pattern, description) {
  const value = body[field]
  if (typeof value !== "string" || !pattern.test(value)) throw invalid(`${field} must be text of ${description}`)
  return value
}
