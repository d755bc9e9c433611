/** SDK, CLI and engine are of this one version (package.json pins the SDK to it; a unit test holds the two together). */
export const daggerVersion = "0.21.8"
/** Public image of the engine. */
export const engineReference = `registry.dagger.io/engine:v${daggerVersion}`
