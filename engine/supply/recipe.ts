/**
 * How an image is made from packages where its registry does not answer. A recipe is data and a small function that
 * gathers files; `engine/supply/` owns fetching, building, checking, pushing to the local registry and remembering.
 */

/** What a recipe may use to gather the files of its build context. Everything is kept in the cache by the hash of its inputs. */
export interface RecipeTools {
  /** Fetches an artifact with Maven, by the host's Maven settings, and checks its SHA-256. Answers the host path. */
  maven(artifact: MavenArtifact): Promise<string>
  /** `npm pack <spec>` on the host; answers the path of the tarball. */
  npmPack(spec: string): Promise<string>
  /**
   * Builds Go programs in a container from a module folder of this package (go.mod, go.sum, replacement modules).
   * Answers the host folder that holds one binary per package, named as its last path element.
   */
  goBuild(request: GoBuild): Promise<string>
}

export interface MavenArtifact {
  /** "group:artifact:version:packaging", as Maven's own tools take it. */
  readonly artifact: string
  /** Hex. Also the name under which the file is kept. */
  readonly sha256: string
  /** Size, for the progress. */
  readonly bytes: number
  readonly title: string
}

export interface GoBuild {
  readonly title: string
  /** Folder with go.mod and go.sum, relative to the package root, e.g. "engine/modules/dagger". */
  readonly module: string
  readonly packages: readonly string[]
  readonly ldflags?: string
  readonly tags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /**
   * For sources that cannot be built as their module is published: a shell script of the module folder, run there when
   * the modules are downloaded, lays them out in `folder`, where the build then takes place. It may put files into /out.
   */
  readonly prepare?: { readonly script: string; readonly folder: string }
  readonly expectedSeconds: number
}

/** A file of the build context: its text, or a host path that is copied (a folder recursively). */
export type ContextFile =
  { readonly text: string; readonly mode?: number } | { readonly path: string; readonly mode?: number }

export interface Recipe {
  /** The public reference it stands in for, in full: "docker.io/library/haproxy:3.0". One recipe may answer several tags. */
  readonly references: readonly string[]
  /** What a person reads: "HAProxy 3.0 from Debian's packages". */
  readonly provides: string
  /** On 2 cores, from cold. */
  readonly expectedSeconds: number
  /** Reference of the recipe it builds upon; default "docker.io/library/debian:trixie-slim". */
  readonly from?: string
  /** Dockerfile without its FROM line. Debian's packages come over plain http (signed), so `apt-get` works in it everywhere. */
  readonly dockerfile: string
  files?(tools: RecipeTools): Promise<Readonly<Record<string, ContextFile>>>
  /** Runs in the made image before anybody uses it: its output must match. */
  readonly check: { readonly command: readonly string[]; readonly expect: RegExp }
}
