/** Public face of TEST, UAT and PROD: what an environment is, what runs in it, and how a release gets there. */
export * from "./environment.js"
