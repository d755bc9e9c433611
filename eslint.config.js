import tseslint from "typescript-eslint"

/** Which folders each layer may import. Dependencies point downwards only (design: "The house"). */
const layers = {
  core: [],
  net: ["core"],
  engine: ["core", "net"],
  clients: ["core", "net"],
  approvals: ["core"],
  environments: ["core", "net", "engine", "clients"],
  steps: ["core", "net", "engine", "clients", "approvals", "environments"],
  config: ["core", "net", "engine", "clients", "approvals", "environments", "steps"],
  pipelines: ["core", "net", "engine", "clients", "approvals", "environments", "steps", "config"],
  report: ["core"],
  ci: ["core", "net", "engine", "clients", "approvals", "environments", "steps", "config", "report"],
  cli: [
    "core",
    "net",
    "engine",
    "clients",
    "approvals",
    "environments",
    "steps",
    "config",
    "pipelines",
    "report",
    "ci",
  ],
}
const folders = Object.keys(layers)

const layerRules = folders.map((folder) => ({
  files: [`${folder}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${folders
              .filter((f) => f !== folder && !layers[folder].includes(f))
              .concat("test")
              .join("|")})/`,
            message: `${folder}/ may import only ${layers[folder].join(", ") || "itself"}: dependencies point downwards.`,
          },
        ],
      },
    ],
  },
}))

export default tseslint.config(
  { ignores: ["build/**", "dist/**", "node_modules/**", "examples/**", "**/.gantry/**", "coverage/**"] },
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { project: "tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-empty": ["error", { allowEmptyCatch: false }],
    },
  },
  ...layerRules.filter((rule) => folders.length > 0 && rule),
)
