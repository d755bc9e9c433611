export { configFile, findProject, loadProject, selectServices, type Project } from "./load.js"
export { defineConfig, ProjectConfig, type PipelineSource, type ProjectConfigInput } from "./schema.js"
export { targetVariable } from "./target.js"
export { loadService, serviceFile } from "./services.js"
