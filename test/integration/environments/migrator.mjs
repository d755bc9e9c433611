// A migration in a process of its own, so that a test can kill it. Prints what it tells.
import { migrate } from "../../../build/environments/index.js"
import { options, order, tell } from "./ordered.mjs"

const done = await migrate({ ...options, migration: order.migration, output: tell })
tell(`migrated applied=${done.applied}`)
