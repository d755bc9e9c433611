import { goReference } from "../supply/go.js"
import type { Recipe } from "../supply/recipe.js"

/** Debian's Go, old as it is, fetches the pinned toolchain through the module proxy when a build asks for it. */
export const recipes: readonly Recipe[] = [
  {
    references: [goReference, "docker.io/library/golang:1.26"],
    provides: "Go toolchain from Debian's packages",
    expectedSeconds: 40,
    dockerfile: `RUN apt-get update && apt-get install -y --no-install-recommends golang-go git \\
 && rm -rf /var/lib/apt/lists/*
ENV GOTOOLCHAIN=auto
`,
    check: { command: ["go", "version"], expect: /go version go1\.2\d/ },
  },
]
