/**
 * What the published descriptions of the formats demand, as far as a file of ours could break it. Written from the sources that
 * are named, not copied.
 */

/** gitlab-org/security-products/security-report-schemas, dist/container-scanning-report-format.json, version 15.0.7. */
const name = { type: "string", minLength: 1 }
const tool = {
  type: "object",
  required: ["id", "name", "version", "vendor"],
  properties: { id: name, name, version: name, vendor: { type: "object", required: ["name"], properties: { name } } },
}
const time = { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$" }
const link = { type: "string", pattern: "^(https?|ftp)://.+" }
export const containerScanning = {
  type: "object",
  required: ["scan", "version", "vulnerabilities"],
  properties: {
    version: { type: "string", pattern: "^[0-9]+\\.[0-9]+\\.[0-9]+$" },
    scan: {
      type: "object",
      required: ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
      properties: {
        analyzer: tool,
        scanner: tool,
        start_time: time,
        end_time: time,
        status: { enum: ["success", "failure"] },
        type: { enum: ["container_scanning"] },
        messages: {
          type: "array",
          items: {
            type: "object",
            required: ["level", "value"],
            properties: { level: { enum: ["info", "warn", "fatal"] }, value: name },
          },
        },
      },
    },
    vulnerabilities: {
      type: "array",
      items: {
        type: "object",
        required: ["id", "identifiers", "location"],
        properties: {
          id: name,
          name: { type: "string", maxLength: 255 },
          description: { type: "string", maxLength: 1048576 },
          severity: { enum: ["Info", "Unknown", "Low", "Medium", "High", "Critical"] },
          solution: { type: "string", maxLength: 7000 },
          identifiers: {
            type: "array",
            minItems: 1,
            items: {
              type: "object",
              required: ["type", "name", "value"],
              properties: { type: name, name, value: name, url: link },
            },
          },
          links: { type: "array", items: { type: "object", required: ["url"], properties: { url: link } } },
          location: {
            type: "object",
            required: ["dependency", "operating_system", "image"],
            properties: {
              dependency: {
                type: "object",
                required: ["package", "version"],
                properties: {
                  package: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
                  version: { type: "string" },
                },
              },
              operating_system: name,
              image: name,
            },
          },
        },
      },
    },
  },
}

/** https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format */
export const codeQuality = {
  type: "array",
  items: {
    type: "object",
    required: ["description", "check_name", "fingerprint", "location", "severity"],
    properties: {
      description: name,
      check_name: name,
      fingerprint: name,
      severity: { enum: ["info", "minor", "major", "critical", "blocker"] },
      location: {
        type: "object",
        required: ["path", "lines"],
        properties: {
          // Relative, and not with ./ before it.
          path: { type: "string", pattern: "^[^./]" },
          lines: { type: "object", required: ["begin"], properties: { begin: { type: "integer", minimum: 1 } } },
        },
      },
    },
  },
}

/** https://github.com/CycloneDX/specification/blob/master/schema/bom-1.5.schema.json */
export const cyclonedx = {
  type: "object",
  required: ["bomFormat", "specVersion"],
  properties: {
    bomFormat: { enum: ["CycloneDX"] },
    specVersion: { enum: ["1.4", "1.5", "1.6"] },
    version: { type: "integer", minimum: 1 },
    components: {
      type: "array",
      uniqueItems: true,
      items: {
        type: "object",
        required: ["type", "name"],
        properties: {
          type: { enum: ["application", "library", "operating-system", "container", "framework", "file"] },
        },
      },
    },
    dependencies: { type: "array", uniqueItems: true, items: { type: "object", required: ["ref"] } },
  },
}
