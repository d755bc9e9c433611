/** Client of SonarQube's Web API, as far as a delivery needs it. https://next.sonarqube.com/sonarqube/web_api */
export * from "./analysis.js"
export * from "./gates.js"
export * from "./projects.js"
export * from "./server.js"
export { sonarSession, type SonarCall, type SonarCredentials, type SonarOptions, type SonarSession } from "./session.js"
