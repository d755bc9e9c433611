import { createHash, X509Certificate } from "node:crypto"
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { rootCertificates } from "node:tls"
import { hashText } from "./files.js"

/** Password of the truststore: it protects nothing secret, Java merely wants one. */
export const truststorePassword = "changeit"

/**
 * A Java truststore (JKS, version 2) of the certificates in a PEM bundle. Java reads no PEM bundle, and keytool takes
 * half a second per certificate. Format: sun.security.provider.JavaKeyStore — magic, version, count, per entry tag 2,
 * alias, time, type, certificate; then SHA-1 of the password in UTF-16BE, "Mighty Aphrodite" and all of the above.
 */
export function javaTruststore(pem: string): Buffer {
  const certificates = (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).flatMap(readable)
  const parts: Buffer[] = [int(0xfeedfeed), int(2), int(certificates.length)]
  certificates.forEach((der, index) => {
    // The time is fixed: the same bundle makes the same bytes.
    parts.push(int(2), utf(`ca-${index}`), Buffer.alloc(8), utf("X.509"), int(der.length), der)
  })
  const body = Buffer.concat(parts)
  const password = Buffer.from(truststorePassword, "utf16le").swap16()
  const digest = createHash("sha1").update(password).update("Mighty Aphrodite").update(body).digest()
  return Buffer.concat([body, digest])
}

const made = new Map<string, string>()

/**
 * Path of a truststore with a bundle's certificates, kept in the Gantry home and made once per content. A truststore
 * replaces Java's own, so the public authorities are in it too: a bundle may hold nothing but a company's.
 */
export function truststoreFile(home: string, bundle: string): string {
  const { mtimeMs, size } = statSync(bundle)
  const key = `${home} ${bundle} ${mtimeMs} ${size}`
  const known = made.get(key)
  if (known !== undefined) return known
  const pem = [readFileSync(bundle, "utf8"), ...rootCertificates].join("\n")
  const path = join(home, "cache", "ca", `${hashText(pem).slice(0, 16)}.jks`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, javaTruststore(pem))
  renameSync(`${path}.${process.pid}`, path)
  made.set(key, path)
  return path
}

/** A broken certificate in a bundle must not take the others with it. */
function readable(pem: string): Buffer[] {
  try {
    return [new X509Certificate(pem).raw]
  } catch {
    return []
  }
}

function int(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

function utf(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8")
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
