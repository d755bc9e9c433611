export { delivery } from "./delivery.js"
export { dev } from "./dev.js"
