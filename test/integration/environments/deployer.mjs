// A deployer as a process of its own, so that a test can kill it. Prints what it tells.
import { deployRelease } from "../../../build/environments/index.js"
import { options, tell } from "./ordered.mjs"

const done = await deployRelease(options)
tell(`deployed unchanged=${done.unchanged}`)
