import { baseReference } from "../supply/base.js"
import type { Recipe } from "../supply/recipe.js"

/** Debian, from mmdebstrap: the one image that is made without a Dockerfile (supply/base.ts). */
export const recipes: readonly Recipe[] = [
  {
    references: [
      baseReference,
      "docker.io/library/debian:trixie",
      "docker.io/library/debian:13-slim",
      "docker.io/library/debian:13",
    ],
    provides: "Debian 13 from Debian's packages",
    expectedSeconds: 20,
    dockerfile: "",
    check: {
      command: ["sh", "-c", "cat /etc/debian_version; ls /etc/ssl/certs/ca-certificates.crt"],
      expect: /^13\.[^]*ca-certificates/,
    },
  },
]
