import { fault } from "../../core/errors.js"
import type { Component } from "./component.js"
import { daggerEngine } from "./engine.js"
import { registry } from "./registry.js"
import { sonarqube } from "./sonarqube.js"

/** Every part of the local stack. */
export const components: readonly Component[] = [registry, daggerEngine, sonarqube]

/** A component by id. Errors: STACK-UNKNOWN with the ids that there are. */
export function componentOf(id: string): Component {
  const found = components.find((component) => component.id === id)
  if (found !== undefined) return found
  throw fault({
    code: "STACK-UNKNOWN",
    kind: "usage",
    message: `The stack has no component ${id}`,
    hint: `There are: ${components.map((component) => component.id).join(", ")}.`,
  })
}
