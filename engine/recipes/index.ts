import type { Recipe } from "../supply/recipe.js"
import { recipes as base } from "./base.js"
import { recipes as dagger } from "./dagger.js"
import { recipes as go } from "./go.js"
import { recipes as haproxy } from "./haproxy.js"
import { recipes as helm } from "./helm.js"
import { recipes as java } from "./java.js"
import { recipes as kustomize } from "./kustomize.js"
import { recipes as mariadb } from "./mariadb.js"
import { recipes as node } from "./node.js"
import { recipes as prometheus } from "./prometheus.js"
import { recipes as registry } from "./registry.js"
import { recipes as sonarqube } from "./sonarqube.js"
import { recipes as trivy } from "./trivy.js"

/** Everything that can be made from packages. */
export const allRecipes: readonly Recipe[] = [
  ...base,
  ...dagger,
  ...go,
  ...haproxy,
  ...helm,
  ...java,
  ...kustomize,
  ...mariadb,
  ...node,
  ...prometheus,
  ...registry,
  ...sonarqube,
  ...trivy,
]

/** The recipe that stands in for a public reference, by any of its tags. */
export function recipeFor(reference: string): Recipe | undefined {
  return allRecipes.find((recipe) => recipe.references.includes(reference))
}
