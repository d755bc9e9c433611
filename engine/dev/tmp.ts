import { engineConfig, openSession, resolveImage, withHostCa } from "../index.js"
import { plainProgress } from "./progress.js"
import { PassThrough } from "node:stream"
const config = engineConfig.parse({ stack: "eng-t1", ports: { registry: 5051, sonarqube: 9051 } })
let t=Date.now(); const lap=(s:string)=>{console.log(s, Date.now()-t,"ms"); t=Date.now()}
const image = await resolveImage(config, "debian:trixie-slim", {progress: plainProgress(false)})
lap(image.reference)
const logs = new PassThrough(); logs.resume()
const session = await openSession(config, { logs, progress: plainProgress(false) })
lap("open "+session.via+session.version)
const run = session.dag.container().from(image.reference).withEnvVariable("X", String(Date.now())).withExec(["sleep","60"]).stdout()
setTimeout(async()=>{ const {execa}=await import("execa"); await execa("docker",["stop","eng-t1-engine"]); lap("killed") }, 3000)
await run.catch((e)=>{ lap("rejected "+String(session.explain(e))); console.log(JSON.stringify(e.cause?.response), JSON.stringify(e.cause)) })
await session.close()
lap("close")
const again = await openSession(config, { logs, progress: plainProgress(false) })
lap("open again")
console.log(await withHostCa(again.dag.container().from(image.reference),again.dag,config).withExec(["sh","-c","ls -l /run/gantry; env | grep JAVA"]).stdout())
await again.close()
