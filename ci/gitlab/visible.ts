import { matchesGlob } from "../../core/condition.js"
import type { Env } from "../variables.js"

/**
 * What a job has from the runner, its image and the system, and tools are told by. Nothing by which people name secrets: NPM_TOKEN,
 * NODE_AUTH_TOKEN, DOCKER_PASSWORD and SSH_PRIVATE_KEY are none of these.
 */
const known: readonly RegExp[] = [
  // https://docs.gitlab.com/ci/variables/predefined_variables/, https://docs.gitlab.com/ci/runners/configure_runners/
  /^CI(_\w+)?$/,
  /^GITLAB_(CI|ENV|FEATURES|USER_\w+)$/,
  /^(RUNNER|FF)_\w+$/,
  /^GIT_(DEPTH|STRATEGY|CHECKOUT|CLEAN_FLAGS|FETCH_EXTRA_FLAGS|CLONE_\w+|SUBMODULE_\w+|CONFIG_\w+|SSL_\w+|AUTHOR_\w+|COMMITTER_\w+)$/,
  /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|SHLVL|HOSTNAME|TERM|COLORTERM|COLUMNS|LINES|TZ|LANG|LANGUAGE|_)$/,
  /^(TMPDIR|TMP|TEMP|NO_COLOR|FORCE_COLOR|DEBIAN_FRONTEND|DO_NOT_TRACK|container)$/,
  /^(LC|XDG|GANTRY)_\w+$/,
  /^((https?|ftp|no|all)_proxy|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)$/i,
  /^DOCKER_(HOST|CERT_PATH|TLS_\w+|TLS|CONFIG|CONTEXT|BUILDKIT|API_VERSION|DEFAULT_PLATFORM)$/,
  /^(_EXPERIMENTAL_DAGGER_\w+|DAGGER_(?!CLOUD_)\w+|OTEL_\w+|TRACEPARENT)$/,
  /^(KUBECONFIG|KUBERNETES_(SERVICE|PORT)\w*)$/,
  /^NODE_(ENV|OPTIONS|PATH|VERSION|EXTRA_CA_CERTS|COMPILE_CACHE|NO_WARNINGS|V8_COVERAGE)$/,
  /^(npm_(?!\w*(auth|token|password))\w+|NPM_CONFIG_(?!\w*(AUTH|TOKEN|PASSWORD))\w+|YARN_VERSION|INIT_CWD|COLOR|EDITOR)$/,
  /^(JAVA_(HOME|VERSION|TOOL_OPTIONS)|MAVEN_(HOME|OPTS|ARGS|CONFIG|CLI_OPTS))$/,
  /^GO(PATH|ROOT|PROXY|PRIVATE|NOPROXY|NOSUMDB|SUMDB|FLAGS|CACHE|MODCACHE)$/,
  /^SSH_(AUTH_SOCK|AGENT_PID)$/,
]

/**
 * Variables of a GitLab job that steps do not see. What a project's settings hold looks like any other variable in the job, be it
 * masked, protected or neither: so what is not known to come from elsewhere is kept back, and reaches the steps that declare it
 * (`secrets`) or, where it is no secret, all of them (`visible`).
 * @param visible names, with * and ?; those that the configuration itself sets are among them
 */
export function keptBack(env: Env, visible: readonly string[]): readonly string[] {
  if (env["GITLAB_CI"] !== "true") return []
  return Object.keys(env)
    .filter((name) => !known.some((k) => k.test(name)) && !visible.some((glob) => matchesGlob(glob, name)))
    .sort()
}
